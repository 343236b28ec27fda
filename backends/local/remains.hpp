#pragma once

#include <string>
#include <string_view>

namespace amp {

/// Removes what a dead keeper of `run` left: its scratch folder or its socket. Only below a folder that
/// private_folder made: the path comes from a log that others may write.
void remove_remains(const std::string& path, std::string_view run);

/// Removes from a private folder what keepers left that were killed and never resumed: scratch folders that
/// nobody holds locked and sockets that nobody answers, when they are older than an hour. Errors are ignored.
void prune_remains(const std::string& folder);

}  // namespace amp

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace amp {

/// Removes what a dead keeper of `run` left: its scratch folder or its socket. Only below a folder that
/// private_folder made: the path comes from a log that others may write.
void remove_remains(const std::string& path, std::string_view run);

/// Removes from a private folder what keepers left that were killed and never resumed: scratch folders that
/// nobody holds locked and sockets that nobody answers, when they are older than an hour. Errors are ignored.
/// @param dry only count. @return how many
std::size_t prune_remains(const std::string& folder, bool dry = false);

}  // namespace amp

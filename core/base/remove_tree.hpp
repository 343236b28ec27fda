#pragma once

#include <string>

namespace amp {

/// Removes a tree, whatever its modes, and through no link. Errors are ignored: what stays is for the next
/// who cleans up there.
void remove_tree(const std::string& path);

}  // namespace amp

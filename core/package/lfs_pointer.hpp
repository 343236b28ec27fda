#pragma once

#include <string_view>

namespace amp {

/// Is this a pointer of git-lfs, which stands in a clone for the content that was not fetched? By its
/// specification: short lines of "key value", first its version, then sorted ones, among them oid and size.
bool is_lfs_pointer(std::string_view content);

}  // namespace amp

#pragma once

#include <cstdint>
#include <string>

#include "core/package/code_manifest.hpp"

namespace amp {

// The tar format (POSIX ustar, with pax records where a name or size does not fit) of one entry of a code
// manifest. The bytes depend on the entry alone: time 0, user and group 0 without names, rights 0644 or 0755.

/// What stands before the content.
std::string tar_header(const CodeEntry& entry);
/// The zeros behind a content of so many bytes.
std::uint64_t tar_padding(std::uint64_t size_bytes);
/// The zeros at the end of an archive.
constexpr std::uint64_t k_tar_end_bytes = 1024;

}  // namespace amp

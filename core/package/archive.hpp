#pragma once

#include <functional>
#include <string_view>

#include "core/package/code_manifest.hpp"

namespace amp {

using TakeBytes = std::function<void(std::string_view)>;

/// Gives the content of a file of a manifest, in pieces.
using ReadCode = std::function<void(const CodeEntry& entry, const TakeBytes& piece)>;

/// The code of a manifest as an archive that moves between machines: tar (core/package/tar.hpp), the entries
/// in the manifest's order, compressed by zstd in frames of its own. The same manifest gives the same bytes,
/// whatever the machine, the checkout, umask and time zone; still it is known by the manifest's hash.
///
/// In bounded memory. Contents are compared with their hashes on the way.
/// @param out gets the archive, in pieces
/// @throws Error(invalid) naming what cannot be shipped, before anything is written; Error(mismatch) when a
/// content is not what the manifest says
void write_archive(const CodeManifest& code, const ReadCode& read, const TakeBytes& out);

/// From the project's folder. @throws Error(mismatch) of a file that has changed since it was listed
ReadCode code_in_folder(const std::string& folder);

}  // namespace amp

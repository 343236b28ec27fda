#pragma once

#include <functional>
#include <string>

#include "core/package/archive.hpp"
#include "core/package/code_manifest.hpp"

namespace amp {

/// Gives the bytes of an archive, in pieces and in order.
using ReadArchive = std::function<void(const TakeBytes& piece)>;

/// Unpacks an archive of write_archive into a new folder, or an empty one. It is there whole or not at all,
/// and durable; nothing is written outside of it, whatever the archive holds.
///
/// Nothing is read out of the archive but the contents of files: which entries there are the manifest says,
/// and the bytes of a right archive between the contents follow from it (core/package/tar.hpp). So each byte
/// is either the one that must stand there, or a content that is compared with its hash; an archive that
/// names other entries, kinds, rights, sizes or links, in whatever way, is refused at its first byte that
/// differs. Links are laid at the end: nothing is written through one. Memory is bounded, and so is what is
/// read of an archive, by the sizes of the manifest.
/// @throws Error(mismatch) when the archive is not that of the manifest, or the manifest's entries would not
/// all lie in the folder; Error(usage) when something is in the folder
void unpack_archive(const CodeManifest& code, const ReadArchive& archive, const std::string& folder);

/// The same, once a node: into CACHE_FOLDER/HASH, where it stays; who comes later finds it there. Of several
/// that come at once one unpacks and the others wait. @return the folder
std::string unpack_once(const CodeManifest& code, const ReadArchive& archive,
                        const std::string& cache_folder);

}  // namespace amp

#pragma once

#include "core/package/code_manifest.hpp"
#include "core/package/manifest.hpp"

namespace amp {

/// What becomes of contents that a scan reads: they are kept, or, without these, only hashed.
struct KeepCode {
    KeepContent content;
    StoreFile file;  ///< of large ones, which no memory holds as a whole
};

/// scan_code (core/package/code_manifest.hpp), of files of any size in bounded memory.
CodeManifest scan_and_keep(Files& files, Process& process, ObjectStore& store, const std::string& folder,
                           const CodeSelection& selection, Timestamp now, const KeepCode& keep);

/// Gives a file of the disk in pieces, at most `most` bytes. @throws Error(mismatch) when it is none any more
void read_pieces(const std::string& path, std::uint64_t most,
                 const std::function<void(std::string_view)>& take);

}  // namespace amp

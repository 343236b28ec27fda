#include "core/package/archive.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/text.hpp"
#include "core/package/code_scan.hpp"
#include "core/package/compression.hpp"
#include "core/package/layable.hpp"
#include "core/package/tar.hpp"

namespace amp {
namespace {

constexpr compression::Effort k_effort{3, 4};  // of the first all archives are made, for ever the same

void check_shippable(const CodeManifest& code) {
    const std::vector<UnfitEntry> unfit = unshippable_entries(code);
    if (unfit.empty()) {
        return;
    }
    std::string more;
    if (unfit.size() > 1) {
        more = fmt::format("; so it is with {} more", unfit.size() - 1);
    }
    throw Error(ExitCode::invalid,
                fmt::format("'{}' {}, and cannot be shipped{}", printable(unfit.front().path),
                            unfit.front().why, more),
                unfit.front().path, std::string(k_unfit_hint));
}

void write_content(const CodeEntry& entry, const ReadCode& read, compression::Compressor& out) {
    Sha256 hash;
    std::uint64_t size = 0;
    read(entry, [&](std::string_view piece) {
        size += piece.size();
        if (size <= entry.size_bytes) {
            hash.update(piece);
            out.write(piece);
        }
    });
    if (size != entry.size_bytes || hash.hex() != entry.sha256) {
        throw Error(ExitCode::mismatch,
                    fmt::format("'{}' has changed while it was packed", printable(entry.path)), entry.path,
                    "once more, when nothing writes to it");
    }
    out.write(std::string(tar_padding(size), '\0'));
}

}  // namespace

void write_archive(const CodeManifest& code, const ReadCode& read, const TakeBytes& out) {
    check_shippable(code);
    compression::Compressor compressor(out, k_effort);
    for (const CodeEntry& entry : code.entries) {
        compressor.write(tar_header(entry));
        if (!entry.folder && entry.link_target.empty()) {
            write_content(entry, read, compressor);
        }
    }
    compressor.write(std::string(k_tar_end_bytes, '\0'));
    compressor.finish();
}

ReadCode code_in_folder(const std::string& folder) {
    return [folder](const CodeEntry& entry, const TakeBytes& piece) {
        read_pieces(folder + "/" + entry.path, entry.size_bytes + 1, piece);  // one more: has it grown?
    };
}

}  // namespace amp

#include "core/store/objects.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/ids.hpp"
#include "core/package/compression.hpp"
#include "core/store/layout.hpp"

namespace amp {
namespace {

constexpr std::uint64_t k_piece = std::uint64_t{1} << 20;

struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

File open_file(const std::string& path, const char* mode) {
    File file(std::fopen(path.c_str(), mode));
    if (!file) {
        throw Error::system(mode[0] == 'r' ? "cannot open" : "cannot create", path, errno);
    }
    std::setvbuf(file.get(), nullptr, _IONBF, 0);
    return file;
}

/// The next piece of at most 1 MiB; empty at the end.
std::string_view read_piece(std::FILE* file, std::string& buffer, const std::string& path) {
    buffer.resize(k_piece);
    const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), file);
    if (n < buffer.size() && std::ferror(file) != 0) {
        throw Error::system("cannot read", path, errno);
    }
    return {buffer.data(), n};
}

[[noreturn]] void fail_mismatch(std::string_view sha256, std::string_view why) {
    throw Error(ExitCode::mismatch, fmt::format("object {} is damaged: {}", sha256, why), std::string(sha256),
                "run `amp fsck`; running the step again makes the object anew");
}

/// Gives the plain content of an object in pieces and verifies it at the end. False when there is no such
/// object.
bool stream(ObjectStore& store, std::string_view sha256, bool compressed, const compression::Sink& sink) {
    const std::string key = layout::object(sha256, compressed);
    std::optional<std::string> piece = store.get_range(key, 0, k_piece);
    if (!piece) {
        return false;
    }
    Sha256 hash;
    const auto plain = [&](std::string_view bytes) {
        hash.update(bytes);
        sink(bytes);
    };
    std::optional<compression::Decompressor> decompressor;
    if (compressed) {
        decompressor.emplace(plain);
    }
    for (std::uint64_t offset = 0; piece && !piece->empty(); piece = store.get_range(key, offset, k_piece)) {
        offset += piece->size();
        if (decompressor) {
            decompressor->write(*piece);
        } else {
            plain(*piece);
        }
        if (piece->size() < k_piece) {
            break;
        }
    }
    if (decompressor) {
        decompressor->finish();
    }
    if (hash.hex() != sha256) {
        fail_mismatch(sha256, "its bytes have another hash");
    }
    return true;
}

void stream_any(ObjectStore& store, std::string_view sha256, const compression::Sink& sink) {
    try {
        if (stream(store, sha256, false, sink) || stream(store, sha256, true, sink)) {
            return;
        }
    } catch (const Error& error) {
        if (error.code() == ExitCode::mismatch && error.where().empty()) {
            fail_mismatch(sha256, error.message());
        }
        throw;
    }
    throw Error(ExitCode::not_found, fmt::format("object {} is not in the store", sha256),
                std::string(sha256));
}

/// Is what lies there sound? After a crash of the machine a file can be shorter than what was put. Large raw
/// ones are judged by their size, all others by their hash.
bool is_intact(ObjectStore& store, const ObjectInfo& info, bool compressed) {
    const std::uint64_t stored = store.size(layout::object(info.sha256, compressed)).value_or(0);
    if (!compressed && (stored != info.size_bytes || stored > k_piece)) {
        return stored == info.size_bytes;
    }
    try {
        return stream(store, info.sha256, compressed, [](std::string_view) {});
    } catch (const Error& error) {
        if (error.code() == ExitCode::mismatch) {
            return false;
        }
        throw;
    }
}

struct Scan {
    ObjectInfo info;
    bool compress = false;
};

Scan scan_file(const std::string& path) {
    const File file = open_file(path, "rb");
    Scan scan;
    Sha256 hash;
    std::string buffer;
    for (std::string_view piece = read_piece(file.get(), buffer, path); !piece.empty();
         piece = read_piece(file.get(), buffer, path)) {
        if (scan.info.size_bytes == 0) {
            scan.compress = compression::worth_compressing(piece);
        }
        hash.update(piece);
        scan.info.size_bytes += piece.size();
    }
    scan.info.sha256 = hash.hex();
    return scan;
}

/// Copies the file into `writer` and returns the hash of what was read this time.
std::string copy_file(const std::string& path, bool compress, ObjectWriter& writer) {
    const File file = open_file(path, "rb");
    Sha256 hash;
    std::string buffer;
    std::optional<compression::Compressor> compressor;
    if (compress) {
        compressor.emplace([&](std::string_view bytes) { writer.append(bytes); });
    }
    for (std::string_view piece = read_piece(file.get(), buffer, path); !piece.empty();
         piece = read_piece(file.get(), buffer, path)) {
        hash.update(piece);
        if (compressor) {
            compressor->write(piece);
        } else {
            writer.append(piece);
        }
    }
    if (compressor) {
        compressor->finish();
    }
    return hash.hex();
}

}  // namespace

ObjectInfo Objects::put(std::string_view bytes) {
    const ObjectInfo info{sha256_hex(bytes), bytes.size()};
    const bool compressed = compression::worth_compressing(bytes.substr(0, k_piece));
    const std::string key = layout::object(info.sha256, compressed);
    const std::string packed = compressed ? compression::compress(bytes) : std::string();
    const std::string_view content = compressed ? std::string_view(packed) : bytes;
    if (store_.put_if_absent(key, content, Durability::later) == PutResult::exists &&
        !(is_intact(store_, info, compressed) && store_.refresh(key))) {
        store_.put(key, content);
    }
    return info;
}

ObjectInfo Objects::put_file(const std::string& path) {
    std::error_code failed;
    const std::uint64_t size = std::filesystem::file_size(path, failed);
    if (!failed && size <= k_piece) {
        const File file = open_file(path, "rb");
        std::string buffer;
        const std::string_view bytes = read_piece(file.get(), buffer, path);
        if (bytes.size() < k_piece) {
            return put(bytes);
        }
    }
    const Scan scan = scan_file(path);
    const std::string key = layout::object(scan.info.sha256, scan.compress);
    if (store_.size(key)) {
        if (is_intact(store_, scan.info, scan.compress) && store_.refresh(key)) {
            return scan.info;
        }
        store_.remove(key);
    }
    const std::unique_ptr<ObjectWriter> writer = store_.create(key);
    if (copy_file(path, scan.compress, *writer) != scan.info.sha256) {
        throw Error(ExitCode::mismatch, fmt::format("'{}' changed while it was being stored", path), path,
                    "let the step finish writing before it ends");
    }
    writer->commit(Durability::later);
    return scan.info;
}

std::string Objects::get(std::string_view sha256) {
    std::string out;
    stream_any(store_, sha256, [&](std::string_view bytes) { out += bytes; });
    return out;
}

void Objects::read(std::string_view sha256, const std::function<void(std::string_view)>& each) {
    stream_any(store_, sha256, each);
}

void Objects::get_to_file(std::string_view sha256, const std::string& path) {
    const std::string temporary = fmt::format("{}.~{:016x}", path, random_bits());
    try {
        File file = open_file(temporary, "wbx");
        stream_any(store_, sha256, [&](std::string_view bytes) {
            if (std::fwrite(bytes.data(), 1, bytes.size(), file.get()) != bytes.size()) {
                throw Error::system("cannot write", path, errno);
            }
        });
        if (std::fclose(file.release()) != 0) {
            throw Error::system("cannot write", path, errno);
        }
        using std::filesystem::perms;
        std::filesystem::permissions(temporary, perms::owner_read | perms::group_read | perms::others_read);
        std::filesystem::rename(temporary, path);
    } catch (const std::filesystem::filesystem_error& error) {
        std::remove(temporary.c_str());
        throw Error::system("cannot create", path, error.code().value());
    } catch (...) {
        std::remove(temporary.c_str());
        throw;
    }
}

bool Objects::contains(std::string_view sha256, std::uint64_t size_bytes) {
    const std::optional<std::uint64_t> raw = store_.size(layout::object(sha256, false));
    if (raw && *raw == size_bytes) {
        return true;
    }
    const std::string key = layout::object(sha256, true);
    const std::uint64_t stored = store_.size(key).value_or(0);
    return stored > 0 &&
           compression::is_whole(stored, size_bytes, [&](std::uint64_t offset, std::uint64_t length) {
               return store_.get_range(key, offset, length).value_or("");
           });
}

std::optional<std::string> find_damage(ObjectStore& store, std::string_view sha256, bool compressed) {
    try {
        stream(store, sha256, compressed, [](std::string_view) {});
        return std::nullopt;
    } catch (const Error& error) {
        if (error.code() != ExitCode::mismatch) {
            throw;
        }
        return error.message();
    }
}

}  // namespace amp

#include "core/package/unpack.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/text.hpp"
#include "core/base/unique_fd.hpp"
#include "core/package/compression.hpp"
#include "core/package/layable.hpp"
#include "core/package/new_folder.hpp"
#include "core/package/tar.hpp"
#include "core/package/tree_writer.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t k_spare_bytes = std::uint64_t{1} << 20;

Error refused(const std::string& why) {
    return {ExitCode::mismatch,
            "the archive of code is not what its manifest says: " + why,
            {},
            "nothing of it was kept; make the archive anew"};
}

void check_manifest(const CodeManifest& code) {
    const std::vector<UnfitEntry> unfit = unshippable_entries(code);
    if (!unfit.empty()) {
        throw refused(fmt::format("'{}' {}", printable(unfit.front().path), unfit.front().why));
    }
    if (code.hash != hash_of(code)) {
        throw Error(ExitCode::mismatch, "a manifest of code has another hash than it says");
    }
}

/// Takes the plain bytes of an archive, and compares each with what must stand there.
class Unpacking {
  public:
    Unpacking(const CodeManifest& code, TreeWriter& tree) : entries_(code.entries), tree_(tree) {
        begin_entry();
    }

    void take(std::string_view bytes) {
        while (!bytes.empty()) {
            bytes.remove_prefix(content_left_ > 0 ? take_content(bytes) : take_fixed(bytes));
            advance();
        }
    }

    void finish() {
        if (at_ <= entries_.size()) {
            throw refused("it is cut short");
        }
        for (const CodeEntry& entry : entries_) {
            if (!entry.link_target.empty()) {
                tree_.lay_link(entry);
            }
        }
    }

  private:
    const CodeEntry& entry() const { return entries_[at_]; }
    bool in_entry() const { return at_ < entries_.size(); }
    bool is_file() const { return in_entry() && !entry().folder && entry().link_target.empty(); }

    /// What stands before the content of the next entry, or at the end.
    void begin_entry() {
        matched_ = 0;
        in_content_ = false;
        fixed_ = in_entry() ? tar_header(entry())
                            : std::string(at_ == entries_.size() ? k_tar_end_bytes : 0, '\0');
    }

    std::size_t take_fixed(std::string_view bytes) {
        const std::size_t n = std::min(bytes.size(), fixed_.size() - matched_);
        if (n == 0) {
            throw refused("it holds more");
        }
        if (bytes.substr(0, n) != std::string_view(fixed_).substr(matched_, n)) {
            throw refused(in_entry()
                              ? fmt::format("where '{}' should be is something else", printable(entry().path))
                              : "something else stands at its end");
        }
        matched_ += n;
        return n;
    }

    std::size_t take_content(std::string_view bytes) {
        const std::size_t n = std::min<std::uint64_t>(bytes.size(), content_left_);
        hash_.update(bytes.substr(0, n));
        tree_.write(entry(), bytes.substr(0, n));
        content_left_ -= n;
        return n;
    }

    /// From a header to the content, from there to the zeros behind it, and on to the next entry.
    void advance() {
        while (content_left_ == 0 && matched_ == fixed_.size() && at_ <= entries_.size()) {
            if (is_file() && !in_content_) {
                begin_content();
            } else {
                end_entry();
            }
        }
    }

    void begin_content() {
        tree_.begin_file(entry());
        hash_ = Sha256();
        in_content_ = true;
        content_left_ = entry().size_bytes;
        fixed_.assign(tar_padding(content_left_), '\0');
        matched_ = 0;
    }

    void end_entry() {
        if (is_file()) {
            if (hash_.hex() != entry().sha256) {
                throw refused(fmt::format("'{}' has another content", printable(entry().path)));
            }
            tree_.end_file(entry());
        } else if (in_entry() && entry().folder) {
            tree_.lay_folder(entry());
        }
        ++at_;
        begin_entry();
    }

    const std::vector<CodeEntry>& entries_;
    TreeWriter& tree_;
    std::size_t at_ = 0;
    std::string fixed_;  ///< header, padding or end: the bytes that must come
    std::size_t matched_ = 0;
    bool in_content_ = false;
    std::uint64_t content_left_ = 0;
    Sha256 hash_;
};

/// Refuses an archive that is longer than one of so much content can be, before it costs time.
class Meter {
  public:
    explicit Meter(const CodeManifest& code) {
        std::uint64_t plain = total_bytes(code) + k_tar_end_bytes;
        for (const CodeEntry& entry : code.entries) {
            plain += tar_header(entry).size() + tar_padding(entry.size_bytes);
        }
        left_ = plain + plain / 64 + k_spare_bytes;
    }

    void count(std::string_view bytes) {
        if (bytes.size() > left_) {
            throw refused("it is too long");
        }
        left_ -= bytes.size();
    }

  private:
    std::uint64_t left_ = 0;
};

void fill(const CodeManifest& code, const ReadArchive& archive, const std::string& folder) {
    TreeWriter tree(folder);
    Unpacking unpacking(code, tree);
    Meter meter(code);
    compression::Decompressor decompressor([&](std::string_view bytes) { unpacking.take(bytes); });
    archive([&](std::string_view bytes) {
        meter.count(bytes);
        decompressor.write(bytes);
    });
    decompressor.finish();
    unpacking.finish();
    tree.sync();
}

/// So that the name, too, is there after a crash of the machine.
void sync_folder(const std::string& folder) {
    const UniqueFd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || fsync(fd.get()) != 0) {
        throw Error::system("cannot write", folder, errno);
    }
}

/// False when something is in the folder already.
bool unpack_beside(const CodeManifest& code, const ReadArchive& archive, const fs::path& place) {
    NewFolder fresh(place.string());
    fill(code, archive, fresh.path());
    if (!fresh.move_to_place()) {
        return false;
    }
    sync_folder(place.parent_path().string());
    return true;
}

fs::path whole_path(const std::string& folder) {
    fs::path place = fs::absolute(folder).lexically_normal();
    return place.has_filename() ? place : place.parent_path();
}

void make_folders(const fs::path& folder) {
    std::error_code failed;
    fs::create_directories(folder, failed);
    if (failed) {
        throw Error::system("cannot create", folder.string(), failed.value());
    }
}

bool is_there(const fs::path& place) {
    std::error_code unknown;
    return fs::is_directory(place, unknown);
}

/// Held by who unpacks; none where the file system has no locks: then a rename decides.
UniqueFd lock(const std::string& path) {
    UniqueFd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) {
        throw Error::system("cannot create", path, errno);
    }
    while (flock(file.get(), LOCK_EX) != 0) {
        if (errno != EINTR) {
            return UniqueFd();
        }
    }
    return file;
}

/// What was left by those who died while they unpacked. Only under the lock.
void remove_remains(const fs::path& place) {
    const std::string beginning = NewFolder::beginning(place.string());
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(place.parent_path(), ignored)) {
        if (entry.path().filename().string().starts_with(beginning)) {
            fs::remove_all(entry.path(), ignored);
        }
    }
}

}  // namespace

void unpack_archive(const CodeManifest& code, const ReadArchive& archive, const std::string& folder) {
    check_manifest(code);
    const fs::path place = whole_path(folder);
    make_folders(place.parent_path());
    if (!unpack_beside(code, archive, place)) {
        throw Error(ExitCode::usage, fmt::format("'{}' is not empty", place.string()), place.string(),
                    "name a folder that is new or empty");
    }
}

std::string unpack_once(const CodeManifest& code, const ReadArchive& archive,
                        const std::string& cache_folder) {
    check_manifest(code);
    const fs::path place = whole_path(cache_folder) / code.hash;
    if (is_there(place)) {
        return place.string();
    }
    make_folders(place.parent_path());
    const UniqueFd held = lock(place.string() + ".lock");
    if (!is_there(place)) {
        if (held) {
            remove_remains(place);
        }
        unpack_beside(code, archive, place);  // false: somebody without a lock was first, with the same
    }
    return place.string();
}

}  // namespace amp

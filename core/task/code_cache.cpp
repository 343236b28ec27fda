#include "core/task/code_cache.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/remove_tree.hpp"
#include "core/base/text.hpp"
#include "core/package/layable.hpp"
#include "core/package/new_folder.hpp"
#include "core/task/code.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;

constexpr time_t k_day_s = 86400;
constexpr time_t k_keep_unused_s = 30 * k_day_s;

/// Locks what it opens. Where the file system has no locks, all of them are had.
bool lock(const UniqueFd& file, int how) {
    while (flock(file.get(), how) != 0) {
        if (errno != EINTR) {
            return errno != EWOULDBLOCK;
        }
    }
    return true;
}

UniqueFd open_folder(const std::string& path) {
    return UniqueFd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

bool is_same(const struct stat& a, const struct stat& b) {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// So that the name, too, is there after a crash of the machine.
void sync_folder(const std::string& folder) {
    const UniqueFd fd = open_folder(folder);
    if (!fd || fsync(fd.get()) != 0) {
        throw Error::system("cannot write", folder, errno);
    }
}

/// What was left by those who died while they laid code here. Only under its lock.
void remove_remains(const std::string& place) {
    const std::string beginning = NewFolder::beginning(place);
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(fs::path(place).parent_path(), ignored)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with(beginning) && entry.is_directory(ignored)) {
            remove_tree(entry.path().string());
        }
    }
}

/// Unless somebody has it; half of it is never seen.
void remove_unused(const std::string& path) {
    const UniqueFd held(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!held || !lock(held, LOCK_EX | LOCK_NB)) {
        return;
    }
    const fs::path old(path);
    const std::string aside = fmt::format("{}/.old.{:x}", old.parent_path().string(), random_bits());
    if (std::rename(path.c_str(), aside.c_str()) == 0) {
        remove_tree(aside);
    }
}

}  // namespace

CodeCache::CodeCache(std::string folder, bool shared) : folder_(std::move(folder)), shared_(shared) {}

std::optional<LaidCode> CodeCache::find(const std::string& hash) const {
    LaidCode found{place_of(hash), UniqueFd()};
    if (is_sha256(hash)) {  // no other name is taken for a place
        found.in_use = open_folder(found.folder);
    }
    struct stat held {};
    struct stat there {};
    const bool whole = found.in_use && lock(found.in_use, LOCK_SH | LOCK_NB) &&  // else it is being removed,
                       fstat(found.in_use.get(), &held) == 0 &&                  // or was just now
                       stat(found.folder.c_str(), &there) == 0 && is_same(held, there);
    if (!whole) {
        return std::nullopt;
    }
    if (held.st_mtim.tv_sec + k_day_s < std::time(nullptr)) {
        futimens(found.in_use.get(), nullptr);  // in use: prune keeps it
    }
    return found;
}

LaidCode CodeCache::lay(ObjectStore& store, const CodeManifest& code) const {
    if (!is_sha256(code.hash) || code.hash != hash_of(code)) {
        throw Error(ExitCode::mismatch, fmt::format("the list of code {} has another hash", code.hash), {},
                    "`amp fsck` checks the store");
    }
    if (auto found = find(code.hash)) {
        return std::move(*found);
    }
    try {
        fs::create_directories(folder_);
        const std::string name = fmt::format("{}/.lock.{}", folder_, code.hash);
        const UniqueFd mine(open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!mine) {
            throw Error::system("cannot create", name, errno);
        }
        lock(mine, LOCK_EX);
        for (int tries = 0; tries < 2; ++tries) {
            if (auto found = find(code.hash)) {
                return std::move(*found);
            }
            fill(store, code);
        }
        auto found = find(code.hash);
        if (!found) {
            throw Error(ExitCode::infrastructure, fmt::format("'{}' is no folder", place_of(code.hash)));
        }
        return std::move(*found);
    } catch (const fs::filesystem_error& failed) {
        throw Error::system("cannot write", folder_, failed.code().value());
    }
}

void CodeCache::fill(ObjectStore& store, const CodeManifest& code) const {
    const std::string place = place_of(code.hash);
    remove_remains(place);
    prune();
    NewFolder fresh(place);
    const auto rights = shared_ ? LaidRights::read_only_files : LaidRights::read_only;
    const std::vector<std::string> missing = lay_code_files(store, code, fresh.path(), rights);
    if (!missing.empty()) {
        throw Error(ExitCode::not_found,
                    fmt::format("the contents of {} files of its code are not in the store, '{}' first",
                                missing.size(), printable(missing.front())),
                    {}, std::string(k_unfit_hint));
    }
    fresh.move_to_place();  // false: somebody without a lock was first, with the same
    sync_folder(folder_);
}

void CodeCache::prune() const {
    const time_t limit = std::time(nullptr) - k_keep_unused_s;
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder_, ignored)) {
        struct stat info {};
        if (lstat(entry.path().c_str(), &info) == 0 && info.st_mtim.tv_sec < limit) {
            remove_unused(entry.path().string());
        }
    }
}

}  // namespace amp

#include "core/task/code.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <filesystem>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/base/unique_fd.hpp"
#include "core/package/layable.hpp"
#include "core/store/objects.hpp"
#include "core/store/store.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;

constexpr mode_t k_file = 0644;
constexpr mode_t k_program = 0755;
constexpr mode_t k_write_bits = 0222;
constexpr auto k_keep_unused = std::chrono::hours(24 * 90);
constexpr std::uintmax_t k_small = std::uintmax_t{1} << 20;

/// Only what lies within the folder, each in a place of its own, and nothing of what is laid beside.
void check_manifest(const CodeManifest& code, std::string_view reserved) {
    std::vector<UnfitEntry> unfit = misplaced_entries(code);
    for (const CodeEntry& entry : code.entries) {
        if (!reserved.empty() &&
            (entry.path == reserved || entry.path.starts_with(std::string(reserved) + "/"))) {
            unfit.push_back({entry.path, "lies where amp keeps its own"});
        }
    }
    if (!unfit.empty()) {
        throw Error(ExitCode::mismatch,
                    fmt::format("the run's list of code is not laid: '{}' {}", printable(unfit.front().path),
                                unfit.front().why),
                    {}, "`amp fsck` checks the store");
    }
}

/// Nobody writes there by mistake. Folders last: they are written to until then.
void make_read_only(const fs::path& folder) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
        struct stat info {};
        if (!entry.is_symlink() && ::stat(entry.path().c_str(), &info) == 0) {
            ::chmod(entry.path().c_str(), info.st_mode & ~k_write_bits & 07777U);
        }
    }
    ::chmod(folder.c_str(), 0555);
}

void remove_read_only(const fs::path& folder) {
    std::error_code ignored;
    ::chmod(folder.c_str(), 0700);
    for (fs::recursive_directory_iterator it(folder, ignored), end; !ignored && it != end;
         it.increment(ignored)) {
        if (it->is_directory(ignored) && !it->is_symlink(ignored)) {
            ::chmod(it->path().c_str(), 0700);
        }
    }
    fs::remove_all(folder, ignored);
}

/// What no task has asked for in a long time goes.
void prune_code(const fs::path& cache) {
    std::error_code ignored;
    const auto now = fs::file_time_type::clock::now();
    for (const fs::directory_entry& entry : fs::directory_iterator(cache, ignored)) {
        const auto used = fs::last_write_time(entry, ignored);
        if (!ignored && now - used > k_keep_unused) {
            remove_read_only(entry.path());
        }
    }
}

bool clone_file(const fs::path& from, const fs::path& to, mode_t mode) {
    const UniqueFd source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
    const UniqueFd target(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (source && target && ::ioctl(target.get(), FICLONE, source.get()) == 0) {
        return true;
    }
    std::error_code ignored;
    fs::remove(to, ignored);
    return false;
}

void lay_own_file(const fs::path& from, const fs::path& to) {
    struct stat info {};
    if (::stat(from.c_str(), &info) != 0) {
        throw Error::system("read", from.string(), errno);
    }
    const mode_t mode = (info.st_mode & S_IXUSR) != 0 ? k_program : k_file;
    if (clone_file(from, to, mode)) {
        return;
    }
    if (static_cast<std::uintmax_t>(info.st_size) > k_small) {
        fs::create_symlink(from, to);
        return;
    }
    fs::copy_file(from, to);
    ::chmod(to.c_str(), mode);
}

}  // namespace

CodeManifest read_code_manifest(ObjectStore& store, const std::string& run, const std::string& hash) {
    CodeManifest code;
    try {
        code = code_manifest_from(
            Object{{"entries", json::parse(Objects(store).get(hash), "a code manifest")}, {"hash", hash}});
    } catch (const Error& error) {
        if (error.code() != ExitCode::not_found) {
            throw;
        }
        const Value record = read_run(store, run);
        const Value* recorded = record.find("code");
        code = recorded == nullptr ? CodeManifest{} : code_manifest_from(*recorded);
        if (code.hash != hash) {
            throw Error(ExitCode::not_found, fmt::format("the list of code {} is not in the store", hash),
                        run);
        }
    }
    if (hash_of(code.entries) != hash) {
        throw Error(ExitCode::mismatch, fmt::format("the list of code {} has another hash", hash), run,
                    "`amp fsck` checks the store");
    }
    return code;
}

std::vector<std::string> lay_code_files(ObjectStore& store, const CodeManifest& code,
                                        const std::string& folder, std::string_view reserved, bool writable) {
    check_manifest(code, reserved);
    Objects objects(store);
    std::vector<std::string> missing;
    for (const CodeEntry& entry : code.entries) {
        if (!entry.link_target.empty()) {
            continue;  // last, so that nothing is ever written through one
        }
        const fs::path path = fs::path(folder) / entry.path;
        if (entry.folder) {
            fs::create_directories(path);
            continue;
        }
        fs::create_directories(path.parent_path());
        if (entry.sha256.empty() || !objects.contains(entry.sha256, entry.size_bytes)) {
            missing.push_back(entry.path);
            continue;
        }
        objects.get_to_file(entry.sha256, path.string());
        const mode_t mode = entry.executable ? k_program : k_file;
        if (::chmod(path.c_str(), writable ? mode : mode & ~k_write_bits) != 0) {
            throw Error::system("change the mode of", path.string(), errno);
        }
    }
    for (const CodeEntry& entry : code.entries) {
        if (!entry.link_target.empty()) {
            const fs::path path = fs::path(folder) / entry.path;
            fs::create_directories(path.parent_path());
            fs::create_symlink(entry.link_target, path);
        }
    }
    return missing;
}

std::string lay_shared_code(ObjectStore& store, const CodeManifest& code, const std::string& cache) {
    const fs::path place = fs::path(cache) / code.hash;
    try {
        if (fs::is_directory(place)) {
            ::utimensat(AT_FDCWD, place.c_str(), nullptr, 0);  // in use: prune_code keeps it
            return place.string();
        }
        prune_code(cache);
        const fs::path fresh = fmt::format("{}.{:x}", place.string(), random_bits());
        fs::create_directories(fresh);
        try {
            const std::vector<std::string> missing = lay_code_files(store, code, fresh.string());
            if (!missing.empty()) {
                throw Error(
                    ExitCode::not_found,
                    fmt::format("the contents of {} files of its code are not in the store, '{}' first",
                                missing.size(), missing.front()));
            }
            make_read_only(fresh);
            std::error_code taken;
            fs::rename(fresh, place, taken);
            if (taken && !fs::is_directory(place)) {
                throw Error::system("cannot create", place.string(), taken.value());
            }
        } catch (...) {
            remove_read_only(fresh);
            throw;
        }
        remove_read_only(fresh);  // where another task was faster
    } catch (const fs::filesystem_error& failed) {
        throw Error::system("cannot write", cache, failed.code().value());
    }
    return place.string();
}

void lay_own_code(const std::string& shared, const std::string& folder) {
    try {
        fs::create_directories(folder);
        for (const fs::directory_entry& entry : fs::recursive_directory_iterator(shared)) {
            const fs::path to = fs::path(folder) / entry.path().lexically_relative(shared);
            if (entry.is_symlink()) {
                fs::copy_symlink(entry.path(), to);
            } else if (entry.is_directory()) {
                fs::create_directory(to);
            } else {
                lay_own_file(entry.path(), to);
            }
        }
    } catch (const fs::filesystem_error& failed) {
        throw Error::system("cannot write", folder, failed.code().value());
    }
}

}  // namespace amp

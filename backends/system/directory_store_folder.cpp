#include "backends/system/directory_store_folder.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <system_error>
#include <thread>
#include <tuple>

#include "core/base/ids.hpp"
#include "core/ports/object_store.hpp"

namespace amp {
namespace {

constexpr std::string_view k_git_ignore = ".gitignore";
constexpr std::string_view k_locks = ".locks";
constexpr std::string_view k_reserve = "reserve";
/// Folders can vanish between making and using them, since emptied ones are removed: try again this often.
constexpr int k_attempts = 20;
constexpr int k_attempts_of_sync = 500;

constexpr off_t k_reserve_bytes = off_t{1} << 20;

bool is_lack_of_room(int error_number) {
    return error_number == ENOSPC || error_number == EDQUOT;
}

std::string parent_of(std::string_view key) {
    const std::size_t slash = key.rfind('/');
    return std::string(key.substr(0, slash == std::string_view::npos ? 0 : slash));
}

bool is_folder_entry(int folder, const dirent& entry) {
    if (entry.d_type != DT_UNKNOWN) {
        return entry.d_type == DT_DIR;
    }
    struct stat info {};
    return ::fstatat(folder, entry.d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace

Sharing parse_sharing(std::string_view text) {
    if (text == "private" || text == "group") {
        return text == "group" ? Sharing::group : Sharing::owner;
    }
    throw Error(ExitCode::invalid, fmt::format("'{}' is no way to share a store", text), {},
                R"(say "private" or "group")");
}

std::string_view sharing_name(Sharing sharing) {
    return sharing == Sharing::group ? "group" : "private";
}

void check_key(std::string_view key) {
    const std::string_view first = key.substr(0, key.find('/'));
    if (!is_store_key(key) || first == k_git_ignore || first == k_locks || first == k_reserve) {
        throw Error(ExitCode::bug, fmt::format("'{}' is no key of a store", key));
    }
}

void in_parallel(std::size_t count, const std::function<void(std::size_t)>& action) {
    constexpr std::size_t k_threads = 16;
    constexpr std::size_t k_each = 4;
    std::atomic<std::size_t> next = 0;
    std::mutex mutex;
    std::exception_ptr failure;
    const auto work = [&] {
        for (std::size_t i = next++; i < count; i = next++) {
            try {
                action(i);
            } catch (...) {
                const std::scoped_lock lock(mutex);
                failure = failure ? failure : std::current_exception();
            }
        }
    };
    {
        std::vector<std::jthread> helpers;
        for (std::size_t n = std::min(k_threads, count / k_each); n > 1; --n) {
            try {
                helpers.emplace_back(work);
            } catch (const std::system_error&) {  // too many threads: those that there are do it
                break;
            }
        }
        work();
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
}

StoreFolder::StoreFolder(std::string root, Sharing sharing) : root_(std::move(root)) {
    bool created = false;
    root_fd_ = open_at(AT_FDCWD, root_, O_RDONLY | O_DIRECTORY);
    if (!root_fd_ && errno == ENOENT) {
        std::error_code failed;
        std::filesystem::create_directories(std::filesystem::path(root_).parent_path(), failed);
        created = ::mkdir(root_.c_str(), 0700) == 0;
        if (!created && errno != EEXIST) {
            throw Error::system("cannot create the store", root_, errno);
        }
        root_fd_ = open_at(AT_FDCWD, root_, O_RDONLY | O_DIRECTORY);
    }
    if (!root_fd_) {
        throw Error::system("cannot open the store", root_, errno);
    }
    adopt_or_prepare(created, sharing);
}

void StoreFolder::adopt_or_prepare(bool created, Sharing wanted) {
    struct stat info {};
    if (::fstat(fd(), &info) != 0) {
        throw Error::system("cannot open the store", root_, errno);
    }
    const bool ours = ::faccessat(fd(), std::string(k_git_ignore).c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    if (ours && !created) {
        sharing_ = (info.st_mode & 02020) == 02020 ? Sharing::group : Sharing::owner;
        return;
    }
    sharing_ = wanted;
    // A folder that somebody else owns keeps its mode: its owner decided.
    if (info.st_uid == ::geteuid() && ::fchmod(fd(), sharing_ == Sharing::group ? 02770 : 0700) != 0) {
        throw Error::system("cannot set the mode of the store", root_, errno);
    }
    const std::string name(k_git_ignore);
    const UniqueFd ignore = open_at(fd(), name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, file_mode());
    if (ignore) {
        ::fchmod(ignore.get(), file_mode());
        write_all(ignore.get(), "*\n", path(name));
    } else if (errno != EEXIST && errno != EROFS) {
        throw Error::system("cannot write", path(name), errno);
    }
}

UniqueFd StoreFolder::open_read(std::string_view key) const {
    UniqueFd file = open_at(fd(), std::string(key), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!file && errno != ENOENT && errno != ENOTDIR) {
        throw Error::system("cannot open", path(key), errno);
    }
    struct stat info {};
    if (file && ::fstat(file.get(), &info) == 0 && S_ISDIR(info.st_mode)) {
        return {};
    }
    return file;
}

UniqueFd StoreFolder::open_write(const std::string& key, int flags) {
    for (int attempt = 0; attempt < k_attempts; ++attempt) {
        UniqueFd file = open_at(fd(), key, flags | O_NOFOLLOW | O_CREAT | O_EXCL, file_mode());
        if (file) {
            ::fchmod(file.get(), file_mode());
            return file;
        }
        if (errno == EEXIST && (flags & O_EXCL) == 0) {
            file = open_at(fd(), key, flags | O_NOFOLLOW);
            if (file) {
                return file;
            }
        } else if (errno == EEXIST) {
            return {};
        }
        const bool full = is_lack_of_room(errno);
        if (full ? !give_up_reserve() : errno != ENOENT) {
            throw Error::system("cannot create", path(key), full ? ENOSPC : errno);
        }
        make_parents(key);
    }
    throw Error::system("cannot create", path(key), ENOENT);
}

void StoreFolder::write(int file, std::string_view bytes, std::string_view key, Room room) {
    if (room == Room::ordinary && is_full()) {
        throw Error::system("cannot write", path(key), ENOSPC);
    }
    bool last_try = false;
    while (!bytes.empty()) {
        const ssize_t n = ::write(file, bytes.data(), bytes.size());
        if (n >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(n));
        } else if (is_lack_of_room(errno)) {
            const int failed = errno;
            const bool gave = give_up_reserve();
            if (room == Room::ordinary || (!gave && last_try)) {
                throw Error::system("cannot write", path(key), failed);
            }
            last_try = true;  // another process may have given it up just now
        } else if (errno != EINTR) {
            throw Error::system("cannot write", path(key), errno);
        }
    }
}

void StoreFolder::keep_reserve() {
    const std::string name(k_reserve);
    struct stat info {};
    if (::fstatat(fd(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 && info.st_size >= k_reserve_bytes) {
        return;
    }
    // Made whole beside it, since an empty one says something else.
    const std::string fresh = fmt::format("~{}-{}-{:016x}", k_reserve, ::getpid(), random_bits());
    const UniqueFd file = open_at(fd(), fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, file_mode());
    if (!file) {
        throw Error::system("cannot create", path(name), errno);
    }
    ::fchmod(file.get(), file_mode());
    // Written and not only allocated: not every file system promises anything for that.
    const std::string zeros(std::size_t{64} << 10, '\0');
    for (off_t at = 0; at < k_reserve_bytes;) {
        const ssize_t n = ::pwrite(file.get(), zeros.data(), zeros.size(), at);
        if (n < 0 && errno != EINTR) {
            const int failed = errno;
            ::unlinkat(fd(), fresh.c_str(), 0);
            throw Error::system("cannot write", path(name), failed);
        }
        at += std::max<ssize_t>(n, 0);
    }
    if (::renameat(fd(), fresh.c_str(), fd(), name.c_str()) != 0) {
        throw Error::system("cannot create", path(name), errno);
    }
}

bool StoreFolder::is_full() const {
    struct stat info {};
    return ::fstatat(fd(), std::string(k_reserve).c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
           info.st_size == 0;
}

bool StoreFolder::give_up_reserve() {
    const UniqueFd file = open_at(fd(), std::string(k_reserve), O_WRONLY | O_NOFOLLOW);
    struct stat info {};
    return file && ::fstat(file.get(), &info) == 0 && info.st_size > 0 && ::ftruncate(file.get(), 0) == 0;
}

void StoreFolder::make_parents(const std::string& key) {
    const mode_t mode = sharing_ == Sharing::group ? 02770 : 0700;
    for (std::size_t slash = key.find('/'); slash != std::string::npos; slash = key.find('/', slash + 1)) {
        const std::string folder = key.substr(0, slash);
        if (::mkdirat(fd(), folder.c_str(), mode) == 0) {
            std::ignore = ::fchmodat(fd(), folder.c_str(), mode, 0);  // some file systems know no rights
            const std::scoped_lock lock(mutex_);
            durable_.erase(folder);
        } else if (errno == ENOENT) {
            return;  // a folder above was just removed: the caller tries again
        } else if (errno != EEXIST) {
            throw Error::system("cannot create the folder", path(folder), errno);
        }
    }
}

void StoreFolder::sync_folder(const std::string& folder) const {
    UniqueFd opened = open_at(fd(), folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
    // A failed sync is final for who asked, and a lack of descriptors passes: wait for one.
    for (int attempt = 0; !opened && (errno == EMFILE || errno == ENFILE) && attempt < k_attempts_of_sync;
         ++attempt) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        opened = open_at(fd(), folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
    }
    if (!opened) {
        if (errno == ENOENT) {
            return;  // removed again, and with it what was in it
        }
        throw Error::system("cannot open the folder", path(folder), errno);
    }
    if (::fsync(opened.get()) != 0 && errno != EINVAL) {
        throw Error::system("cannot sync the folder", path(folder), errno);
    }
}

void StoreFolder::sync_parents(const std::vector<std::string>& keys) {
    std::set<std::string> sync;     // folders to sync
    std::set<std::string> entered;  // folders whose own entry is durable then
    {
        const std::scoped_lock lock(mutex_);
        for (const std::string& key : keys) {
            std::string folder = parent_of(key);
            sync.insert(folder);
            while (!folder.empty() && !durable_.contains(folder) && entered.insert(folder).second) {
                folder = parent_of(folder);
                sync.insert(folder);
            }
        }
    }
    const std::vector<std::string> folders(sync.begin(), sync.end());
    in_parallel(folders.size(), [&](std::size_t i) { sync_folder(folders[i]); });
    const std::scoped_lock lock(mutex_);
    durable_.merge(entered);
}

bool StoreFolder::sync_all(const std::vector<std::string>& keys) {
    static const bool tells_errors = [] {  // since Linux 5.8
        struct utsname system {};
        int major = 0;
        int minor = 0;
        return ::uname(&system) == 0 && std::sscanf(system.release, "%d.%d", &major, &minor) == 2 &&
               (major > 5 || (major == 5 && minor >= 8));
    }();
    struct stat root {};
    if (!tells_errors || ::fstat(fd(), &root) != 0) {
        return false;
    }
    std::set<std::string> folders;
    for (const std::string& key : keys) {
        folders.insert(parent_of(key));
    }
    const bool one_file_system = std::all_of(folders.begin(), folders.end(), [&](const std::string& folder) {
        struct stat info {};
        return folder.empty() ||
               (::fstatat(fd(), folder.c_str(), &info, 0) == 0 && info.st_dev == root.st_dev);
    });
    if (one_file_system && ::syncfs(fd()) != 0) {
        throw Error::system("cannot sync", root_, errno);
    }
    return one_file_system;
}

void StoreFolder::remove_empty_parents(std::string_view key) {
    for (std::string folder = parent_of(key); !folder.empty(); folder = parent_of(folder)) {
        if (::unlinkat(fd(), folder.c_str(), AT_REMOVEDIR) != 0) {
            return;
        }
        const std::scoped_lock lock(mutex_);
        durable_.erase(folder);
    }
}

std::vector<std::string> StoreFolder::temporary() const {
    std::vector<std::string> out;
    const auto options = std::filesystem::directory_options::skip_permission_denied;
    std::error_code failed;
    std::filesystem::recursive_directory_iterator it(root_, options, failed);
    for (; !failed && it != std::filesystem::recursive_directory_iterator(); it.increment(failed)) {
        if (it->path().filename().native().starts_with('~')) {
            out.push_back(it->path().lexically_relative(root_).native());
        }
    }
    return out;
}

std::vector<std::string> StoreFolder::entries(const std::string& folder) const {
    UniqueFd opened = open_at(fd(), folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
    if (!opened) {
        if (errno == ENOENT || errno == ENOTDIR) {
            return {};
        }
        throw Error::system("cannot list", path(folder), errno);
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(opened.get()), &::closedir);
    if (!stream) {
        throw Error::system("cannot list", path(folder), errno);
    }
    opened.release();
    std::vector<std::string> names;
    for (errno = 0; const dirent* entry = ::readdir(stream.get()); errno = 0) {
        const std::string_view name = entry->d_name;
        const bool hidden = folder.empty() && (name == k_git_ignore || name == k_locks || name == k_reserve);
        if (!hidden && is_store_key(name)) {
            names.push_back(std::string(name) + (is_folder_entry(::dirfd(stream.get()), *entry) ? "/" : ""));
        }
    }
    if (errno != 0) {
        throw Error::system("cannot list", path(folder), errno);
    }
    std::sort(names.begin(), names.end());
    return names;
}

void StoreFolder::walk(const std::string& folder, std::string_view prefix, std::string_view after,
                       std::size_t limit, std::vector<std::string>& out) const {
    for (const std::string& name : entries(folder)) {
        if (out.size() >= limit) {
            return;
        }
        const std::string key = folder + name;
        if (name.back() != '/') {
            if (key.starts_with(prefix) && key > after) {
                out.push_back(key);
            }
            continue;
        }
        const bool wanted = key.starts_with(prefix) || prefix.starts_with(key);
        const bool all_before = key < after && !after.starts_with(key);
        if (wanted && !all_before) {
            walk(key, prefix, after, limit, out);
        }
    }
}

std::vector<std::string> StoreFolder::list(std::string_view prefix, std::string_view after,
                                           std::size_t limit) const {
    std::vector<std::string> out;
    const std::size_t slash = prefix.rfind('/');
    walk(std::string(prefix.substr(0, slash == std::string_view::npos ? 0 : slash + 1)), prefix, after, limit,
         out);
    return out;
}

std::vector<std::string> StoreFolder::children(std::string_view folder) const {
    std::vector<std::string> names = entries(std::string(folder));
    for (std::string& name : names) {
        if (name.back() == '/') {
            name.pop_back();
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace amp

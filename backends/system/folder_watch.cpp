#include "backends/system/folder_watch.hpp"

#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>

namespace amp {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t k_changes = IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE;
constexpr std::uint32_t k_names = IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;

/// Of a file system whose changes by other machines are not told here.
bool may_be_shared(const std::string& folder) {
    constexpr std::array<std::uint32_t, 11> k_shared = {
        0x6969,      // NFS
        0xFF534D42,  // CIFS
        0xFE534D42,  // SMB2
        0x517B,      // SMB
        0x0BD00BD0,  // Lustre
        0x19830326,  // BeeGFS
        0x47504653,  // GPFS
        0x00C36400,  // Ceph
        0x5346414F,  // AFS
        0x01021997,  // 9p
        0x65735546,  // FUSE
    };
    struct statfs facts {};
    return statfs(folder.c_str(), &facts) != 0 ||
           std::find(k_shared.begin(), k_shared.end(), static_cast<std::uint32_t>(facts.f_type)) !=
               k_shared.end();
}

}  // namespace

std::unique_ptr<FolderWatch> FolderWatch::over(const std::string& folder) {
    UniqueFd events(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!events) {
        return nullptr;
    }
    std::unique_ptr<FolderWatch> watch(new FolderWatch(std::move(events), folder, k_changes, true));
    if (!watch->add(folder)) {
        return nullptr;
    }
    watch->add_below(folder);
    return watch;
}

std::unique_ptr<FolderWatch> FolderWatch::of_names(const std::string& folder) {
    if (may_be_shared(folder)) {
        return nullptr;
    }
    UniqueFd events(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!events) {
        return nullptr;
    }
    std::unique_ptr<FolderWatch> watch(new FolderWatch(std::move(events), folder, k_names, false));
    return watch->add(folder) ? std::move(watch) : nullptr;
}

bool FolderWatch::add(const std::string& folder) {
    const int id = inotify_add_watch(events_.get(), folder.c_str(), changes_ | IN_ONLYDIR);
    if (id >= 0) {
        folders_[id] = folder;
    }
    return id >= 0;
}

/// Called after `folder` itself is watched: what is made in it from then on comes as an event, what was made
/// before is listed here.
void FolderWatch::add_below(const std::string& folder) {
    std::error_code failed;
    for (auto it = fs::directory_iterator(folder, failed); !failed && it != fs::directory_iterator();
         it.increment(failed)) {
        std::error_code unknown;
        if (it->symlink_status(unknown).type() == fs::file_type::directory && add(it->path().string())) {
            add_below(it->path().string());
        }
    }
}

bool FolderWatch::take() {
    bool changed = false;
    alignas(inotify_event) std::array<char, 16384> buffer{};
    while (true) {
        const ssize_t size = ::read(events_.get(), buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) {
            continue;
        }
        if (size <= 0) {
            return changed;
        }
        changed = true;
        for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
            inotify_event event{};
            std::memcpy(&event, buffer.data() + at, sizeof event);
            const char* name = buffer.data() + at + sizeof event;
            at += sizeof event + event.len;
            const auto folder = folders_.find(event.wd);
            if (!deep_) {
                continue;
            }
            if ((event.mask & IN_Q_OVERFLOW) != 0) {
                add_below(top_);  // new folders may be among what was not told
            } else if ((event.mask & IN_IGNORED) != 0) {
                folders_.erase(event.wd);
            } else if ((event.mask & IN_ISDIR) != 0 && event.len > 0 && folder != folders_.end()) {
                const std::string below = folder->second + "/" + name;
                if (add(below)) {
                    add_below(below);
                }
            }
        }
    }
}

}  // namespace amp

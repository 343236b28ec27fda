#include "core/base/remove_tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string_view>
#include <tuple>
#include <utility>

#include "core/base/unique_fd.hpp"

namespace amp {
namespace {

/// Removes all below an open folder, and gives its descriptor up.
void remove_below(UniqueFd folder) {
    fchmod(folder.get(), 0700);
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(fdopendir(folder.get()), closedir);
    if (!dir) {
        return;
    }
    folder.release();
    const int fd = dirfd(dir.get());
    while (const dirent* entry = readdir(dir.get())) {
        const std::string_view name = entry->d_name;
        if (name == "." || name == "..") {
            continue;
        }
        if (unlinkat(fd, entry->d_name, 0) == 0) {
            continue;
        }
        std::ignore = ::fchmodat(fd, entry->d_name, 0700, 0);
        UniqueFd below(openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (below) {
            remove_below(std::move(below));
            unlinkat(fd, entry->d_name, AT_REMOVEDIR);
        }
    }
}

}  // namespace

void remove_tree(const std::string& path) {
    chmod(path.c_str(), 0700);
    UniqueFd folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (folder) {
        remove_below(std::move(folder));
        rmdir(path.c_str());
    }
}

}  // namespace amp

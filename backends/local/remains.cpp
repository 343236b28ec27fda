#include "backends/local/remains.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "backends/local/scratch.hpp"
#include "core/base/ids.hpp"
#include "core/base/remove_tree.hpp"
#include "core/base/unique_fd.hpp"

namespace amp {
namespace {

constexpr std::time_t k_young_s = 3600;  // a socket answers only a moment after its name appears
constexpr std::size_t k_run_id_length = 18;

bool is_private_folder(const std::string& path) {
    struct stat info {};
    return path.ends_with(fmt::format("/amp-{}", getuid())) && lstat(path.c_str(), &info) == 0 &&
           S_ISDIR(info.st_mode) && info.st_uid == getuid() && (info.st_mode & 077) == 0;
}

bool is_locked(const std::string& folder) {
    const UniqueFd file(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    return file && flock(file.get(), LOCK_EX | LOCK_NB) != 0;
}

bool is_answered(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        return true;
    }
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    return !socket ||
           connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
           errno != ECONNREFUSED;
}

}  // namespace

void remove_remains(const std::string& path, std::string_view run) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos || !is_private_folder(path.substr(0, slash)) ||
        !std::string_view(path).substr(slash + 1).starts_with(fmt::format("{}-", run))) {
        return;
    }
    if (unlink(path.c_str()) != 0) {
        remove_tree(path);
    }
}

std::size_t prune_remains(const std::string& folder, bool dry) {
    std::size_t count = 0;
    if (!is_private_folder(folder)) {
        return count;
    }
    std::error_code failed;
    for (auto it = std::filesystem::directory_iterator(folder, failed);
         !failed && it != std::filesystem::directory_iterator(); it.increment(failed)) {
        const std::string path = it->path().string();
        const std::string name = it->path().filename().string();
        struct stat info {};
        if (!is_run_id(name.substr(0, k_run_id_length)) || lstat(path.c_str(), &info) != 0 ||
            std::time(nullptr) - info.st_mtime < k_young_s) {
            continue;
        }
        if (S_ISSOCK(info.st_mode) ? !is_answered(path) : S_ISDIR(info.st_mode) && !is_locked(path)) {
            ++count;
            if (!dry) {
                remove_remains(path, name.substr(0, k_run_id_length));
            }
        }
    }
    return count;
}

}  // namespace amp

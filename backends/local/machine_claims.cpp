#include "backends/local/machine_claims.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "backends/local/scratch.hpp"
#include "core/base/error.hpp"

namespace amp {
namespace {

constexpr int k_tries = 3;

/// A folder in which everybody can make files, and remove only their own: made, or found so.
bool ensure_shared(const std::string& path) {
    const mode_t before = umask(0);  // nobody may ever find it with other modes
    mkdir(path.c_str(), 01777);
    umask(before);
    struct stat info {};
    constexpr mode_t k_shared = S_ISVTX | S_IRWXO;
    return lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && (info.st_mode & k_shared) == k_shared;
}

/// Nothing is ever read from the file or written to it, and no link is followed: whose it is does not matter.
UniqueFd open_lock(const std::string& path) {
    for (int i = 0; i < k_tries; ++i) {
        constexpr int k_flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
        UniqueFd file(open(path.c_str(), k_flags));
        if (file || errno != ENOENT) {
            return file;
        }
        file = UniqueFd(open(path.c_str(), k_flags | O_CREAT | O_EXCL, 0444));
        if (file) {
            fchmod(file.get(), 0444);  // whatever our umask is, others must be able to ask
            return file;
        }
        if (errno != EEXIST) {
            return file;
        }
    }
    return {};
}

}  // namespace

std::optional<UniqueFd> ClaimFolder::claim(std::string_view thing) const {
    if (mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) {
        throw Error::system("create", folder_, errno);
    }
    std::string name(thing);
    std::replace(name.begin(), name.end(), '/', '_');
    const std::string path = fmt::format("{}/{}.lock", folder_, name);
    UniqueFd file = open_lock(path);
    if (!file && errno == EACCES) {  // somebody else's, who is just making it
        return std::nullopt;
    }
    if (!file) {
        throw Error::system("lock", path, errno);
    }
    if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        return std::nullopt;
    }
    return file;
}

std::string claims_folder(std::string_view kind) {
    return claims_folder("/tmp", kind);
}

std::string claims_folder(const std::string& parent, std::string_view kind) {
    const std::string shared = parent + "/amp-claims";
    std::string folder = fmt::format("{}/{}", shared, kind);
    if (ensure_shared(shared) && ensure_shared(folder)) {
        return folder;
    }
    return fmt::format("{}/{}", private_folder(parent), kind);
}

}  // namespace amp

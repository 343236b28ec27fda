#include "core/package/new_folder.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/remove_tree.hpp"

namespace amp {

namespace fs = std::filesystem;

NewFolder::NewFolder(std::string place) : place_(std::move(place)) {
    path_ =
        (fs::path(place_).parent_path() / fmt::format("{}{:x}", beginning(place_), random_bits())).string();
    if (mkdir(path_.c_str(), 0777) != 0) {
        const int failed = errno;
        path_.clear();
        throw Error::system("cannot create", place_, failed);
    }
}

NewFolder::~NewFolder() {
    if (!path_.empty()) {
        remove_tree(path_);
    }
}

bool NewFolder::move_to_place() {
    if (std::rename(path_.c_str(), place_.c_str()) != 0) {
        if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR) {
            return false;
        }
        throw Error::system("cannot create", place_, errno);
    }
    path_.clear();
    return true;
}

std::string NewFolder::beginning(const std::string& place) {
    return fmt::format(".{}.", fs::path(place).filename().string());
}

}  // namespace amp

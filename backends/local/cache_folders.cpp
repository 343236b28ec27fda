#include "backends/local/cache_folders.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "core/base/hash.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::string node_folder(const std::string& key) {
    const std::string cache = variable("XDG_CACHE_HOME");
    const std::string base = cache.starts_with('/') ? cache : variable("HOME") + "/.cache";
    const bool plain =
        key.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
        std::string::npos;
    return base + "/amp/folders/" + (plain ? key : sha256_hex(key).substr(0, 32));
}

void make_one(const TaskSpec& spec, const std::string& scratch, const std::string& key,
              const std::string& folder) {
    if (folder.starts_with("~/")) {
        fs::create_directories(variable("HOME") + folder.substr(1));
    } else if (folder.starts_with('/')) {
        fs::create_directories(folder);
    } else if (!spec.cwd.empty()) {
        fs::create_directories(fs::path(spec.cwd) / folder);
    } else {
        const fs::path place = fs::path(scratch) / folder;
        const std::string target = node_folder(key);
        fs::create_directories(target);
        fs::create_directories(place.parent_path());
        if (!fs::exists(fs::symlink_status(place))) {
            fs::create_directory_symlink(target, place);
        }
    }
}

}  // namespace

std::string make_cache_folders(const TaskSpec& spec, const std::string& scratch) {
    for (const auto& [key, folder] : spec.cache_dirs) {
        try {
            make_one(spec, scratch, key, folder);
        } catch (const std::system_error& error) {
            return fmt::format("its cache folder '{}' cannot be made: {}", folder, error.what());
        }
    }
    return {};
}

std::vector<CachePlace> outer_cache_folders(const TaskSpec& spec) {
    std::vector<CachePlace> places;
    for (const auto& [key, folder] : spec.cache_dirs) {
        if (folder.starts_with("~/")) {
            places.push_back({variable("HOME") + folder.substr(1), folder.substr(2)});
        } else if (folder.starts_with('/')) {
            places.push_back({folder, {}});
        } else if (spec.cwd.empty()) {
            places.push_back({node_folder(key), {}});
        }
    }
    return places;
}

}  // namespace amp

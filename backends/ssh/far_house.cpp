#include "backends/ssh/far_house.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <limits>

#include "backends/local/keeper_history.hpp"
#include "core/base/error.hpp"
#include "core/base/remove_tree.hpp"
#include "core/package/layable.hpp"
#include "core/store/layout.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;

constexpr double k_day_s = 86400;
constexpr double k_keep_unused_s = 30 * k_day_s;
constexpr std::size_t k_page = 1000;

/// By the store's own clock, if that was a day ago.
std::optional<Timestamp> a_new_day(ObjectStore& objects) {
    const std::string kept = layout::collector_time();
    const std::string now = kept + ".now";
    objects.put(now, "now\n");
    const std::vector<Listed> found = objects.list_details(kept, {}, 2);
    objects.remove(now);
    const Timestamp time = found.empty() ? Timestamp{} : found.back().changed;
    const bool new_day = found.size() == 1 || time.seconds_since(found.front().changed) > k_day_s;
    return !found.empty() && new_day ? std::optional(time) : std::nullopt;
}

bool is_anybody_at_work(ObjectStore& objects, AppendFiles& files) {
    const std::vector<std::string> runs = objects.list_children(layout::k_runs);
    return std::any_of(runs.begin(), runs.end(), [&](const std::string& run) {
        const std::vector<std::uint32_t> numbers = keeper_numbers(files, run);
        return std::any_of(numbers.begin(), numbers.end(),
                           [&](std::uint32_t number) { return keeper_lives(files, run, number); });
    });
}

void remove_objects(ObjectStore& objects, Timestamp limit) {
    std::string after;
    for (;;) {
        const std::vector<Listed> page = objects.list_details(layout::k_objects, after, k_page);
        for (const Listed& object : page) {
            if (object.changed < limit) {
                objects.remove_older(object.key, limit);
            }
        }
        if (page.size() < k_page) {
            return;
        }
        after = page.back().key;
    }
}

/// Was this program sent here? Others may be of a distribution, or somebody's own.
bool was_sent(const fs::path& own) {
    return is_sha256(own.filename().string()) && own.parent_path().filename() == "bin";
}

void remove_others(const fs::path& own) {
    const auto limit =
        fs::file_time_type::clock::now() - std::chrono::seconds(static_cast<std::int64_t>(k_keep_unused_s));
    std::error_code failed;
    for (const fs::directory_entry& entry : fs::directory_iterator(own.parent_path(), failed)) {
        const bool old = fs::last_write_time(entry, failed) < limit && !failed;
        if (old && is_sha256(entry.path().filename().string()) && entry.path() != own) {
            remove_tree(entry.path().string());
        }
    }
}

}  // namespace

void make_house(const std::string& root) {
    if (fs::create_directories(root)) {  // else whoever made it gave it its rights
        fs::permissions(root, fs::perms::owner_all);
    }
    for (const char* name : {"store", "code", "environments"}) {
        const std::string folder = fmt::format("{}/{}", root, name);
        if (mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
            throw Error::system("cannot create", folder, errno);
        }
        struct stat info {};
        if (stat(folder.c_str(), &info) != 0) {
            throw Error::system("cannot use", folder, errno);
        }
        if (info.st_uid != geteuid() || (info.st_mode & S_IWOTH) != 0) {
            throw Error(ExitCode::invalid,
                        fmt::format("others may write in '{}', which must be ours alone: `chmod 700` it, or "
                                    "name another `root` in the profile",
                                    folder),
                        folder);
        }
    }
}

void keep_house(ObjectStore& objects, AppendFiles& files, const std::string& program) {
    const fs::path own = fs::path(program).parent_path();
    const bool sent = was_sent(own);
    if (sent) {
        utimensat(AT_FDCWD, own.c_str(), nullptr, 0);
    }
    try {
        const auto now = a_new_day(objects);
        if (now && !is_anybody_at_work(objects, files)) {
            objects.put(layout::collector_time(), "begun\n");
            if (sent) {
                remove_others(own);
            }
            remove_objects(objects, now->plus_seconds(-k_keep_unused_s));
        }
    } catch (const std::exception&) {
        // There is another day.
    }
}

}  // namespace amp

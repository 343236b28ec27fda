#include "backends/local/environment_maker.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "backends/local/environment_tools.hpp"
#include "backends/local/scratch.hpp"
#include "backends/system/fd_io.hpp"
#include "core/base/ids.hpp"
#include "core/base/json.hpp"
#include "core/base/remove_tree.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;

constexpr double k_limit_s = 3600;  // to make one, and to wait for one that another makes
constexpr auto k_look_again = std::chrono::milliseconds(100);
constexpr double k_tell_s = 60;
constexpr auto k_keep_unused = std::chrono::hours(24 * 90);
constexpr std::string_view k_mark = "amp-environment.json";

std::string read_text(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string machine_kind() {
    utsname machine{};
    uname(&machine);
    return machine.machine;
}

std::string real_path(const std::string& path) {
    std::error_code failed;
    const fs::path real = path.empty() ? fs::path() : fs::canonical(path, failed);
    return failed ? path : real.string();
}

/// Where a name's link leads to; empty: it has none.
fs::path linked(const fs::path& link) {
    std::error_code none;
    const fs::path target = fs::read_symlink(link, none);
    return none ? fs::path() : link.parent_path() / target.filename();
}

/// The folder of an environment that is whole, and whose Python is still there.
std::string whole_environment(const fs::path& link, PythonEnvironment::Tool tool) {
    const fs::path folder = linked(link);
    std::error_code missing;
    const bool whole = !folder.empty() && fs::exists(folder / k_mark, missing) &&
                       (tool == PythonEnvironment::Tool::conda || fs::exists(folder / "bin/python", missing));
    return whole ? folder.string() : std::string();
}

/// A lock that falls with whoever holds it.
class NameLock {
  public:
    explicit NameLock(const fs::path& link)
        : fd_(open_at(AT_FDCWD, link.string() + ".lock", O_RDWR | O_CREAT, 0600)) {
        if (!fd_) {
            throw Error::system("cannot create", link.string() + ".lock", errno);
        }
    }
    bool take() const { return flock(fd_.get(), LOCK_EX | LOCK_NB) == 0; }

  private:
    UniqueFd fd_;
};

/// Folders that no link names: what was left half-made, or was replaced. @param name of which; the caller
/// holds its lock
void remove_unlinked(const fs::path& cache, const std::string& name) {
    const fs::path current = linked(cache / name);
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(cache, ignored)) {
        const std::string file = entry.path().filename().string();
        const bool another = file.starts_with(name + ".") && entry.path() != current;
        if (another && entry.is_symlink(ignored)) {
            fs::remove(entry.path(), ignored);
        } else if (another && entry.is_directory(ignored)) {
            remove_tree(entry.path().string());
        }
    }
}

/// What nobody has used in a long time goes, and what was left half-made. @param name not of this one
void prune_environments(const fs::path& cache, const std::string& name) {
    std::error_code ignored;
    const auto now = fs::file_time_type::clock::now();
    for (const fs::directory_entry& entry : fs::directory_iterator(cache, ignored)) {
        const std::string file = entry.path().filename().string();
        if (!file.ends_with(".lock") || file == name + ".lock") {
            continue;
        }
        const std::string theirs = file.substr(0, file.size() - std::string_view(".lock").size());
        const NameLock lock(cache / theirs);
        if (!lock.take()) {
            continue;
        }
        std::error_code unused;
        const auto used = fs::last_write_time(linked(cache / theirs) / k_mark, unused);
        if (!unused && now - used > k_keep_unused) {
            fs::remove(cache / theirs, ignored);
        }
        remove_unlinked(cache, theirs);
    }
}

/// One making: from nothing to a link that names it.
class Making {
  public:
    Making(const EnvironmentRequest& request, const EnvironmentOrder& order, fs::path link)
        : request_(request),
          order_(order),
          link_(std::move(link)),
          folder_(fmt::format("{}.{:x}", link_.string(), random_bits())),
          files_(folder_.string() + "-files"),
          runner_(k_limit_s) {}
    ~Making() {
        remove_tree(files_.string());
        if (!done_) {
            remove_tree(folder_.string());
        }
    }
    Making(const Making&) = delete;
    Making& operator=(const Making&) = delete;

    void make() {
        copy_files();
        const EnvironmentTools tools = find_environment_tools(runner_, order_, request_.path);
        for (const EnvironmentCall& call : environment_calls(order_, tools, places())) {
            if (const int status = runner_.run(call, true); status != 0) {
                fail(status);
            }
        }
        publish();
    }

  private:
    /// Links of inputs become files: tools write beside them, and uv follows links.
    void copy_files() const {
        const fs::path from = fs::path(request_.given) / "files";
        fs::create_directories(files_);
        for (const fs::directory_entry& entry : fs::recursive_directory_iterator(from)) {
            const fs::path to = files_ / entry.path().lexically_relative(from);
            if (entry.is_directory()) {
                fs::create_directories(to);
            } else {
                fs::create_directories(to.parent_path());
                fs::copy_file(entry.path(), to);
            }
        }
    }

    EnvironmentPlaces places() const {
        EnvironmentPlaces places{folder_.string(), files_.string(), request_.given, {}, {}};
        std::error_code none;
        for (const fs::directory_entry& wheel :
             fs::directory_iterator(fs::path(request_.given) / "packages", none)) {
            places.packages.push_back(wheel.path().string());
        }
        for (const fs::directory_entry& wheel :
             fs::directory_iterator(fs::path(request_.given) / "pip", none)) {
            places.pip = wheel.path().string();
        }
        return places;
    }

    [[noreturn]] void fail(int status) const {
        const EnvironmentFailure failure = judge_environment_failure(runner_.output());
        std::string hint;
        if (failure.network && order_.carried.empty()) {
            hint =
                "where no registry can be reached, `carry` of the profile in amp.toml has the packages sent";
        } else if (!order_.carried.empty()) {
            hint = fmt::format("its packages were carried for {}; `carry` of the profile says another",
                               order_.carried);
        }
        throw Error(failure.temporary ? ExitCode::infrastructure : ExitCode::invalid,
                    failure.text.empty() ? fmt::format("exit status {}", status) : failure.text, "", hint);
    }

    void publish() {
        const std::string mark = (folder_ / k_mark).string();
        const UniqueFd file = open_at(AT_FDCWD, mark, O_WRONLY | O_CREAT | O_EXCL, 0644);
        if (!file) {
            throw Error::system("cannot create", mark, errno);
        }
        write_all(file.get(), json::dump(Object{{"key", request_.key}, {"order", to_value(order_)}}) + "\n",
                  mark);
        if (syncfs(file.get()) != 0) {
            throw Error::system("cannot write", folder_.string(), errno);
        }
        const fs::path fresh = fmt::format("{}.link", folder_.string());
        fs::create_symlink(folder_.filename(), fresh);
        fs::rename(fresh, link_);
        done_ = true;
    }

    const EnvironmentRequest& request_;
    const EnvironmentOrder& order_;
    fs::path link_;
    fs::path folder_;
    fs::path files_;
    EnvironmentToolRunner runner_;
    bool done_ = false;
};

double monotonic_s() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Until we hold it, or another has made what we want.
std::string wait_for(const NameLock& lock, const fs::path& link, PythonEnvironment::Tool tool,
                     const std::function<void(const std::string&)>& say) {
    const double since = monotonic_s();
    double told = since - k_tell_s;
    while (!lock.take()) {
        const double now = monotonic_s();
        if (now - since > k_limit_s) {
            throw Error(ExitCode::infrastructure,
                        fmt::format("another task has been making it for {}", format_duration(k_limit_s)));
        }
        if (now - told >= k_tell_s) {
            say("waits for its environment, which another task makes");
            told = now;
        }
        std::this_thread::sleep_for(k_look_again);
    }
    return whole_environment(link, tool);
}

}  // namespace

std::string environments_folder() {
    const auto variable = [](const char* name) {
        const char* value = std::getenv(name);
        return std::string(value == nullptr ? "" : value);
    };
    if (const std::string said = variable("AMP_ENVIRONMENTS"); said.starts_with('/')) {
        return said;
    }
    const std::string cache = variable("XDG_CACHE_HOME");
    return (cache.starts_with('/') ? cache : variable("HOME") + "/.cache") + "/amp/environments";
}

std::string ensure_environment(const EnvironmentRequest& request,
                               const std::function<void(const std::string&)>& say) {
    try {
        const EnvironmentOrder order = environment_order_from(
            json::parse(read_text(fs::path(request.given) / "environment.json"), "environment.json"));
        const std::string name =
            environment_name(request.key, machine_kind(), real_path(find_python(order.python, request.path)));
        const fs::path link = fs::path(request.cache) / name;
        std::string folder = whole_environment(link, order.tool);
        if (folder.empty()) {
            fs::create_directories(request.cache);
            const NameLock lock(link);
            folder = wait_for(lock, link, order.tool, say);
            if (folder.empty()) {
                say(fmt::format("makes its environment, {} of {}", name, printable(order.file)));
                prune_environments(request.cache, name);
                remove_unlinked(request.cache, name);
                Making(request, order, link).make();
                folder = whole_environment(link, order.tool);
                say(fmt::format("its environment lies in {}", folder));
            }
        }
        utimensat(AT_FDCWD, (fs::path(folder) / k_mark).c_str(), nullptr, 0);  // in use: it is kept
        return folder;
    } catch (const fs::filesystem_error& failed) {
        throw Error(ExitCode::infrastructure, failed.what());
    }
}

}  // namespace amp

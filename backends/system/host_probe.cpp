#include "backends/system/host_probe.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "backends/system/machine.hpp"
#include "core/base/ids.hpp"
#include "core/base/text.hpp"
#include "core/base/unique_fd.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<std::uint32_t, const char*>, 16> k_file_systems = {{
    {0xEF53U, "ext4"},
    {0x58465342U, "xfs"},
    {0x9123683EU, "btrfs"},
    {0x01021994U, "tmpfs"},
    {0x794C7630U, "overlay"},
    {0x6969U, "nfs"},
    {0x01021997U, "9p"},
    {0xFF534D42U, "cifs"},
    {0xFE534D42U, "smb2"},
    {0x0BD00BD0U, "lustre"},
    {0x47504653U, "gpfs"},
    {0x65735546U, "fuse"},
    {0x19830326U, "beegfs"},
    {0x2FC12FC1U, "zfs"},
    {0x00C36400U, "ceph"},
    {0x4D44U, "msdos"},
}};

std::string why(int error_number) {
    return std::strerror(error_number);
}

std::string read_text(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

struct flock whole(short type) {
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    return lock;
}

/// Takes a lock through one descriptor, and looks for it through another.
std::string try_lock(int file, const std::string& path) {
    struct flock lock = whole(F_WRLCK);
    if (::fcntl(file, F_OFD_SETLK, &lock) != 0) {
        return why(errno);
    }
    const UniqueFd other(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    lock = whole(F_WRLCK);
    if (!other || ::fcntl(other.get(), F_OFD_GETLK, &lock) != 0) {
        return why(errno);
    }
    return lock.l_type == F_UNLCK ? "a lock that was taken is not seen" : "";
}

void try_file(StoreFacts& facts, const std::string& folder) {
    const std::string path = fmt::format("{}/~doctor-{}-{:016x}", folder, ::getpid(), random_bits());
    const UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file) {
        facts.write_problem = why(errno);
        return;
    }
    struct timespec now {};
    struct stat info {};
    std::string last = path;
    if (::write(file.get(), "doctor\n", 7) != 7 || ::fsync(file.get()) != 0 ||
        ::rename(path.c_str(), (path + "2").c_str()) != 0) {
        facts.write_problem = why(errno);
    } else {
        last = path + "2";
        ::clock_gettime(CLOCK_REALTIME, &now);
        if (::fstat(file.get(), &info) == 0) {
            facts.clock_ahead_s = static_cast<double>(info.st_mtim.tv_sec - now.tv_sec) +
                                  static_cast<double>(info.st_mtim.tv_nsec - now.tv_nsec) / 1e9;
        }
    }
    facts.lock_problem = try_lock(file.get(), last);
    ::unlink(last.c_str());
}

std::string existing(fs::path path) {
    std::error_code unknown;
    path = fs::absolute(path, unknown);
    while (!fs::exists(path, unknown) && path.has_relative_path()) {
        path = path.parent_path();
    }
    return path.string();
}

bool is_program(const std::string& name) {
    const char* path = std::getenv("PATH");
    for (const std::string_view folder : split(path == nullptr ? "/usr/bin:/bin" : path, ':')) {
        if (!folder.empty() && ::access(fmt::format("{}/{}", folder, name).c_str(), X_OK) == 0) {
            return true;
        }
    }
    return false;
}

template <class F>
void each_process(F action) {
    std::error_code failed;
    for (auto it = fs::directory_iterator("/proc", failed); !failed && it != fs::directory_iterator();
         it.increment(failed)) {
        const std::string name = it->path().filename().string();
        if (!name.empty() && name.find_first_not_of("0123456789") == std::string::npos) {
            action(it->path(), std::atoll(name.c_str()));
        }
    }
}

std::uint64_t limit_of(rlim_t limit) {
    return limit == RLIM_INFINITY ? 0 : static_cast<std::uint64_t>(limit);
}

}  // namespace

StoreFacts probe_store(const std::string& folder) {
    StoreFacts facts;
    facts.folder = folder;
    struct stat info {};
    facts.exists = ::stat(folder.c_str(), &info) == 0;
    const std::string place = facts.exists ? folder : existing(folder);
    if (facts.exists) {
        facts.mode = info.st_mode & 07777U;
        facts.owner = info.st_uid;
    }
    struct statvfs room {};
    if (::statvfs(place.c_str(), &room) == 0) {
        facts.free_bytes = static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize;
        facts.free_inodes = room.f_favail;
        facts.counts_inodes = room.f_files > 0;
    }
    struct statfs kind {};
    if (::statfs(place.c_str(), &kind) == 0) {
        for (const auto& [magic, name] : k_file_systems) {
            if (static_cast<std::uint32_t>(kind.f_type) == magic) {
                facts.file_system = name;
            }
        }
    }
    try_file(facts, place);
    return facts;
}

ScratchFacts probe_scratch(const std::string& folder) {
    ScratchFacts facts;
    facts.folder = folder;
    std::string name = folder + "/amp-doctor-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
        facts.problem = why(errno);
    } else {
        ::rmdir(name.c_str());
    }
    struct statvfs room {};
    if (::statvfs(folder.c_str(), &room) == 0) {
        facts.free_bytes = static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize;
        facts.executes = (room.f_flag & ST_NOEXEC) == 0;
    }
    return facts;
}

std::vector<FoundProcess> find_task_processes() {
    std::vector<FoundProcess> out;
    each_process([&](const fs::path& folder, std::int64_t pid) {
        const std::string environment = read_text(folder / "environ");
        if (pid == ::getpid() || environment.find("AMP_TOKEN=") == std::string::npos) {
            return;
        }
        FoundProcess process;
        bool token = false;
        for (const std::string_view pair : split(environment, '\0')) {
            token = token || pair.starts_with("AMP_TOKEN=");
            if (pair.starts_with("AMP_RUN=")) {
                process.run = pair.substr(8);
            } else if (pair.starts_with("AMP_TASK=")) {
                process.task = pair.substr(9);
            }
        }
        if (token) {
            process.pid = pid;
            process.command = std::string(trim(read_text(folder / "comm")));
            out.push_back(std::move(process));
        }
    });
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.pid < b.pid; });
    return out;
}

std::pair<std::string, std::string> probe_scratch_folder() {
    for (const char* name : {"AMP_SCRATCH", "TMPDIR"}) {
        if (const char* value = std::getenv(name); value != nullptr && value[0] == '/') {
            return {value, name};
        }
    }
    return {"/tmp", ""};
}

HostFacts probe_host(const std::string& store_folder, const std::vector<std::string>& programs) {
    HostFacts facts;
    facts.store = probe_store(store_folder);
    const auto [scratch, variable] = probe_scratch_folder();
    facts.scratch = probe_scratch(scratch);
    facts.scratch.variable = variable;
    facts.user = ::geteuid();
    struct rlimit limit {};
    facts.open_files = ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit_of(limit.rlim_max) : 0;
    facts.processes = ::getrlimit(RLIMIT_NPROC, &limit) == 0 ? limit_of(limit.rlim_cur) : 0;
    each_process([&](const fs::path& folder, std::int64_t) {
        struct stat info {};
        facts.processes_now += ::stat(folder.c_str(), &info) == 0 && info.st_uid == facts.user ? 1U : 0U;
    });
    std::copy_if(programs.begin(), programs.end(), std::back_inserter(facts.programs), is_program);
    facts.gpu_tool = is_program("nvidia-smi");
    const Machine machine = measure_machine();
    facts.cpu = machine.cpu;
    facts.memory_bytes = parse_counter(read_text("/proc/meminfo"), "MemTotal:") * 1024;
    facts.memory_limit_bytes = machine.memory_bytes < facts.memory_bytes ? machine.memory_bytes : 0;
    facts.task_processes = find_task_processes();
    struct utsname system {};
    facts.kernel = ::uname(&system) == 0 ? system.release : "";
    return facts;
}

}  // namespace amp

#include "backends/local/scratch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

#include "backends/local/python_package.hpp"
#include "core/base/error.hpp"
#include "core/base/remove_tree.hpp"

namespace amp {
namespace {

/// What getdents64 gives (glibc's own reader cannot be rewound without a new buffer).
struct Dirent64 {
    std::uint64_t inode;
    std::int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[1];
};

/// What lies in an open folder, as far as is_pristine needs to know.
struct Glance {
    bool readable = false;
    std::size_t others = 0;  ///< entries besides ".", "..", `in` and `out`
    std::uint64_t in = 0;    ///< inode of `in`
    std::uint64_t out = 0;   ///< inode of `out`
};

Glance glance(int fd) {
    Glance seen;
    alignas(Dirent64) char buffer[2048];
    if (fd < 0 || lseek(fd, 0, SEEK_SET) < 0) {
        return seen;
    }
    const long n = syscall(SYS_getdents64, fd, buffer, sizeof buffer);
    if (n <= 0) {  // 0: the folder was deleted
        return seen;
    }
    seen.readable = true;
    for (long at = 0; at < n;) {
        const auto* entry = reinterpret_cast<const Dirent64*>(buffer + at);
        const std::string_view name = entry->name;
        if (name == "out") {
            seen.out = entry->inode;
        } else if (name == "in") {
            seen.in = entry->inode;
        } else if (name != "." && name != "..") {
            ++seen.others;
        }
        at += entry->length;
    }
    return seen;
}

bool is_empty(const Glance& seen) {
    return seen.readable && seen.others == 0 && seen.in == 0 && seen.out == 0;
}

void make_folder(const std::string& path) {
    if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        throw Error::system("create", path, errno);
    }
}

UniqueFd open_folder(const std::string& path) {
    return UniqueFd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

std::string scratch_root() {
    for (const char* name : {"AMP_SCRATCH", "TMPDIR"}) {
        const char* value = std::getenv(name);
        if (value != nullptr && value[0] == '/') {
            return value;
        }
    }
    return "/tmp";
}

}  // namespace

std::string private_folder(const std::string& parent) {
    std::string path = fmt::format("{}/amp-{}", parent, getuid());
    make_folder(path);
    struct stat info {};
    if (lstat(path.c_str(), &info) != 0) {
        throw Error::system("use", path, errno);
    }
    if (!S_ISDIR(info.st_mode) || info.st_uid != getuid() || (info.st_mode & 077) != 0) {
        throw Error(ExitCode::infrastructure, fmt::format("'{}' is not a folder of yours alone", path), path,
                    "remove it, or set TMPDIR or AMP_SCRATCH to another place");
    }
    return path;
}

Scratch::Scratch(std::string folder)
    : folder_(std::move(folder)), in_(folder_ + "/in"), out_(folder_ + "/out") {
    open();
}

void Scratch::open() {
    make_folder(folder_);
    make_folder(in_);
    make_folder(out_);
    folder_fd_ = open_folder(folder_);
    in_fd_ = open_folder(in_);
    out_fd_ = open_folder(out_);
    struct stat in {};
    struct stat out {};
    if (!folder_fd_ || !in_fd_ || !out_fd_ || fstat(in_fd_.get(), &in) != 0 ||
        fstat(out_fd_.get(), &out) != 0) {
        throw Error::system("open", folder_, errno);
    }
    in_inode_ = in.st_ino;
    out_inode_ = out.st_ino;
    ++made_;
}

void Scratch::add_rank(std::uint32_t rank) const {
    const std::string own = fmt::format("{}/rank-{}", folder_, rank);
    make_folder(own);
    if (rank > 0) {
        make_folder(own + "/out");
    } else if (symlink("../out", (own + "/out").c_str()) != 0 && errno != EEXIST) {
        throw Error::system("create", own + "/out", errno);
    }
}

std::string Scratch::out_of(std::uint32_t rank) const {
    return rank == 0 ? out_ : fmt::format("{}/rank-{}/out", folder_, rank);
}

bool Scratch::is_out_empty() const {
    return is_empty(glance(out_fd_.get()));
}

bool Scratch::is_out_empty(std::uint32_t rank) const {
    const UniqueFd folder = open_folder(out_of(rank));
    return !folder || is_empty(glance(folder.get()));
}

bool Scratch::is_pristine() const {
    const Glance seen = glance(folder_fd_.get());
    return seen.readable && seen.others == 0 && seen.in == in_inode_ && seen.out == out_inode_ &&
           is_empty(glance(in_fd_.get())) && is_out_empty();
}

void Scratch::clean() {
    if (!is_pristine()) {
        remove_tree(folder_);
        unlink(folder_.c_str());  // should a task have put something else in its place
        open();
    }
}

ScratchPool::ScratchPool(std::string_view name) {
    const std::string ours = private_folder(scratch_root());
    base_ = fmt::format("{}/{}", ours, name);
    cache_ = ours + "/cache";
    remove_tree(base_);
    make_folder(base_);
    lock_ = open_folder(base_);
    flock(lock_.get(), LOCK_EX | LOCK_NB);
}

ScratchPool::~ScratchPool() {
    free_.clear();
    remove_tree(base_);
}

std::unique_ptr<Scratch> ScratchPool::take() {
    if (free_.empty()) {
        return std::make_unique<Scratch>(fmt::format("{}/{}", base_, ++made_));
    }
    auto scratch = std::move(free_.back());
    free_.pop_back();
    return scratch;
}

void ScratchPool::give_back(std::unique_ptr<Scratch> scratch) {
    free_.push_back(std::move(scratch));
}

void ScratchPool::discard(std::unique_ptr<Scratch> scratch) {
    const std::string folder = scratch->folder();
    scratch.reset();
    remove_tree(folder);
}

std::string ScratchPool::make_program_folder(const std::string& binary) const {
    std::string folder = base_ + "/bin";
    make_folder(folder);
    if (symlink(binary.c_str(), (folder + "/amp").c_str()) != 0 && errno != EEXIST) {
        throw Error::system("create", folder + "/amp", errno);
    }
    return folder;
}

std::string ScratchPool::make_python_folder() const {
    std::string folder = base_ + "/python";
    if (mkdir(folder.c_str(), 0700) != 0 || mkdir((folder + "/amp").c_str(), 0700) != 0) {
        return {};
    }
    for (const PackageFile& file : python_package()) {
        const std::string path = fmt::format("{}/amp/{}", folder, file.name);
        const UniqueFd out(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        if (!out ||
            write(out.get(), file.text.data(), file.text.size()) != static_cast<ssize_t>(file.text.size())) {
            std::error_code ignored;
            std::filesystem::remove_all(folder, ignored);  // rather none than a part of it
            return {};
        }
    }
    return folder;
}

}  // namespace amp

#include "core/package/tree_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr mode_t k_plain = 0666;
constexpr mode_t k_program = 0777;  // and folders
constexpr mode_t k_read_only = 0444;
constexpr mode_t k_read_only_program = 0555;

}  // namespace

TreeWriter::TreeWriter(std::string folder, Files files)
    : folder_(std::move(folder)),
      files_(files),
      root_(open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (!root_) {
        throw Error::system("cannot create", folder_, errno);
    }
}

void TreeWriter::make_folders_of(std::string_view path) {
    for (std::size_t at = path.find('/'); at != std::string_view::npos; at = path.find('/', at + 1)) {
        make_folder(path.substr(0, at));
    }
}

void TreeWriter::make_folder(std::string_view path) {
    const auto name = made_.emplace(path);
    if (name.second && mkdirat(root_.get(), name.first->c_str(), k_program) != 0) {
        fail(path);
    }
}

void TreeWriter::begin_file(const CodeEntry& entry) {
    make_folders_of(entry.path);
    file_ =
        UniqueFd(openat(root_.get(), entry.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                        entry.executable ? k_program : k_plain));
    if (!file_) {
        fail(entry.path);
    }
}

void TreeWriter::write(const CodeEntry& entry, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(file_.get(), bytes.data(), bytes.size());
        if (n < 0 && errno != EINTR) {
            fail(entry.path);
        }
        bytes.remove_prefix(n < 0 ? 0 : static_cast<std::size_t>(n));
    }
}

void TreeWriter::end_file(const CodeEntry& entry) {
    const mode_t closed = entry.executable ? k_read_only_program : k_read_only;
    const bool good = files_ == Files::own || fchmod(file_.get(), closed) == 0;
    if (!good || close(file_.release()) != 0) {
        fail(entry.path);
    }
}

void TreeWriter::lay_folder(const CodeEntry& entry) {
    make_folders_of(entry.path);
    make_folder(entry.path);
}

void TreeWriter::lay_link(const CodeEntry& entry) {
    make_folders_of(entry.path);
    if (symlinkat(entry.link_target.c_str(), root_.get(), entry.path.c_str()) != 0) {
        fail(entry.path);
    }
}

void TreeWriter::close_folders() {
    for (const std::string& path : made_) {
        if (fchmodat(root_.get(), path.c_str(), k_read_only_program, 0) != 0) {
            fail(path);
        }
    }
    if (fchmod(root_.get(), k_read_only_program) != 0) {
        throw Error::system("cannot write", folder_, errno);
    }
}

void TreeWriter::sync() {
    if (syncfs(root_.get()) != 0) {
        throw Error::system("cannot write", folder_, errno);
    }
}

void TreeWriter::fail(std::string_view path) const {
    if (errno == EEXIST || errno == ENAMETOOLONG) {
        throw Error(ExitCode::mismatch,
                    fmt::format("'{}' cannot lie beside the other code in {}", printable(path), folder_),
                    std::string(path), "its name is another's here, or too long");
    }
    throw Error::system("cannot write", fmt::format("{}/{}", folder_, path), errno);
}

}  // namespace amp

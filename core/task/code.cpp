#include "core/task/code.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/base/unique_fd.hpp"
#include "core/package/layable.hpp"
#include "core/package/tree_writer.hpp"
#include "core/store/objects.hpp"
#include "core/store/store.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;

constexpr mode_t k_file = 0644;
constexpr mode_t k_program = 0755;
constexpr std::uintmax_t k_small = std::uintmax_t{1} << 20;

/// Only what lies within the folder, each in a place of its own, and nothing of what is laid beside.
void check_manifest(const CodeManifest& code, std::string_view reserved) {
    std::vector<UnfitEntry> unfit = misplaced_entries(code);
    for (const CodeEntry& entry : code.entries) {
        if (!reserved.empty() &&
            (entry.path == reserved || entry.path.starts_with(std::string(reserved) + "/"))) {
            unfit.push_back({entry.path, "lies where amp keeps its own"});
        }
    }
    if (!unfit.empty()) {
        throw Error(ExitCode::mismatch,
                    fmt::format("the run's list of code is not laid: '{}' {}", printable(unfit.front().path),
                                unfit.front().why),
                    {}, "`amp fsck` checks the store");
    }
}

/// With what is there of its contents: those whose content is not are returned.
std::vector<std::string> write_tree(Objects& objects, const CodeManifest& code, TreeWriter& tree) {
    std::vector<std::string> missing;
    for (const CodeEntry& entry : code.entries) {
        if (!entry.link_target.empty()) {
            continue;  // last, so that nothing is ever written through one
        }
        if (entry.folder) {
            tree.lay_folder(entry);
        } else if (entry.sha256.empty() || !objects.contains(entry.sha256, entry.size_bytes)) {
            missing.push_back(entry.path);
        } else {
            tree.begin_file(entry);
            objects.read(entry.sha256, [&](std::string_view piece) { tree.write(entry, piece); });
            tree.end_file(entry);
        }
    }
    for (const CodeEntry& entry : code.entries) {
        if (!entry.link_target.empty()) {
            tree.lay_link(entry);
        }
    }
    return missing;
}

bool clone_file(const fs::path& from, const fs::path& to, mode_t mode) {
    const UniqueFd source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
    const UniqueFd target(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (source && target && ::ioctl(target.get(), FICLONE, source.get()) == 0) {
        return true;
    }
    std::error_code ignored;
    fs::remove(to, ignored);
    return false;
}

void lay_own_file(const fs::path& from, const fs::path& to) {
    struct stat info {};
    if (::stat(from.c_str(), &info) != 0) {
        throw Error::system("read", from.string(), errno);
    }
    const mode_t mode = (info.st_mode & S_IXUSR) != 0 ? k_program : k_file;
    if (clone_file(from, to, mode)) {
        return;
    }
    if (static_cast<std::uintmax_t>(info.st_size) > k_small) {
        fs::create_symlink(from, to);
        return;
    }
    fs::copy_file(from, to);
    ::chmod(to.c_str(), mode);
}

}  // namespace

CodeManifest read_code_manifest(ObjectStore& store, const std::string& run, const std::string& hash) {
    CodeManifest code;
    try {
        code = code_manifest_from(
            Object{{"entries", json::parse(Objects(store).get(hash), "a code manifest")}, {"hash", hash}});
    } catch (const Error& error) {
        if (error.code() != ExitCode::not_found) {
            throw;
        }
        const Value record = read_run(store, run);
        const Value* recorded = record.find("code");
        code = recorded == nullptr ? CodeManifest{} : code_manifest_from(*recorded);
        if (code.hash != hash) {
            throw Error(ExitCode::not_found, fmt::format("the list of code {} is not in the store", hash),
                        run);
        }
    }
    if (hash_of(code) != hash) {
        throw Error(ExitCode::mismatch, fmt::format("the list of code {} has another hash", hash), run,
                    "`amp fsck` checks the store");
    }
    return code;
}

std::vector<std::string> lay_code_files(ObjectStore& store, const CodeManifest& code,
                                        const std::string& folder, LaidRights rights,
                                        std::string_view reserved) {
    check_manifest(code, reserved);
    const bool own = rights == LaidRights::own;
    TreeWriter tree(folder, own ? TreeWriter::Files::own : TreeWriter::Files::read_only);
    Objects objects(store);
    std::vector<std::string> missing = write_tree(objects, code, tree);
    if (rights == LaidRights::read_only) {
        tree.close_folders();
    }
    if (!own) {
        tree.sync();
    }
    return missing;
}

void lay_own_code(const std::string& laid, const std::string& folder) {
    try {
        fs::create_directories(folder);
        for (const fs::directory_entry& entry : fs::recursive_directory_iterator(laid)) {
            const fs::path to = fs::path(folder) / entry.path().lexically_relative(laid);
            if (entry.is_symlink()) {
                fs::copy_symlink(entry.path(), to);
            } else if (entry.is_directory()) {
                fs::create_directory(to);
            } else {
                lay_own_file(entry.path(), to);
            }
        }
    } catch (const fs::filesystem_error& failed) {
        throw Error::system("cannot write", folder, failed.code().value());
    }
}

}  // namespace amp

#include "core/run/code_package.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/text.hpp"
#include "core/base/unique_fd.hpp"
#include "core/package/code_notes.hpp"
#include "core/package/layable.hpp"
#include "core/run/drive.hpp"
#include "core/run/reference.hpp"
#include "core/run/run_record.hpp"
#include "core/store/objects.hpp"
#include "core/store/store.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_unfit_shown = 5;

/// A new file that is moved to its place when it is whole, or removed.
class NewFile {
  public:
    explicit NewFile(const fs::path& place) : place_(place) {
        path_ = place.parent_path() / fmt::format(".{}.{:x}", place.filename().string(), random_bits());
        fd_ = UniqueFd(open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
        if (!fd_) {
            throw Error::system("cannot write", place_.string(), errno);
        }
    }
    ~NewFile() {
        if (!path_.empty()) {
            unlink(path_.c_str());
        }
    }
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;

    void write(std::string_view bytes) {
        size_ += bytes.size();
        while (!bytes.empty()) {
            const ssize_t n = ::write(fd_.get(), bytes.data(), bytes.size());
            if (n < 0 && errno != EINTR) {
                throw Error::system("cannot write", place_.string(), errno);
            }
            bytes.remove_prefix(n < 0 ? 0 : static_cast<std::size_t>(n));
        }
    }

    /// @return its size
    std::uint64_t finish() {
        if (close(fd_.release()) != 0 || std::rename(path_.c_str(), place_.c_str()) != 0) {
            throw Error::system("cannot write", place_.string(), errno);
        }
        path_.clear();
        return size_;
    }

  private:
    fs::path place_;
    fs::path path_;
    UniqueFd fd_;
    std::uint64_t size_ = 0;
};

std::vector<std::string> notes_on(const CodeManifest& code) {
    std::vector<std::string> notes = code_notes(code);
    const std::vector<UnfitEntry> unfit = unshippable_entries(code);
    for (std::size_t i = 0; i < unfit.size() && i < k_unfit_shown; ++i) {
        notes.push_back(
            fmt::format("'{}' {}, and cannot be shipped", printable(unfit[i].path), unfit[i].why));
    }
    if (unfit.size() > k_unfit_shown) {
        notes.push_back(fmt::format("{} more cannot be shipped", unfit.size() - k_unfit_shown));
    }
    if (code.truncated && unfit.empty()) {
        notes.emplace_back("a part of the project cannot be read, and is not listed");
    }
    return notes;
}

CodePackage of_run(Services& services, const Project& project, const std::string& reference) {
    const OpenStore store = services.open_store(project.store_folder, false);
    CodePackage package;
    package.run = resolve_run(*store.objects, reference);
    RunRecord record = run_record_from(read_run(*store.objects, package.run));
    package.flow = record.flow_name;
    package.project_folder = record.project_folder;
    package.code = std::move(record.code);
    return package;
}

CodePackage of_now(Services& services, const Project& project, const std::string& file) {
    LoadedFlow loaded = load_and_validate(services, project, file, {}, false, true);
    if (loaded.diagnostics.has_errors()) {
        throw InvalidFlow(std::move(loaded.diagnostics), loaded.flow.path, loaded.flow.source);
    }
    OpenStore store = services.open_store(project.store_folder, true);
    CodePackage package;
    package.flow = loaded.flow.name;
    package.project_folder = project.folder;
    package.code =
        scan_project(services, store, project.folder, loaded.flow, code_limits(project.settings), false);
    return package;
}

}  // namespace

CodePackage find_package(Services& services, const Project& project, const PackageQuery& query) {
    CodePackage package =
        query.run.empty() ? of_now(services, project, query.flow) : of_run(services, project, query.run);
    package.notes = notes_on(package.code);
    return package;
}

void write_package(Services& services, const Project& project, const CodePackage& package,
                   const TakeBytes& out) {
    if (package.run.empty()) {
        write_archive(package.code, code_in_folder(package.project_folder), out);
        return;
    }
    const OpenStore store = services.open_store(project.store_folder, false);
    Objects objects(*store.objects);
    const ReadCode read = [&objects](const CodeEntry& entry, const TakeBytes& piece) {
        objects.read(entry.sha256, piece);
    };
    write_archive(package.code, read, out);
}

std::uint64_t save_package(Services& services, const Project& project, const CodePackage& package,
                           const std::string& file) {
    std::error_code failed;
    if (fs::symlink_status(file, failed).type() != fs::file_type::not_found) {
        throw Error(ExitCode::usage, fmt::format("'{}' exists already", printable(file)), file,
                    "name a path that is free");
    }
    NewFile fresh(file);
    write_package(services, project, package, [&](std::string_view bytes) { fresh.write(bytes); });
    return fresh.finish();
}

}  // namespace amp

#include "core/run/checkout.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/json.hpp"
#include "core/package/manifest.hpp"
#include "core/run/reference.hpp"
#include "core/store/objects.hpp"
#include "core/store/store.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;

constexpr const char* k_beside = ".amp-run";

/// Removed when it goes, unless it was moved to its place.
class NewFolder {
  public:
    explicit NewFolder(fs::path path) : path_(std::move(path)) {
        if (!fs::create_directory(path_)) {
            throw Error::system("cannot create", path_.string(), EEXIST);
        }
    }
    ~NewFolder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    NewFolder(const NewFolder&) = delete;
    NewFolder& operator=(const NewFolder&) = delete;

    const fs::path& path() const { return path_; }
    /// Over an empty folder, or where nothing is.
    void move_to(const fs::path& place) { fs::rename(path_, place); }

  private:
    fs::path path_;
};

/// Only inner paths, none twice, none below a file or link.
void check_manifest(const CodeManifest& code) {
    std::set<std::string> leaves;
    for (const CodeEntry& entry : code.entries) {
        const bool beside = entry.path == k_beside || entry.path.starts_with(std::string(k_beside) + "/");
        const bool fine = is_inner_path(entry.path) && !beside &&
                          entry.path.find('\0') == std::string::npos && leaves.insert(entry.path).second;
        if (!fine) {
            throw Error(
                ExitCode::mismatch,
                fmt::format("the run's list of code holds the path '{}', which is not laid", entry.path), {},
                "`amp fsck` checks the store");
        }
    }
    for (const std::string& path : leaves) {
        for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
            if (leaves.contains(path.substr(0, at))) {
                throw Error(ExitCode::mismatch,
                            fmt::format("the run's list of code holds '{}' below what is no folder", path));
            }
        }
    }
}

void write_text(const fs::path& path, const std::string& text) {
    std::ofstream out(path, std::ios::binary);
    out << text;
    if (!out.flush()) {
        throw Error(ExitCode::infrastructure, fmt::format("cannot write '{}'", path.string()), path.string());
    }
}

void set_rights(const fs::path& path, bool executable) {
    using fs::perms;
    perms rights = perms::owner_read | perms::owner_write | perms::group_read | perms::others_read;
    if (executable) {
        rights |= perms::owner_exec | perms::group_exec | perms::others_exec;
    }
    fs::permissions(path, rights);
}

/// As --params takes them; files are laid beside.
void write_params(Objects& objects, const Value& params, const fs::path& beside) {
    Object out = params.as_object();
    // What was not given, and secrets, which no record holds.
    std::erase_if(out, [](const auto& entry) { return entry.second.is_null(); });
    for (auto& [name, value] : out) {
        if (value.is_file() && is_inner_path(name) && name.find('/') == std::string::npos) {
            const std::string sha256 = value.as_file().sha256;
            fs::create_directories(beside / "params");
            objects.get_to_file(sha256, (beside / "params" / name).string());
            set_rights(beside / "params" / name, false);
            value = Value(fmt::format("{}/params/{}", k_beside, name));
        }
    }
    write_text(beside / "params.json", json::dump_pretty(out) + "\n");
}

void write_beside(Objects& objects, const RunRecord& record, const fs::path& folder) {
    const fs::path beside = folder / k_beside;
    fs::create_directory(beside);
    write_text(beside / ".gitignore", "*\n");
    write_text(beside / "run.json", json::dump_pretty(to_value(record)) + "\n");
    write_text(beside / "flow.toml", record.flow_source);
    write_params(objects, record.params, beside);
    for (const auto& [name, value] : record.config.as_object()) {
        if (is_inner_path(name) && name.find('/') == std::string::npos) {
            fs::create_directories(beside / "config");
            write_text(beside / "config" / (name + ".json"), json::dump_pretty(value) + "\n");
        }
    }
}

void check_place(const fs::path& place) {
    std::error_code failed;
    const fs::file_status status = fs::symlink_status(place, failed);
    const bool free = status.type() == fs::file_type::not_found ||
                      (fs::is_directory(status) && fs::is_empty(place, failed) && !failed);
    if (!free) {
        throw Error(ExitCode::usage, fmt::format("'{}' is not empty", place.string()), place.string(),
                    "name a folder that is new or empty");
    }
}

}  // namespace

std::vector<std::string> lay_code(const OpenStore& store, const CodeManifest& code,
                                  const std::string& folder) {
    check_manifest(code);
    Objects objects(*store.objects);
    std::vector<std::string> missing;
    for (const CodeEntry& entry : code.entries) {
        if (!entry.link_target.empty()) {
            continue;  // last, so that nothing is ever written through one
        }
        const fs::path path = fs::path(folder) / entry.path;
        if (entry.folder) {
            fs::create_directories(path);
            continue;
        }
        fs::create_directories(path.parent_path());
        if (entry.sha256.empty() || !objects.contains(entry.sha256, entry.size_bytes)) {
            missing.push_back(entry.path);
            continue;
        }
        objects.get_to_file(entry.sha256, path.string());
        set_rights(path, entry.executable);
    }
    for (const CodeEntry& entry : code.entries) {
        if (!entry.link_target.empty()) {
            const fs::path path = fs::path(folder) / entry.path;
            fs::create_directories(path.parent_path());
            fs::create_symlink(entry.link_target, path);
        }
    }
    return missing;
}

CheckedOut checkout_run(Services& services, const Project& project, const std::string& reference,
                        const std::string& folder) {
    const OpenStore store = services.open_store(project.store_folder, false);
    CheckedOut out;
    out.run = resolve_run(*store.objects, reference);
    const RunRecord record = run_record_from(read_run(*store.objects, out.run));
    try {
        fs::path place = fs::absolute(folder).lexically_normal();
        if (!place.has_filename()) {
            place = place.parent_path();
        }
        check_place(place);
        fs::create_directories(place.parent_path());
        NewFolder fresh(place.parent_path() /
                        fmt::format(".{}.{:x}", place.filename().string(), random_bits()));
        out.missing = lay_code(store, record.code, fresh.path().string());
        Objects objects(*store.objects);
        write_beside(objects, record, fresh.path());
        fresh.move_to(place);
        out.folder = place.string();
    } catch (const fs::filesystem_error& failed) {
        throw Error::system("cannot write", folder, failed.code().value());
    }
    const auto folders = std::count_if(record.code.entries.begin(), record.code.entries.end(),
                                       [](const CodeEntry& entry) { return entry.folder; });
    out.files = record.code.entries.size() - static_cast<std::size_t>(folders) - out.missing.size();
    return out;
}

}  // namespace amp

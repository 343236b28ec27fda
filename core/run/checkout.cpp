#include "core/run/checkout.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/package/layable.hpp"
#include "core/package/manifest.hpp"
#include "core/package/new_folder.hpp"
#include "core/run/bring_home.hpp"
#include "core/run/reference.hpp"
#include "core/store/objects.hpp"
#include "core/store/store.hpp"
#include "core/task/code.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;

constexpr const char* k_beside = ".amp-run";

void write_text(const fs::path& path, const std::string& text) {
    std::ofstream out(path, std::ios::binary);
    out << text;
    if (!out.flush()) {
        throw Error(ExitCode::infrastructure, fmt::format("cannot write '{}'", path.string()), path.string());
    }
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
            ::chmod((beside / "params" / name).c_str(), 0644);
            value = Value(fmt::format("{}/params/{}", k_beside, name));
        }
    }
    write_text(beside / "params.json", json::dump_pretty(out) + "\n");
}

/// Files that are parameters may be what a task elsewhere has made, for a run that is a task.
std::vector<Artifact> files_of(const Value& params) {
    std::vector<Artifact> files;
    for (const auto& [name, value] : params.as_object()) {
        if (value.is_file()) {
            files.push_back(
                {Artifact::Kind::file, {}, value.as_file().sha256, value.as_file().size_bytes, {}, 0});
        }
    }
    return files;
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

[[noreturn]] void fail_not_empty(const fs::path& place) {
    throw Error(ExitCode::usage, fmt::format("'{}' is not empty", place.string()), place.string(),
                "name a folder that is new or empty");
}

void check_place(const fs::path& place) {
    std::error_code failed;
    const fs::file_status status = fs::symlink_status(place, failed);
    const bool free = status.type() == fs::file_type::not_found ||
                      (fs::is_directory(status) && fs::is_empty(place, failed) && !failed);
    if (!free) {
        fail_not_empty(place);
    }
}

}  // namespace

std::vector<std::string> lay_code(const OpenStore& store, const CodeManifest& code,
                                  const std::string& folder) {
    return lay_code_files(*store.objects, code, folder, LaidRights::own, k_beside);
}

CheckedOut checkout_run(Services& services, const Project& project, const std::string& reference,
                        const std::string& folder) {
    const OpenStore store = services.open_store(project.store_folder, false);
    CheckedOut out;
    out.run = resolve_run(*store.objects, reference);
    const RunRecord record = run_record_from(read_run(*store.objects, out.run));
    out.image_commit = record.code.base;
    try {
        fs::path place = fs::absolute(folder).lexically_normal();
        if (!place.has_filename()) {
            place = place.parent_path();
        }
        check_place(place);
        fs::create_directories(place.parent_path());
        NewFolder fresh(place.string());
        out.missing = lay_code(store, record.code, fresh.path());
        bring_home(services, store, files_of(record.params));
        Objects objects(*store.objects);
        write_beside(objects, record, fresh.path());
        if (!fresh.move_to_place()) {
            fail_not_empty(place);
        }
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

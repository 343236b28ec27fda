#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/package/manifest.hpp"
#include "core/run/artifact_values.hpp"
#include "core/run/bring_home.hpp"
#include "core/run/inspect.hpp"
#include "core/store/objects.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;

/// Objects are read-only; a copy that somebody asked for is theirs to change.
void save_file(Objects& objects, const std::string& sha256, bool executable, const fs::path& path) {
    objects.get_to_file(sha256, path.string());
    auto rights =
        fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read | fs::perms::others_read;
    if (executable) {
        rights |= fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec;
    }
    fs::permissions(path, rights);
}

void save_folder(Objects& objects, const Manifest& manifest, const fs::path& folder) {
    fs::create_directories(folder);
    for (const ManifestEntry& entry : manifest.entries) {
        const fs::path path = folder / entry.path;
        fs::create_directories(path.parent_path());
        switch (entry.kind) {
            case ManifestEntry::Kind::folder:
                fs::create_directories(path);
                break;
            case ManifestEntry::Kind::link:
                fs::create_symlink(entry.link_target, path);
                break;
            case ManifestEntry::Kind::file:
                save_file(objects, entry.sha256, entry.executable, path);
                break;
        }
    }
}

void save_value(const Value& value, const std::string& path) {
    std::ofstream out(path, std::ios::binary);
    out << json::dump(value) << '\n';
    if (!out.flush()) {
        throw Error(ExitCode::infrastructure, fmt::format("cannot write '{}'", path), path);
    }
}

/// Told before anything is copied, and of the path that the user gave.
void check_place(const fs::path& path) {
    const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
    std::error_code failed;
    const fs::file_status status = fs::status(parent, failed);
    int error = 0;
    if (!fs::exists(status)) {
        error = failed ? failed.value() : ENOENT;
    } else if (!fs::is_directory(status)) {
        error = ENOTDIR;
    } else if (::access(parent.c_str(), W_OK | X_OK) != 0) {
        error = errno;
    }
    if (error != 0) {
        throw Error::system("cannot write", path.string(), error);
    }
}

}  // namespace

void read_artifact(Services& services, const Project& project, const Artifact& artifact,
                   const std::function<void(std::string_view)>& each) {
    const OpenStore store = services.open_store(project.store_folder, false);
    if (artifact.kind == Artifact::Kind::file) {
        bring_home(services, store, {&artifact, 1});
    }
    switch (artifact.kind) {
        case Artifact::Kind::value:
            each(json::dump(read_artifact_value(store, artifact)) + "\n");
            break;
        case Artifact::Kind::file:
            Objects(*store.objects).read(artifact.sha256, each);
            break;
        case Artifact::Kind::folder:
            throw Error(ExitCode::invalid, "the artifact is a folder, which is no text", {},
                        "copy it to a path with -o PATH");
    }
}

void save_artifact(Services& services, const Project& project, const std::string& /*run*/,
                   const Artifact& artifact, const std::string& path) {
    if (fs::symlink_status(path).type() != fs::file_type::not_found) {
        throw Error(ExitCode::usage, fmt::format("'{}' exists already", path), path,
                    "name a path that is free");
    }
    check_place(path);
    const OpenStore store = services.open_store(project.store_folder, false);
    bring_home(services, store, {&artifact, 1});
    Objects objects(*store.objects);
    try {
        switch (artifact.kind) {
            case Artifact::Kind::value:
                save_value(read_artifact_value(store, artifact), path);
                break;
            case Artifact::Kind::file:
                save_file(objects, artifact.sha256, false, path);
                break;
            case Artifact::Kind::folder:
                save_folder(objects, manifest_from(objects.get(artifact.sha256)), path);
                break;
        }
    } catch (const fs::filesystem_error& failed) {
        throw Error::system("cannot write", path, failed.code().value());
    }
}

}  // namespace amp

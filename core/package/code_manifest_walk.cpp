#include "core/package/code_manifest_walk.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/error.hpp"

namespace amp {
namespace {

bool is_listed(const FileInfo& info) {
    return info.kind == FileInfo::Kind::file || info.kind == FileInfo::Kind::link;
}

std::string below(const std::string& folder, const std::string& path) {
    std::string out;
    out.reserve(folder.size() + 1 + path.size());
    return out.append(folder).append("/").append(path);
}

/// What is there; what we may not look at makes `complete` false.
std::optional<FileInfo> info_of(Files& files, const std::string& path, bool& complete) {
    try {
        return files.info(path);
    } catch (const Error&) {
        complete = false;
        return std::nullopt;
    }
}

/// nullopt: it is gone, or we may not look.
std::optional<std::vector<std::string>> names_in(Files& files, const std::string& folder, bool& complete) {
    try {
        return files.list(folder);
    } catch (const Error& error) {
        complete = complete && error.code() == ExitCode::not_found;
        return std::nullopt;
    }
}

/// A virtual environment of Python, or a store of ours.
bool is_no_code(const std::vector<std::string>& names) {
    const auto has = [&names](const char* name) {
        return std::binary_search(names.begin(), names.end(), name);
    };
    return has("pyvenv.cfg") || (has("store.json") && has(".gitignore"));
}

}  // namespace

FoundFiles look_at(Files& files, const std::string& folder, const std::vector<std::string>& paths,
                   const GlobRules& ignored) {
    FoundFiles found;
    found.files.reserve(paths.size());
    for (const std::string& path : paths) {
        if (ignored.names_file(path)) {
            continue;
        }
        bool readable = true;
        auto info = info_of(files, below(folder, path), readable);
        found.complete = found.complete && readable;
        if (info && is_listed(*info)) {
            found.files.push_back({path, std::move(*info)});
        } else if (readable && !path.ends_with('/')) {  // which a repository within this one has
            found.gone.push_back(path);
        }
    }
    return found;
}

FoundFiles walk(Files& files, const std::string& folder, const GlobRules& ignored, std::size_t limit) {
    FoundFiles found;
    std::vector<std::string> folders = {
        ""};  // with a '/' at the end; a stack, so that no depth overflows ours
    std::size_t seen = 0;
    while (!folders.empty()) {
        const std::string prefix = std::move(folders.back());
        folders.pop_back();
        const auto names = names_in(files, below(folder, prefix), found.complete);
        if (!names || (!prefix.empty() && is_no_code(*names))) {
            continue;
        }
        if (!prefix.empty() && names->empty()) {
            FileInfo empty;
            empty.kind = FileInfo::Kind::folder;
            found.files.push_back({prefix.substr(0, prefix.size() - 1), std::move(empty)});
        }
        for (const std::string& name : *names) {
            if (++seen > limit) {
                found.complete = false;
                return found;
            }
            std::string path = prefix + name;
            auto info = info_of(files, below(folder, path), found.complete);
            if (info && info->kind == FileInfo::Kind::folder && !ignored.names_folder(path)) {
                folders.push_back(std::move(path.append("/")));
            } else if (info && is_listed(*info) && !ignored.names_file(path)) {
                found.files.push_back({std::move(path), std::move(*info)});
            }
        }
    }
    return found;
}

}  // namespace amp

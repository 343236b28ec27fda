#include "core/package/manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;

constexpr int k_schema = 1;

[[noreturn]] void refuse(const std::string& path, std::string_view why) {
    throw Error(ExitCode::invalid, fmt::format("'{}' {}", path, why), path);
}

class Scan {
  public:
    Scan(const std::string& root, const StoreFile& store, const FollowLink& follow)
        : root_(root), store_(store), follow_(follow) {}

    Manifest run() {
        walk("");
        std::sort(manifest_.entries.begin(), manifest_.entries.end(),
                  [](const ManifestEntry& a, const ManifestEntry& b) { return a.path < b.path; });
        return std::move(manifest_);
    }

  private:
    void walk(const std::string& inner) {
        bool empty = true;
        for (const fs::directory_entry& entry :
             fs::directory_iterator(inner.empty() ? root_ : root_ + "/" + inner)) {
            empty = false;
            const std::string name = entry.path().filename().string();
            add(entry, inner.empty() ? name : inner + "/" + name);
        }
        if (empty && !inner.empty()) {
            manifest_.entries.push_back({ManifestEntry::Kind::folder, inner, false, {}, 0, {}});
        }
    }

    void add(const fs::directory_entry& entry, const std::string& path) {
        if (!is_utf8(path)) {
            refuse(to_utf8(path), "has a name that is not UTF-8");
        }
        const fs::file_status status = entry.symlink_status();
        switch (status.type()) {
            case fs::file_type::directory:
                walk(path);
                break;
            case fs::file_type::symlink:
                add_link(entry, path);
                break;
            case fs::file_type::regular:
                add_file(entry, path, status);
                break;
            default:
                refuse(path, "is a device, a socket or a pipe, which cannot be stored");
        }
    }

    void add_file(const fs::directory_entry& entry, const std::string& path, const fs::file_status& status) {
        const bool executable = (status.permissions() & fs::perms::owner_exec) != fs::perms::none;
        const StoredFile stored = store_(entry.path().string());
        manifest_.entries.push_back(
            {ManifestEntry::Kind::file, path, executable, {}, stored.size_bytes, stored.sha256});
    }

    void add_link(const fs::directory_entry& entry, const std::string& path) {
        const std::string target = fs::read_symlink(entry.path()).string();
        if (follow_ && follow_(target) && entry.is_regular_file()) {
            add_file(entry, path, entry.status());
            return;
        }
        if (!is_inner_link(path, target) || !is_utf8(target)) {
            refuse(path, fmt::format("is a link to '{}', which leads out of the folder", to_utf8(target)));
        }
        manifest_.entries.push_back({ManifestEntry::Kind::link, path, false, target, 0, {}});
    }

    const std::string& root_;
    const StoreFile& store_;
    const FollowLink& follow_;
    Manifest manifest_;
};

Value entry_value(const ManifestEntry& entry) {
    switch (entry.kind) {
        case ManifestEntry::Kind::folder:
            return Object{{"path", entry.path}, {"folder", true}};
        case ManifestEntry::Kind::link:
            return Object{{"path", entry.path}, {"link", entry.link_target}};
        case ManifestEntry::Kind::file:
            break;
    }
    return Object{{"path", entry.path},
                  {"executable", entry.executable},
                  {"size_bytes", static_cast<std::int64_t>(entry.size_bytes)},
                  {"sha256", entry.sha256}};
}

ManifestEntry entry_from(const Value& value) {
    ManifestEntry entry;
    entry.path = get_string(value, "path");
    if (get_bool(value, "folder")) {
        entry.kind = ManifestEntry::Kind::folder;
    } else if (value.find("link") != nullptr) {
        entry.kind = ManifestEntry::Kind::link;
        entry.link_target = get_string(value, "link");
    } else {
        entry.executable = get_bool(value, "executable");
        entry.size_bytes = static_cast<std::uint64_t>(get_int(value, "size_bytes"));
        entry.sha256 = get_string(value, "sha256");
    }
    const bool leads_out =
        entry.kind == ManifestEntry::Kind::link && !is_inner_link(entry.path, entry.link_target);
    if (!is_inner_path(entry.path) || leads_out) {
        throw Error(ExitCode::mismatch,
                    fmt::format("a folder's manifest names '{}', which lies outside", entry.path));
    }
    return entry;
}

}  // namespace

std::uint64_t Manifest::total_bytes() const {
    std::uint64_t total = 0;
    for (const ManifestEntry& entry : entries) {
        total += entry.size_bytes;
    }
    return total;
}

Manifest scan_folder(const std::string& folder, const StoreFile& store, const FollowLink& follow) {
    try {
        return Scan(folder, store, follow).run();
    } catch (const fs::filesystem_error& error) {
        throw Error::system("cannot read", error.path1().string(), error.code().value());
    }
}

std::string manifest_text(const Manifest& manifest) {
    List entries;
    entries.reserve(manifest.entries.size());
    for (const ManifestEntry& entry : manifest.entries) {
        entries.push_back(entry_value(entry));
    }
    return json::dump(Object{{"schema", k_schema}, {"entries", std::move(entries)}});
}

Manifest manifest_from(std::string_view text) {
    const Value value = json::parse(text, "a folder's manifest");
    if (get_int(value, "schema") != k_schema) {
        throw Error(ExitCode::mismatch, "a folder's manifest is of a schema that this amp does not know");
    }
    Manifest manifest;
    for (const Value& entry : get_list(value, "entries")) {
        manifest.entries.push_back(entry_from(entry));
    }
    return manifest;
}

bool is_inner_path(std::string_view path) {
    if (path.find('\0') != std::string_view::npos) {
        return false;
    }
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const std::string_view part = path.substr(begin, end - begin);
        if (part.empty() || part == "." || part == "..") {
            return false;
        }
        begin = end + 1;
    }
    return true;
}

bool is_inner_link(std::string_view path, std::string_view target) {
    if (target.empty() || target.front() == '/') {
        return false;
    }
    const auto depth = static_cast<std::size_t>(std::count(path.begin(), path.end(), '/'));
    std::size_t ups = 0;
    bool going_down = false;
    for (const std::string_view part : split(target, '/')) {
        if (part != "..") {
            going_down = going_down || (!part.empty() && part != ".");
        } else if (going_down || ++ups > depth) {
            return false;
        }
    }
    return true;
}

}  // namespace amp

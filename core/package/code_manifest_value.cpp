#include <algorithm>
#include <array>

#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/base/json.hpp"
#include "core/base/text.hpp"
#include "core/package/code_manifest.hpp"

namespace amp {
namespace {

constexpr std::string_view k_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string to_base64(std::string_view bytes) {
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t bits = 0;
        const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
        for (std::size_t k = 0; k < 3; ++k) {
            bits = bits << 8 | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        }
        for (std::size_t k = 0; k < 4; ++k) {
            out += k <= n ? k_digits[bits >> (18 - 6 * k) & 63U] : '=';
        }
    }
    return out;
}

std::string from_base64(std::string_view text) {
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    while (text.ends_with('=')) {
        text.remove_suffix(1);
    }
    for (const char c : text) {
        const std::size_t digit = k_digits.find(c);
        if (digit == std::string_view::npos) {
            throw Error(ExitCode::mismatch, "a path in a code manifest is no base64");
        }
        bits = bits << 6 | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out += static_cast<char>(bits >> count & 0xFFU);
        }
    }
    return out;
}

/// `key` is followed by the name.
void append_name(std::string& out, std::string_view key, const std::string& name) {
    const bool plain = is_utf8(name);
    out.append("\"").append(key).append(plain ? "\":" : "_b64\":");
    out += json::quote(plain ? name : to_base64(name));
}

/// As json::dump writes to_value of it, in a fraction of the time.
void append_entry(std::string& out, const CodeEntry& entry) {
    if (!entry.link_target.empty()) {
        out += '{';
        append_name(out, "link", entry.link_target);
        out += ',';
        append_name(out, "path", entry.path);
        out += '}';
        return;
    }
    out += entry.folder ? "{\"folder\":true," : entry.executable ? "{\"executable\":true," : "{";
    const bool read = !entry.sha256.empty();
    if (!entry.folder && !read) {
        out.append("\"mtime_ns\":").append(std::to_string(entry.mtime_ns)).append(",");
    }
    append_name(out, "path", entry.path);
    if (!entry.folder && read) {
        out.append(",\"sha256\":").append(json::quote(entry.sha256));
    }
    if (!entry.folder) {
        out.append(",\"size_bytes\":").append(std::to_string(static_cast<std::int64_t>(entry.size_bytes)));
    }
    out += '}';
}

Value to_value(const CodeEntry& entry) {
    Object out;
    const auto put_name = [&out](const std::string& key, const std::string& name) {
        const bool plain = is_utf8(name);
        out.emplace(plain ? key : key + "_b64", plain ? name : to_base64(name));
    };
    put_name("path", entry.path);
    if (!entry.link_target.empty()) {
        put_name("link", entry.link_target);
        return out;
    }
    if (entry.folder) {
        out.emplace("folder", true);
        return out;
    }
    out.emplace("size_bytes", entry.size_bytes);
    if (entry.executable) {
        out.emplace("executable", true);
    }
    if (entry.sha256.empty()) {
        out.emplace("mtime_ns", entry.mtime_ns);
    } else {
        out.emplace("sha256", entry.sha256);
    }
    return out;
}

CodeEntry entry_from(const Value& value) {
    const auto name = [&value](const std::string& key) {
        const std::string coded = get_string(value, key + "_b64");
        return coded.empty() ? get_string(value, key) : from_base64(coded);
    };
    CodeEntry entry;
    entry.path = name("path");
    if (entry.path.empty()) {
        throw Error(ExitCode::mismatch, "an entry of a code manifest has no path");
    }
    entry.link_target = name("link");
    entry.size_bytes = static_cast<std::uint64_t>(get_int(value, "size_bytes"));
    entry.executable = get_bool(value, "executable");
    entry.sha256 = get_string(value, "sha256");
    entry.mtime_ns = get_int(value, "mtime_ns");
    entry.folder = get_bool(value, "folder");
    return entry;
}

bool by_path(const CodeEntry& a, const CodeEntry& b) {
    return a.path < b.path;
}

/// Those that are not UTF-8 apart, in base64.
void put_names(Object& out, const std::string& key, const std::vector<std::string>& names) {
    List plain;
    List coded;
    for (const std::string& name : names) {
        const bool readable = is_utf8(name);
        (readable ? plain : coded).emplace_back(readable ? name : to_base64(name));
    }
    for (auto* list : {&plain, &coded}) {
        if (!list->empty()) {
            out.emplace(list == &plain ? key : key + "_b64", std::move(*list));
        }
    }
}

std::vector<std::string> names_from(const Value& value, const std::string& key) {
    std::vector<std::string> names;
    for (const Value& name : get_list(value, key)) {
        names.push_back(name.is_string() ? name.as_string() : "");
    }
    for (const Value& name : get_list(value, key + "_b64")) {
        names.push_back(from_base64(name.is_string() ? name.as_string() : ""));
    }
    std::sort(names.begin(), names.end());
    return names;
}

/// What is there of code from an image.
void put_origin(Object& out, const CodeManifest& manifest) {
    if (manifest.mode == CodeMode::files) {
        return;
    }
    out.emplace("from", std::string(code_mode_name(manifest.mode)));
    if (!manifest.base.empty()) {
        out.emplace("base", manifest.base);
    }
    put_names(out, "deleted", manifest.deleted);
}

/// Deleted from what the image holds, or not any more.
void add_deletions(std::vector<CodeDifference>& out, const CodeManifest& before, const CodeManifest& after) {
    const auto add = [&out](const std::vector<std::string>& from, const std::vector<std::string>& to,
                            const char* how) {
        for (const std::string& path : to) {
            if (!std::binary_search(from.begin(), from.end(), path)) {
                out.push_back({path, how});
            }
        }
    };
    add(before.deleted, after.deleted, "removed");
    add(after.deleted, before.deleted, "added");
    std::stable_sort(out.begin(), out.end(),
                     [](const CodeDifference& a, const CodeDifference& b) { return a.path < b.path; });
    const auto same_path = [](const CodeDifference& a, const CodeDifference& b) { return a.path == b.path; };
    out.erase(std::unique(out.begin(), out.end(), same_path), out.end());
}

}  // namespace

std::string_view code_mode_name(CodeMode mode) {
    return mode == CodeMode::files ? "files" : mode == CodeMode::image ? "image" : "image+diff";
}

std::optional<CodeMode> code_mode_from(std::string_view text) {
    for (const CodeMode mode : {CodeMode::files, CodeMode::image, CodeMode::image_diff}) {
        if (text == code_mode_name(mode)) {
            return mode;
        }
    }
    return std::nullopt;
}

Value to_value(const CodeManifest& manifest) {
    List entries;
    entries.reserve(manifest.entries.size());
    for (const CodeEntry& entry : manifest.entries) {
        entries.push_back(to_value(entry));
    }
    Object out{{"entries", std::move(entries)}, {"hash", manifest.hash}};
    if (manifest.truncated) {
        out.emplace("truncated", true);
    }
    put_origin(out, manifest);
    return out;
}

CodeManifest code_manifest_from(const Value& value) {
    const Value* entries = value.find("entries");
    if (!entries || !entries->is_list()) {
        throw Error(ExitCode::mismatch, "a code manifest has no list of entries");
    }
    CodeManifest manifest;
    for (const Value& entry : entries->as_list()) {
        manifest.entries.push_back(entry_from(entry));
    }
    std::sort(manifest.entries.begin(), manifest.entries.end(), by_path);
    manifest.hash = get_string(value, "hash");
    manifest.truncated = get_bool(value, "truncated");
    const auto mode = code_mode_from(get_string(value, "from", "files"));
    if (!mode) {
        throw Error(ExitCode::mismatch, "a code manifest is of a kind that this amp does not know");
    }
    manifest.mode = *mode;
    manifest.base = get_string(value, "base");
    manifest.deleted = names_from(value, "deleted");
    return manifest;
}

std::string hash_of(const std::vector<CodeEntry>& entries) {
    constexpr std::size_t k_hashed_at_once = std::size_t{64} << 10;
    Sha256 hash;
    std::string text = "[";  // in pieces: the whole text of a large project would be tens of megabytes
    bool first = true;
    for (const CodeEntry& entry : entries) {
        text += first ? "" : ",";
        append_entry(text, entry);
        if (text.size() >= k_hashed_at_once) {
            hash.update(text);
            text.clear();
        }
        first = false;
    }
    hash.update(text);
    hash.update("]");
    return hash.hex();
}

std::string hash_of(const CodeManifest& manifest) {
    if (manifest.mode == CodeMode::files) {
        return hash_of(manifest.entries);
    }
    Object out{{"entries", hash_of(manifest.entries)}};
    put_origin(out, manifest);
    return sha256_hex(json::dump(out));
}

std::uint64_t total_bytes(const CodeManifest& manifest) {
    std::uint64_t total = 0;
    for (const CodeEntry& entry : manifest.entries) {
        total += entry.size_bytes;
    }
    return total;
}

std::vector<CodeDifference> differences(const CodeManifest& before, const CodeManifest& after) {
    std::vector<CodeDifference> out;
    auto old = before.entries.begin();
    auto now = after.entries.begin();
    while (old != before.entries.end() || now != after.entries.end()) {
        if (now == after.entries.end() || (old != before.entries.end() && old->path < now->path)) {
            out.push_back({old++->path, "removed"});
        } else if (old == before.entries.end() || now->path < old->path) {
            out.push_back({now++->path, "added"});
        } else {
            if (*old != *now) {
                out.push_back({now->path, "changed"});
            }
            ++old;
            ++now;
        }
    }
    if (!before.deleted.empty() || !after.deleted.empty()) {
        add_deletions(out, before, after);
    }
    return out;
}

}  // namespace amp

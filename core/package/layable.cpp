#include "core/package/layable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "core/base/text.hpp"
#include "core/package/manifest.hpp"

namespace amp {
namespace {

constexpr std::size_t k_most_name = 255;   // what Linux takes for a part of a path,
constexpr std::size_t k_most_path = 4095;  // and for a whole one
constexpr std::size_t k_digits = 64;

bool has_long_part(std::string_view path) {
    if (path.size() <= k_most_name) {
        return false;
    }
    const auto parts = split(path, '/');
    return path.size() > k_most_path || std::any_of(parts.begin(), parts.end(), [](std::string_view part) {
               return part.size() > k_most_name;
           });
}

using Names = std::vector<std::string_view>;

Names sorted_names(const CodeManifest& code) {
    Names names;
    names.reserve(code.entries.size());
    for (const CodeEntry& entry : code.entries) {
        names.emplace_back(entry.path);
    }
    if (!std::is_sorted(names.begin(), names.end())) {
        std::sort(names.begin(), names.end());
    }
    return names;
}

/// Is one of them where a folder must be?
bool is_below(const Names& names, std::string_view path) {
    for (std::size_t at = path.find('/'); at != std::string_view::npos; at = path.find('/', at + 1)) {
        if (std::binary_search(names.begin(), names.end(), path.substr(0, at))) {
            return true;
        }
    }
    return false;
}

std::string_view folder_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return path.substr(0, slash == std::string_view::npos ? 0 : slash);
}

bool is_link_target(std::string_view target) {
    return target.size() <= k_most_path && target.find('\0') == std::string_view::npos;
}

/// "": nothing is.
std::string_view why_misplaced(const CodeEntry& entry) {
    if (!is_inner_path(entry.path)) {
        return "leads out of its folder";
    }
    if (has_long_part(entry.path)) {
        return "has a name that is too long";
    }
    if (!is_link_target(entry.link_target)) {
        return "is a link to what no link can lead to";
    }
    return entry.sha256.empty() || is_sha256(entry.sha256) ? "" : "has no hash";
}

/// "": nothing is.
std::string why_unshippable(const CodeEntry& entry) {
    const std::string& target = entry.link_target;
    if (!target.empty()) {
        return is_inner_link(entry.path, target)
                   ? ""
                   : fmt::format("is a link to '{}', which leads out of the project", printable(target));
    }
    if (entry.folder) {
        return "";
    }
    return entry.sha256.empty()
               ? fmt::format("is too large or cannot be read ({})", format_size(entry.size_bytes))
               : "";
}

}  // namespace

bool is_sha256(std::string_view text) {
    return text.size() == k_digits && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

std::vector<UnfitEntry> misplaced_entries(const CodeManifest& code) {
    std::vector<UnfitEntry> out;
    const Names names = sorted_names(code);
    const bool differ = std::adjacent_find(names.begin(), names.end()) == names.end();
    std::unordered_set<std::string_view> seen;  // only where some are the same
    for (const CodeEntry& entry : code.entries) {
        if (const std::string_view why = why_misplaced(entry); !why.empty()) {
            out.push_back({entry.path, std::string(why)});
        } else if (!differ && !seen.insert(entry.path).second) {
            out.push_back({entry.path, "is named twice"});
        }
    }
    std::string_view free;  // a folder with nothing in its way: those who come next are mostly in the same
    for (const CodeEntry& entry : code.entries) {
        const std::string_view folder = folder_of(entry.path);
        if (folder == free) {
            continue;
        }
        if (is_below(names, entry.path)) {
            out.push_back({entry.path, "lies below what is no folder"});
        } else {
            free = folder;
        }
    }
    return out;
}

std::vector<UnfitEntry> unshippable_entries(const CodeManifest& code) {
    std::vector<UnfitEntry> out = misplaced_entries(code);
    for (std::size_t i = 0; i < code.entries.size(); ++i) {
        const CodeEntry& entry = code.entries[i];
        if (i > 0 && entry.path < code.entries[i - 1].path) {
            out.push_back({entry.path, "is not in the order of names"});
        }
        if (std::string why = why_unshippable(entry); !why.empty()) {
            out.push_back({entry.path, std::move(why)});
        }
    }
    return out;
}

}  // namespace amp

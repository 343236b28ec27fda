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

bool is_below(const std::unordered_set<std::string_view>& leaves, std::string_view path) {
    for (std::size_t at = path.find('/'); at != std::string_view::npos; at = path.find('/', at + 1)) {
        if (leaves.contains(path.substr(0, at))) {
            return true;
        }
    }
    return false;
}

bool is_hash(std::string_view text) {
    return text.size() == k_digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// "": nothing is.
std::string why_unshippable(const CodeEntry& entry) {
    const std::string& target = entry.link_target;
    if (!target.empty()) {
        if (target.size() > k_most_path || target.find('\0') != std::string::npos) {
            return "is a link to what no link can lead to";
        }
        return is_inner_link(entry.path, target)
                   ? ""
                   : fmt::format("is a link to '{}', which leads out of the project", printable(target));
    }
    if (entry.folder) {
        return "";
    }
    if (entry.sha256.empty()) {
        return fmt::format("is too large or cannot be read ({})", format_size(entry.size_bytes));
    }
    return is_hash(entry.sha256) ? "" : "has no hash";
}

}  // namespace

std::vector<UnfitEntry> misplaced_entries(const CodeManifest& code) {
    std::vector<UnfitEntry> out;
    std::unordered_set<std::string_view> leaves;
    for (const CodeEntry& entry : code.entries) {
        if (!is_inner_path(entry.path)) {
            out.push_back({entry.path, "leads out of its folder"});
        } else if (has_long_part(entry.path)) {
            out.push_back({entry.path, "has a name that is too long"});
        } else if (!leaves.insert(entry.path).second) {
            out.push_back({entry.path, "is named twice"});
        }
    }
    for (const CodeEntry& entry : code.entries) {
        if (is_below(leaves, entry.path)) {
            out.push_back({entry.path, "lies below what is no folder"});
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

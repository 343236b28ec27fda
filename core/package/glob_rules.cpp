#include "core/package/glob_rules.hpp"

#include <algorithm>

#include "core/base/text.hpp"

namespace amp {
namespace {

/// Without a line end and trailing spaces, unless a `\` keeps the space.
std::string_view without_end(std::string_view line) {
    if (line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    while (line.ends_with(' ') && !line.ends_with("\\ ")) {
        line.remove_suffix(1);
    }
    return line;
}

}  // namespace

void GlobRules::add_lines(std::string_view text) {
    for (const std::string_view line : split(text, '\n')) {
        if (!line.starts_with('#')) {
            add(line);
        }
    }
}

void GlobRules::add(std::string_view line) {
    line = without_end(line);
    const bool taken_back = line.starts_with('!');
    if (taken_back) {
        line.remove_prefix(1);
    }
    const bool only_folders = line.ends_with('/');
    if (only_folders) {
        line.remove_suffix(1);
    }
    if (!line.empty()) {
        const bool any_depth = line.find('/') == std::string_view::npos;
        rules_.push_back({Glob(line), taken_back, only_folders, any_depth});
        folders_.clear();
    }
}

bool GlobRules::decides(std::string_view path, bool is_folder) const {
    const std::string_view name = path.substr(path.rfind('/') + 1);
    const auto rule = std::find_if(rules_.rbegin(), rules_.rend(), [&](const Rule& r) {
        return (is_folder || !r.only_folders) && r.glob.matches_exactly(r.any_depth ? name : path);
    });
    return rule != rules_.rend() && !rule->taken_back;
}

bool GlobRules::in_named_folder(std::string_view path) const {
    const std::size_t slash = path.rfind('/');
    return slash != std::string_view::npos && names_folder(path.substr(0, slash));
}

bool GlobRules::names_file(std::string_view path) const {
    return !rules_.empty() && (in_named_folder(path) || decides(path, false));
}

bool GlobRules::names_folder(std::string_view path) const {
    if (rules_.empty()) {
        return false;
    }
    std::string key(path);
    if (const auto known = folders_.find(key); known != folders_.end()) {
        return known->second;
    }
    const bool named = in_named_folder(path) || decides(path, true);
    folders_.emplace(std::move(key), named);
    return named;
}

}  // namespace amp

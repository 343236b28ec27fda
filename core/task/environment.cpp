#include "core/task/environment.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace amp {
namespace {

constexpr std::string_view k_default_path = "/usr/local/bin:/usr/bin:/bin";

/// What a task of an outer run was told; it would mislead ours.
constexpr std::array<std::string_view, 24> k_stale = {
    "AMP_RUN",      "AMP_FLOW",   "AMP_STEP",       "AMP_INDEX", "AMP_TASK",       "AMP_ATTEMPT",
    "AMP_ITEM",     "AMP_PARAMS", "AMP_IN",         "AMP_OUT",   "AMP_CHECKPOINT", "AMP_TASK_DIR",
    "AMP_SOCKET",   "AMP_TOKEN",  "AMP_RANK",       "AMP_NODES", "AMP_WORLD_SIZE", "AMP_NODE_RANK",
    "AMP_FAILURES", "AMP_ROUND",  "AMP_LOCAL_RANK", "AMP_GPUS",  "MASTER_ADDR",    "MASTER_PORT"};

/// What a task gets that does not inherit.
constexpr std::array<std::string_view, 10> k_minimal = {"PATH", "HOME", "USER",   "LOGNAME", "SHELL",
                                                        "LANG", "TZ",   "LC_ALL", "TMPDIR",  "LC_CTYPE"};

std::string_view name_of(std::string_view entry) {
    return entry.substr(0, entry.find('='));
}

bool is_inherited(std::string_view name, bool inherit) {
    if (!inherit) {
        return std::find(k_minimal.begin(), k_minimal.end(), name) != k_minimal.end();
    }
    const bool inside_outer_task =
        name.starts_with("AMP_PARAM_") || std::find(k_stale.begin(), k_stale.end(), name) != k_stale.end();
    return !inside_outer_task || name.starts_with("MASTER_");
}

std::string path_entry(std::string_view amp_folder, std::string_view path) {
    std::string entry = "PATH=";
    if (!amp_folder.empty()) {
        entry.append(amp_folder).append(path.empty() ? "" : ":");
    }
    return entry.append(path);
}

/// Behind all else, so that a module of the user's own that is called amp wins. An empty entry would be the
/// working folder.
std::string python_entry(std::string_view python_folder, std::string_view path) {
    std::string entry = "PYTHONPATH=";
    entry.append(path).append(path.empty() || python_folder.empty() ? "" : ":").append(python_folder);
    return entry;
}

}  // namespace

BaseEnvironment::BaseEnvironment(const std::vector<std::string>& caller, bool inherit,
                                 std::string_view amp_folder, std::string_view python_folder)
    : amp_folder_(amp_folder), python_folder_(python_folder) {
    std::string python_path;
    std::string path(k_default_path);
    for (const std::string& entry : caller) {
        const std::string_view name = name_of(entry);
        if (name.size() == entry.size() || !is_inherited(name, inherit)) {
            continue;
        }
        if (name == "PATH") {
            path = entry.substr(name.size() + 1);
        } else if (name == "PYTHONPATH" && !python_folder.empty()) {
            python_path = entry.substr(name.size() + 1);
        } else {
            entries_.push_back(entry);
        }
    }
    entries_.push_back(path_entry(amp_folder_, path));
    if (!python_folder_.empty()) {
        entries_.push_back(python_entry(python_folder_, python_path));
    }
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        places_[name_of(entries_[i])] = i;
    }
}

std::string_view BaseEnvironment::get(std::string_view name) const {
    const auto found = places_.find(name);
    return found == places_.end() ? std::string_view()
                                  : std::string_view(entries_[found->second]).substr(name.size() + 1);
}

TaskEnvironment::TaskEnvironment(const BaseEnvironment& base) : base_(base) {
    pointers_.reserve(base.entries_.size() + 32);
    own_.reserve(32);
    for (const std::string& entry : base.entries_) {
        pointers_.push_back(entry.c_str());
    }
}

void TaskEnvironment::set(std::string_view name, std::string_view value) {
    std::string entry;
    if (name == "PATH") {
        entry = path_entry(base_.amp_folder_, value);
    } else if (name == "PYTHONPATH") {
        entry = python_entry(base_.python_folder_, value);
    } else {
        entry.reserve(name.size() + 1 + value.size());
        entry.append(name).append("=").append(value);
    }
    for (std::string& mine : own_) {
        if (name_of(mine) == name) {
            mine = std::move(entry);
            return;
        }
    }
    if (std::exchange(terminated_, false)) {
        pointers_.pop_back();
    }
    own_.push_back(std::move(entry));
    const auto place = base_.places_.find(name);
    if (place != base_.places_.end()) {
        own_places_.push_back(place->second);
    } else {
        own_places_.push_back(pointers_.size());
        pointers_.push_back(nullptr);
    }
}

std::string_view TaskEnvironment::get(std::string_view name) const {
    for (const std::string& mine : own_) {
        if (name_of(mine) == name) {
            return std::string_view(mine).substr(name.size() + 1);
        }
    }
    return base_.get(name);
}

char* const* TaskEnvironment::block() {
    for (std::size_t i = 0; i < own_.size(); ++i) {
        pointers_[own_places_[i]] = own_[i].c_str();
    }
    if (!std::exchange(terminated_, true)) {
        pointers_.push_back(nullptr);
    }
    return const_cast<char* const*>(pointers_.data());  // execve's type is older than const
}

std::string render(const LateText& late, std::string_view in_folder, std::string_view out_folder) {
    std::string text;
    for (const Piece& piece : late) {
        if (piece.kind != Piece::Kind::text) {
            text.append(piece.kind == Piece::Kind::input ? in_folder : out_folder).append("/");
        }
        text.append(piece.text);
    }
    return text;
}

std::vector<std::string> own_environment() {
    std::vector<std::string> entries;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        entries.emplace_back(*entry);
    }
    return entries;
}

}  // namespace amp

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/ports/task_spec.hpp"

namespace amp {

/// The variables that tasks inherit, made ready once a run: the caller's without what an outer amp task left
/// in it (AMP_RUN, AMP_PARAM_…), or only what any program needs (PATH, HOME, the locale).
class BaseEnvironment {
  public:
    /// @param caller "NAME=value" entries, as in environ
    /// @param amp_folder put in front of PATH; empty: PATH stays
    /// @param python_folder put behind PYTHONPATH; empty: PYTHONPATH stays
    BaseEnvironment(const std::vector<std::string>& caller, bool inherit, std::string_view amp_folder,
                    std::string_view python_folder = {});

    std::string_view get(std::string_view name) const;

  private:
    friend class TaskEnvironment;
    std::vector<std::string> entries_;
    std::unordered_map<std::string_view, std::size_t> places_;  ///< views into entries_
    std::string amp_folder_;
    std::string python_folder_;
};

/// The environment of one task: the base and its own variables over it. `base` must outlive it.
class TaskEnvironment {
  public:
    explicit TaskEnvironment(const BaseEnvironment& base);

    /// The last one set wins. PATH keeps amp's folder in front, PYTHONPATH amp's package behind.
    void set(std::string_view name, std::string_view value);
    std::string_view get(std::string_view name) const;
    /// What was set, as "NAME=value".
    const std::vector<std::string>& own() const { return own_; }
    /// For execve; valid until the next set.
    char* const* block();

  private:
    const BaseEnvironment& base_;
    std::vector<const char*> pointers_;
    std::vector<std::string> own_;         ///< "NAME=value"
    std::vector<std::size_t> own_places_;  ///< of own_ in pointers_
    bool terminated_ = false;              ///< pointers_ ends in execve's nullptr
};

/// Puts a late text together: `$AMP_IN/…` and `$AMP_OUT/…` become paths below the given folders.
std::string render(const LateText& late, std::string_view in_folder, std::string_view out_folder);

/// The calling process's own environment.
std::vector<std::string> own_environment();

}  // namespace amp

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/base/time.hpp"
#include "core/ports/task_spec.hpp"
#include "core/run/services.hpp"

namespace amp {

/// What a task made, as another run may take it over.
struct CachedResult {
    std::string made_by;  ///< RUN/STEP/INDEX
    std::uint32_t attempt = 1;
    Timestamp at;  ///< when it ended
    std::map<std::string, Artifact> artifacts;
};

/// The results of tasks with `cache`, by definition hash, in cache/results/ of the store. An entry needs no
/// run any more: what it names are objects, which the collector keeps until nobody has used the entry for
/// CollectOptions::k_results_kept_s. A cache: each entry, or all, may go at any time, and a damaged one
/// counts as none.
class ResultCache {
  public:
    explicit ResultCache(const OpenStore& store) : store_(store) {}

    /// What an equal definition came to, when all of it is in the store still.
    /// @param round of a repetition, which is part of what a task is
    /// @param ttl_s it may not be older; unset: it may
    std::optional<CachedResult> find(const std::string& definition, std::uint32_t round,
                                     std::optional<double> ttl_s, Timestamp now) const;
    /// The newest result stands. What lies in a run's own files is copied, so that the run may go.
    void keep(const std::string& definition, std::uint32_t round, CachedResult result) const;

  private:
    const OpenStore& store_;
};

}  // namespace amp

#pragma once

#include <cstddef>
#include <cstdint>

#include "core/ports/append_files.hpp"
#include "core/ports/object_store.hpp"

namespace amp {

struct CollectOptions {
    static constexpr double k_default_grace_s = 7 * 86400.0;
    static constexpr double k_least_grace_s = 86400.0;  ///< unless a person says less

    /// How long the result of a step with `cache` stays after its last use.
    static constexpr double k_results_kept_s = 30 * 86400.0;

    double grace_s = k_default_grace_s;
    bool dry_run = false;  ///< change nothing
};

struct CollectReport {
    struct Amount {
        std::uint64_t objects = 0;
        std::uint64_t bytes = 0;
    };
    Amount kept;     ///< some record names them
    Amount removed;  ///< dry run: would be
    Amount waiting;  ///< nothing names them, and they are not past the grace
};

/// Removes objects that no record names. An object goes when it was neither put nor refreshed for a grace,
/// when a collection found it unnamed at least a grace ago (and it was not refreshed since), and when it is
/// unnamed still, looked at again after the list of what is to go was durable. Notes of artifacts on other
/// machines (far_notes.hpp) go when they are unnamed and past a grace. So whoever writes a record
/// that names objects within a grace of having put or refreshed them, or of having read another record that
/// names them, never loses one. A collector may die at any instant, and two exclude one another.
/// @throws Error(busy) when another one is at work
CollectReport collect_objects(ObjectStore& store, AppendFiles& files, const CollectOptions& options);

}  // namespace amp

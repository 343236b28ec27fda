#pragma once

#include <set>
#include <string>
#include <string_view>

#include "core/run/fsck.hpp"

namespace amp::fsck {

/// What all parts of a check work with.
struct Context {
    Services& services;
    const OpenStore& store;
    const FsckOptions& options;
    FsckReport& report;
    std::set<std::string> named = {};  ///< hashes of objects that the runs which were checked name

    Finding& add(Finding finding);
    /// Keeps a copy in quarantine, durable on return.
    void keep_copy(const std::string& key);
    /// The same, and then removes it.
    void move_away(const std::string& key);
};

/// Checks, and when told mends, one run.
void check_run(Context& context, const std::string& run);

/// Is the key one of a run's journal, keeper logs or packs, which only AppendFiles knows?
bool is_append_file(std::string_view key);

}  // namespace amp::fsck

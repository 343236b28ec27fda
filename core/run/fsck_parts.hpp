#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "core/base/value.hpp"
#include "core/run/fsck.hpp"
#include "core/run/run_record.hpp"
#include "core/store/journal.hpp"

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

/// In a run's folder: artifacts that are gone, as a repair has found.
constexpr std::string_view k_losses = "losses.json";

/// What a run names of the store.
struct RunNames {
    const std::string& run;
    const RunRecord& record;
    const LogEnd& journal_end;
    const std::map<std::string, Value>& last;  ///< how each task ended last, by STEP/INDEX
};
/// Is all there that the run's artifacts, logs and code are? What is gone of artifacts is damage until a
/// repair has put it down in the run's losses.json: then it is known that those tasks are to run again.
/// @return has such a repair changed anything?
bool check_references(Context& context, const RunNames& names);

/// Checks, and when told mends, one run.
void check_run(Context& context, const std::string& run);

/// Is the key one of a run's journal, keeper logs or packs, which only AppendFiles knows?
bool is_append_file(std::string_view key);

}  // namespace amp::fsck

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "core/base/value.hpp"
#include "core/package/code_manifest.hpp"

namespace amp {

/// run.json: what was asked for, written once when the run is created. Secrets are never in it.
struct RunRecord {
    static constexpr int k_schema = 1;

    std::string run;
    std::string flow_name;
    std::string flow_path;    ///< absolute, where it was read
    std::string flow_source;  ///< its text
    Value overrides;          ///< step keys of the profile, as they were laid over the flow
    std::string project_folder;
    std::string profile;
    Value profiles = Object{};  ///< those that run tasks elsewhere, as amp.toml had them (core/run/profiles)
    Value params = Object{};    ///< resolved
    Value config = Object{};    ///< as loaded
    std::vector<std::pair<std::string, std::string>> config_files;  ///< --config NAME=FILE, as given
    Value env = Object{};  ///< the variables that expressions mention
    std::vector<std::string> tags;
    std::optional<GitState> git;
    CodeManifest code;
    std::string user;
    std::string host;
    std::string version;             ///< of amp
    Value environments = Object{};   ///< Python environments, as they are locked (core/run/environments)
    Value flows = Object{};          ///< of sub-flows, by key: {source, config, uses}
    std::string parent;              ///< the task that runs it: RUN/STEP/INDEX; empty: nobody
    bool spawned = false;            ///< by that task with `amp spawn`
    std::size_t depth = 0;           ///< 1 for a child
    std::string origin;              ///< the run that this one goes on from, with changes, or has inputs from
    std::vector<std::string> until;  ///< --until: these steps and their ancestors are the run
    std::vector<std::string> only;   ///< --only: these steps run, their ancestors are as in `origin`
    std::vector<std::string> from;   ///< --from: these steps run again, whatever `origin` has of them
    std::string driver = "amp";
    std::string concurrency = "allow";  ///< while another run of its flow is on
    bool keep_going = false;
    std::size_t max_workers = 0;
    bool fit = false;               ///< what tasks ask for is cut down to what the machine has
    std::vector<std::string> cuts;  ///< of that, what was known when the run was started
    Timestamp created;

    /// Parts of the flow are no part of it: it proves nothing of the whole.
    bool partial() const { return !until.empty() || !only.empty(); }
};

Value to_value(const RunRecord& record);
/// @throws Error(mismatch) when the schema is newer than ours
RunRecord run_record_from(const Value& value);

}  // namespace amp

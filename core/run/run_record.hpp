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
    Value params = Object{};  ///< resolved
    Value config = Object{};  ///< as loaded
    Value env = Object{};     ///< the variables that expressions mention
    std::vector<std::string> tags;
    std::optional<GitState> git;
    CodeManifest code;
    std::string user;
    std::string host;
    std::string version;  ///< of amp
    std::string origin;   ///< the run that this one goes on from, with changes
    std::string driver = "amp";
    bool keep_going = false;
    std::size_t max_workers = 0;
    Timestamp created;
};

Value to_value(const RunRecord& record);
/// @throws Error(mismatch) when the schema is newer than ours
RunRecord run_record_from(const Value& value);

}  // namespace amp

#pragma once

#include <string>
#include <vector>

#include "core/run/definition.hpp"
#include "core/run/start.hpp"

namespace amp {

struct ForecastQuery {
    std::string flow;  ///< as StartOptions::flow
    ParameterSources params;
    std::string like;                ///< as StartOptions::like
    std::vector<std::string> until;  ///< as StartOptions::until, or ResumeOptions::until
    std::vector<std::string> from;   ///< as ResumeOptions::from
    std::string resume;              ///< a run: what resuming it would do; then `flow` and `like` are empty
    std::vector<std::string> only;   ///< as StartOptions::only
    std::string origin;              ///< as StartOptions::origin
    bool fit = false;                ///< as StartOptions::fit
    bool retry_caught = false;       ///< as ResumeOptions::retry_caught; of `resume`
};

/// What would become of one task.
struct ForecastTask {
    std::string task;
    std::string what;  ///< run, reuse, keep (done already in this run), skip, "skip?" or unknown
    std::string why;
    std::vector<DefinitionDifference> differences;  ///< from the run that is gone on from
};

struct ForecastStep {
    std::string name;
    std::vector<ForecastTask> tasks;  ///< one for a foreach whose list is not known yet
    Value resources;                  ///< as written; what depends on items and artifacts as its text
};

struct Forecast {
    enum class Kind { new_run, same_run, run_from_origin };
    Kind kind = Kind::new_run;
    std::string flow_path;
    std::string run;               ///< that is resumed, or gone on from
    std::vector<std::string> why;  ///< what has changed since that run
    std::string profile;
    std::string backend;
    std::vector<ForecastStep> steps;  ///< in the order of the graph
};

/// What `amp run` or `amp resume` would do now; nothing is started or written.
/// @throws InvalidFlow, Error(not_found)
Forecast forecast(Services& services, const Project& project, const ForecastQuery& query);

}  // namespace amp

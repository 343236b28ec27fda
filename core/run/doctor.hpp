#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/ports/task_spec.hpp"
#include "core/run/project.hpp"
#include "core/run/services.hpp"

namespace amp {

enum class Health { good, warning, failure };
std::string_view health_name(Health health);

/// One thing that `amp doctor` looked at.
struct Diagnosis {
    std::string check;  ///< "store", "locks", …
    Health health = Health::good;
    std::string found;
    std::string means;   ///< empty when all is good
    std::string advice;  ///< what to do; empty when all is good
};

/// What a project looks like to git, and whether its settings could be read.
struct ProjectFacts {
    std::string folder;
    std::optional<Error> settings_error;
    bool git_refuses = false;
    std::uint64_t asked_memory_bytes = 0;   ///< the most that a step of flow.toml asks for; 0: unknown
    std::vector<std::string> stale_leases;  ///< runs whose driver died
    std::vector<std::string> silent_runs;   ///< driven from elsewhere by a lease that has run out
    std::vector<std::string>
        dead_processes;  ///< processes of tasks whose run nobody keeps: "pid 7 (RUN/STEP/0)"
    std::optional<Error> store_error;
    std::string engine;          ///< of containers: "docker 20.10"; empty: none answers
    std::string engine_problem;  ///< why none does
    bool wants_engine = false;   ///< a step of flow.toml runs in a container
    std::set<PythonEnvironment::Tool> environment_tools;  ///< what makes the environments of its steps
};

/// The verdicts, from facts alone.
std::vector<Diagnosis> diagnose(const HostFacts& host, const ProjectFacts& project);

/// `amp doctor`: looks, and judges.
std::vector<Diagnosis> examine(Services& services, const std::vector<std::string>& overrides,
                               const std::string& profile);

}  // namespace amp

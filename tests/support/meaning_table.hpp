#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/base/value.hpp"

namespace amp::test {

/// One case of tests/data/meaning; its README tells the format.
struct MeaningCase {
    struct Phase {
        std::vector<std::string> arguments;   ///< of `amp run`, then of `amp resume`
        std::map<std::string, Value> decide;  ///< "TASK items" and the like
        std::string run;                      ///< the state that is expected
        std::int64_t exit = 0;
        std::map<std::string, std::string> tasks;  ///< "succeeded", "failed 2"
    };
    std::string name;
    std::string about;
    std::string flow;
    std::map<std::string, std::vector<std::string>> script;  ///< what each attempt of a task comes to
    std::vector<Phase> phases;
};

/// All cases of a folder, by name. @throws std::runtime_error for what is no case
std::vector<MeaningCase> read_meaning_cases(const std::string& folder);

/// Loads, validates and plays the flow on a plan, one task at a time. @return what differs; empty: nothing
std::string play(const MeaningCase& c);

}  // namespace amp::test

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/run/run_index.hpp"
#include "core/run/services.hpp"

namespace amp {

/// A run as far as it can be known at once.
struct RunGlance {
    std::string run;
    std::string flow;
    std::string state;  ///< "unfinished" when it has no end on record
};

/// The runs of a store, seen from afar: from the index, else from summary.json and run.json. No journal is
/// opened and nothing is written, for it has to be quick with 10,000 runs, whatever state they are in.
class StoreGlance {
  public:
    explicit StoreGlance(OpenStore store);

    /// The newest runs whose ids begin with `prefix`, at most `limit`, without tasks of others.
    std::vector<RunGlance> runs(std::string_view prefix, std::size_t limit) const;
    /// The tags that runs have; of runs that the index does not know, only of the newest.
    std::vector<std::string> tags() const;

  private:
    OpenStore store_;
    RunIndex index_;
    std::vector<std::string> runs_;
};

}  // namespace amp

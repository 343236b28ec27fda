#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/base/error.hpp"

namespace amp {

struct Session;

/// `amp package list [FLOW]` and `amp package save FILE [FLOW]`: the code that is shipped with a flow's
/// tasks.
struct PackageCommand {
    enum class Action { list, save };
    enum class Order { path, size };

    Action action = Action::list;
    std::vector<std::string> paths;  ///< as given; then told apart:
    std::string flow;
    std::string file;
    std::string run;
    Order order = Order::path;
    std::size_t limit = 0;  ///< 0: all
};

ExitCode execute(Session& session, const PackageCommand& command);

}  // namespace amp

#include "cli/target.hpp"

#include <vector>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace amp {

TaskTarget parse_target(std::string_view text) {
    TaskTarget target;
    if (text.empty()) {
        return target;
    }
    const std::vector<std::string_view> parts = split(text, '/');
    const bool empty_part = parts.front().empty() || (parts.size() > 1 && parts[1].empty());
    if (parts.size() > 3 || empty_part) {
        throw Error(ExitCode::usage, "'" + printable(text) + "' is no RUN[/STEP[/INDEX]]", "",
                    "for instance latest/train/3");
    }
    target.run = parts[0];
    if (parts.size() > 1) {
        target.step = parts[1];
    }
    if (parts.size() > 2) {
        target.index = TaskIndex::parse(parts[2]);
    }
    return target;
}

}  // namespace amp

#include "cli/task_folder.hpp"

#include <fmt/format.h>

#include "cli/session.hpp"
#include "core/base/ids.hpp"

namespace amp {

std::string new_task_folder(const Session& session, std::string_view what) {
    std::string parent = "/tmp";
    for (const char* name : {"TMPDIR", "AMP_SCRATCH"}) {
        const auto found = session.services.environment.find(name);
        if (found != session.services.environment.end() && found->second.starts_with('/')) {
            parent = found->second;
        }
    }
    return fmt::format("{}/amp-{}-{:016x}", parent, what, random_bits());
}

}  // namespace amp

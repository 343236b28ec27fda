#include "cli/version.hpp"

#include "cli/session.hpp"
#include "core/base/version.hpp"

namespace amp {

ExitCode execute(Session& session, const VersionCommand&) {
    if (session.common.json) {
        session.out.document(Object{{"schema", "amp.version/1"}, {"version", k_version}});
    } else {
        session.out.result(std::string("amp ") + std::string(k_version) + "\n");
    }
    return ExitCode::ok;
}

}  // namespace amp

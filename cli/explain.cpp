#include "cli/explain.hpp"

#include "cli/session.hpp"
#include "core/base/text.hpp"

namespace amp {

ExitCode execute(Session&, const ExplainCommand& command) {
    throw Error(ExitCode::not_found, "there is no code '" + printable(command.code) + "'");
}

}  // namespace amp

#include "cli/help.hpp"

#include "cli/help_topics.hpp"
#include "cli/session.hpp"

namespace amp {

ExitCode execute(Session& session, const HelpCommand& command) {
    session.out.result(help_page(command.topic));
    return ExitCode::ok;
}

}  // namespace amp

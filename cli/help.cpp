#include "cli/help.hpp"

#include "cli/help_topics.hpp"
#include "cli/session.hpp"

namespace amp {

ExitCode execute(Session& session, const HelpCommand& command) {
    session.out.words(help_page(command.topic, command.brief));
    return ExitCode::ok;
}

}  // namespace amp

#include "cli/tag.hpp"

#include "cli/session.hpp"
#include "core/base/text.hpp"
#include "core/run/inspect.hpp"

namespace amp {

ExitCode execute(Session& session, const TagCommand& command) {
    const Project project = session.project();
    const std::string run = session.resolve(project, command.run);
    if (command.action != TagCommand::Action::list) {
        tag_run(session.services, project, run, command.tags, command.action == TagCommand::Action::add);
    }
    if (command.action != TagCommand::Action::list && !session.common.json) {
        return ExitCode::ok;
    }
    const RunView view = view_run(session.services, project, run);
    if (session.common.json) {
        session.out.document(Object{
            {"schema", "amp.tags/1"}, {"run", view.run}, {"tags", List(view.tags.begin(), view.tags.end())}});
        return ExitCode::ok;
    }
    for (const std::string& tag : view.tags) {
        session.out.result(printable(tag) + "\n");
    }
    return ExitCode::ok;
}

}  // namespace amp

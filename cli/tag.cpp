#include "cli/tag.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/runs.hpp"
#include "cli/session.hpp"
#include "core/base/near.hpp"
#include "core/base/text.hpp"
#include "core/run/inspect.hpp"
#include "core/store/tags.hpp"

namespace amp {
namespace {

/// Those that are on, by name.
std::vector<Tag> chosen_tags(Session& session, const Project& project, const std::string& run,
                             const ListChoice& list) {
    const auto since = parse_when("--since", list.since, session.services.clock.now());
    std::vector<Tag> tags = read_tags(*session.services.open_store(project.store_folder, false).objects, run);
    std::erase_if(tags,
                  [&](const Tag& tag) { return !tag.active() || (since && tag.history.back().at < *since); });
    if (list.limit > 0 && tags.size() > list.limit) {
        tags.resize(list.limit);
    }
    return tags;
}

/// Removing what is not there is fine, but may be a slip of the hand.
void note_unknown(Session& session, const Project& project, const std::string& run,
                  const std::vector<std::string>& wanted) {
    const auto known = active_tags(*session.services.open_store(project.store_folder, false).objects, run);
    for (const std::string& tag : wanted) {
        if (std::find(known.begin(), known.end(), tag) == known.end()) {
            const std::string hint = near_hint(tag, known);
            session.out.say(fmt::format("note: run {} has no tag '{}'{}{}", run, printable(tag),
                                        hint.empty() ? "" : "; ", hint));
        }
    }
}

}  // namespace

ExitCode execute(Session& session, const TagCommand& command) {
    const Project project = session.project();
    const std::string run = session.resolve(project, command.run);
    if (command.action == TagCommand::Action::remove) {
        note_unknown(session, project, run, command.tags);
    }
    if (command.action != TagCommand::Action::list) {
        tag_run(session.services, project, run, command.tags, command.action == TagCommand::Action::add);
    }
    if (command.action != TagCommand::Action::list && !session.common.json) {
        return ExitCode::ok;
    }
    const std::vector<Tag> tags = chosen_tags(session, project, run, command.list);
    if (session.common.json) {
        List names;
        for (const Tag& tag : tags) {
            names.emplace_back(tag.name);
        }
        session.out.document(Object{{"schema", "amp.tags/1"}, {"run", run}, {"tags", std::move(names)}});
        return ExitCode::ok;
    }
    for (const Tag& tag : tags) {
        const TagChange& set = tag.history.back();
        session.out.result(session.common.plain ? plain_line({tag.name, format_time(set.at), set.user})
                                                : printable(tag.name) + "\n");
    }
    return ExitCode::ok;
}

}  // namespace amp

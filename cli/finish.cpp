#include "cli/finish.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace amp {
namespace {

Error usage_error(std::string message, std::string hint = {}) {
    return {ExitCode::usage, std::move(message), "", std::move(hint)};
}

void check_detached(const FollowChoice& follow) {
    if (follow.detach && follow.events) {
        throw usage_error("--detach prints no events", "`amp attach RUN --events=ndjson` does");
    }
    if (follow.detach && follow.task_exit) {
        throw usage_error("--detach knows no task's exit code", "it leaves before the run has ended");
    }
}

void check_input(const std::string& flow, const ParameterSources& params) {
    if (flow == "-" && params.file == "-") {
        throw usage_error("standard input is the flow or the parameters, not both",
                          "one of them may be <(COMMAND), or a file");
    }
}

}  // namespace

void finish(RunCommand& c) {
    check_detached(c.follow);
    check_input(c.start.flow, c.start.params);
    if (c.dry_run && (c.follow.detach || c.follow.events)) {
        throw usage_error("--dry-run starts nothing, so there is nothing to leave or to follow");
    }
}

void finish(ResumeCommand& c) {
    check_detached(c.follow);
}

void finish(PlanCommand& c) {
    check_input(c.query.flow, c.query.params);
    if (c.query.only.empty() && c.query.resume.empty()) {
        c.query.resume = std::exchange(c.query.origin, {});
    }
    if (!c.query.only.empty() && !c.query.resume.empty()) {
        throw usage_error("amp plan --only takes --origin RUN, not --resume",
                          "for instance: amp plan --only STEP --origin latest");
    }
    if (!c.query.from.empty() && c.query.resume.empty()) {
        throw usage_error("amp plan --from takes --resume RUN",
                          "for instance: amp plan --resume latest --from STEP");
    }
    if (c.query.retry_caught && c.query.resume.empty()) {
        throw usage_error("amp plan --retry-caught takes --resume RUN",
                          "for instance: amp plan --resume latest --retry-caught");
    }
    if (!c.query.resume.empty() && !(c.query.flow.empty() && c.query.like.empty())) {
        throw usage_error("amp plan --resume takes neither a flow nor --like",
                          "a run that is resumed brings its flow along");
    }
}

void finish(TagCommand& c) {
    if (c.action != TagCommand::Action::list && c.tags.empty()) {
        throw usage_error("amp tag add and remove take a run and at least one tag",
                          "for instance: amp tag add latest exp-7");
    }
}

void finish(PackageCommand& c) {
    const bool saves = c.action == PackageCommand::Action::save;
    if (saves && c.paths.empty()) {
        throw usage_error("amp package save takes a file", "for instance: amp package save code.tar.zst");
    }
    if (saves) {
        c.file = c.paths.front();
        c.paths.erase(c.paths.begin());
    }
    if (c.paths.size() > 1) {
        throw usage_error(fmt::format("unexpected argument '{}'", printable(c.paths[1])),
                          "'amp package -h' shows how it is used");
    }
    if (!c.paths.empty()) {
        c.flow = c.paths.front();
    }
    if (!c.flow.empty() && !c.run.empty()) {
        throw usage_error("amp package takes a flow or --run, not both", "a run has its flow already");
    }
}

std::string own_output(const ShowCommand& c) {
    return c.dot ? "--dot" : "";
}
std::string own_output(const CompareCommand& c) {
    return c.csv ? "--csv" : "";
}

/// One document, or records, or a graph: not two of them.
void check_outputs(const CommonOptions& common, const std::string& own) {
    const std::string json = common.select ? "--select" : common.json ? "--json" : "";
    std::vector<std::string> given;
    for (const std::string& option : {json, std::string(common.plain ? "--plain" : ""), own}) {
        if (!option.empty()) {
            given.push_back(option);
        }
    }
    if (given.size() > 1) {
        throw usage_error(
            fmt::format("{} and {} do not go together: each is a way to print", given[0], given[1]));
    }
}

}  // namespace amp

#include "cli/logs.hpp"

#include <algorithm>
#include <deque>
#include <utility>

#include "cli/log_text.hpp"
#include "cli/runs.hpp"
#include "cli/session.hpp"
#include "core/base/text.hpp"
#include "core/run/inspect.hpp"

namespace amp {
namespace {

/// What --limit keeps: the last so many lines, or documents of --json.
class LastLines {
  public:
    explicit LastLines(std::size_t limit) : limit_(limit) {}
    void add(std::string_view part) {
        while (!part.empty()) {
            const std::size_t end = std::min(part.find('\n'), part.size() - 1) + 1;
            if (lines_.empty() || lines_.back().ends_with('\n')) {
                lines_.emplace_back();
            }
            lines_.back() += part.substr(0, end);
            part.remove_prefix(end);
            if (lines_.size() > limit_) {
                lines_.pop_front();
            }
        }
    }
    void keep(Value document) {
        documents_.push_back(std::move(document));
        if (documents_.size() > limit_) {
            documents_.pop_front();
        }
    }
    std::string text() const {
        std::string out;
        for (const std::string& line : lines_) {
            out += line;
        }
        return out;
    }
    const std::deque<Value>& documents() const { return documents_; }

  private:
    std::size_t limit_;
    std::deque<std::string> lines_;
    std::deque<Value> documents_;
};

/// Does the command speak of exactly one task? Then its log is printed as it is.
bool is_one_task(Session& session, const Project& project, const LogsCommand& command) {
    if (command.target.index) {
        return true;
    }
    const RunView view = view_run(session.services, project, command.target.run);
    const auto chosen = [&](const TaskView& task) {
        return command.target.step.empty() || task.name.step == command.target.step;
    };
    return view.ended && std::count_if(view.tasks.begin(), view.tasks.end(), chosen) == 1;
}

}  // namespace

ExitCode execute(Session& session, const LogsCommand& command) {
    const Project project = session.project();
    LogQuery query;
    query.run = command.target.run;
    query.step = command.target.step;
    query.index = command.target.index;
    query.attempt = command.attempt;
    query.follow = command.follow;
    query.rank = command.rank;
    const auto since = parse_when("--since", command.list.since, session.services.clock.now());
    if (command.follow && command.list.limit > 0) {
        throw Error(ExitCode::usage, "--limit does not go with --follow", "", "--since does");
    }
    Output& out = session.out;
    LastLines last(command.list.limit);
    const auto print = [&](std::string_view part) {
        if (command.list.limit > 0) {
            last.add(part);
        } else {
            out.result(part);
        }
    };
    const LogText::Choice choice{!session.common.json && !is_one_task(session, project, command),
                                 out.presentation().out_is_tty, !command.rank};
    LogText text(choice, print);
    const auto remarks = read_logs(session.services, project, query, [&](const LogLine& line) {
        if (since && line.at < *since) {
            return true;
        }
        if (session.common.json && command.list.limit == 0) {
            out.line(log_document(line));
        } else if (session.common.json) {
            last.keep(log_document(line));
        } else {
            text.add(line);
        }
        if (command.follow) {
            out.flush();
        }
        return !out.gone();
    });
    text.finish();
    out.result(last.text());
    for (const Value& document : last.documents()) {
        out.line(document);
    }
    if (!session.common.quiet) {
        std::for_each(remarks.begin(), remarks.end(),
                      [&](const std::string& remark) { out.say(printable(remark)); });
    }
    return ExitCode::ok;
}

}  // namespace amp

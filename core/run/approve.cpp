#include "core/run/approve.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/base/near.hpp"
#include "core/base/text.hpp"
#include "core/run/reference.hpp"
#include "core/run/run_reader.hpp"
#include "core/run/task_text.hpp"
#include "core/run/waits.hpp"
#include "core/store/store.hpp"

namespace amp {
namespace {

struct Waiting {
    TaskName name;
    Timestamp since;
    std::string what;
    bool approval = false;
};

std::vector<Waiting> waiting_tasks(const OpenStore& store, const std::string& run) {
    const ReadRun read = read_whole_run(store, run);
    std::vector<Waiting> out;
    const Plan& plan = read.data->plan();
    for (TaskId task = 0; task < plan.task_count() && !read.end; ++task) {
        const auto* waits = plan.is_task(task) ? read.data->waiting(task) : nullptr;
        if (waits != nullptr) {
            const Step& step = read.data->step(plan.step(task));
            TaskIndex index = plan.index(task);
            index.round = 0;
            out.push_back({{step.name, index}, waits->since, waits->what, step.wait && step.wait->approval});
        }
    }
    return out;
}

std::string listed(const std::string& run, const std::vector<Waiting>& waiting) {
    std::vector<std::string> names;
    names.reserve(waiting.size());
    for (const Waiting& task : waiting) {
        names.push_back(fmt::format("{}/{} ({})", run, task_text(task.name), task.what));
    }
    return names.empty() ? fmt::format("nothing of run {} waits", run) : "these wait: " + join(names, ", ");
}

}  // namespace

Approved approve_tasks(Services& services, const Project& project, const ApproveOptions& options) {
    const OpenStore store = services.open_store(project.store_folder, false);
    const std::string run = resolve_run(*store.objects, options.run);
    const std::vector<Waiting> waiting = waiting_tasks(store, run);
    Approved out{run, {}};
    std::string answered;
    for (const Waiting& task : waiting) {
        const bool meant =
            task.name.step == options.step && (!options.index || options.index->path == task.name.index.path);
        if (!meant || !task.approval) {
            continue;
        }
        const std::string name = task.name.text();
        const Approval approval{name,          task.since,           options.approved,
                                services.user, services.clock.now(), options.comment};
        const std::string key = approval_key(run, name, task.since);
        if (store.objects->put_if_absent(key, json::dump(to_value(approval))) == PutResult::exists) {
            answered = fmt::format("{} was {} already", task_text(name),
                                   answer_text(*store.objects, run, name, task.since));
            continue;
        }
        out.tasks.push_back(name);
    }
    const std::string what = options.step + (options.index ? "/" + options.index->text() : std::string());
    if (out.tasks.empty() && !answered.empty()) {
        throw Error(ExitCode::not_found, answered, run + "/" + what,
                    fmt::format("the first answer counts: whoever drives the run takes it, and `amp resume "
                                "{}` does where nobody does",
                                run));
    }
    if (out.tasks.empty()) {
        std::vector<std::string> names;
        for (const Waiting& task : waiting) {
            if (task.name.step != options.step) {  // else it is not its name that is wrong
                names.push_back(task.name.step);
            }
        }
        throw Error(ExitCode::not_found, fmt::format("'{}' of run {} does not wait for approval", what, run),
                    run + "/" + what, near_hint(options.step, names, listed(run, waiting)));
    }
    return out;
}

}  // namespace amp

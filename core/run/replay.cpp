#include "core/run/replay.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "core/base/error.hpp"
#include "core/run/bring_home.hpp"
#include "core/run/checkout.hpp"
#include "core/run/past_task.hpp"
#include "core/run/reference.hpp"
#include "core/run/secrets.hpp"
#include "core/store/store.hpp"
#include "core/task/masker.hpp"

namespace amp {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> outputs_not_there(const TaskSpec& spec, const std::string& task_folder) {
    std::vector<std::string> missing;
    for (const TaskOutput& output : spec.outputs) {
        const bool in_cwd = output.path.starts_with("./");
        const fs::path path = in_cwd ? fs::path(spec.cwd.empty() ? task_folder : spec.cwd) / output.path
                                     : fs::path(task_folder) / "out" / output.path;
        std::error_code unknown;
        const bool there = fs::exists(path, unknown) || fs::exists(path.string() + ".json", unknown);
        const bool told = output.type == TaskOutput::Type::metrics;
        if (!there && !told && !output.optional) {
            missing.push_back(output.name);
        }
    }
    return missing;
}

/// What the task prints, without the values of its secrets.
class MaskedOutput {
  public:
    using Listener = std::function<void(std::string_view)>;

    MaskedOutput(const std::vector<Secret>& secrets, Listener tell)
        : masker_(std::make_shared<const MaskPatterns>(secrets)), tell_(std::move(tell)) {}

    void add(std::string_view bytes) {
        std::string out;
        masker_.add(bytes, out);
        masker_.pause(out);
        tell(out);
    }
    void finish() {
        std::string out;
        masker_.finish(out);
        tell(out);
    }

  private:
    void tell(const std::string& out) const {
        if (!out.empty()) {
            tell_(out);
        }
    }

    Masker masker_;
    Listener tell_;
};

}  // namespace

Replay replay_task(Services& services, const Project& project, const ReplayQuery& query,
                   const ReplayListener& listener) {
    const OpenStore store = services.open_store(project.store_folder, false);
    Replay replay;
    ReplayBegin& begin = replay.begin;
    begin.run = resolve_run(*store.objects, query.run);
    const PastRun past = read_past(store, begin.run);
    const TaskId task = find_past_task(past, query.step, query.index, "amp replay");
    refuse_image(past.read.record->code, begin.run);
    begin.task = TaskName{query.step, past.plan().index(task)};
    if (!ever_ran(store, past, task)) {
        refuse_never_ran(services, project, begin.run, begin.task);
    }
    const auto [attempt, started] = choose_attempt(past, task, query.attempt);
    begin.attempt = attempt;
    begin.folder = make_task_folder(query.folder);

    const std::string code = begin.folder + "/code";
    ForegroundTask foreground;
    foreground.spec = build_past_spec(services, store, past, task, begin.attempt, started, code);
    begin.cwd = foreground.spec.cwd.empty() ? begin.folder + "/task" : foreground.spec.cwd;
    begin.missing = lay_code(store, past.read.record->code, code);
    foreground.folder = begin.folder + "/task";
    if (query.shell) {
        make_shell(services, {}, foreground);
    }
    if (!foreground.spec.secrets.empty()) {
        foreground.secrets = look_up_secrets(services, project.folder, past.data().flow());
    }
    MaskedOutput output(foreground.secrets, listener.prints);
    foreground.output = [&output](std::string_view bytes) { output.add(bytes); };
    listener.begins(begin);
    bring_home(services, store, foreground.spec);
    replay.result = services.run_foreground(store, foreground);
    output.finish();
    if (!query.shell && replay.result.succeeded()) {
        replay.missing_outputs = outputs_not_there(foreground.spec, foreground.folder);
    }
    return replay;
}

int exit_status(const AttemptResult& result) {
    constexpr int k_by_signal = 128;
    if (result.signal != 0) {
        return k_by_signal + result.signal;
    }
    return result.exit >= 0 ? result.exit : static_cast<int>(ExitCode::infrastructure);
}

}  // namespace amp

// $AMP_CHECKPOINT: laid before a task starts, saved while it runs and when it ends.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "backends/local/keeper.hpp"
#include "backends/system/system_clock.hpp"
#include "core/base/hash.hpp"

namespace amp {
namespace {

/// A file that changed more recently is being written, as likely as not.
constexpr double k_quiet_s = 1;
constexpr double k_whatever_s = 0;
constexpr int k_saved = 0;
constexpr int k_not_saved = 75;

}  // namespace

/// All attempts and rounds of a task in this keeper have the same folder.
void Keeper::give_checkpoint(TaskRun& run) {
    if (run.spec.checkpoint_s <= 0) {
        return;
    }
    TaskName task = run.id.task;
    task.index.round = 0;
    auto& place = checkpoints_[task.text()];
    if (!place) {
        place = std::make_shared<Checkpoint>(
            fmt::format("{}/checkpoint-{}", scratch_.folder(), sha256_hex(task.text()).substr(0, 16)),
            objects_, options_.run, task);
    }
    run.checkpoint = place;
}

void Keeper::save_in_time(TaskRun& run) {
    if (!run.checkpoint || run.state != TaskRun::State::running) {
        return;
    }
    run.checkpoint_timer = loop_.after(run.spec.checkpoint_s, [this, &run] {
        run.checkpoint_timer = 0;
        save_checkpoint(run, std::min(k_quiet_s, run.spec.checkpoint_s));
    });
}

void Keeper::save_checkpoint(TaskRun& run, double quiet_s) {
    if (std::exchange(run.saving, true)) {
        return;
    }
    stager_.save(run, quiet_s,
                 [this, &run](const std::string& problem, const std::vector<std::string>& notes) {
                     checkpoint_saved(run, problem, notes);
                 });
}

void Keeper::checkpoint_saved(TaskRun& run, const std::string& problem,
                              const std::vector<std::string>& notes) {
    run.saving = false;
    if (!problem.empty()) {
        remark(run.id, "its checkpoint cannot be saved: " + masked(problem));
    }
    for (const std::string& note : notes) {
        remark(run.id, masked(note));
    }
    if (std::exchange(run.save_again, false)) {
        save_checkpoint(run, k_whatever_s);
        return;
    }
    for (const int peer : std::exchange(run.savers, {})) {
        tell_saver(peer, problem);
    }
    if (run.then) {
        std::exchange(run.then, {})();
    } else if (run.checkpoint_timer == 0) {
        save_in_time(run);
    }
}

void Keeper::tell_saver(int peer, const std::string& problem) {
    const SpawnAnswer answer{0, {}, problem, problem.empty() ? k_saved : k_not_saved, "saved"};
    door_.tell(peer, agent::Kind::spawned, agent::encode(answer), true);
}

/// Of a task that has succeeded only a later round has use for it.
void Keeper::save_at_end(TaskRun& run, std::function<void()> then) {
    loop_.cancel(std::exchange(run.checkpoint_timer, 0));
    const bool done = run.forced == Cause::none && run.result.cause == Cause::none && run.result.exit == 0 &&
                      run.id.task.index.round == 0;
    if (done && !run.saving) {
        then();
        return;
    }
    run.then = std::move(then);
    run.save_again = run.saving && !done;
    if (!run.saving) {
        save_checkpoint(run, k_whatever_s);
    }
}

void Keeper::discard_checkpoint(TaskRun& run) {
    checkpoints_.erase(run.id.task.text());
    stager_.discard(std::exchange(run.checkpoint, {}));
}

/// What it has written up to now is saved: a save that is under way may have seen less.
void Keeper::checkpoint_asked(int peer, TaskRun& run) {
    if (!run.checkpoint) {
        tell_saver(peer, "this step has no checkpoint: it says none in the flow");
        return;
    }
    if (run.state != TaskRun::State::running && run.state != TaskRun::State::leftovers) {
        tell_saver(peer, "the task has ended");
        return;
    }
    run.savers.push_back(peer);
    run.save_again = run.saving;
    save_checkpoint(run, k_whatever_s);
}

void Keeper::forget_saver(int peer) {
    for (const auto& [id, run] : runs_) {
        std::erase(run->savers, peer);
    }
}

}  // namespace amp

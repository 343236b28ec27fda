#include "core/run/driven_run.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/run/profiles.hpp"
#include "core/run/run_index.hpp"
#include "core/run/secrets.hpp"
#include "core/run/summary.hpp"
#include "core/run/turns.hpp"
#include "core/store/layout.hpp"
#include "core/store/store.hpp"
#include "core/task/checkpoint.hpp"

namespace amp {
namespace {

constexpr std::size_t k_unlimited = 100'000;  // it is handed only what may start

void note_changed_code(const RunRecord& record, const CodeManifest& now, RunObserver& observer) {
    observer.note(fmt::format(
        "code has changed since the run began: {}; where that is no code, but what tasks write, name it in "
        "{}",
        code_changes(record.code, now), record.git ? ".gitignore or .ampignore" : ".ampignore"));
}

Lease::Identity self(const Services& services) {
    return {services.host, services.pid, services.user};
}

}  // namespace

BackendRequest backend_request(const RunRecord& record, std::uint32_t epoch, std::size_t workers) {
    BackendRequest request;
    request.run = record.run;
    request.epoch = epoch;
    request.project_folder = record.project_folder;
    request.workers = workers > 0 ? workers : record.max_workers;
    return request;
}

DrivenRun::DrivenRun(Setup setup, const std::string& run, DriveOptions options,
                     std::unique_ptr<const RecordedFlow> flow)
    : setup_(std::move(setup)),
      options_(std::move(options)),
      lease_(Lease::acquire(*setup_.store.objects, *setup_.store.files, setup_.services.clock, run,
                            self(setup_.services), options_.take_over)),
      read_() {
    setup_.store.files->keep_reserve();
    read_ = read_whole_run(setup_.store, run, {}, std::move(flow));
}

bool DrivenRun::has_subflows() const {
    const auto& steps = read_.flow->flow.steps;
    return std::any_of(steps.begin(), steps.end(), [](const Step& step) { return !step.subflow.empty(); });
}

// Before anything is written: without them nothing begins.
std::vector<Secret> DrivenRun::find_secrets() {
    try {
        return look_up_secrets(setup_.services, read_.record->project_folder, read_.flow->flow);
    } catch (const Error&) {
        lease_.release();
        throw;
    }
}

bool DrivenRun::take_turn() {
    if (read_.end && read_.end->state == RunState::succeeded && !options_.retry_caught) {
        return true;
    }
    const RunRecord& record = *read_.record;
    const std::string& mode = options_.concurrency.empty() ? record.concurrency : options_.concurrency;
    const TurnTaken taken =
        wait_for_turn(setup_.services, setup_.store, record, mode, lease_, setup_.observer);
    if (taken.kind == TurnTaken::Kind::on) {
        return true;
    }
    RunOutcome outcome;
    outcome.run = record.run;
    if (taken.kind == TurnTaken::Kind::skipped) {
        outcome.skipped_for = taken.who;
    } else if (taken.kind == TurnTaken::Kind::interrupted) {
        outcome.interrupted = true;
        outcome.signal = setup_.services.waiter.get().terminating_signal();
    } else {
        setup_.observer.note("cancelled by " + taken.who);
        outcome.state = RunState::cancelled;
        end_before_start();
    }
    outcome_ = outcome;
    lease_.release();
    if (outcome.skipped_for.empty()) {
        setup_.observer.run_ended(outcome.state, outcome.interrupted, nullptr);
    }
    return false;
}

/// It never had its turn, so its clean-up steps have nothing to clean up.
void DrivenRun::end_before_start() {
    const std::string& run = read_.record->run;
    mark_run_changed(*setup_.store.objects, run);
    setup_.store.objects->remove(layout::summary(run));
    journal_.emplace(*setup_.store.files, run, lease_.epoch(), read_.journal_end);
    const Timestamp now = setup_.services.clock.now();
    std::vector<PlanEvent> events = {RunCancelled{}, RunTimedOut{}};
    if (options_.resumed) {
        events.insert(events.begin(), RunReopened{});
    }
    for (const PlanEvent& happened : events) {
        const RunEvent event{.event = happened, .at = now};
        if (read_.data->apply(event)) {
            const JournalEntry entry = journal_entry(event, read_.flow->graph);
            journal_->append(entry.type, entry.payload);
        }
    }
    const RunEndRecord end{RunState::cancelled, false, now};
    const JournalEntry entry = journal_entry(end);
    journal_->append(entry.type, entry.payload);
    journal_->barrier();
    write_summary(*setup_.store.objects, run, summary_value(*read_.data, end));
}

/// The run whose results may be taken over.
void DrivenRun::read_origin() {
    const RunRecord& record = *read_.record;
    if (record.origin.empty()) {
        return;
    }
    try {
        origin_ = read_whole_run(setup_.store, record.origin);
    } catch (const Error& error) {
        if (error.code() != ExitCode::not_found || !record.only.empty()) {
            lease_.release();
            throw;
        }
        setup_.observer.note(fmt::format("run {} is gone: nothing more of it can be reused", record.origin));
    }
}

void DrivenRun::begin() {
    const std::string& run = read_.record->run;
    if (read_.end && read_.end->state == RunState::succeeded) {
        RunOutcome outcome;
        outcome.run = run;
        outcome.state = RunState::succeeded;
        outcome.caught = read_.data->plan().totals()[static_cast<std::size_t>(TaskState::caught)];
        if (!options_.retry_caught || outcome.caught == 0) {
            if (!setup_.child) {  // who asks for one again, under the same key, wants just that
                setup_.observer.note(fmt::format("run {} has already succeeded", run));
            }
            outcome_ = outcome;
            return;
        }
    }
    read_origin();
    std::vector<Secret> secrets = find_secrets();
    ObjectStore& objects = *setup_.store.objects;
    if (lease_.epoch() > 1) {
        mark_run_changed(objects, run);  // before its first end nobody has it in the index
    }
    objects.remove(layout::summary(run));
    journal_.emplace(*setup_.store.files, run, lease_.epoch(), read_.journal_end);
    BackendRequest request =
        backend_request(*read_.record, lease_.epoch(), setup_.slots ? k_unlimited : options_.max_workers);
    request.secrets = std::move(secrets);
    request.profiles = used_profiles(*read_.record, read_.flow->flow);
    router_ = std::make_unique<TaskRouter>(
        run, setup_.services.make_backend(setup_.store, request), setup_.slots, setup_.services.clock,
        TaskRouter::Questions{setup_.end_child,
                              [this](const AttemptId& id) { return driver_->need_of(id); }});
    driver_.emplace(Driver::Parts{setup_.services, setup_.store, *read_.data, *journal_, lease_, *router_,
                                  setup_.runs, setup_.observer, origin_ ? origin_->data.get() : nullptr,
                                  options_.no_cache, options_.hold_s});
    setup_.observer.run_started(run, options_.resumed);
    if (options_.resumed || lease_.epoch() > 1) {
        driver_->adopt();
    }
    if (options_.resumed) {
        driver_->reopen(options_.retry_caught);
    }
}

void DrivenRun::advance() {
    if (!outcome_) {
        outcome_ = driver_->advance();
    }
}

/// Is the code another one than at the start? A run has ended also where that cannot be found out.
bool DrivenRun::code_changed() {
    const RunRecord& record = *read_.record;
    if (!record.parent.empty()) {  // a child has the code of its parent, which looks
        return false;
    }
    try {
        const CodeManifest now = scan_project(setup_.services, setup_.store, record.project_folder,
                                              read_.flow->flow, limits_of(record.code), false);
        if (record.code.hash.empty() || now.hash == record.code.hash) {
            return false;
        }
        note_changed_code(record, now, setup_.observer);
        return true;
    } catch (const Error& error) {
        setup_.observer.note(fmt::format("whether the code has changed cannot be told: {}", error.message()));
        return false;
    }
}

void DrivenRun::write_end() {
    const RunRecord& record = *read_.record;
    RunEndRecord end{outcome_->state, false, setup_.services.clock.now()};
    end.code_changed = code_changed();
    const JournalEntry entry = journal_entry(end);
    journal_->append(entry.type, entry.payload);
    journal_->barrier();
    if (end.state == RunState::succeeded) {
        drop_checkpoints(*setup_.store.objects, record.run);
    }
    try {
        write_summary(*setup_.store.objects, record.run, summary_value(*read_.data, end));
    } catch (const Error& error) {  // a cache: the run has ended, and its journal says so
        setup_.observer.note(error.message());
    }
}

void DrivenRun::finish() {
    if (!driver_) {  // there was nothing to do
        lease_.release();
        return;
    }
    if (!outcome_->interrupted) {
        write_end();
    }
    journal_->barrier();
    router_->close();
    lease_.release();
    setup_.observer.run_ended(outcome_->state, outcome_->interrupted, &read_.data->plan());
}

}  // namespace amp

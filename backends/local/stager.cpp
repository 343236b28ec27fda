#include "backends/local/stager.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "backends/system/system_clock.hpp"
#include "core/base/error.hpp"
#include "core/store/layout.hpp"
#include "core/task/inputs.hpp"
#include "core/task/outputs.hpp"

namespace amp {
namespace {

/// What a worker found, for the loop's thread.
struct Found {
    CollectedOutputs outputs;
    std::string store_problem;
};

/// The rest of what the task has told; nullptr: nothing.
const TaskReport* end_report(TaskRun& run, PackWriter& packs) {
    ReportFile& report = report_of(run, packs);
    report.finish(SystemClock().now());
    return &report.recorder().summary();
}

/// A declared output of type `metrics` is one more point of each metric in it, so that both tell the same.
void add_written_metrics(TaskRun& run, const CollectedOutputs& outputs) {
    for (const auto& [name, value] : outputs.metrics) {
        run.report->recorder().add_point(name, value, SystemClock().now());
    }
}

void write_notes(TaskRun& run, std::vector<std::string> notes, PackWriter& packs) {
    const std::vector<std::string> remarks = run.report->remarks();
    notes.insert(notes.end(), remarks.begin(), remarks.end());
    for (const std::string& note : notes) {
        log_of(run, run.first(), packs).note(note + "\n", SystemClock().now());
    }
    name_logs(run);
}

void apply(const Found& found, const std::string& sync_failure, TaskRun& run, PackWriter& packs) {
    AttemptResult& result = run.result;
    const std::string& broken = found.store_problem.empty() ? sync_failure : found.store_problem;
    write_notes(run, found.outputs.notes, packs);
    result.report = run.report->recorder().report();
    if (!broken.empty()) {
        if (result.cause == Cause::none) {
            result.cause = Cause::infra;
            result.message = fmt::format("its outputs cannot be stored: {}", broken);
        }
        return;
    }
    result.artifacts = found.outputs.artifacts;
    if (result.cause == Cause::none && !found.outputs.problems.empty()) {
        result.cause = Cause::user;
        result.message = found.outputs.problems.front();
    }
}

void lay_checkpoint(TaskRun& run) {
    if (run.checkpoint) {
        run.checkpoint_notes = run.checkpoint->lay();
    }
}

}  // namespace

Stager::Stager(EventLoop& loop, Stores stores)
    : stores_(std::move(stores)),
      pool_(loop, [this] { stores_.objects.sync_pending(); }),
      savers_(loop, [] {}) {}

Stager::~Stager() {
    try {
        prune_cache(stores_.cache);
    } catch (const std::exception&) {  // the next keeper tries again
    }
}

void Stager::lay_inputs(TaskRun& run, std::function<void(const std::string&)> done) {
    auto problem = std::make_shared<std::string>();
    pool_.add({[this, &run, problem] {
                   try {
                       amp::lay_inputs(run.spec.inputs, {run.scratch->in(), stores_.folder, stores_.cache,
                                                         stores_.objects, stores_.files});
                       lay_checkpoint(run);
                   } catch (const std::exception& error) {
                       *problem = error.what();
                   }
               },
               [problem, done = std::move(done)](const std::string&) { done(*problem); }});
}

void Stager::save(TaskRun& run, double quiet_s,
                  std::function<void(const std::string&, const std::vector<std::string>&)> done) {
    struct Outcome {
        std::string problem;
        std::vector<std::string> notes;
    };
    auto outcome = std::make_shared<Outcome>();
    savers_.add(
        {[checkpoint = run.checkpoint, attempt = run.id.attempt, quiet_s, outcome] {
             try {
                 outcome->notes = checkpoint->save(SystemClock().now(), attempt, quiet_s).notes;
             } catch (const std::exception& error) {
                 outcome->problem = error.what();
             }
         },
         [outcome, done = std::move(done)](const std::string&) { done(outcome->problem, outcome->notes); }});
}

void Stager::discard(const std::shared_ptr<Checkpoint>& checkpoint) {
    savers_.add({[checkpoint] {
                     std::error_code ignored;  // what stays goes with the keeper's folder
                     std::filesystem::remove_all(checkpoint->folder(), ignored);
                 },
                 [](const std::string&) {}});
}

void Stager::collect(TaskRun& run, std::function<void()> done) {
    auto found = std::make_shared<Found>();
    pool_.add({[this, &run, found] {
                   try {
                       const std::string& cwd = run.spec.cwd.empty() ? run.scratch->folder() : run.spec.cwd;
                       const TaskReport* told = end_report(run, stores_.packs);
                       OutputPlaces places{run.scratch->out(),  cwd, stores_.objects, stores_.packs,
                                           SystemClock().now(), told};
                       if (!stores_.folder.empty()) {
                           places.input_sources.push_back(stores_.folder + "/" +
                                                          std::string(layout::k_objects));
                       }
                       places.input_sources.push_back(stores_.cache + "/");
                       places.masks = run.masks.get();
                       found->outputs = collect_outputs(run.spec, places);
                       add_written_metrics(run, found->outputs);
                   } catch (const std::exception& error) {
                       found->store_problem = error.what();
                   }
                   try {
                       if (run.spec.hold_s <= 0) {  // or it may have to be kept as it is
                           run.scratch->clean();
                       }
                   } catch (const std::exception&) {
                       run.scratch.reset();  // the next task gets a new one
                   }
               },
               [this, &run, found, done = std::move(done)](const std::string& sync_failure) {
                   if (failure_.empty()) {
                       failure_ = sync_failure;
                   }
                   apply(*found, sync_failure, run, stores_.packs);
                   done();
               }});
}

}  // namespace amp

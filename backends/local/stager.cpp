#include "backends/local/stager.hpp"

#include <fmt/format.h>

#include <memory>

#include "backends/system/system_clock.hpp"
#include "core/base/error.hpp"
#include "core/task/inputs.hpp"
#include "core/task/outputs.hpp"

namespace amp {
namespace {

/// What a worker found, for the loop's thread.
struct Found {
    CollectedOutputs outputs;
    std::string store_problem;
};

void apply(const Found& found, const std::string& sync_failure, TaskRun& run) {
    AttemptResult& result = run.result;
    const std::string& broken = found.store_problem.empty() ? sync_failure : found.store_problem;
    if (run.log) {
        for (const std::string& note : found.outputs.notes) {
            run.log->note(note + "\n", SystemClock().now());
        }
        result.log = run.log->pieces();
    }
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

}  // namespace

Stager::Stager(EventLoop& loop, Stores stores)
    : stores_(std::move(stores)), pool_(loop, [this] { stores_.objects.sync_pending(); }) {}

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
                   } catch (const std::exception& error) {
                       *problem = error.what();
                   }
               },
               [problem, done = std::move(done)](const std::string&) { done(*problem); }});
}

void Stager::collect(TaskRun& run, std::function<void()> done) {
    auto found = std::make_shared<Found>();
    pool_.add({[this, &run, found] {
                   try {
                       const std::string& cwd = run.spec.cwd.empty() ? run.scratch->folder() : run.spec.cwd;
                       found->outputs = collect_outputs(run.spec, {run.scratch->out(), cwd, stores_.objects,
                                                                   stores_.packs, SystemClock().now()});
                   } catch (const std::exception& error) {
                       found->store_problem = error.what();
                   }
                   try {
                       run.scratch->clean();
                   } catch (const std::exception&) {
                       run.scratch.reset();  // the next task gets a new one
                   }
               },
               [&run, found, done = std::move(done)](const std::string& sync_failure) {
                   apply(*found, sync_failure, run);
                   done();
               }});
}

}  // namespace amp

#include "backends/local/task_exec.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <optional>
#include <thread>
#include <tuple>

#include "backends/local/exec_run.hpp"
#include "backends/system/directory_store.hpp"
#include "backends/system/local_append_files.hpp"
#include "backends/system/proc_stat.hpp"
#include "backends/system/process.hpp"
#include "backends/system/system_clock.hpp"
#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/json.hpp"
#include "core/store/layout.hpp"
#include "core/store/store.hpp"
#include "core/task/claim.hpp"

namespace amp {
namespace {

constexpr int k_by_signal = 128;

/// All of ours come through a descriptor: nothing ends us but what cannot be caught.
UniqueFd take_signals() {
    sigset_t ours;
    sigemptyset(&ours);
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;  // a caller may have ignored them
    for (const int signal : {SIGCHLD, SIGTERM, SIGUSR1, SIGHUP, SIGINT}) {
        sigaddset(&ours, signal);
        sigaction(signal, &standard, nullptr);
    }
    pthread_sigmask(SIG_BLOCK, &ours, nullptr);
    UniqueFd signals(signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals) {
        throw Error::system("create", "a signalfd", errno);
    }
    return signals;
}

ClaimOutcome claim(const ExecSpec& spec, ObjectStore& objects, const ExecTalk& talk) {
    Claim ours;
    ours.task = spec.spec.task;
    ours.attempt = spec.spec.attempt;
    ours.token = spec.spec.token;
    ours.id = make_token();
    ours.epoch = spec.epoch;
    ours.by = own_identity();
    std::tie(ours.job, ours.restart) = scheduler_job(talk.environment);
    ours.at = SystemClock().now();
    return claim_attempt(objects, {spec.run, ours, lives});
}

/// The work may have taken days: a store that is away for a moment does not cost it. Where a sync has failed,
/// the store of before says so for ever: another one is asked then.
bool record(const ExecSpec& spec, ObjectStore& objects, const Claim& ours, const AttemptResult& result,
            const ExecTalk& talk) {
    bool failed = false;
    const auto once = [&] {
        std::optional<DirectoryStore> fresh;
        if (failed) {
            fresh.emplace(spec.store);
        }
        return record_attempt(fresh ? *fresh : objects, spec.run, ours, result);
    };
    for (const int pause_ms : {200, 500, 1000, 2000, 4000}) {
        try {
            return once();
        } catch (const Error& error) {
            if (error.code() != ExitCode::infrastructure && error.code() != ExitCode::store_full) {
                throw;
            }
            talk.say(fmt::format("its end cannot be recorded yet: {}", error.message()));
        }
        failed = true;
        std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms));
    }
    return once();
}

int exit_status(const AttemptResult& result, bool started) {
    if (result.succeeded()) {
        return 0;
    }
    if (result.signal != 0) {
        return k_by_signal + result.signal;
    }
    if (result.exit > 0) {
        return result.exit;
    }
    const bool ended_by_us = result.cause == Cause::timeout || result.cause == Cause::preempted ||
                             result.cause == Cause::cancelled;
    if (ended_by_us) {
        return k_by_signal + SIGTERM;
    }
    return started && result.cause == Cause::user ? 1 : k_exec_failed;
}

}  // namespace

int exec_task(const ExecSpec& spec, ObjectStore& objects, AppendFiles& files, const ExecTalk& talk) {
    const UniqueFd signals = take_signals();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    const ClaimOutcome claimed = claim(spec, objects, talk);
    if (!claimed.ours) {
        talk.say(claimed.refusal);
        return k_exec_superseded;
    }
    const Claim& ours = *claimed.ours;
    if (claimed.before && claimed.before->by.is_near(ours.by)) {
        kill_processes_with_token({ours.token});  // what the execution that died has left running
    }
    ExecRun run(spec, ours, objects, files, talk);
    const AttemptResult result = run.run(signals.get());
    if (!result.succeeded()) {
        talk.say(result.message);
    }
    if (!record(spec, objects, ours, result, talk)) {
        talk.say(fmt::format("{} was done by somebody else meanwhile: what came of it here does not count",
                             spec.spec.task.text()));
        return k_exec_superseded;
    }
    return exit_status(result, run.was_started());
}

int task_exec_main(const std::string& text, const ExecTalk& talk) {
    const auto tell = [&](const Error& error) {
        talk.say("error: " + error.message());
        if (!error.hint().empty()) {
            talk.say("help: " + error.hint());
        }
    };
    try {
        ExecSpec spec;
        try {
            spec = exec_spec_from(json::parse_record(text, "the spec"));
        } catch (const Error& error) {
            tell(error);
            return k_exec_spec;
        }
        if (std::error_code unknown; !std::filesystem::is_directory(spec.store, unknown)) {
            throw Error(ExitCode::not_found, fmt::format("there is no store '{}' here", spec.store),
                        spec.store, "the store must be reached under the same name from where tasks run");
        }
        DirectoryStore objects(spec.store);
        LocalAppendFiles files(spec.store);
        if (!objects.size(layout::run_record(spec.run))) {
            throw Error(ExitCode::not_found,
                        fmt::format("the store '{}' has no run {}", spec.store, spec.run));
        }
        open_store(objects, "", format_time(SystemClock().now()));
        return exec_task(spec, objects, files, talk);
    } catch (const Error& error) {
        tell(error);
        return error.code() == ExitCode::bug ? k_exec_bug : k_exec_failed;
    } catch (const std::exception& error) {
        talk.say(error.what());
        return k_exec_bug;
    }
}

}  // namespace amp

#include "backends/local/exec_run.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "backends/local/remains.hpp"
#include "backends/system/gpus.hpp"
#include "backends/system/machine.hpp"
#include "backends/system/process.hpp"
#include "backends/system/system_clock.hpp"
#include "core/base/error.hpp"
#include "core/base/hash.hpp"
#include "core/store/layout.hpp"

namespace amp {
namespace {

constexpr double k_retry_s = 0.2;
constexpr double k_retry_patience_s = 10;
constexpr double k_quiet_s = 1;  // a file that changed more recently is being written, as likely as not
constexpr double k_whatever_s = 0;
/// Of the grace that a scheduler gives us, what we keep for saving and recording.
constexpr double k_own_share = 0.25;
constexpr double k_most_own_s = 5;

/// What it prints goes into its log first; whoever reads us has a second to do so, and then is forgotten.
class Echo {
  public:
    explicit Echo(int fd) : fd_(fd) {}
    void operator()(std::string_view bytes) {
        while (fd_ >= 0 && !bytes.empty()) {
            pollfd ready{fd_, POLLOUT, 0};
            const bool may = poll(&ready, 1, k_patience_ms) == 1;
            const ssize_t n = may ? write(fd_, bytes.data(), std::min(bytes.size(), k_most)) : -1;
            if (n < 0 && (!may || (errno != EINTR && errno != EAGAIN))) {
                fd_ = -1;
            }
            bytes.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
        }
    }

  private:
    static constexpr int k_patience_ms = 1000;
    static constexpr std::size_t k_most = 4096;  // for so much there is room in a pipe that is ready

    int fd_;
};

/// The same for all executions of an attempt: what one that died has left there goes with the next.
std::string pool_name(const ExecSpec& spec) {
    return fmt::format("{}-exec-{}", spec.run, sha256_hex(spec.spec.token).substr(0, 16));
}

std::string log_writer(const ExecSpec& spec, const Claim& claim) {
    return layout::attempt_log_writer(spec.run, claim.task.text(), claim.attempt, claim.execution);
}

}  // namespace

ExecRun::ExecRun(const ExecSpec& spec, const Claim& claim, ObjectStore& objects, AppendFiles& files,
                 const ExecTalk& talk)
    : spec_(spec),
      claim_(claim),
      objects_(objects),
      talk_(talk),
      packs_(files, log_writer(spec, claim)),
      pool_(pool_name(spec)),
      python_folder_(pool_.make_python_folder()),
      launcher_(amp_folder(pool_, own_binary()), python_folder_),
      ports_(claims_folder("port")),
      run_(spec.spec),
      output_(loop_, packs_),
      reports_(loop_, packs_),
      processes_(loop_, [this](TaskRun&) { processes_gone(); }),
      monitor_(loop_, packs_,
               {[this](TaskRun&, std::string why) { processes_.end(run_, Cause::timeout, std::move(why)); },
                [this](const std::string& text) { talk_.say(text); }},
               pool_.folder()),
      stager_(loop_, {objects, files, packs_, spec.store, pool_.cache_folder()}),
      alone_(has_own_group()) {
    if (talk.echo_fd >= 0) {
        output_.set_echo(Echo(talk.echo_fd));
    }
}

AttemptResult ExecRun::run(int signals) {
    signals_ = signals;
    loop_.watch(signals, EPOLLIN, [this](std::uint32_t) { heard_signals(); });
    begin();
    while (!done_) {
        loop_.run_once();
    }
    return run_.result;
}

// By now its end is recorded: a process that does not die keeps nobody from knowing.
ExecRun::~ExecRun() {
    processes_.kill_all();
    prune_remains(std::filesystem::path(pool_.folder()).parent_path().string());
}

void ExecRun::begin() {
    try {
        prepare();
    } catch (const Error& error) {
        end(Cause::infra, error.message());
        return;
    }
    run_.state = TaskRun::State::staging;
    if (run_.spec.inputs.empty() && !run_.checkpoint) {
        launch();
        return;
    }
    stager_.lay_inputs(run_, [this](const std::string& problem) {
        for (const std::string& note : std::exchange(run_.checkpoint_notes, {})) {
            talk_.say(note);
        }
        if (!problem.empty()) {
            end(Cause::infra, fmt::format("its inputs cannot be laid: {}", problem));
        } else {
            launch();
        }
    });
}

void ExecRun::launch() {
    if (run_.forced != Cause::none) {
        end(run_.forced, run_.forced_message);
        return;
    }
    run_.state = TaskRun::State::starting;
    reports_.watch(run_);
    if (run_.first_try == 0) {
        run_.first_try = loop_.now();
    }
    switch (launcher_.launch(run_, secrets_, SystemClock().now())) {
        case TaskLauncher::Outcome::running:
            started();
            break;
        case TaskLauncher::Outcome::partly:
            started();
            processes_.kill_now(run_);
            break;
        case TaskLauncher::Outcome::failed:
            started_ = true;  // it is the command's own fault
            end(run_.result.cause, run_.result.message);
            break;
        case TaskLauncher::Outcome::later:
            reports_.let_go(run_);
            if (loop_.now() - run_.first_try > k_retry_patience_s) {
                end(Cause::infra, run_.result.message);
            } else {
                loop_.after(k_retry_s, [this] { launch(); });
            }
            break;
    }
}

void ExecRun::started() {
    started_ = true;
    run_.state = TaskRun::State::running;
    processes_.add(run_);
    output_.watch(run_);
    processes_.limit_time(run_);
    const char* gpus = std::getenv("CUDA_VISIBLE_DEVICES");
    monitor_.watch(run_, parse_gpu_list(gpus == nullptr ? "" : gpus));
    save_in_time();
    processes_.reap();  // what ended before the loop heard of anything
}

void ExecRun::heard_signals() {
    signalfd_siginfo info{};
    while (read(signals_, &info, sizeof info) == sizeof info) {
        const auto signal = static_cast<int>(info.ssi_signo);
        if (signal == SIGCHLD) {
            if (started_) {
                processes_.reap();
            }
        } else if (signal == SIGINT && run_.forced == Cause::cancelled) {
            processes_.kill_now(run_);
        } else if (signal == SIGINT) {
            notice(Cause::cancelled, "interrupted");
        } else {
            bool cancelled = spec_.term == Cause::cancelled;
            try {
                cancelled = cancelled || is_cancel_asked(objects_, spec_.run, claim_.task, claim_.attempt);
            } catch (const Error&) {  // then nobody knows, and it may be tried again
            }
            notice(cancelled ? Cause::cancelled : Cause::preempted,
                   cancelled ? "cancelled"
                             : fmt::format("preempted: the task runner got {} on {}", signal_name(signal),
                                           claim_.by.host));
        }
    }
}

/// The grace is ours as well: the task gets what leaves us time to save and to record.
void ExecRun::notice(Cause cause, const std::string& message) {
    if (notice_ != Cause::none) {
        return;
    }
    notice_ = cause;
    notice_message_ = message;
    run_.spec.grace_s -= std::min(k_most_own_s, run_.spec.grace_s * k_own_share);
    if (run_.state == TaskRun::State::running) {
        processes_.end(run_, cause, message);
        save(k_whatever_s);  // now what there is, and at its end what it adds: the second is the quicker
    } else if (!started_ && run_.forced == Cause::none) {
        run_.forced = cause;
        run_.forced_message = message;
    }
}

void ExecRun::save_in_time() {
    if (!run_.checkpoint || run_.state != TaskRun::State::running) {
        return;
    }
    run_.checkpoint_timer = loop_.after(run_.spec.checkpoint_s, [this] {
        run_.checkpoint_timer = 0;
        save(std::min(k_quiet_s, run_.spec.checkpoint_s));
    });
}

void ExecRun::save(double quiet_s) {
    if (!run_.checkpoint || std::exchange(run_.saving, true)) {
        return;
    }
    stager_.save(run_, quiet_s, [this](const std::string& problem, const std::vector<std::string>& notes) {
        saved(problem, notes);
    });
}

void ExecRun::saved(const std::string& problem, const std::vector<std::string>& notes) {
    run_.saving = false;
    if (!problem.empty()) {
        talk_.say("its checkpoint cannot be saved: " + masked(problem));
    }
    for (const std::string& note : notes) {
        talk_.say(masked(note));
    }
    if (std::exchange(run_.save_again, false)) {
        save(k_whatever_s);
    } else if (run_.then) {
        std::exchange(run_.then, {})();
    } else if (run_.checkpoint_timer == 0) {
        save_in_time();
    }
}

/// A keeper's tasks share its group, so that only a kill of the main process, or one that its shell tells of,
/// is surely theirs. In a container or a job of a scheduler whatever was killed was a part of this task.
void ExecRun::judge_memory() {
    AttemptResult& result = run_.result;
    if (alone_ && result.cause == Cause::user && run_.forced == Cause::none &&
        count_oom_kills() > run_.oom_kills_before) {
        result.cause = Cause::oom;
        result.message =
            fmt::format("out of memory: the kernel killed a process of it (exit status {})", result.exit);
    }
}

/// A scheduler may send its notice to all of a job's processes: what fails with it, or dies of it a moment
/// before we hear of it, was ended by the scheduler.
void ExecRun::judge_notice() {
    AttemptResult& result = run_.result;
    if (notice_ != Cause::none && result.cause == Cause::user) {
        result.cause = run_.forced = notice_;
        result.message = notice_message_;
    }
}

void ExecRun::processes_gone() {
    judge_memory();
    judge_notice();
    const bool left_running = run_.state == TaskRun::State::leftovers && run_.forced == Cause::none &&
                              !(run_.spec.gang && first_ends_all(*run_.spec.gang));
    monitor_.let_go(run_);
    output_.finish(run_);
    reports_.let_go(run_);
    if (left_running) {
        talk_.say("what it had left running was ended");
    }
    if (const std::string failure = log_failure(run_); !failure.empty()) {
        talk_.say(fmt::format("a part of its log is lost: {}", failure));
    }
    run_.state = TaskRun::State::collecting;
    loop_.cancel(std::exchange(run_.checkpoint_timer, 0));
    const bool done = run_.forced == Cause::none && run_.result.succeeded();
    const bool has_use = run_.checkpoint && (!done || run_.id.task.index.round > 0);
    if (!has_use && !run_.saving) {
        collect();
        return;
    }
    run_.then = [this] { collect(); };
    run_.save_again = run_.saving && has_use;
    save(k_whatever_s);
}

void ExecRun::collect() {
    if (notice_ != Cause::none &&
        run_.forced != Cause::none) {  // nobody waits for outputs: what it told is enough
        if (run_.report) {
            run_.report->finish(SystemClock().now());
            run_.result.report = run_.report->recorder().report();
        }
        finish();
    } else if (run_.spec.outputs.empty() && !run_.report && run_.scratch->is_pristine()) {
        finish();
    } else {
        stager_.collect(run_, [this] { finish(); });
    }
}

/// It ends without ever having run.
void ExecRun::end(Cause cause, const std::string& message) {
    AttemptResult& result = run_.result;
    result.cause = cause;
    result.message = message;
    result.exit = result.exit == 0 ? -1 : result.exit;
    result.started = result.ended = SystemClock().now();
    if (run_.scratch) {
        reports_.let_go(run_);
    }
    finish();
}

void ExecRun::finish() {
    run_.result.message = masked(run_.result.message);
    try {
        packs_.sync();
    } catch (const Error& error) {
        if (run_.result.succeeded()) {
            run_.result.cause = Cause::infra;
            run_.result.message = fmt::format("its log cannot be made durable: {}", error.message());
        }
    }
    heard_signals();
    if (run_.result.signal == SIGTERM) {
        judge_notice();
    }
    done_ = true;
}

}  // namespace amp

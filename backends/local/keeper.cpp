#include "backends/local/keeper.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "backends/local/remains.hpp"
#include "backends/system/process.hpp"
#include "backends/system/system_clock.hpp"
#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/json.hpp"
#include "core/store/lease.hpp"

namespace amp {
namespace {

constexpr double k_tell_s = 1;
constexpr double k_first_driver_s = 10;  // who has started us says hello at once

SlotLimits limits_of(const KeeperOptions& options) {
    return {std::max<std::size_t>(1, options.workers), options.cpu, options.memory_bytes,
            static_cast<std::uint32_t>(options.gpus.size())};
}

ContainerPlaces container_places(const KeeperOptions& options, const ScratchPool& scratch,
                                 const std::string& python_folder, const std::string& binary) {
    ContainerPlaces places;
    places.run = options.run;
    places.project = options.project_dir;
    places.objects = options.store_dir + "/objects";
    places.cache = scratch.cache_folder();
    places.python_folder = python_folder;
    places.amp = binary;
    places.folder = scratch.folder() + "/containers";
    return places;
}

}  // namespace

Keeper::Keeper(const KeeperOptions& options, const std::string& binary, ObjectStore& objects,
               AppendFiles& files, UniqueFd channel)
    : options_(options),
      host_(host_name()),
      packs_(files, options.run, options.number),
      log_(files, options.run, options.number, [this] { packs_.sync(); }),
      scratch_(fmt::format("{}-{}-{}", options.run, options.number, getpid())),
      python_folder_(scratch_.make_python_folder()),
      containers_(loop_, container_places(options, scratch_, python_folder_, binary)),
      launcher_(amp_folder(scratch_, binary), python_folder_),
      queue_(limits_of(options)),
      gpus_(options.gpus, gpu_claims_folder()),
      ports_(claims_folder("port")),
      objects_(objects),
      output_(loop_, packs_),
      reports_(loop_, packs_),
      processes_(loop_, [this](TaskRun& run) { processes_gone(run); }),
      monitor_(
          loop_, packs_,
          {[this](TaskRun& run, std::string why) { processes_.end(run, Cause::timeout, std::move(why)); },
           [this](const std::string& text) { events_.note(text); }},
          scratch_.folder()),
      stager_(loop_, {objects, files, packs_, options.store_dir, scratch_.cache_folder()}),
      door_(loop_, options.run, make_token(),
            {[this](std::uint32_t epoch) { return welcome(epoch); }, [this] { driver_left(); },
             [this](const agent::Frame& frame) { obey(frame); },
             [this](const std::string& who) { cancel_asked(who); },
             [this](const AttemptId& id) { return open_place(id); },
             [this](int peer, const agent::Frame& frame) { spawn_asked(peer, frame); },
             [this](int peer) { peer_left(peer); },
             [&objects, run = options.run] {
                 const auto lease = read_lease(objects, run);
                 return lease ? lease->epoch : 0;
             },
             [this] { driver_missed(); }}) {
    log_.append("keeper", Object{{"pid", static_cast<std::int64_t>(getpid())},
                                 {"host", host_},
                                 {"socket", door_.listen()},
                                 {"secret", door_.secret()},
                                 {"scratch", scratch_.folder()},
                                 {"at", format_time(SystemClock().now())}});
    log_.flush();
    launcher_.set_socket(door_.path());
    launcher_.set_containers(containers_);
    containers_.set_socket(door_.path());
    processes_.set_containers(containers_);
    door_.admit_inherited(std::move(channel));
}

void Keeper::run(int signals) {
    try {
        work(signals);
    } catch (const std::exception& error) {
        say_last_words(error.what());
        throw;
    }
}

void Keeper::say_last_words(const std::string& text) {
    try {
        log_.append("last_words", Object{{"text", text}});
        log_.flush();
    } catch (const std::exception&) {
        // Then it is the log that we die of.
    }
}

void Keeper::work(int signals) {
    loop_.watch(signals, EPOLLIN, [this, signals](std::uint32_t) { heard_signals(signals); });
    while (!is_done()) {
        loop_.run_once();
        settle();
    }
    loop_.forget(signals);
    processes_.kill_all();
    prune_remains(std::filesystem::path(scratch_.folder()).parent_path().string());
    prune_remains(std::filesystem::path(door_.path()).parent_path().string());
}

void Keeper::heard_signals(int signals) {
    signalfd_siginfo info{};
    while (read(signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGTERM && !terminated_) {
            terminated_ = true;
            drop_unstarted();
            end_all(Cause::infra, "the keeper was told to end (SIGTERM)");
            say_last_words("it was told to end (SIGTERM)");
        } else if (info.ssi_signo == SIGHUP) {
            door_.listen_again();
        }
    }
    processes_.reap();
}

// All that this wake-up has brought, written and sent at once: first the log, then the word to the driver.
void Keeper::settle() {
    start_ready();
    flush_log();
    if (agent::Channel* driver = door_.driver(); driver != nullptr && !events_.empty()) {
        events_.send_to(*driver);
    }
    events_ = {};
    door_.flush();
    if (tell_timer_ == 0 && queue_.waiting() != 0) {
        tell_timer_ = loop_.after(k_tell_s, [this] { tell_waiting(); });
    }
}

void Keeper::flush_log() {
    if (!std::exchange(log_dirty_, false)) {
        return;
    }
    try {
        log_.flush();
        unlogged_.clear();
    } catch (const Error& error) {
        if (!std::exchange(log_broken_, true)) {
            events_.note(fmt::format("the keeper's log cannot be written: {}", error.message()));
            drop_unstarted();
        }
    }
}

// A store takes nothing more from a process that has seen a sync fail; from a new one it does.
void Keeper::store_failed() {
    if (!std::exchange(store_broken_, true)) {
        events_.note(fmt::format("the keeper cannot store outputs any more: {}", stager_.failure()));
        drop_unstarted();
    }
}

bool Keeper::is_done() {
    if (!runs_.empty() || stager_.busy() != 0 || stager_.saving() != 0 || !ready_.empty()) {
        return false;
    }
    if (closing_ || terminated_ || lingered_) {
        return true;
    }
    const agent::Channel* driver = door_.driver();
    if (is_broken() && driver != nullptr && !driver->has_unsent()) {  // which starts another keeper
        return true;
    }
    if (driver == nullptr && linger_timer_ == 0) {
        const double wait_s = had_driver_ ? options_.linger_s : std::max(k_first_driver_s, options_.linger_s);
        linger_timer_ = loop_.after(wait_s, [this] { lingered_ = true; });
    }
    return false;
}

// ---- what a driver says

agent::Welcome Keeper::welcome(std::uint32_t epoch) {
    drop_unstarted();
    log_.append("driver", Object{{"epoch", static_cast<std::int64_t>(epoch)}});
    log_dirty_ = true;
    flush_log();  // ends of before: the new driver reads them from the log, and not as events
    events_ = {};
    agent::Welcome answer{getpid(), {}};
    for (const Unlogged& end : unlogged_) {  // unless they are not there: to it they end now
        answer.running.push_back(end.attempt);
        events_.ended(end.text);
    }
    if (python_folder_.empty()) {
        events_.note(
            fmt::format("tasks cannot `import amp`: there is no room for it in {}", scratch_.folder()));
    }
    loop_.cancel(std::exchange(holds_timer_, 0));
    if (std::exchange(epoch_, epoch) != epoch) {  // the driver that they were kept for is gone
        free_holds();
    }
    failures_ = 0;
    acknowledged_ = 0;
    closing_ = false;
    lingered_ = false;
    had_driver_ = true;
    loop_.cancel(std::exchange(linger_timer_, 0));
    for (const auto& [id, run] : runs_) {
        if (run->in_log) {
            answer.running.push_back({id, host_, run->result.started});
        }
    }
    ask_again();
    return answer;
}

void Keeper::driver_left() {
    drop_unstarted();
    keep_holds_a_while();
    if (!spawns_.empty() && orphan_timer_ == 0) {
        orphan_timer_ = loop_.after(options_.linger_s, [this] { refuse_spawns(); });
    }
}

// Who has started us was overtaken meanwhile, or died: whatever is to be done is done by another keeper.
void Keeper::driver_missed() {
    lingered_ = lingered_ || !had_driver_;
}

void Keeper::obey(const agent::Frame& frame) {
    using agent::Kind;
    switch (static_cast<Kind>(frame.kind)) {
        case Kind::submit: {
            agent::ReadSpecs read = agent::specs_from(frame.payload);
            for (TaskSpec& spec : read.specs) {
                accept(std::move(spec));
            }
            for (AttemptResult& result : read.unreadable) {
                result.started = result.ended = SystemClock().now();
                record_end(result);
            }
            for (const std::string& text : read.notes) {
                events_.note(text);
            }
            break;
        }
        case Kind::cancel:
        case Kind::kill:
            for (const AttemptId& id : agent::attempts_from(frame.payload)) {
                cancel(id, static_cast<Kind>(frame.kind) == Kind::kill);
            }
            break;
        case Kind::go_on:
            acknowledged_ = std::min(failures_, agent::number_from(frame.payload, "failures"));
            break;
        case Kind::secrets:
            learn(agent::secrets_from(frame.payload));
            break;
        case Kind::answer:
            spawn_answered(agent::spawn_answer_from(frame.payload));
            break;
        case Kind::close:
            closing_ = true;
            drop_unstarted();
            free_holds();
            break;
        default:
            throw Error(ExitCode::mismatch, fmt::format("a driver does not say {}", frame.kind));
    }
}

// What is known already stays, for what runs may print it.
void Keeper::learn(std::vector<Secret> secrets) {
    for (Secret& secret : secrets) {
        secrets_.insert_or_assign(secret.key, std::move(secret));
    }
    std::vector<Secret> all;
    for (const auto& [key, secret] : secrets_) {
        all.push_back(secret);
    }
    masks_ = std::make_shared<const MaskPatterns>(all);
    if (masks_->empty()) {
        masks_ = nullptr;
    }
}

void Keeper::accept(TaskSpec spec) {
    const AttemptId id{spec.task, spec.attempt};
    const bool too_many = spec.gang && spec.gang->world() > k_most_ranks;
    if (too_many) {
        spec.gang->nodes = spec.gang->tasks_per_node = 1;  // it ends before it makes any
    }
    if (terminated_ || closing_ || is_broken() || ended_.contains(key_of(id)) || runs_.contains(id)) {
        return;
    }
    auto run = std::make_unique<TaskRun>(std::move(spec));
    TaskRun& place = *runs_.emplace(id, std::move(run)).first->second;
    const std::string problem =
        too_many ? fmt::format("it has more ranks than one machine can have ({})", k_most_ranks)
                 : queue_.impossible(total_resources(place.spec));
    if (!problem.empty()) {
        end(place, Cause::quota, problem);
    } else {
        queue_.push(id, total_resources(place.spec), place.spec.priority, loop_.now());
    }
}

void Keeper::cancel(const AttemptId& id, bool at_once) {
    const auto found = runs_.find(id);
    if (found == runs_.end()) {
        free_hold(id);
        return;
    }
    TaskRun& run = *found->second;
    if (run.lent) {
        slots_back(run);
    }
    if (queue_.remove(id)) {
        end(run, Cause::cancelled, "cancelled before it started");
    } else if (run.state == TaskRun::State::running || run.state == TaskRun::State::leftovers) {
        processes_.end(run, Cause::cancelled, "cancelled");
        if (at_once) {
            processes_.kill_now(run);
        }
    } else if (run.state == TaskRun::State::staging || run.state == TaskRun::State::starting) {
        run.forced = Cause::cancelled;
        run.forced_message = "cancelled before it started";
    }
}

void Keeper::cancel_asked(const std::string& who) {
    if (agent::Channel* driver = door_.driver()) {
        driver->send(agent::Kind::cancel_asked, agent::encode_text("who", who));
        return;
    }
    end_all(Cause::cancelled, who.empty() ? std::string("cancelled") : fmt::format("cancelled by {}", who));
    free_holds();
    closing_ = true;
}

void Keeper::end_all(Cause cause, const std::string& message) {
    for (const auto& [id, run] : runs_) {
        if (run->state == TaskRun::State::staging || run->state == TaskRun::State::starting) {
            run->forced = cause;
            run->forced_message = message;
        } else {
            processes_.end(*run, cause, message);
        }
    }
}

// What has not started is forgotten without a trace: who drives next submits it again.
void Keeper::drop_unstarted() {
    for (const AttemptId& id : queue_.drop_waiting()) {
        if (TaskRun& run = *runs_.at(id); run.lent) {
            slots_back(run);
        } else {
            runs_.erase(id);
        }
    }
    for (const auto& [id, run] : runs_) {
        if (run->state != TaskRun::State::staging && run->state != TaskRun::State::starting) {
            continue;
        }
        run->dropped = run->dropped || !run->in_log;
        if (run->in_log && run->forced == Cause::none) {  // it waits for room to start
            run->forced = Cause::infra;
            run->forced_message = run->result.message;
        }
    }
}

void Keeper::tell_waiting() {
    tell_timer_ = 0;
    if (failures_ != acknowledged_) {
        return;
    }
    for (const AttemptQueued& told : queue_.tell_waiting(loop_.now())) {
        events_.queued(told.id, told.reason);
    }
}

}  // namespace amp

#include "backends/ssh/far_agent.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "backends/local/keeper_history.hpp"
#include "backends/ssh/alive.hpp"
#include "backends/ssh/far_house.hpp"
#include "backends/ssh/own_binary.hpp"
#include "backends/system/process.hpp"
#include "backends/system/system_clock.hpp"
#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/store/far_lease.hpp"
#include "core/store/layout.hpp"
#include "core/store/lease.hpp"

namespace amp {
namespace {

using agent::Kind;

constexpr double k_linger_s = 600;
constexpr double k_look_s = 0.2;  // where the machine tells nothing of changed files

bool is_failure(Cause cause) {
    return cause != Cause::none && cause != Cause::cancelled;
}

}  // namespace

FarAgent::FarAgent(agent::Channel channel, FarAgentOptions options)
    : options_(std::move(options)), cache_(options_.root + "/code", true), channel_(std::move(channel)) {
    loop_.watch(channel_.fd(), EPOLLIN, [this](std::uint32_t) { heard(); });
    if (channel_.out_fd() != channel_.fd()) {
        loop_.watch(channel_.out_fd(), 0, [](std::uint32_t events) {
            if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
                throw Error(ExitCode::interrupted, "the driver is gone");
            }
        });
    }
    channel_.send(Kind::agent, agent::encode(agent::FarGreeting{own_binary_hash()}));
    channel_.flush();
}

FarAgent::~FarAgent() = default;

void FarAgent::run() {
    try {
        work();
    } catch (const std::exception& thrown) {
        const auto* error = dynamic_cast<const Error*>(&thrown);
        const ExitCode code = error != nullptr ? error->code() : ExitCode::infrastructure;
        if (code != ExitCode::interrupted) {  // else there is nobody to tell
            channel_.send(Kind::refused, agent::encode_refusal(thrown.what(), code));
            fcntl(channel_.out_fd(), F_SETFL, 0);  // it is the last word
            channel_.flush();
        }
        throw;
    }
}

void FarAgent::work() {
    send();
    while (!done_ || channel_.has_unsent()) {
        loop_.run_once();
        if (backend_) {
            backend_ready();
        }
        send();
    }
}

void FarAgent::heard() {
    const bool there = channel_.receive();
    while (const auto frame = channel_.next()) {
        handle(*frame);
    }
    store_taken();
    if (!there) {
        throw Error(ExitCode::interrupted, "the driver is gone");
    }
}

LocalBackend& FarAgent::backend() {
    if (!backend_) {
        throw Error(ExitCode::mismatch, "say hello first");
    }
    return *backend_;
}

void FarAgent::handle(const agent::Frame& frame) {
    switch (static_cast<Kind>(frame.kind)) {
        case Kind::secrets:
            secrets_ = agent::secrets_from(frame.payload);
            break;
        case Kind::visit:
            visit();
            break;
        case Kind::meet:
            meet(agent::far_hello_from(frame.payload));
            break;
        case Kind::submit: {
            agent::ReadSpecs read = agent::specs_from(frame.payload);
            for (AttemptResult& result : read.unreadable) {
                result.started = result.ended = SystemClock().now();
                tell(AttemptEnded{std::move(result)});
            }
            for (std::string& note : read.notes) {
                tell(BackendNote{std::move(note)});
            }
            try {
                backend().submit(read.specs);
            } catch (const Error& error) {
                lose(error.message());
            }
            break;
        }
        case Kind::cancel:
            backend().cancel(agent::attempts_from(frame.payload));
            break;
        case Kind::kill:
            backend().kill(agent::attempts_from(frame.payload));
            break;
        case Kind::go_on:
            if (agent::number_from(frame.payload, "failures") == failures_) {
                backend().go_on();
            }  // else one is on its way of which the driver has yet to hear
            break;
        case Kind::answer:
            backend().answer(agent::spawn_answer_from(frame.payload));
            break;
        case Kind::open:
            try {
                backend().open();
            } catch (const Error& error) {
                lose(error.message());
            }
            break;
        case Kind::close:
            if (!visited_) {
                backend().close();
            }
            done_ = true;
            break;
        default:
            handle_objects(frame);
    }
}

// The lease is written before the keeper is asked: from then on it lets in no earlier driver.
void FarAgent::meet(const agent::FarHello& hello) {
    if (backend_ || visited_ || !is_run_id(hello.run)) {
        throw Error(ExitCode::mismatch, "a driver says hello once, and names its run");
    }
    make_house(options_.root);
    const std::string folder = options_.root + "/store";
    open_house(folder);
    std::error_code unknown;
    keep_house(*objects_, *files_, std::filesystem::read_symlink(k_own_program, unknown).string());
    taker_ = std::make_unique<agent::ObjectTaker>(*objects_, [this](const std::string& sha256) {
        const auto missing = missing_.find(sha256);
        return missing == missing_.end() ? std::nullopt
                                         : std::optional(agent::SizedObject{missing->first, missing->second});
    });
    run_ = hello.run;
    epoch_ = hello.epoch;
    const std::uint32_t newest = raise_lease(*objects_, hello.run, hello.epoch);
    if (newest > hello.epoch) {
        channel_.send(Kind::fenced, agent::encode_number("epoch", newest));
        done_ = true;
        return;
    }
    LocalBackendOptions options;
    options.store_dir = folder;
    options.run = hello.run;
    options.epoch = hello.epoch;
    options.number_base = hello.number_base;
    options.workers = hello.workers;
    options.secrets = std::move(secrets_);
    options.linger_s = k_linger_s;
    backend_ = std::make_unique<LocalBackend>(*files_, std::move(options));
    tail_ = std::make_unique<PackTail>(*files_, hello.run, hello.number_base + 1,
                                       last_number(hello.number_base), hello.packs);
    watch_ = files_->watch(layout::run_prefix(hello.run));
    if (watch_) {
        loop_.watch(watch_->fd(), EPOLLIN, [this](std::uint32_t) { look(); });
    } else {
        look();
    }
    channel_.send(Kind::met, agent::encode(adopt(hello)));
    loop_.watch(backend_->event_fd(), EPOLLIN, [](std::uint32_t) {});  // run() looks after each wake-up
}

agent::FarWelcome FarAgent::adopt(const agent::FarHello& hello) {
    if (agent::has_hung_up(channel_)) {  // it may have another agent by now, which must not be driven out
        throw Error(ExitCode::interrupted, "the driver is gone");
    }
    const Adoption found = [this] {
        const Alive alive(channel_);
        return backend_->adopt();
    }();
    backend_->open();
    std::optional<std::set<AttemptId>> held;
    if (hello.held) {
        held.emplace(hello.held->begin(), hello.held->end());
    }
    const auto counts = [&held](const AttemptId& id) { return !held || held->contains(id); };
    agent::FarWelcome welcome;
    welcome.host = host_name();
    welcome.root = options_.root;
    welcome.capacity = backend_->capacity();
    welcome.workers = hello.workers > 0
                          ? hello.workers
                          : static_cast<std::size_t>(std::max(1.0, std::ceil(welcome.capacity.cpu)));
    welcome.running = found.running;
    std::copy_if(found.lost.begin(), found.lost.end(), std::back_inserter(welcome.lost), counts);
    code_ = cache_.find(hello.code);
    welcome.code_ready = code_.has_value();
    welcome.store = store_id_;
    Told ended;
    ended.adopted.emplace();
    for (const AttemptResult& result : found.ended) {
        if (counts({result.task, result.attempt})) {
            ended.adopted->push_back(result);
        }
    }
    tail_->look();
    ended.mark = tail_->seen();
    told_.push_back(std::move(ended));
    return welcome;
}

void FarAgent::look() {
    if (watch_) {
        watch_->take();
    } else {
        loop_.after(k_look_s, [this] { look(); });
    }
    tail_->look();
}

void FarAgent::tell(BackendEvent event) {
    told_.push_back({tail_ ? tail_->seen() : 0, {std::move(event)}, std::nullopt});
}

/// Nothing more comes from it. Where a later driver is why, this one has no say any more.
void FarAgent::lose(const std::string& reason) {
    const auto lease = read_lease(*objects_, run_);
    if (lease && lease->epoch > epoch_) {
        channel_.send(Kind::fenced, agent::encode_number("epoch", lease->epoch));
        done_ = true;
    } else if (backend_
                   ->is_fenced()) {  // by another agent of our driver, which adopts when it connects again
        done_ = true;
    } else {
        tell(BackendLost{reason});
    }
}

void FarAgent::backend_ready() {
    std::vector<BackendEvent> events = backend_->events();
    if (events.empty()) {
        return;
    }
    std::optional<std::string> lost;
    std::erase_if(events, [&lost](const BackendEvent& event) {
        const auto* gone = std::get_if<BackendLost>(&event);
        lost = gone != nullptr ? gone->reason : lost;
        return gone != nullptr;
    });
    for (const BackendEvent& event : events) {
        const auto* ended = std::get_if<AttemptEnded>(&event);
        failures_ += ended != nullptr && is_failure(ended->result.cause) ? 1 : 0;
    }
    tail_->look();
    told_.push_back({tail_->seen(), std::move(events), std::nullopt});
    if (lost) {  // it comes last
        lose(*lost);
    }
}

// First what tasks print, then what is told of them, then what is large.
void FarAgent::send() {
    if (tail_) {
        tail_->fill(channel_);
        send_told();
    }
    if (sender_) {
        for (const agent::ObjectTrouble& trouble : sender_->fill(channel_)) {
            channel_.send(Kind::gone, agent::encode(trouble));
        }
    }
    if (!channel_.flush()) {
        throw Error(ExitCode::interrupted, "the driver is gone");
    }
    watch_room();
}

void FarAgent::watch_room() {
    const bool wants = channel_.has_unsent() || (sender_ && !sender_->idle()) || (tail_ && !tail_->idle());
    if (wants != watches_room_) {
        watches_room_ = wants;
        const bool one = channel_.out_fd() == channel_.fd();
        const std::uint32_t room = wants ? std::uint32_t{EPOLLOUT} : 0U;
        loop_.change(channel_.out_fd(), one ? std::uint32_t{EPOLLIN} | room : room);
    }
}

void FarAgent::send_told() {
    while (!told_.empty() && told_.front().mark <= tail_->sent()) {
        const Told told = std::move(told_.front());
        told_.pop_front();
        if (told.adopted) {
            agent::send_adopted(channel_, *told.adopted);
        }
        send_events(told.events);
    }
}

void FarAgent::send_events(const std::vector<BackendEvent>& events) {
    agent::EventBatch batch;
    for (const BackendEvent& event : events) {
        if (const auto* ended = std::get_if<AttemptEnded>(&event)) {
            batch.ended(json::dump_record(to_value(ended->result)));
        } else if (const auto* started = std::get_if<AttemptStarted>(&event)) {
            batch.started(started->id, started->where, started->at);
        } else if (const auto* queued = std::get_if<AttemptQueued>(&event)) {
            batch.queued(queued->id, queued->reason);
        } else if (const auto* note = std::get_if<BackendNote>(&event)) {
            batch.note(note->text);
        } else if (const auto* asked = std::get_if<SpawnAsked>(&event)) {
            batch.spawn_asked(*asked);
        } else if (const auto* cancel = std::get_if<CancelAsked>(&event)) {
            channel_.send(Kind::cancel_asked, agent::encode_text("who", cancel->who));
        } else if (const auto* lost = std::get_if<BackendLost>(&event)) {
            batch.send_to(channel_);
            channel_.send(Kind::lost, agent::encode_text("reason", lost->reason));
        }
    }
    if (!batch.empty()) {
        batch.send_to(channel_);
    }
}

}  // namespace amp

// What tasks spawn: their questions go to the driver, its answers to them.

#include <algorithm>

#include "backends/local/keeper.hpp"
#include "core/base/error.hpp"

namespace amp {
namespace {

/// Who goes on after a wait goes before those who have not begun.
constexpr int k_first = 2'000'000;
constexpr int k_try_again = 75;

}  // namespace

void Keeper::spawn_asked(int peer, const agent::Frame& frame) {
    Value request = agent::spawn_from(frame.payload);
    const std::string token = get_string(request, "token");
    const auto found = std::find_if(runs_.begin(), runs_.end(), [&](const auto& entry) {
        return !token.empty() && entry.second->spec.token == token;
    });
    if (found == runs_.end()) {
        throw Error(ExitCode::mismatch, "no task of this run has this token");
    }
    if (get_bool(request, "checkpoint")) {
        checkpoint_asked(peer, *found->second);
        return;
    }
    Object question = request.as_object();
    question.erase("token");
    if (masks_ && !(masks_->mask_value(question) == Value(question))) {
        const SpawnAnswer refusal{++last_ticket_,
                                  {},
                                  "it holds the value of a secret, and what a run is started with is written "
                                  "into its record: give the secret to the steps of that flow",
                                  std::nullopt,
                                  {}};
        door_.tell(peer, agent::Kind::spawned, agent::encode(refusal), true);
        return;
    }
    Spawn& spawn = spawns_[++last_ticket_];
    spawn = {peer, found->first, Value(std::move(question)), {}};
    events_.spawn_asked({spawn.id, last_ticket_, spawn.request});
    if (door_.driver() == nullptr && orphan_timer_ == 0) {
        orphan_timer_ = loop_.after(options_.linger_s, [this] { refuse_spawns(); });
    }
}

/// A new driver knows nothing of what the one before was asked.
void Keeper::ask_again() {
    loop_.cancel(std::exchange(orphan_timer_, 0));
    for (const auto& [ticket, spawn] : spawns_) {
        if (spawn.answer.empty()) {
            events_.spawn_asked({spawn.id, ticket, spawn.request});
        }
    }
}

void Keeper::spawn_answered(const SpawnAnswer& answer) {
    const auto found = spawns_.find(answer.ticket);
    if (found == spawns_.end() || !found->second.answer.empty()) {
        return;  // of an earlier keeper, or said twice: it was asked again
    }
    Spawn& spawn = found->second;
    const auto run = runs_.find(spawn.id);
    const bool last = !answer.error.empty() || answer.exit || !get_bool(spawn.request, "wait");
    const std::string payload = agent::encode(answer);
    if (!last) {
        door_.tell(spawn.peer, agent::Kind::spawned, payload, false);
        if (run != runs_.end()) {
            lend_slots(*run->second);
        }
    } else if (run != runs_.end() && run->second->lent && !has_open_wait(spawn.id, answer.ticket)) {
        spawn.answer = payload;
        queue_.push(spawn.id, {run->second->spec.resources.cpu, 0, 0}, k_first, loop_.now());
    } else {
        door_.tell(spawn.peer, agent::Kind::spawned, payload, true);
        spawns_.erase(found);
    }
}

/// What it holds in memory and on GPUs it keeps.
void Keeper::lend_slots(TaskRun& run) {
    if (run.has_slots && !run.lent && !run.spec.gang) {  // the other ranks of a gang go on
        run.lent = true;
        queue_.release({run.spec.resources.cpu, 0, 0});
    }
}

/// From whoever has them now, if need be; and what waited for that is told.
void Keeper::slots_back(TaskRun& run) {
    run.lent = false;
    queue_.remove(run.id);
    queue_.occupy({run.spec.resources.cpu, 0, 0});
    for (auto spawn = spawns_.begin(); spawn != spawns_.end();) {
        if (spawn->second.id == run.id && !spawn->second.answer.empty()) {
            door_.tell(spawn->second.peer, agent::Kind::spawned, spawn->second.answer, true);
            spawn = spawns_.erase(spawn);
        } else {
            ++spawn;
        }
    }
}

/// Does it wait for another run than that of `but`? Then its slots stay lent: what waits may need them.
bool Keeper::has_open_wait(const AttemptId& id, std::uint64_t but) const {
    return std::any_of(spawns_.begin(), spawns_.end(), [&](const auto& entry) {
        const Spawn& spawn = entry.second;
        return entry.first != but && spawn.id == id && spawn.answer.empty() &&
               get_bool(spawn.request, "wait");
    });
}

void Keeper::peer_left(int peer) {
    forget_saver(peer);
    std::vector<AttemptId> left;
    for (auto spawn = spawns_.begin(); spawn != spawns_.end();) {
        if (spawn->second.peer == peer) {
            left.push_back(spawn->second.id);
            spawn = spawns_.erase(spawn);
        } else {
            ++spawn;
        }
    }
    for (const AttemptId& id : left) {
        const auto run = runs_.find(id);
        if (run != runs_.end() && run->second->lent && !waits(id)) {
            slots_back(*run->second);
        }
    }
}

bool Keeper::waits(const AttemptId& id) const {
    return std::any_of(spawns_.begin(), spawns_.end(),
                       [&](const auto& entry) { return entry.second.id == id; });
}

/// The orchestrator does not come back: tasks that wait for it would wait for ever.
void Keeper::refuse_spawns() {
    orphan_timer_ = 0;
    for (const auto& [ticket, spawn] : std::exchange(spawns_, {})) {
        door_.tell(spawn.peer, agent::Kind::spawned,
                   agent::encode(SpawnAnswer{ticket, {}, "nobody drives the run any more", k_try_again, {}}),
                   true);
        if (const auto run = runs_.find(spawn.id); run != runs_.end() && run->second->lent) {
            slots_back(*run->second);
        }
    }
}

}  // namespace amp

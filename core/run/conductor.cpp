#include "core/run/conductor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.hpp"
#include "core/run/conductor_node.hpp"

namespace amp {

Conductor::Conductor(Services& services, OpenStore& store) : services_(services), store_(store) {}

Conductor::~Conductor() {
    while (!nodes_.empty()) {  // children before their parents
        nodes_.pop_back();
    }
}

bool Conductor::stopping() {
    return services_.waiter.get().interrupts() > 0 || services_.waiter.get().terminating_signal() != 0;
}

TreeSlots& Conductor::slots() {
    if (!slots_) {
        const Capacity machine = services_.machine();
        const auto cpus = static_cast<std::size_t>(std::max(1.0, std::ceil(machine.cpu)));
        slots_.emplace(
            SlotLimits{workers_ > 0 ? workers_ : cpus, machine.cpu, machine.memory_bytes, machine.gpu});
    }
    return *slots_;
}

Conductor::Node& Conductor::add(std::unique_ptr<Node> node) {
    nodes_.push_back(std::move(node));
    moved_ = true;
    return *nodes_.back();
}

void Conductor::remove(Node& node) {
    for (const auto& other : nodes_) {
        std::erase_if(other->askers, [&](const Node::Asker& asker) { return asker.node == &node; });
    }
    std::erase_if(nodes_, [&](const auto& other) { return other.get() == &node; });
    moved_ = true;
}

void Conductor::turn(Node& node) {
    node.dirty = false;
    DrivenRun& run = *node.run;
    if (!run.outcome()) {
        node.watch_deadline();
        if (std::exchange(node.awake, false) || run.router().has_told()) {
            run.driver().receive();
        }
        run.advance();
        node.start_waiting();
        if (run.router().has_told()) {
            node.dirty = moved_ = true;
            return;
        }
    }
    const auto& outcome = run.outcome();
    if (outcome && node.children > 0 && (outcome->state == RunState::cancelled || outcome->timed_out)) {
        for (const auto& other : nodes_) {
            if (other->parent == &node && other->kind == Node::Kind::spawned && !other->asked_to_end) {
                other->asked_to_end = true;
                other->cancel("run " + node.id);
                moved_ = true;
            }
        }
    }
}

/// Until nothing moves any more.
void Conductor::turn() {
    do {
        moved_ = false;
        // A turn may add nodes. NOLINTNEXTLINE(modernize-loop-convert)
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            Node& node = *nodes_[i];
            if (!node.dirty) {
                continue;
            }
            try {
                turn(node);
                if (node.run->outcome() && node.children == 0 && node.kind != Node::Kind::root) {
                    node.run->finish();
                    node.report();
                    remove(node);
                    break;
                }
            } catch (const Error& error) {
                if (node.kind == Node::Kind::root || node.children > 0) {
                    throw;
                }
                node.fail(error);
                remove(node);
                break;
            }
        }
        if (slots_) {
            slots_->hand_out(services_.clock.steady_seconds());
            for (const auto& node : nodes_) {
                if (!node->run->outcome()) {
                    node->run->router().flush_taken();
                }
            }
        }
    } while (moved_);
}

void Conductor::wait() {
    fds_.clear();
    double seconds = HUGE_VAL;
    for (const auto& node : nodes_) {
        if (!node->run->outcome()) {
            fds_.push_back(node->run->driver().event_fd());
            const std::vector<int> waits = node->run->driver().wait_fds();
            fds_.insert(fds_.end(), waits.begin(), waits.end());
            seconds = std::min(seconds, node->seconds_to_wait());
        }
    }
    services_.waiter.get().wait_any(fds_, std::isinf(seconds) ? -1 : std::max(0.0, seconds));
    for (const auto& node : nodes_) {
        node->dirty = node->awake = true;
    }
}

RunOutcome Conductor::drive(const std::string& run, const DriveOptions& options, RunObserver& observer,
                            std::unique_ptr<const RecordedFlow> flow) {
    options_ = options;
    auto root = std::make_unique<Node>(*this, Node::Kind::root, nullptr, observer);
    root->open(run, options, std::move(flow));
    workers_ = options.max_workers > 0 ? options.max_workers : root->run->record().max_workers;
    Node& top = add(std::move(root));
    if (!top.run->take_turn()) {
        return *top.run->outcome();
    }
    if (top.run->has_subflows()) {
        top.run->share(slots());
    }
    top.run->begin();
    services_.ask_secret = {};  // while tasks run nobody is asked: what they spawn has what is known now
    if (options.resumed && !top.run->outcome()) {
        top.resume_spawned();
    }
    while (true) {
        turn();
        if (top.run->outcome() && top.children == 0) {
            break;
        }
        wait();
    }
    top.run->finish();
    return *top.run->outcome();
}

}  // namespace amp

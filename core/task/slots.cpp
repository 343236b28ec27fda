#include "core/task/slots.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/text.hpp"

namespace amp {
namespace {

constexpr std::uint32_t k_max_passed = 64;
constexpr double k_max_passed_s = 60;
constexpr double k_tell_after_s = 1;
constexpr double k_cpu_rounding = 1e-6;  // sums of fractions such as 0.1

}  // namespace

std::string SlotQueue::impossible(const Resources& need) const {
    if (need.cpu > limits_.cpu + k_cpu_rounding) {
        return fmt::format("it needs {:g} cpu, and this machine gives {:g}", need.cpu, limits_.cpu);
    }
    if (limits_.memory_bytes != 0 && need.memory_bytes > limits_.memory_bytes) {
        return fmt::format("it needs {} of memory, and this machine gives {}", format_size(need.memory_bytes),
                           format_size(limits_.memory_bytes));
    }
    if (need.gpu > limits_.gpu) {
        return fmt::format("it needs {} gpu, and this machine gives {}", need.gpu, limits_.gpu);
    }
    return {};
}

bool SlotQueue::fits(const Resources& need) const {
    return used_workers_ < limits_.workers && used_cpu_ + need.cpu <= limits_.cpu + k_cpu_rounding &&
           (limits_.memory_bytes == 0 || used_memory_ + need.memory_bytes <= limits_.memory_bytes) &&
           used_gpu_ + need.gpu <= limits_.gpu;
}

std::string SlotQueue::reason(const Resources& need) const {
    if (used_cpu_ + need.cpu > limits_.cpu + k_cpu_rounding) {
        return fmt::format("waits for {:g} cpu ({:g} free)", need.cpu,
                           std::max(0.0, limits_.cpu - used_cpu_));
    }
    if (limits_.memory_bytes != 0 && used_memory_ + need.memory_bytes > limits_.memory_bytes) {
        return fmt::format("waits for {} of memory ({} free)", format_size(need.memory_bytes),
                           format_size(limits_.memory_bytes - used_memory_));
    }
    if (used_gpu_ + need.gpu > limits_.gpu) {
        return fmt::format("waits for {} gpu ({} free)", need.gpu, limits_.gpu - used_gpu_);
    }
    if (used_workers_ >= limits_.workers) {
        return fmt::format("waits for a worker (all {} are busy)", limits_.workers);
    }
    return "waits for larger tasks that came first";
}

void SlotQueue::push(const AttemptId& id, const Resources& need, int priority, double now) {
    const Place place{-priority, ++last_number_};
    waiting_.emplace(place, Waiting{id, need, now, 0, 0, false});
    places_.emplace(id, place);
}

bool SlotQueue::remove(const AttemptId& id) {
    const auto found = places_.find(id);
    if (found == places_.end()) {
        return false;
    }
    waiting_.erase(found->second);
    places_.erase(found);
    return true;
}

bool SlotQueue::may_be_passed(const Waiting& waiting, double now) const {
    return waiting.passed < k_max_passed &&
           (waiting.passed == 0 || now - waiting.first_passed < k_max_passed_s);
}

void SlotQueue::occupy(const Resources& need) {
    ++used_workers_;
    used_cpu_ += need.cpu;
    used_memory_ += need.memory_bytes;
    used_gpu_ += need.gpu;
}

std::optional<AttemptId> SlotQueue::take(double now) {
    if (used_workers_ >= limits_.workers || waiting_.empty()) {
        return std::nullopt;
    }
    Waiting& head = waiting_.begin()->second;
    auto it = waiting_.begin();
    if (!fits(head.need)) {
        if (!may_be_passed(head, now)) {
            return std::nullopt;
        }
        it = std::find_if(it, waiting_.end(), [&](const auto& entry) { return fits(entry.second.need); });
        if (it == waiting_.end()) {
            return std::nullopt;
        }
        if (head.passed++ == 0) {
            head.first_passed = now;
        }
    }
    const AttemptId id = it->second.id;
    occupy(it->second.need);
    waiting_.erase(it);
    places_.erase(id);
    return id;
}

void SlotQueue::release(const Resources& need) {
    --used_workers_;
    used_cpu_ = used_workers_ == 0 ? 0 : used_cpu_ - need.cpu;
    used_memory_ -= need.memory_bytes;
    used_gpu_ -= need.gpu;
}

std::vector<AttemptId> SlotQueue::drop_waiting() {
    std::vector<AttemptId> dropped;
    for (const auto& [place, waiting] : waiting_) {
        dropped.push_back(waiting.id);
    }
    waiting_.clear();
    places_.clear();
    return dropped;
}

std::vector<AttemptQueued> SlotQueue::tell_waiting(double now) {
    std::vector<AttemptQueued> told;
    for (auto& [place, waiting] : waiting_) {
        if (!waiting.told && now - waiting.since >= k_tell_after_s) {
            waiting.told = true;
            told.push_back({waiting.id, reason(waiting.need)});
        }
    }
    return told;
}

}  // namespace amp

#pragma once

#include <cstdint>

#include "core/engine/plan.hpp"

namespace amp::engine {

/// The question that a waiting cell waits for.
enum class Stage : std::uint8_t { none, edges, when, items, until, wait };

/// What the plan remembers of one task, or of one foreach as a whole (its head).
struct Cell {
    TaskState state = TaskState::waiting;
    Stage stage = Stage::none;
    std::uint8_t cause = 0;          ///< a Cause: of the last failure
    std::uint8_t other_retries = 0;  ///< retries on the budget of evicted, preempted, node, lost and infra

    bool edges_decided : 1 = false;
    bool edges_shut : 1 = false;  ///< every need is skipped or its edge closed
    bool when_decided : 1 = false;
    bool when_open : 1 = false;
    bool expanded : 1 = false;    ///< a head whose items have cells: it is no task any more
    bool taken : 1 = false;       ///< its question was given out
    bool round_done : 1 = false;  ///< the round in `round` succeeded; whether it was the last is not decided
    bool reused : 1 = false;      ///< the round took over an earlier result
    bool cancel_given : 1 = false;  ///< it is in take_cancels, or was
    /// An attempt from before the run was reopened may be under way: its cancel means to run again, and of a
    /// clean-up step its end counts.
    bool survivor : 1 = false;
    bool shut : 1 = false;       ///< became blocked or cancelled without ever having been ready
    bool wait_over : 1 = false;  ///< what it waited for has come
    bool unstarted : 1 = false;  ///< was ready or retrying when the run stopped: may turn out to have started

    std::uint16_t ooms = 0;
    std::uint32_t pending = 0;  ///< needs that have not ended
    std::uint32_t attempt = 0;  ///< the last that was handed out
    std::uint32_t retries = 0;  ///< on the budget of `times`
    std::uint32_t round = 0;    ///< of a head: the number of its frame
};
static_assert(sizeof(Cell) == 24);

}  // namespace amp::engine

#pragma once

namespace amp {

/// How a run that is started or resumed is told of.
struct FollowChoice {
    bool events = false;     ///< --events=ndjson: a JSON line an event
    bool detach = false;     ///< leave as soon as somebody else drives it
    bool task_exit = false;  ///< --exit-code=task: a failed run exits as its first failed task did
};

}  // namespace amp

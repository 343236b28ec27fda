"""amp for Python tasks: what the `amp` commands do inside a task, without starting a process.

    import amp

    amp.params.lr                        # the parameters that the step uses
    amp.item, amp.index                  # this task's item of the foreach, and its place
    data = amp.get("prepare/dataset")    # an input: a value, or the path of a file or folder
    amp.metric(loss=0.31, step=100)      # a point of a metric
    amp.progress(0.4)
    amp.put("accuracy", 0.93)            # an artifact: a value ...
    amp.put("model", Path("m.bin"))      # ... or a copy of a file or folder

Everything goes through the task's files (AMP_IN, AMP_OUT, AMP_TASK_DIR), as with the commands. Outside of a task `metric`,
`note`, `link` and `progress` do nothing, so that a script also runs alone; `get` and `put` say that there is no task.
"""

import importlib.machinery
import importlib.util
import os
import sys


def _give_way() -> bool:
    """A module of the user's own that is called amp wins, wherever it stands in sys.path; a copy of this package does not."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for entry in sys.path:
        if os.path.abspath(entry) == here:
            continue
        spec = importlib.machinery.PathFinder.find_spec(__name__, [entry])
        if spec is None or spec.loader is None or spec.origin is None:
            continue
        if os.path.exists(os.path.join(os.path.dirname(spec.origin), "_task.py")):
            continue  # installed with pip, and this one is of the amp that runs the task
        module = importlib.util.module_from_spec(spec)
        sys.modules[__name__] = module
        spec.loader.exec_module(module)
        return True
    return False


if not _give_way():
    from amp._artifacts import get, put
    from amp._report import flush, link, metric, note, progress
    from amp._task import Parameters, in_task

__all__ = [
    "attempt",
    "checkpoint",
    "flow",
    "flush",
    "get",
    "in_task",
    "index",
    "item",
    "link",
    "metric",
    "note",
    "out",
    "params",
    "progress",
    "put",
    "run",
    "step",
    "task",
]


def __getattr__(name: str):
    """What the task is, read from the environment when it is asked for (PEP 562)."""
    from amp import _task

    if name in _task.FACTS:
        return _task.FACTS[name]()
    raise AttributeError(f"module 'amp' has no attribute '{name}'")


def __dir__() -> list:
    return sorted(__all__)

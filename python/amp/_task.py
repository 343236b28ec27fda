"""Who this task is, as its environment says."""

import json
import os
from pathlib import Path
from typing import Any, Iterator, Optional


def in_task() -> bool:
    """True in a task of amp, false where the script was started by hand."""
    return bool(os.environ.get("AMP_TASK_DIR"))


def folder(variable: str) -> Path:
    """The folder that a variable names. Raises RuntimeError outside of a task."""
    value = os.environ.get(variable)
    if not value:
        raise RuntimeError(f"this is not a task of amp: {variable} is not set")
    return Path(value)


def document(variable: str) -> Any:
    """JSON in a variable, or in the file that it names as @PATH; None when it is not set."""
    text = os.environ.get(variable)
    if not text:
        return None
    if text.startswith("@"):
        text = Path(text[1:]).read_text(encoding="utf-8")
    return json.loads(text)


class Parameters:
    """The parameters that the step uses: `params.lr`, `params["lr"]`, `"lr" in params`, `dict(params.items())`."""

    def __init__(self, values: dict) -> None:
        self.__dict__["_values"] = values

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            known = ", ".join(sorted(self._values)) or "none"
            raise AttributeError(
                f"this step is given no parameter '{name}' (it has: {known}); name it in `params` of the step"
            ) from None

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("parameters cannot be changed by a task")

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def get(self, name: str, default: Any = None) -> Any:
        return self._values.get(name, default)

    def keys(self):
        return self._values.keys()

    def items(self):
        return self._values.items()

    def __repr__(self) -> str:
        return f"Parameters({self._values!r})"


def _index() -> Optional[tuple]:
    """(3, 0) for the index `3.0@2`; () outside of any foreach; None outside of a task."""
    text = os.environ.get("AMP_INDEX")
    if text is None:
        return None
    path = text.partition("@")[0]
    return () if path in ("", "_") else tuple(int(part) for part in path.split("."))


def _attempt() -> Optional[int]:
    text = os.environ.get("AMP_ATTEMPT")
    return int(text) if text else None


FACTS = {
    "params": lambda: Parameters(document("AMP_PARAMS") or {}),
    "item": lambda: document("AMP_ITEM"),
    "index": _index,
    "attempt": _attempt,
    "run": lambda: os.environ.get("AMP_RUN"),
    "flow": lambda: os.environ.get("AMP_FLOW"),
    "step": lambda: os.environ.get("AMP_STEP"),
    "task": lambda: os.environ.get("AMP_TASK"),
    "out": lambda: folder("AMP_OUT"),
    "checkpoint": lambda: folder("AMP_CHECKPOINT"),
}

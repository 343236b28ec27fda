"""What a task tells while it runs: metrics, notes, links, progress. A line of JSON each, appended to $AMP_TASK_DIR/report."""

import atexit
import errno
import functools
import json
import os
import stat
import threading
import time
from typing import Optional

_QUICK_S = 0.0005  # points that come closer than this are a burst ...
_BURST = 256  # ... when there are so many of them: they are written together
_TOGETHER = 512
_FLUSH_S = 0.1


class _Report:
    """The file, opened at the first line. Lines are whole writes at its end, so several processes of a task may append."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reset()

    def _reset(self) -> None:
        self._file: Optional[int] = None
        self._folder: Optional[str] = None
        self._waiting: list = []
        self._last = 0.0
        self._quick = 0
        self._timer: Optional[threading.Timer] = None

    def after_fork(self) -> None:
        """A child writes only what it says itself."""
        self._lock = threading.Lock()
        self._reset()

    def point(self, name: str, value: float, step: Optional[int]) -> None:
        now = time.time()
        with self._lock:
            self._quick = self._quick + 1 if 0 <= now - self._last < _QUICK_S else 0
            self._last = now
            self._waiting.append((name, value, step, now))
            if self._quick < _BURST or len(self._waiting) >= _TOGETHER:
                self._flush()
            elif self._timer is None:
                self._timer = threading.Timer(_FLUSH_S, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def line(self, document: dict) -> None:
        with self._lock:
            self._flush()
            self._write(json.dumps(document, ensure_ascii=False) + "\n")

    def flush(self) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._write("".join([_point_line(*point) for point in waiting]))

    def _write(self, text: str) -> None:
        folder = os.environ.get("AMP_TASK_DIR")
        if not folder:
            return
        if self._file is None or folder != self._folder:
            if self._file is not None:
                os.close(self._file)
            path = os.path.join(folder, "report")
            self._file = _open_report(path)
            self._folder = folder
        data = text.encode("utf-8", "replace")
        while data:
            data = data[os.write(self._file, data) :]


def _open_report(path: str) -> int:
    """What is no file there is not read by amp, and must not be waited for."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    error = f"'{path}' is no regular file, and is not read: something in this task has made it"
    try:
        file = os.open(path, flags, 0o600)
    except OSError as failed:
        if failed.errno in (errno.ENXIO, errno.EISDIR, errno.ELOOP):
            raise OSError(failed.errno, error) from None
        raise
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, error)
    return file


def _point_line(name: str, value: float, step: Optional[int], at: float) -> str:
    number = repr(value) if value - value == 0 else ('"NaN"' if value != value else '"Infinity"' if value > 0 else '"-Infinity"')
    where = "" if step is None else f',"step":{step}'
    return f'{{"metric":{_quoted(name)},"value":{number}{where},"at":{at:.3f}}}\n'


_quoted = functools.lru_cache(maxsize=1024)(json.dumps)
_report = _Report()
atexit.register(_report.flush)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_report.after_fork)


def metric(name: Optional[str] = None, value: Optional[float] = None, *, step: Optional[int] = None, **values: float) -> None:
    """One point of one metric, `metric("loss", 0.31, step=100)`, or of several, `metric(loss=0.31, accuracy=0.9, step=100)`.

    Values are numbers, or what `float()` takes (NumPy's and PyTorch's scalars). Points reach the run within 0.1 s.
    """
    if step is not None:
        step = int(step)
    if name is not None:
        if value is None:
            raise TypeError(f"metric('{name}') needs a value")
        if str(name).startswith("system/"):
            raise ValueError(f"metric('{name}'): names that begin with system/ are amp's own")
        _report.point(str(name), float(value), step)
    for key, number in values.items():
        _report.point(key, float(number), step)


def note(text: str) -> None:
    """A remark that is shown with the task."""
    _report.line({"note": str(text), "at": round(time.time(), 3)})


def link(title: str, url: str) -> None:
    """A page that belongs to the task: an experiment tracker, a dashboard. Shown wherever the task is shown."""
    _report.line({"link": str(title), "url": str(url), "at": round(time.time(), 3)})


def progress(done: float, text: str = "") -> None:
    """How much is done, from 0 to 1, and of what."""
    _report.line({"progress": min(1.0, max(0.0, float(done))), "text": str(text), "at": round(time.time(), 3)})


def flush() -> None:
    """Writes what still waits; done by itself within 0.1 s and at the end of the process."""
    _report.flush()

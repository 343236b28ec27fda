"""Artifacts in and out: `amp put` and `amp get`."""

import json
import numbers
import os
import re
import shutil
import uuid
from pathlib import Path, PurePosixPath
from typing import Any

from amp._task import folder

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")
_MISSING = object()


def put(name: str, value: Any) -> None:
    """Makes the artifact `name`: a copy of the file or folder that a path (`os.PathLike`) names, else the value as JSON.

    What was put under this name before by this task is replaced, at once and as a whole. Raises ValueError for a name that no
    artifact can have, TypeError for what JSON cannot say (NaN and infinities are kept as text, as everywhere in amp).
    """
    if not _NAME.match(name):
        raise ValueError(f"'{name}' is no name of an artifact: at most 128 letters, digits and _, no digit first")
    out = folder("AMP_OUT")
    temporary = out / f".amp-put-{uuid.uuid4().hex[:16]}"
    try:
        if isinstance(value, os.PathLike):
            _copy(Path(value), temporary)
            _replace(temporary, out / name)
            _remove(out / f"{name}.json")
        else:
            temporary.write_text(json.dumps(_plain(value), ensure_ascii=False, allow_nan=False), encoding="utf-8")
            _replace(temporary, out / f"{name}.json")
            _remove(out / name)
    finally:
        _remove(temporary)


def get(name: str, default: Any = _MISSING) -> Any:
    """The input NAME, STEP/NAME, or in a join STEP/INDEX/NAME: a value, or the path of the file or folder.

    Without such an input: `default` where one is given, else FileNotFoundError.
    """
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or any(part in ("", ".", "..") for part in name.split("/")):
        raise ValueError(f"'{name}' is no name of an input: NAME, STEP/NAME, or in a join STEP/INDEX/NAME")
    inputs = folder("AMP_IN")
    path = inputs.joinpath(*parts)
    value = path.with_name(path.name + ".json")
    if value.is_file():
        return json.loads(value.read_text(encoding="utf-8"))
    if path.exists():
        return path
    if default is not _MISSING:
        return default
    there = sorted(entry.name[:-5] if entry.name.endswith(".json") else entry.name for entry in path.parent.glob("*"))
    raise FileNotFoundError(f"this task has no input '{name}'" + (f"; there are: {', '.join(there)}" if there else ""))


def _plain(value: Any) -> Any:
    """`value` with NaN and infinities as text, NumPy's and PyTorch's scalars and arrays as numbers and lists."""
    if isinstance(value, float):
        return value if value - value == 0 else ("NaN" if value != value else "Infinity" if value > 0 else "-Infinity")
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if hasattr(value, "tolist"):
        plain = value.tolist()
        if type(plain) is not type(value):
            return _plain(plain)
        if isinstance(value, numbers.Real):  # wider than Python's own: numpy.longdouble stays itself
            return _plain(float(value))
    raise TypeError(f"{type(value).__name__} cannot be said in JSON: write a file, and put its path")


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copyfile(source, target)
        shutil.copymode(source, target)


def _replace(source: Path, target: Path) -> None:
    try:
        os.replace(source, target)
    except OSError:  # a folder that is not empty
        _remove(target)
        os.replace(source, target)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        try:
            path.unlink()
        except OSError:
            pass

"""The same no-op tasks for amp and for its peers: each writes its input into a fresh folder and gives the command to time."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

BASH_LINE = "bash -euo pipefail -c /bin/true"


@dataclass(frozen=True)
class Job:
    """A command to time in a folder made ready for it."""

    command: list[str]
    tasks: int


def amp_flow(run: str, tasks: int) -> str:
    return f'[flow]\nname = "Noop"\n\n[step.task]\nforeach = "range({tasks})"\nrun = {run}\n'


def amp(binary: Path, run: str, tasks: int) -> Callable[[Path], Job]:
    def prepare(folder: Path) -> Job:
        (folder / "flow.toml").write_text(amp_flow(run, tasks))
        return Job([str(binary), "run", "-q", "--max-workers", "2"], tasks)

    return prepare


def ninja(command: str, tasks: int) -> Callable[[Path], Job]:
    def prepare(folder: Path) -> Job:
        lines = [f"rule noop\n  command = {command}\n", *(f"build t{i}: noop\n" for i in range(tasks))]
        (folder / "build.ninja").write_text("".join(lines))
        return Job(["ninja", "-j2", "--quiet"], tasks)

    return prepare


def make(command: str, tasks: int) -> Callable[[Path], Job]:
    def prepare(folder: Path) -> Job:
        names = " ".join(f"t{i}" for i in range(tasks))
        (folder / "Makefile").write_text(f".PHONY: all {names}\nall: {names}\n{names}:\n\t@{command}\n")
        return Job(["make", "-j2", "-s"], tasks)

    return prepare


def gnu_parallel(command: str, tasks: int) -> Callable[[Path], Job]:
    def prepare(folder: Path) -> Job:
        (folder / "commands").write_text(f"{command}\n" * tasks)
        return Job(["parallel", "--will-cite", "-j2", "--joblog", "log", "-a", "commands"], tasks)

    return prepare

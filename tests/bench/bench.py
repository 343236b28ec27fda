"""The figures of tests/bench/README.md: bench.py --amp BINARY [--quick] [--folder DISK] [--json FILE] [CASE…]

Every figure is the median of alternated rounds, the peers measured in the same rounds on the same disk. Exits 1 if one is
outside of its limit.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import peers

ROOT = Path(__file__).resolve().parents[2]
SMALL_FLOW = '[flow]\nname = "Small"\n\n[step.one]\nrun = ["/bin/true"]\n\n[step.two]\nneeds = "one"\nrun = "echo {{ run.id }}"\n'


@dataclass(frozen=True)
class Figure:
    name: str
    value: float
    unit: str
    peer: float | None = None  # what it is held against
    limit: str = ""
    within: bool | None = None  # None: told, not judged

    def row(self) -> str:
        peer = "" if self.peer is None else f"{self.peer:,.6g}"
        verdict = {None: "", True: "yes", False: "NO"}[self.within]
        return f"{self.name:<58} {self.value:>12,.6g} {peer:>12} {self.unit:<10} {self.limit:<22} {verdict}"


class Bench:
    def __init__(self, amp: Path, folder: Path, rounds: int, tasks: int) -> None:
        self.amp = amp.resolve()
        self.folder = folder
        self.rounds = rounds
        self.tasks = tasks
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("AMP_")}

    def fresh(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.folder))

    def timed(self, command: list[str], folder: Path) -> float:
        """Seconds of one run that must succeed."""
        with (folder / "output").open("wb") as output:
            began = time.perf_counter()
            code = subprocess.run(command, cwd=folder, env=self.environment, stdout=output, stderr=output, check=False).returncode
            seconds = time.perf_counter() - began
        if code != 0:
            tail = (folder / "output").read_text(errors="replace")[-2000:]
            sys.exit(f"bench: {' '.join(command)} ended with {code} in {folder}\n{tail}")
        return seconds

    def rates(self, preparers: dict[str, Callable[[Path], peers.Job]], after: Callable[[str, Path], None]) -> dict[str, float]:
        """Tasks a second of each, the median of rounds in which all take their turn."""
        rates: dict[str, list[float]] = {name: [] for name in preparers}
        for number in range(self.rounds):
            names = list(preparers)
            for name in names if number % 2 == 0 else reversed(names):
                folder = self.fresh()
                job = preparers[name](folder)
                os.sync()  # what the one before left to be written is not paid by this one
                rates[name].append(job.tasks / self.timed(job.command, folder))
                after(name, folder)
                shutil.rmtree(folder)
        return {name: statistics.median(values) for name, values in rates.items()}

    def latencies(self, commands: dict[str, list[str]], folder: Path, rounds: int) -> dict[str, float]:
        """Milliseconds of each, the median of alternated runs."""
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                began = time.perf_counter()
                pid = os.posix_spawn(command[0], command, self.environment, file_actions=self.silence(folder))
                status = os.waitpid(pid, 0)[1]
                times[name].append((time.perf_counter() - began) * 1000)
                if status != 0:
                    sys.exit(f"bench: {' '.join(command)} ended with status {status}")
        return {name: statistics.median(values) for name, values in times.items()}

    def silence(self, folder: Path) -> list[tuple]:
        sink = str(folder / "null")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        return [(os.POSIX_SPAWN_OPEN, 1, sink, flags, 0o600), (os.POSIX_SPAWN_DUP2, 1, 2)]

    def show(self, folder: Path) -> dict:
        result = subprocess.run(
            [self.amp, "show", "latest", "--json"], cwd=folder, env=self.environment, capture_output=True, check=True
        )
        return json.loads(result.stdout)


def noop_tasks(bench: Bench) -> list[Figure]:
    """The rate of tasks that do nothing, in the list form and through bash."""
    count = bench.tasks

    def recorded(name: str, folder: Path) -> None:
        if not name.startswith("amp"):
            return
        tasks = [task for task in bench.show(folder)["tasks"] if task["step"] == "task"]
        whole = [
            task
            for task in tasks
            if task["state"] == "succeeded" and all(key in task["attempts"][-1] for key in ("exit", "started", "ended"))
        ]
        if len(whole) != count:
            sys.exit(f"bench: amp show lists {len(whole)} of {count} tasks with exit and times")

    rates = bench.rates(
        {
            "amp list": peers.amp(bench.amp, '["/bin/true"]', count),
            "ninja list": peers.ninja("/bin/true", count),
            "amp bash": peers.amp(bench.amp, '"/bin/true"', count),
            "ninja bash": peers.ninja(peers.BASH_LINE, count),
            "make list": peers.make("/bin/true", count),
            "parallel": peers.gnu_parallel("/bin/true", max(100, count // 20)),
        },
        recorded,
    )

    def against_ninja(form: str) -> Figure:
        mine, theirs = rates[f"amp {form}"], rates[f"ninja {form}"]
        return Figure(
            f"{count} no-ops, 2 at once, {form} form, against ninja",
            mine,
            "tasks/s",
            theirs,
            ">= 0.8 of ninja",
            mine >= 0.8 * theirs,
        )

    return [
        against_ninja("list"),
        against_ninja("bash"),
        Figure("  list form against make", rates["amp list"], "tasks/s", rates["make list"]),
        Figure("  list form against GNU parallel", rates["amp list"], "tasks/s", rates["parallel"]),
    ]


def start_up(bench: Bench) -> list[Figure]:
    """How long a command takes that does next to nothing."""
    folder = bench.fresh()
    flow = folder / "flow.toml"
    flow.write_text(SMALL_FLOW)
    amp = str(bench.amp)
    commands = {"true": ["/bin/true"], "--version": [amp, "--version"], "validate": [amp, "validate", str(flow)]}
    times = bench.latencies(commands, folder, 40 * bench.rounds)
    true = times["true"]
    return [
        Figure(f"amp {name} against /bin/true", times[name], "ms", true, "<= 3 times", times[name] <= 3 * true)
        for name in ("--version", "validate")
    ]


def large_flow(steps: int) -> str:
    """Successive splits: pairs that both need the pair before."""
    lines = ['[flow]\nname = "Large"\n\n[step.s0]\nrun = ["/bin/true"]\noutputs = { data = "data" }\n']
    for i in range(1, steps):
        pair = (i + 1) // 2
        needs = '["s0"]' if pair == 1 else f'["s{2 * pair - 3}", "s{2 * pair - 2}"]'
        lines.append(f'[step.s{i}]\nneeds = {needs}\nrun = ["echo", "{{{{ s0.data }}}}"]\n')
    return "\n".join(lines)


def validate_large(bench: Bench) -> list[Figure]:
    """Validation of a flow of 10,000 steps, and whether twice the steps take twice the time."""
    folder = bench.fresh()
    commands = {}
    for steps in (10_000, 20_000):
        path = folder / f"flow{steps}.toml"
        path.write_text(large_flow(steps))
        commands[str(steps)] = [str(bench.amp), "validate", str(path)]
    times = bench.latencies(commands, folder, 3 * bench.rounds)
    ten, twenty = times["10000"], times["20000"]
    return [
        Figure("amp validate of 10,000 steps", ten, "ms", None, "<= 100 ms", ten <= 100),
        Figure("  of 20,000 steps, against 10,000", twenty, "ms", ten, "<= 2.5 times", twenty <= 2.5 * ten),
    ]


def plan_memory(bench: Bench) -> list[Figure]:
    """Bytes an item of a plan with a foreach of a million items, each ended."""
    program = ROOT / "build" / "static" / "bench_plan_memory"
    if not program.exists():
        sys.exit(f"bench: {program} is not built; use ./dev bench")
    measured = json.loads(subprocess.run([program], capture_output=True, text=True, check=True).stdout)
    size = measured["bytes_per_item"]
    return [Figure("plan of 1,000,000 items", size, "bytes/item", None, "<= 400 bytes", size <= 400)]


def reopen(bench: Bench) -> list[Figure]:
    """Opening the journal of a run of 100,000 tasks, as `amp resume` of an ended run and `amp runs` do."""
    folder = bench.fresh()
    tasks = 10 * bench.tasks
    job = peers.amp(bench.amp, '["/bin/true"]', tasks)(folder)
    bench.timed(job.command, folder)
    os.chdir(folder)
    times = bench.latencies({"show": [str(bench.amp), "show", "latest"]}, folder, bench.rounds)
    os.chdir(ROOT)
    journal = sum(file.stat().st_size for file in folder.glob(".amp/runs/*/journal/*"))
    shutil.rmtree(folder)
    return [
        Figure(
            f"reopening a journal of {tasks} tasks (amp show)", times["show"], "ms", None, "<= 1000 ms", times["show"] <= 1000
        ),
        Figure("  its size", journal / tasks, "bytes/task"),
    ]


CASES = {case.__name__: case for case in (start_up, validate_large, plan_memory, noop_tasks, reopen)}


def machine(folder: Path) -> str:
    disk = subprocess.run(["df", "--output=source,fstype", folder], capture_output=True, text=True, check=False).stdout.split()[
        -2:
    ]
    return f"{os.cpu_count()} processors, Linux {platform.release()}, {' '.join(disk)}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--amp", type=Path, required=True)
    parser.add_argument("--quick", action="store_true", help="one round of a tenth of the tasks: does it work at all?")
    parser.add_argument("--folder", type=Path, default=ROOT / "build", help="a folder on the disk to measure on")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; default: all")
    options = parser.parse_args()
    if unknown := set(options.cases) - set(CASES):
        parser.error(f"no such case: {', '.join(unknown)}")

    print(f"{options.amp}, {machine(options.folder)}")
    print(f"{'':<58} {'amp':>12} {'peer':>12} {'':<10} {'limit':<22} within", flush=True)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=options.folder) as scratch:
        bench = Bench(options.amp, Path(scratch), 1 if options.quick else 5, 1_000 if options.quick else 10_000)
        for name in options.cases or CASES:
            for figure in CASES[name](bench):
                figures.append(figure)
                print(figure.row(), flush=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(figure) for figure in figures], indent=2) + "\n")
    missed = [figure.name for figure in figures if figure.within is False]
    print(f"{len(missed)} figures outside of their limit" if missed else "every figure is within its limit")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

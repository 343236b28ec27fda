"""The figures of tests/bench/README.md: bench.py --amp BINARY [--quick] [--folder DISK] [--json FILE] [CASE…]

Every figure is the median of alternated rounds, the peers measured in the same rounds on the same disk. Exits 1 if one is
outside of its limit.
"""

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

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


def cached_run(bench: Bench) -> list[Figure]:
    """A run whose 10,000 tasks have all been done by another one; and that one."""
    folder = bench.fresh()
    flow = '[flow]\nname = "C"\n[step.task]\nforeach = "range({})"\nrun = ["true"]\ncache = true\n'
    (folder / "flow.toml").write_text(flow.format(bench.tasks))
    command = [str(bench.amp), "run", "-q"]
    first = bench.timed(command, folder)
    again = [bench.timed(command, folder) * 1000 for _ in range(max(3, bench.rounds))]
    states = {task["state"] for task in bench.show(folder)["tasks"]}
    if states != {"cached"}:
        sys.exit(f"bench: the tasks are {states}")
    complete = [str(bench.amp), "complete", "--line"]
    typed = ("logs latest/task/", "get latest/task ")
    tabs = {line: statistics.median(bench.timed([*complete, f"amp {line}"], folder) * 1000 for _ in range(21)) for line in typed}
    shutil.rmtree(folder)
    value = statistics.median(again)
    return [
        Figure(f"a run of {bench.tasks} cached tasks", value, "ms", limit="<= 1000", within=value <= 1000),
        Figure("  the run that made them", bench.tasks / first, "tasks/s"),
        *(Figure(f"  Tab behind `amp {line}`", tab, "ms", limit="<= 30", within=tab <= 30) for line, tab in tabs.items()),
    ]


METRIC_POINTS = """import amp, time
n = 1_000_000
began = time.process_time()
for i in range(n):
    amp.metric("loss", i * 0.25, step=i)
amp.flush()
print((time.process_time() - began) / n * 1e6)
"""


def metric_point(bench: Bench) -> list[Figure]:
    """The CPU time of a task for a point of a metric, told with the Python package."""
    times = []
    for _ in range(bench.rounds):
        folder = bench.fresh()
        environment = {**bench.environment, "PYTHONPATH": str(ROOT / "python"), "AMP_TASK_DIR": str(folder)}
        done = subprocess.run(
            [sys.executable, "-B", "-c", METRIC_POINTS], env=environment, capture_output=True, text=True, check=True
        )
        lines = sum(1 for _ in (folder / "report").open("rb"))
        if lines != 1_000_000:
            sys.exit(f"bench: {lines} of 1,000,000 points were written")
        times.append(float(done.stdout))
        shutil.rmtree(folder)
    point = statistics.median(times)
    return [Figure("a point of a metric, told from Python", point, "us CPU", None, "<= 2 us", point <= 2)]


def list_runs(bench: Bench) -> list[Figure]:
    """`amp runs` over 10,000 runs that have ended, from its index; and the first time, which makes that."""
    count = 10_000
    folder = bench.fresh()
    (folder / "flow.toml").write_text(SMALL_FLOW)
    bench.timed([str(bench.amp), "run"], folder)
    runs = folder / ".amp" / "runs"
    first = next(runs.iterdir())
    digits = "bcdfghjkmnpqrstvwxz23456789"
    for number in range(count - 1):
        day, rest = divmod(number, 1000)
        ending = "".join(digits[(rest // len(digits) ** place) % len(digits)] for place in range(4))
        run = f"26{1 + day // 28:02}{1 + day % 28:02}-{rest % 86400 // 3600:02}0000-{ending}"
        target = runs / run
        target.mkdir()
        for name in ("run.json", "summary.json"):
            text = (first / name).read_text().replace(first.name, run)
            (target / name).write_text(re.sub(r',"~sha256":"[0-9a-f]{64}"', "", text))
    whole = bench.timed([str(bench.amp), "runs", "-q"], folder) * 1000
    listed = [bench.timed([str(bench.amp), "runs"], folder) * 1000 for _ in range(11)]
    shown = len((folder / "output").read_text().splitlines()) - 1
    if shown != count:
        sys.exit(f"bench: amp runs lists {shown} of {count} runs")
    latest = [bench.timed([str(bench.amp), "tag", "list", "latest"], folder) * 1000 for _ in range(5)]
    complete = [str(bench.amp), "complete", "--line"]
    completed = statistics.median(bench.timed([*complete, "amp show "], folder) * 1000 for _ in range(21))
    stepped = statistics.median(bench.timed([*complete, "amp show latest/"], folder) * 1000 for _ in range(21))
    shutil.rmtree(folder)
    value = statistics.median(listed)
    return [
        Figure(f"amp runs of {count} runs", value, "ms", limit="<= 100", within=value <= 100),
        Figure(f"the same without its index ({count} runs)", whole, "ms"),
        Figure(f"amp tag list latest among {count} runs", statistics.median(latest), "ms"),
        Figure(f"Tab behind `amp show` among {count} runs", completed, "ms", limit="<= 30", within=completed <= 30),
        Figure("  behind `amp show latest/`", stepped, "ms", limit="<= 30", within=stepped <= 30),
    ]


def words(size: int) -> bytes:
    """Text of about `size` bytes that compresses as logs and tables do."""
    random = Random(7)
    stock = [f"{random.getrandbits(24 + 8 * (i % 3)):x}" for i in range(5000)]
    block = " ".join(random.choices(stock, k=200_000)).encode() + b"\n"
    lines = [block[start:] + block[:start] for start in range(0, 1_000_000, 1_000)]
    return b"".join(lines)[:size]


class Keeper:
    """The memory of amp's own processes while a run is on: the orchestrator's and the keeper's."""

    def __init__(self, amp: Path) -> None:
        self.amp = str(amp).encode()
        self.most_kib = 0

    def watch(self, running: subprocess.Popen[bytes]) -> None:
        while running.poll() is None:
            for status in Path("/proc").glob("[0-9]*/status"):
                try:
                    if os.readlink(status.parent / "exe").encode() != self.amp:
                        continue
                    found = re.search(r"VmHWM:\s+(\d+)", status.read_text())
                except OSError:
                    continue
                self.most_kib = max(self.most_kib, int(found.group(1)) if found else 0)
            time.sleep(0.2)


def log_flood(bench: Bench) -> list[Figure]:
    """A task that prints as fast as it can, all of it kept; the store in memory, so that the disk is not what is measured."""
    size = 2_000_000_000
    rates, most_kib = [], 0
    with tempfile.TemporaryDirectory(prefix="amp-bench-", dir="/dev/shm") as memory:
        content = Path(memory) / "content"
        block = words(10_000_000)
        with content.open("wb") as file:
            for _ in range(size // len(block)):
                file.write(block)
        size = content.stat().st_size
        for _ in range(min(bench.rounds, 3)):
            folder = bench.fresh()
            (folder / "flow.toml").write_text(f'[flow]\nname = "Flood"\n[step.flood]\nlog = "all"\nrun = ["cat", "{content}"]\n')
            environment = {**bench.environment, "AMP_STORE": f"{memory}/store"}
            keeper = Keeper(bench.amp)
            began = time.perf_counter()
            with subprocess.Popen([bench.amp, "run", "-q"], cwd=folder, env=environment, stdout=subprocess.DEVNULL) as running:
                keeper.watch(running)
            rates.append(size / (time.perf_counter() - began) / 1e6)
            most_kib = max(most_kib, keeper.most_kib)
            if running.returncode != 0:
                sys.exit("bench: the flood failed")
            shutil.rmtree(f"{memory}/store")
            shutil.rmtree(folder)
    rate = statistics.median(rates)
    return [
        Figure("a task's output into the stored log", rate, "MB/s", limit=">= 500", within=rate >= 500),
        Figure("the largest of amp's processes meanwhile", most_kib / 1024, "MiB", limit="<= 64", within=most_kib <= 64 << 10),
    ]


def file_artifact(bench: Bench) -> list[Figure]:
    """A file of 1 GB as an artifact, against `zstd -1` and sha256sum in a pipe that write the same to the same disk."""
    figures = []
    kinds = {"text": words(1_000_000_000), "random bytes": Random(7).randbytes(250_000_000) * 4}
    for kind, content in kinds.items():
        data = bench.folder / "data"
        data.write_bytes(content)
        times: dict[str, list[float]] = {"amp": [], "pipe": []}
        for _ in range(bench.rounds):
            folder = bench.fresh()
            (folder / "flow.toml").write_text(
                f'[flow]\nname = "Artifact"\n[step.make]\nrun = ["ln", "{data}", "{{{{ outputs.data }}}}"]\n'
                'outputs = { data = "data" }\n'
            )
            os.sync()
            times["amp"].append(bench.timed([str(bench.amp), "run"], folder))
            os.sync()
            pipe = f"set -o pipefail; tee >(sha256sum > hash) < {data} | zstd -q -1 -o data.zst -; sync data.zst"
            times["pipe"].append(bench.timed(["bash", "-c", pipe], folder))
            shutil.rmtree(folder)
        amp, pipe = (len(content) / statistics.median(times[name]) / 1e6 for name in ("amp", "pipe"))
        figures.append(Figure(f"a file of 1 GB as an artifact: {kind}", amp, "MB/s", pipe, ">= the pipe", amp >= pipe))
        data.unlink()
    return figures


def code_project(folder: Path, sizes: list[int]) -> None:
    """A git repository with files of these sizes: text, and each third that is larger than a page of random bytes."""
    random = Random(7)
    text = words(20_000_000)
    (folder / "flow.toml").write_text(SMALL_FLOW)
    (folder / ".gitignore").write_text("output\n")  # what Bench.timed writes
    for number, size in enumerate(sizes):
        path = folder / f"part{number // 1000}" / f"module{number // 50 % 20}" / f"file{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        start = random.randrange(10_000_000)
        block = text[start : start + min(size, 10_000_000)]
        noise = number % 3 == 0 and size > 4096
        path.write_bytes(random.randbytes(size) if noise else (block * (size // len(block) + 1))[:size])
    git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.com"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "Code"]):
        subprocess.run([*git, *arguments], cwd=folder, check=True)


def package(bench: Bench) -> list[Figure]:
    """Listing the code of 10,000 files, from what is remembered and without that; and packing 1 GB of it."""
    random = Random(11)
    project = bench.fresh()
    code_project(project, [random.randrange(200, 5000) for _ in range(bench.tasks)])
    time.sleep(2.1)  # what has just changed is read again
    listing = [str(bench.amp), "package", "list"]
    cold = []
    for _ in range(2 * bench.rounds):
        for cache in project.glob(".amp/cache/code-*"):
            cache.unlink()
        cold.append(bench.timed(listing, project) * 1000)
    os.chdir(project)
    times = bench.latencies({"list": listing, "git": ["/usr/bin/git", "status", "--short"]}, bench.folder, 6 * bench.rounds)
    os.chdir(ROOT)
    shutil.rmtree(project)

    project = bench.fresh()
    share = bench.tasks / 10_000
    sizes = [90_000_000] * 3 + [20_000_000] * 20 + [1_000_000] * 270 + [3000] * (2 * bench.tasks)
    code_project(project, [max(1, int(size * share)) for size in sizes])
    pipe = "set -o pipefail; tar --exclude=.git --exclude=.amp -cf - . | zstd -q -3 -f -o ../packed.zst -"
    commands = {"amp": [str(bench.amp), "package", "save", "../packed.amp"], "pipe": ["bash", "-c", pipe]}
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(bench.rounds):
        for name, command in commands.items():
            (project.parent / "packed.amp").unlink(missing_ok=True)
            os.sync()
            seconds[name].append(bench.timed(command, project))
    shutil.rmtree(project)
    amp, tar = (sum(sizes) * share / statistics.median(seconds[name]) / 1e6 for name in commands)
    warm, first = times["list"], statistics.median(cold)
    return [
        Figure(f"amp package list of {bench.tasks} files", warm, "ms", times["git"], "<= 50 ms", warm <= 50),
        Figure("  the first time; against git status", first, "ms", times["git"], "<= 300 ms", first <= 300),
        Figure("packing a repository of 1 GB", amp, "MB/s", tar, ">= tar | zstd -3", amp >= tar),
    ]


ALL = (
    *(start_up, validate_large, plan_memory, noop_tasks, cached_run, reopen, list_runs, metric_point, log_flood),
    *(file_artifact, package),
)
CASES = {case.__name__: case for case in ALL}


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

"""The figures of another machine by ssh: far.py --amp BINARY

The machines are those of tests/live/ssh (network namespaces, real sshd's, a bastion between), on this one's disk and
processors: so amp, its agent, its keeper there, two ssh's and two sshd's share them. Needs root.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from bench import ROOT, Figure, machine

CHAIN = 40
MANY = 1_000
BYTES = 1_000_000_000
MANY_FLOW = """[flow]
name = "Many"
[step.task]
foreach = "range(%d)"
run = ["/bin/true"]
"""
LARGE_FLOW = """[flow]
name = "Large"
[step.make]
run = "ln %s/large {{ outputs.data }} || cp %s/large {{ outputs.data }}"
outputs = { data = "data" }
"""
LINES_FLOW = """[flow]
name = "Lines"
[step.speak]
run = "for i in $(seq 30); do date +%s.%N; sleep 0.1; done"
"""


def seconds_of(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def timed(command: Callable[[], Any]) -> float:
    began = time.perf_counter()
    command()
    return time.perf_counter() - began


def chain(steps: int) -> str:
    """Steps of which each needs the one before."""
    texts = ['[flow]\nname = "Chain"\n[step.s0]\nrun = ["/bin/true"]\n']
    texts += [f'[step.s{i}]\nneeds = "s{i - 1}"\nrun = ["/bin/true"]\n' for i in range(1, steps)]
    return "".join(texts)


class Far:
    def __init__(self) -> None:
        # They read the binary's name from the environment when they are loaded.
        import machines

        self.machines = machines.Machines()
        self.project_type = machines.FarProject

    def ssh(self, *arguments: str) -> None:
        command = [*self.machines.inside("laptop"), *arguments]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def attempts(self, flow: str) -> list[tuple[float, float]]:
        """Starts and ends of all attempts of a run on the box, in order; the last end is the run's."""
        project = self.project_type(self.machines, {"flow.toml": flow})
        try:
            result = project.amp("run", "--on", "box", seconds=600)
            if result.code != 0:
                sys.exit(f"bench: {result}")
            attempts = [a for task in project.tasks().values() for a in task["attempts"]]
            times = sorted((seconds_of(a["started"]), seconds_of(a["ended"])) for a in attempts)
            ended = seconds_of(project.json("show", "latest")["ended"])
            return [*times[:-1], (times[-1][0], ended)]
        finally:
            project.remove()

    def starts(self) -> list[Figure]:
        """From the end of a task to the start of the next, which is decided upon here and started there."""
        self.attempts(chain(2))  # the program and the code are there from now on
        attempts = self.attempts(chain(CHAIN))
        gaps = [1000 * (start - end) for (_, end), (start, _) in zip(attempts, attempts[1:], strict=False)]
        if len(gaps) != CHAIN - 1:
            sys.exit(f"bench: {len(gaps)} gaps of {CHAIN - 1}")
        cold = statistics.median(timed(lambda: self.ssh(f"{self.machines.top}/bin/ssh", "box", "true")) for _ in range(7)) * 1000
        gap = statistics.median(gaps)
        return [Figure("the next task in a warm ssh profile, against `ssh true`", gap, "ms", cold, "<= 20 ms", gap <= 20)]

    def many(self) -> list[Figure]:
        rates = []
        for _ in range(3):
            attempts = self.attempts(MANY_FLOW % MANY)
            rates.append(MANY / (max(end for _, end in attempts) - attempts[0][0]))
        rate = statistics.median(rates)
        return [Figure(f"{MANY} tasks over one connection, 4 at once", rate, "tasks/s", None, ">= 300/s", rate >= 300)]

    def lines(self) -> list[Figure]:
        """From the moment that a line is printed there to its arrival in a terminal here."""
        project = self.project_type(self.machines, {"flow.toml": LINES_FLOW})
        try:
            run = project.start("run", "--on", "box")
            while not project.runs():
                time.sleep(0.01)
            follow = project.start("logs", "-f", stdout=subprocess.PIPE)
            assert follow.stdout is not None
            late = []
            for line in follow.stdout:
                word = line.split()[-1] if line.split() else b""
                if word.replace(b".", b"", 1).isdigit() and b"." in word and len(word) > 15:
                    late.append(1000 * (time.time() - float(word)))
            if run.wait() != 0 or len(late) < 20:
                sys.exit(f"bench: {len(late)} lines came, exit {run.returncode}")
        finally:
            project.remove()
        value = statistics.median(late)
        return [Figure("a line printed there until it is seen here", value, "ms", None, "<= 200 ms", value <= 200)]

    def large(self) -> list[Figure]:
        """A file of random bytes that is made there and comes home, against scp of it."""
        home = self.machines.home()
        with (home / "large").open("wb") as file:
            for _ in range(BYTES // 1_000_000):
                file.write(os.urandom(1_000_000))
        self.machines.own(home / "large")
        times: dict[str, list[float]] = {"amp": [], "scp": []}
        for _ in range(3):
            project = self.project_type(self.machines, {"flow.toml": LARGE_FLOW % (home, home)})
            os.sync()
            times["amp"].append(timed(lambda p=project: p.amp("run", "--on", "box", seconds=600)))
            if set(project.states().values()) != {"succeeded"}:
                sys.exit("bench: the large file did not come")
            os.sync()
            target = str(project.top / "copy")
            scp = ["scp", "-O", "-q", "-F", f"{self.machines.top}/config", "box:large", target]
            copied = timed(lambda words=scp: self.ssh(*words))
            times["scp"].append(copied + timed(lambda path=target: subprocess.run(["sync", path], check=True)))
            project.remove()
        amp, scp_rate = (BYTES / statistics.median(times[name]) / 1e6 for name in ("amp", "scp"))
        within = amp >= 0.7 * scp_rate
        return [Figure("1 GB made there and brought home, against scp", amp, "MB/s", scp_rate, ">= 0.7 of scp", within)]


CASES = ("starts", "many", "lines", "large")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--amp", type=Path, required=True)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; default: all")
    options = parser.parse_args()
    os.environ["AMP_BINARY"] = str(options.amp.resolve())
    sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "tests" / "live" / "ssh")]
    print(f"{options.amp}, {machine(ROOT)}")
    print(f"{'':<58} {'amp':>12} {'peer':>12} {'':<10} {'limit':<22} within", flush=True)
    far = Far()
    missed = 0
    try:
        for name in options.cases or CASES:
            for figure in getattr(far, name)():
                missed += figure.within is False
                print(figure.row(), flush=True)
    finally:
        far.machines.remove()
    print(f"{missed} figures outside of their limit" if missed else "every figure is within its limit")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

"""The example `ngram` as a show, for ./dev demo: demo.py --amp BINARY

Runs the flow in a fresh copy, kills first the orchestrator and then the keeper in the middle of it, resumes, and judges by a
ledger outside of amp that nothing that had finished ran again.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parent / "ngram"
ALL_TASKS = 1 + 6 + 6 * 7 + 6 + 1 + 1 + 1
PATIENCE_S = 120


def say(words: str) -> None:
    print(f"\n\033[1m• {words}\033[0m" if sys.stdout.isatty() else f"\n• {words}", flush=True)


class Demo:
    def __init__(self, amp: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="amp-demo-"))
        self.project = self.folder / "ngram"
        shutil.copytree(EXAMPLE, self.project, ignore=shutil.ignore_patterns(".amp", "__pycache__"))
        self.ledger = self.folder / "ledger"
        self.ledger.touch()
        self.amp_path = amp.resolve()
        self.environment = {**os.environ, "NGRAM_LEDGER": str(self.ledger), "PYTHONDONTWRITEBYTECODE": "1"}

    def amp(self, *arguments: str, shown: bool = True) -> str:
        """Runs amp to its end and returns what it printed. Ends the demo if it fails."""
        if shown:
            print("$ amp", *arguments, flush=True)
        result = subprocess.run(
            [self.amp_path, *arguments], cwd=self.project, env=self.environment, stdout=subprocess.PIPE, text=True, check=False
        )
        if result.returncode != 0:
            sys.exit(f"demo: amp {' '.join(arguments)} ended with {result.returncode}\n{result.stdout}")
        if shown:
            print(result.stdout, end="", flush=True)
        return result.stdout

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Starts amp beside this program; what it prints goes to a file."""
        print("$ amp", *arguments, "&", flush=True)
        with (self.folder / "progress.log").open("ab") as log:
            return subprocess.Popen([self.amp_path, *arguments], cwd=self.project, env=self.environment, stdout=log, stderr=log)

    def lines(self, what: str) -> Counter[str]:
        """Task → how often the ledger says that it started or ended."""
        entries = (line.split() for line in self.ledger.read_text().splitlines())
        return Counter(task for kind, task, _ in entries if kind == what)

    def wait_for_ends(self, count: int, driver: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while len(self.lines("end")) < count:
            if driver.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"demo: the run did not get to {count} tasks; see {self.folder / 'progress.log'}")
            time.sleep(0.01)

    def wait_for_quiet(self) -> None:
        """Until every task that runs has ended: the keeper finishes them without an orchestrator."""
        deadline = time.monotonic() + PATIENCE_S
        while self.lines("start").total() != self.lines("end").total() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.3)

    def keeper(self) -> int | None:
        """The pid of the process that holds this run's tasks."""
        marker = f"NGRAM_LEDGER={self.ledger}".encode()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                arguments = (process / "cmdline").read_bytes().split(b"\0")
                if arguments[1:2] == [b"keeper"] and marker in (process / "environ").read_bytes().split(b"\0"):
                    return int(process.name)
            except OSError:
                continue  # ended meanwhile
        return None

    def succeeded(self) -> set[str]:
        tasks = json.loads(self.amp("show", "latest", "--json", shown=False))["tasks"]
        return {f"{task['step']}/{task['index']}" for task in tasks if task["state"] == "succeeded"}


def check(condition: bool, claim: str) -> None:
    if not condition:
        sys.exit(f"demo: not true: {claim}")
    print(f"  true: {claim}", flush=True)


def run_and_kill(demo: Demo) -> set[str]:
    """Returns the tasks that had finished before one of the kills."""
    say("Run it, and kill the orchestrator (kill -9) when a third of the tasks has ended")
    driver = demo.start("run", "--tag", "ngram")
    demo.wait_for_ends(ALL_TASKS // 3, driver)
    driver.kill()
    driver.wait()
    demo.wait_for_quiet()
    finished = set(demo.lines("end"))
    print(f"  killed; {len(finished)} tasks have ended, the last ones under the keeper alone", flush=True)

    say("Resume it, and kill the keeper, the process that holds the tasks, when two thirds have ended")
    driver = demo.start("resume", "latest")
    demo.wait_for_ends(2 * ALL_TASKS // 3, driver)
    finished |= demo.succeeded()
    pid = demo.keeper()
    if pid is None:
        sys.exit("demo: there is no keeper to kill")
    os.kill(pid, signal.SIGKILL)
    print(f"  killed; {len(finished)} tasks had finished", flush=True)
    code = driver.wait(timeout=PATIENCE_S)
    if code != 0:
        say(f"The run ended with exit code {code}: resume it once more, to its end")
        demo.amp("resume", "latest")
    return finished


def show_result(demo: Demo) -> None:
    say("The run, as amp tells it")
    demo.amp("show", "latest")
    demo.amp("tag", "add", "latest", "demo")
    demo.amp("runs", "--tag", "demo")

    say("Its result")
    table, plot = demo.folder / "table.md", demo.folder / "plot.svg"
    demo.amp("get", "latest/report", "table", "-o", str(table))
    demo.amp("get", "latest/report", "plot", "-o", str(plot))
    print(table.read_text())
    print(f"The plot: {plot}\nLook around: cd {demo.project} && {demo.amp_path} show latest")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--amp", type=Path, required=True)
    demo = Demo(parser.parse_args().amp)
    began = time.monotonic()

    say(f"A copy of examples/ngram in {demo.project}")
    demo.amp("validate")
    demo.amp("show", "flow.toml")
    finished = run_and_kill(demo)

    say("What the ledger, written by the tasks themselves, says")
    starts, ends = demo.lines("start"), demo.lines("end")
    check(len(ends) == ALL_TASKS, f"all {ALL_TASKS} tasks ended")
    check(demo.succeeded() == set(ends), "they are the ones that amp lists as succeeded")
    check(all(starts[task] == 1 for task in finished), f"none of the {len(finished)} tasks that had finished ran again")
    again = sorted(task for task in starts if starts[task] > 1)
    print(f"  ran again, because they were killed with the keeper: {', '.join(again) or 'none'}")
    show_result(demo)
    print(f"\nDone in {time.monotonic() - began:.1f} s.")


if __name__ == "__main__":
    main()

"""Runs the tests of the built binary: run.py --amp BINARY [--folder FOLDER] [--jobs N] [--results FILE] THEME…

A theme is a file of FOLDER (this one) (`kill_test`), a class or a test of it (`kill_test.RandomKills`), or `all`. Themes run in
processes of their own, N at a time. FILE gets {"passed", "failed", "skipped"} for the closing lines.
"""

import argparse
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
# More kills than usual (AMP_KILLS, kill_test.py) may take longer.
THEME_TIMEOUT_S = 480 * float(os.environ.get("AMP_SLOW", "1")) * max(1.0, int(os.environ.get("AMP_KILLS", "40")) / 40)
# The long ones first, so that none runs alone at the end.
FIRST = ("kill_test", "task_test", "resume_test", "faults_calls_test", "faults_limits_test")


class Collected(unittest.TextTestResult):
    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self.passed = 0

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self.passed += 1


def run_theme(folder: Path, name: str, results: Path) -> int:
    """In the theme's own process."""
    # Who was started in the background or by nohup ignores these, and amp would respect that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    sys.path.insert(0, str(HERE))
    sys.path.insert(0, str(folder))
    importlib.import_module(name.split(".")[0])
    suite = unittest.defaultTestLoader.loadTestsFromName(name)
    result = unittest.TextTestRunner(resultclass=Collected, verbosity=2, stream=sys.stdout).run(suite)
    failed = [str(test) for test, _ in (*result.failures, *result.errors)] + [str(test) for test in result.unexpectedSuccesses]
    skipped = [f"{test}: {reason}" for test, reason in result.skipped]
    results.write_text(json.dumps({"passed": result.passed, "failed": failed, "skipped": skipped}))
    return 0 if result.wasSuccessful() else 1


def themes_of(folder: Path, names: list[str]) -> list[str]:
    every = sorted(path.stem for path in folder.glob("*_test.py"))
    chosen = [theme for name in names for theme in (every if name == "all" else [name])]
    for name in chosen:
        if name.split(".")[0] not in every:
            sys.exit(f"there is no theme '{name}'; there are {', '.join(every)}")
    return sorted(dict.fromkeys(chosen), key=lambda theme: (theme.split(".")[0] not in FIRST, theme))


def run_all(folder: Path, themes: list[str], amp: Path, jobs: int) -> dict:
    total: dict = {"passed": 0, "failed": [], "skipped": []}
    if not os.access(amp, os.X_OK):
        print(f"e2e: there is no {amp}")
        return {**total, "failed": [f"e2e: there is no {amp}"]}
    environment = {**os.environ, "AMP_BINARY": str(amp.resolve()), "PYTHONDONTWRITEBYTECODE": "1"}

    def run_one(theme: str) -> dict:
        with tempfile.TemporaryDirectory() as scratch:
            results = Path(scratch) / "results"
            command = [sys.executable, __file__, "--folder", str(folder), "--one", theme, "--results", str(results)]
            began = time.monotonic()
            try:
                done = subprocess.run(
                    command,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    timeout=THEME_TIMEOUT_S,
                    check=False,
                )
                output = done.stdout
            except subprocess.TimeoutExpired as error:
                output = error.stdout or b""
            print(f"== {theme} ({time.monotonic() - began:.1f} s)\n{output.decode(errors='replace')}", end="", flush=True)
            if not results.exists():
                return {"passed": 0, "failed": [f"{theme} (did not come to its end)"], "skipped": []}
            return json.loads(results.read_text())

    with ThreadPoolExecutor(jobs) as pool:
        for document in pool.map(run_one, themes):
            for key, value in document.items():
                total[key] += value
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--amp", type=Path, default=HERE.parents[1] / "build" / "amp")
    parser.add_argument("--folder", type=Path, default=HERE)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--one", metavar="THEME", help=argparse.SUPPRESS)
    parser.add_argument("themes", nargs="*", default=["all"], metavar="THEME")
    options = parser.parse_args()
    if options.one:
        return run_theme(options.folder, options.one, options.results)
    total = run_all(options.folder, themes_of(options.folder, options.themes), options.amp, options.jobs)
    if options.results:
        options.results.parent.mkdir(parents=True, exist_ok=True)
        options.results.write_text(json.dumps(total))
    else:
        print(f"{total['passed']} passed, {len(total['failed'])} failed, {len(total['skipped'])} skipped")
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())

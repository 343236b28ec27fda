"""The closing lines of a test run: python3 closing.py RESULTS…

Reads what ctest (JUnit XML around doctest's own summaries) and the e2e tests (JSON) left; prints what failed, the
name of everything that was skipped, how many that are, and last `N passed, N failed, N skipped`. Exits 1 if anything failed
or nothing ran.
"""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

DOCTEST_SUMMARY = re.compile(r"test cases:\s*(\d+)\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed\s*\|\s*(\d+) skipped")
DOCTEST_MESSAGE = re.compile(r"^.*MESSAGE: (skipped: .*)$", re.MULTILINE)


@dataclass
class Results:
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def listed_cases(program: Path, *options: str) -> set[str]:
    listing = subprocess.run([program, "--list-test-cases", *options], capture_output=True, text=True, check=False).stdout
    return {line for line in listing.splitlines() if line and not line.startswith(("[doctest]", "==="))}


def read_unit(path: Path, results: Results) -> None:
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name, output = case.get("name", "?"), case.findtext("system-out") or ""
        summary = DOCTEST_SUMMARY.search(output)
        if summary is None:  # crashed, or ran out of time: how many cases it holds is not known
            results.failed.append(f"{name} (ended without a summary)")
            continue
        _, passed, failed, skipped = (int(number) for number in summary.groups())
        results.passed += passed
        results.failed += [f"{name} ({failed} cases)"] * failed
        if failed == 0 and case.get("status") == "fail":
            results.failed.append(f"{name} (every case passed, and then it failed)")
        notices = DOCTEST_MESSAGE.findall(output)  # a case that found on this machine that it cannot run
        results.passed -= len(notices)
        results.skipped += [f"{name}: {notice}" for notice in notices]
        if skipped:
            program = path.parent / name
            results.skipped += sorted(f"{name}: {case}" for case in listed_cases(program, "--no-skip") - listed_cases(program))


def read_e2e(path: Path, results: Results) -> None:
    document = json.loads(path.read_text())
    results.passed += document["passed"]
    results.failed += document["failed"]
    results.skipped += document["skipped"]


def report(results: Results) -> int:
    for name in results.failed:
        print(f"failed: {name}")
    for name in results.skipped:
        print(f"skipped: {name}")
    print(f"{len(results.skipped)} skipped in all")
    print(f"{results.passed} passed, {len(results.failed)} failed, {len(results.skipped)} skipped")
    return 1 if results.failed or not results.passed else 0


def main() -> int:
    results = Results()
    for path in map(Path, sys.argv[1:]):
        if not path.exists():
            results.failed.append(f"{path} (nothing ran)")
        elif path.suffix == ".xml":
            read_unit(path, results)
        else:
            read_e2e(path, results)
    return report(results)


if __name__ == "__main__":
    sys.exit(main())

"""Checks the table of faults in tests/README.md: every row is there once, and every test that it names exists."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "tests" / "README.md"
ROWS = 55
ROW = re.compile(r"^\| (\d+) \|.*\| ([^|]+) \|$", re.MULTILINE)


def problem_of(test: str) -> str | None:
    """Why a test is not there; None: it is."""
    if ".cpp: " in test:
        file, case = test.split(": ", 1)
        path = ROOT / "tests" / "unit" / file
        if not path.is_file():
            return f"there is no tests/unit/{file}"
        return None if f'TEST_CASE("{case}"' in path.read_text() else f"{file} has no case '{case}'"
    if test.startswith("bench/"):
        return None if (ROOT / "tests" / test).is_file() else f"there is no tests/{test}"
    theme, *names = test.split(".")
    path = ROOT / "tests" / "e2e" / f"{theme}.py"
    if not path.is_file() or not names:
        return f"there is no theme '{theme}'" if not path.is_file() else f"'{test}' names no class"
    text = path.read_text()
    found = re.search(rf"^class {names[0]}\(.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    if not found:
        return f"{theme} has no class '{names[0]}'"
    if len(names) > 1 and f"def {names[1]}(" not in found.group():
        return f"{theme}.{names[0]} has no '{names[1]}'"
    return None


def check(text: str | None = None) -> list[str]:
    rows = ROW.findall(TABLE.read_text() if text is None else text)
    numbers = [int(number) for number, _ in rows]
    findings = [f"tests/README.md: row {n} is missing or there twice" for n in range(1, ROWS + 1) if numbers.count(n) != 1]
    for number, cell in rows:
        tests = re.findall(r"`([^`]+)`", cell)
        findings += [f"tests/README.md: row {number}: {problem}" for test in tests if (problem := problem_of(test))]
        if not tests and "comes with" not in cell:
            findings.append(f"tests/README.md: row {number} names no test, and nothing that it comes with")
    return findings

"""The table of flows in tests/data/meaning, run on the binary: a test each. Its README tells the format."""

import tomllib
import unittest
from pathlib import Path
from typing import Any

from harness import ROOT, AmpTest, Project

CASES = sorted((ROOT / "tests" / "data" / "meaning").glob("**/*.toml"))
USUALLY_ONE = {"succeeded", "failed", "caught"}


class Meaning(AmpTest):
    """Filled below."""

    def check_case(self, path: Path) -> None:
        case = tomllib.loads(path.read_text())
        project = self.project(case["flow"])
        result = project.amp("run", *case.get("arguments", []))
        self.check(project, case["expect"], f"{case['about']}\n{result}", result.code)
        for resume in case.get("resume", []):
            words = ["run"] if resume.get("command") == "run" else ["resume", "latest"]
            result = project.amp(*words, *resume.get("arguments", []))
            self.check(project, resume["expect"], f"{case['about']}, resumed\n{result}", result.code)
        self.assert_no_orphans(project)

    def check(self, project: Project, expect: dict[str, Any], story: str, code: int) -> None:
        document = project.json("show")
        self.assertEqual((document["state"], code), (expect["run"], expect["exit"]), story)
        found = {task["task"]: task for task in document["tasks"]}
        self.assertEqual(
            {name: self.seen(found.get(name), wanted) for name, wanted in expect.get("tasks", {}).items()},
            {name: self.spelt(wanted) for name, wanted in expect.get("tasks", {}).items()},
            story,
        )
        self.assertEqual(sorted(set(found) - set(expect.get("tasks", {}))), [], f"tasks that should not be\n{story}")

    def spelt(self, wanted: str) -> str:
        """`succeeded` → `succeeded 1`: with the attempt that is meant."""
        state, _, attempt = wanted.partition(" ")
        if state == "cancelled":
            return state
        return f"{state} {attempt or ('1' if state in USUALLY_ONE else '0')}"

    def seen(self, task: dict[str, Any] | None, wanted: str) -> str:
        """What became of the task, in the words of the table."""
        if task is None:
            return "missing"
        if task["state"] == "cancelled":
            return "cancelled"
        return f"{task['state']} {'?' if wanted.endswith(' ?') else task['attempt']}"


def make_test(path: Path):
    return lambda self: self.check_case(path)


for case_path in CASES:
    setattr(Meaning, f"test_{case_path.stem}", make_test(case_path))


class Table(unittest.TestCase):
    def test_there_are_enough_cases(self) -> None:
        self.assertGreaterEqual(len(CASES), 60)


if __name__ == "__main__":
    unittest.main()

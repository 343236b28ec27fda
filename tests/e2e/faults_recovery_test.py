"""What mends is killed itself: row 2 of tests/README.md.

AMP_FAULT_POINTS: at how many system calls of each (default 4; 0: at every one). AMP_FAULT_SEED repeats a choice.
"""

import os
import random
import subprocess
import time
import unittest
from collections.abc import Callable

from faults import KILL_AT, FaultTest
from harness import AMP, SLOW, Project, wait_until

POINTS = int(os.environ.get("AMP_FAULT_POINTS", "4"))
SEED = int(os.environ.get("AMP_FAULT_SEED", str(time.time_ns() % 1_000_000)))


@unittest.skipUnless(KILL_AT.exists(), "SKIPPED, NOT TESTED: kill_at is not built beside the binary")
class Recovery(FaultTest):
    def setUp(self) -> None:
        self.random = random.Random(f"{SEED} {self.id()}")

    def kill(self, project: Project, call: int, *arguments: str) -> int:
        """Ends amp just before its system call number `call`; how many there were."""
        report = project.top / "report"
        subprocess.run(
            [KILL_AT, "command", str(call), report, AMP, *arguments],
            cwd=project.folder,
            env=project.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60 * SLOW,
            check=False,
        )
        return int(report.read_text().split()[0])

    def each_point(self, make: Callable[[], Project], *arguments: str) -> None:
        """Killed three times, at any call, then let be: the store is sound, and the run comes to the same result."""
        reference = make()
        calls = self.kill(reference, 0, *arguments)
        self.assertGreater(calls, 100)
        count = POINTS or calls
        for number in range(count):
            first = 1 + int((number + self.random.random()) * calls / count) if POINTS else number + 1
            story = f"AMP_FAULT_SEED={SEED}: amp {' '.join(arguments)} killed at system call {first} of {calls}"
            project = make()
            snapshots = [self.snapshot(project)]
            self.kill(project, first, *arguments)
            for _ in range(2):
                self.kill(project, self.random.randint(1, calls), *arguments)
            if arguments[0] != "resume":
                last = project.amp(*arguments)
                self.assertEqual(last.code, 0, f"{story}: {last}")
            self.finish(project, story, snapshots if arguments[0] != "fsck" else None, judged=arguments[0] != "fsck")
            report = project.amp("fsck")
            self.assertEqual(report.code, 0, f"{story}: {report}")
            self.assert_no_orphans(project, 40)
            project.remove()

    def ended(self) -> Project:
        project = self.fault_project()
        self.run_ok(project, "run")
        self.assert_no_orphans(project)
        return project

    def damaged(self) -> Project:
        """An object is wrong, a journal torn, and something lies about."""
        project = self.ended()
        made = project.tasks()["each/0"]["attempts"][-1]["artifacts"]["data"]["sha256"]
        for path in (project.folder / ".amp/objects").rglob("*"):
            if path.is_file() and path.parent.name + path.name.removesuffix(".zst") == made:
                path.chmod(0o600)
                path.write_bytes(b"nonsense")
        journal = next((project.folder / ".amp/runs").rglob("journal/*"))
        journal.write_bytes(journal.read_bytes()[:-7])
        project.write(".amp/objects/zz/stray", "mine")
        return project

    def interrupted(self) -> Project:
        project = self.fault_project()
        script = (project.folder / "task.sh").read_text()
        project.write("task.sh", script.replace('echo "$me end"', 'sleep 0.1; echo "$me end"'))
        driver = project.start("run")
        wait_until(lambda: len(project.ledger_lines()) >= 3, 20, "the middle of the run")
        driver.kill()
        driver.wait()
        return project

    def test_a_repair(self) -> None:
        self.each_point(self.damaged, "fsck", "--repair")

    def test_a_collection(self) -> None:
        def with_garbage() -> Project:
            project = self.ended()
            project.write(".amp/objects/ab/" + "c" * 62, "garbage")
            return project

        self.each_point(with_garbage, "gc", "--grace", "0s")

    def test_a_resume(self) -> None:
        self.each_point(self.interrupted, "resume", "latest")


if __name__ == "__main__":
    unittest.main()

"""Disks that are full, read-only or short of inodes: rows 4 and 52 of tests/README.md.

AMP_FAULT_STEP=4 tries every 4 KiB (the default leaves some out).
"""

import os
import subprocess
import unittest
from pathlib import Path

from faults import MountTest
from harness import Project, Result

STEP_KIB = int(os.environ.get("AMP_FAULT_STEP", "0"))
# What a store takes beside its reserve of 1 MiB when it holds one run of the flow.
RESERVE_KIB = 1024
ENOUGH_KIB = RESERVE_KIB + 256


def sizes() -> list[int]:
    """In KiB. Where the reserve fits, but not all of the run, each size ends it elsewhere."""
    if STEP_KIB:
        return list(range(4, ENOUGH_KIB + 1, STEP_KIB))
    return [*range(4, 68, 16), 500, *range(RESERVE_KIB + 4, RESERVE_KIB + 160, 8), ENOUGH_KIB]


class FullDisk(MountTest):
    def run_full(self, project: Project, story: str) -> Result:
        """A run that may meet a full disk: either it does not, or it ends with 10 and says so."""
        result = project.amp("run")
        if result.code != 0:
            self.assert_code(10, result)
            self.assertRegex(result.err, "No space left|the store is full", story)
        return result

    def check_size(self, folder: Path, project: Project, kib: int) -> int:
        story = f"{folder.name} of {kib} KiB"
        self.small_disk(folder, f"size={kib}k")
        try:
            code = self.run_full(project, story).code
            snapshots = []
            if code != 0 and (folder / "runs").exists() and project.amp("show", "latest").code == 0:
                snapshots.append(self.snapshot(project))  # what it has acknowledged can be read while it is full
                again = project.amp("resume", "latest")
                self.assertIn(again.code, (0, 10), f"{story}: {again}")
                snapshots.append(self.snapshot(project))
            self.assert_no_orphans(project, 40)
            self.remount(folder, "size=16m")
            self.finish(project, story, snapshots)
            report = project.amp("fsck")
            self.assertEqual(report.code, 0, f"{story}: {report}")
        finally:
            project.kill_all()
            subprocess.run(["umount", "-l", str(folder)], check=False)
        return code

    def test_a_store_of_any_size(self) -> None:
        """Nothing that was acknowledged is lost, and with more room the run comes to its end."""
        codes = set()
        for kib in sizes():
            project = self.fault_project()
            codes.add(self.check_size(project.folder / ".amp", project, kib))
            project.remove()
        self.assertEqual(codes, {0, 10}, "the sizes do not cover both ends")

    def test_a_log_that_fills_the_store(self) -> None:
        """What a task prints finds no room: the log is cut, the task's end is told, and the next run has it whole."""
        project = self.fault_project()
        store = self.small_disk(project.folder / ".amp", "size=1600k")
        flood = "head -c 3000000 /dev/urandom | base64\n"
        project.write("task.sh", (project.folder / "task.sh").read_text() + 'test -e "$LEDGER.room" || ' + flood)
        result = self.run_full(project, "a flood")
        self.assert_code(10, result)
        self.assertIn("a part of its log is lost", result.err)
        # Its outputs found no room either; that it has ended is recorded from the reserve.
        self.assertEqual(project.states()["first/_"], "retrying")
        snapshots = [self.snapshot(project)]
        self.remount(store, "size=64m")
        (project.top / "ledger.room").touch()
        self.finish(project, "a flood", snapshots)
        self.assertEqual(project.amp("fsck").code, 0)

    def test_scratch_of_any_size(self) -> None:
        """The folders of the tasks have no room: the task fails or is told to, and with room the run comes to its end."""
        for kib in (4, 8, 16, 32, 64, 128, 4096):
            project = self.fault_project()
            scratch = self.small_disk(project.top / "scratch", f"size={kib}k")
            full = {"AMP_SCRATCH": str(scratch)}
            result = project.amp("run", env=full)
            self.assertIn(result.code, (0, 1, 5, 10), f"scratch of {kib} KiB: {result}")
            if result.code != 0:
                self.assertIn("No space left", result.err, f"scratch of {kib} KiB")
            snapshots = [self.snapshot(project)]
            self.remount(scratch, "size=16m")
            self.assertEqual(project.amp("resume", "latest", env=full).code, 0, f"scratch of {kib} KiB")
            project.environment.update(AMP_SCRATCH=str(scratch))
            self.finish(project, f"scratch of {kib} KiB", snapshots)
            self.assert_no_orphans(project)
            project.remove()


class NoInodes(MountTest):
    def test_a_store_with_any_number_of_inodes(self) -> None:
        codes = set()
        for count in (2, 3, 4, 6, 8, 10, 13, 16, 18, 20, 22, 24, 26, 28, 30, 34, 38, 42, 50, 100):
            project = self.fault_project()
            store = self.small_disk(project.folder / ".amp", f"size=16m,nr_inodes={count}")
            result = project.amp("run")
            self.assertIn(result.code, (0, 10), f"{count} inodes: {result}")
            codes.add(result.code)
            self.assert_no_orphans(project, 40)
            self.remount(store, "nr_inodes=1000")
            self.finish(project, f"{count} inodes")
            self.assertEqual(project.amp("fsck").code, 0, f"{count} inodes")
            subprocess.run(["umount", "-l", str(store)], check=False)
            project.remove()
        self.assertEqual(codes, {0, 10})


class ReadOnly(MountTest):
    def read_only(self, folder: Path) -> None:
        self.mount(folder, "--bind", str(folder))
        self.remount(folder, "bind,ro")

    def test_a_read_only_store_is_read_and_not_written(self) -> None:
        project = self.fault_project()
        self.run_ok(project, "run")
        before = project.json("show")
        self.read_only(project.folder / ".amp")
        for command in (["run"], ["resume", "latest", "-p", "x=1"], ["tag", "add", "latest", "t"], ["gc", "--grace", "0s"]):
            result = project.amp(*command)
            self.assertIn(result.code, (2, 3, 10) if command[0] == "resume" else (10,), f"{command}: {result}")
        self.assertEqual(len(project.ledger_lines()), 8, "nothing was started")
        self.assertEqual(project.json("show"), before)
        for command in (
            ["runs"],
            ["logs", "latest/first"],
            ["artifacts", "latest"],
            ["fsck"],
            ["plan"],
            ["why", "latest/first"],
        ):
            self.assertEqual(project.amp(*command).code, 0, command)
        self.assertEqual(project.amp("doctor").code, 5, "it says what would make runs fail")
        self.assert_right(project, "a read-only store")


if __name__ == "__main__":
    unittest.main()

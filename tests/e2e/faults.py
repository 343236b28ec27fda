"""What the tests of faults share: calls that fail when told, small file systems, and how a run that met a fault must end."""

import os
import subprocess
import unittest
from dataclasses import dataclass
from pathlib import Path

from harness import AMP, SLOW, AmpTest, Project, Result, decode
from judge import Snapshot, judge

KILL_AT = AMP.parent / "kill_at"

# Outputs as files and as values, a foreach over what an earlier task made, a join; each start and end is in the ledger.
TASK = """
set -e
me="$AMP_TOKEN $AMP_STEP/$AMP_INDEX $AMP_ATTEMPT"
echo "$me start" >> "$LEDGER"
echo "working on $1"
echo "$1" > "$AMP_OUT/value.json"
seq "$2" > "$AMP_OUT/data.txt"
echo "$me end" >> "$LEDGER"
"""
FLOW = """
[flow]
name = "Faults"

[step.first]
run = ["sh", "task.sh", "[3, 4]", "2000"]
outputs = { value = { path = "value.json", type = "json" }, data = "data.txt" }

[step.each]
needs = "first"
foreach = "first.value"
run = ["sh", "task.sh", "{{ item * 10 }}", "{{ item * 100 }}"]
outputs = { value = { path = "value.json", type = "json" }, data = "data.txt" }

[step.total]
needs = "each"
join = true
run = ["sh", "task.sh", "{{ sum(each.*.value) }}", "1"]
outputs = { value = { path = "value.json", type = "json" }, data = "data.txt" }
"""
EXPECTED = {"first/_", "each/0", "each/1", "total/_"}
TOTAL = "70"


@dataclass(frozen=True)
class Injected:
    """A run of amp in which calls failed."""

    result: Result
    calls: int
    hits: int


class FaultTest(AmpTest):
    def fault_project(self, **files: str) -> Project:
        return self.project({"flow.toml": FLOW, "task.sh": TASK, **files})

    def inject(self, project: Project, process: str, calls: str, action: str, when: str, *arguments: str) -> Injected:
        """amp with a fault in the calls of its `command` or of its `keeper` (kill_at.cpp has the words)."""
        if not KILL_AT.exists():
            self.skipTest("SKIPPED, NOT TESTED: kill_at is not built beside the binary")
        if os.uname().machine != "x86_64":
            self.skipTest("SKIPPED, NOT TESTED: calls are made to fail on x86-64 only")
        report = project.top / "report"
        command = [KILL_AT, "--fault", calls, action, process, when, report, AMP, *arguments]
        done = subprocess.run(
            command,
            cwd=project.folder,
            env=project.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=20 * SLOW,
            check=False,
        )
        seen, hits = map(int, report.read_text().split())
        return Injected(Result(done.returncode, decode(done.stdout), decode(done.stderr)), seen, hits)

    def snapshot(self, project: Project) -> Snapshot:
        succeeded = frozenset(name for name, state in project.states().items() if state == "succeeded")
        return Snapshot(len(project.ledger_lines()), succeeded)

    def finish(self, project: Project, story: str, snapshots: list[Snapshot] | None = None, *, judged: bool = True) -> None:
        """Goes on with the run, now without a fault: it succeeds, does nothing twice, and comes to what a sound one does.

        @param judged whether each start counts: not where records were lost, with what they told of starts
        """
        snapshots = snapshots or []
        if project.runs():
            snapshots.append(self.snapshot(project))
            result = project.amp("resume", "latest")
        else:
            self.assertEqual(project.ledger_lines(), [], f"{story}: tasks ran, but there is no run")
            result = project.amp("run")
        self.assertEqual(result.code, 0, f"{story}: {result}")
        self.assert_right(project, story, snapshots, judged=judged)

    def assert_right(
        self, project: Project, story: str, snapshots: list[Snapshot] | None = None, *, judged: bool = True
    ) -> None:
        findings = [] if not judged else judge(project.ledger_lines(), snapshots or [], project.tasks(), EXPECTED)
        self.assertEqual(findings, [], f"{story}\n" + "\n".join(project.ledger_lines()))
        self.assertEqual(project.amp("get", "latest/total", "value").out.strip(), TOTAL, story)
        data = "".join(f"{i}\n" for i in range(1, 2001))
        self.assertEqual(project.amp("get", "latest/first", "data").out, data, story)


def need_root() -> None:
    if os.geteuid() != 0:
        raise unittest.SkipTest("SKIPPED, NOT TESTED: only root can mount file systems")


class MountTest(FaultTest):
    """A test with file systems of its own, gone when it ends."""

    def mount(self, folder: Path, *options: str) -> Path:
        """Mounts with mount(8)."""
        need_root()
        folder.mkdir(exist_ok=True)
        done = subprocess.run(["mount", *options, str(folder)], capture_output=True, check=False)
        if done.returncode != 0:
            self.skipTest(f"SKIPPED, NOT TESTED: mount {' '.join(options)}: {decode(done.stderr).strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", str(folder)], capture_output=True, check=False)
        return folder

    def small_disk(self, folder: Path, options: str) -> Path:
        return self.mount(folder, "-t", "tmpfs", "-o", options, "tmpfs")

    def remount(self, folder: Path, options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], capture_output=True, check=True)

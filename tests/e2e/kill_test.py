"""Nothing can make you lose a run: orchestrator and keeper are killed, and a ledger outside of amp is the judge.

`SystemCallKills` kills at points that are uniform over the system calls of a reference run; `RandomKills` at random times.
AMP_KILLS says how many a phase (default 40; random ones twice as many), AMP_KILL_SEED makes a run repeatable.
"""

import os
import random
import signal
import subprocess
import time
import unittest
from collections.abc import Callable

from harness import AMP, SLOW, AmpTest, Project, kill_quietly, wait_until
from judge import Snapshot, judge

KILLS = int(os.environ.get("AMP_KILLS", "40"))
SEED = int(os.environ.get("AMP_KILL_SEED", str(time.time_ns() % 1_000_000)))
KILL_AT = AMP.parent / "kill_at"
# What a driver may end with when its keeper is killed: the run went on, or can be resumed. 137: it was killed itself.
FINE_CODES = {0, 5, 75, 137, -signal.SIGKILL}

FLOW = """
[flow]
name = "Kill"

[step.first]
run = ["sh", "task.sh", "[0, 1, 2, 3]"]
outputs = { value = { path = "value.json", type = "json" } }

[step.shaky] # fails the first time
run = ["sh", "shaky.sh"]
retry = { times = 3, delay = "20ms" }

[step.each]
needs = "first"
foreach = "first.value"
run = ["sh", "task.sh", "{{ item }}"]
outputs = { value = { path = "value.json", type = "json" } }

[step.inner]
needs = "each"
foreach = "[10, 20]"
run = ["sh", "task.sh", "{{ item + each.value }}"]
outputs = { value = { path = "value.json", type = "json" } }

[step.pair]
needs = "inner"
join = true
run = ["sh", "task.sh", "{{ sum(inner.*.value) }}"]
outputs = { value = { path = "value.json", type = "json" } }

[step.total]
needs = ["pair", "shaky"]
join = true
run = ["sh", "task.sh", "{{ sum(pair.*.value) }}"]
outputs = { value = { path = "value.json", type = "json" } }
"""
EXPECTED = {
    "first/_",
    "shaky/_",
    "total/_",
    *(f"{step}/{i}" for step in ("each", "pair") for i in range(4)),
    *(f"inner/{i}.{j}" for i in range(4) for j in range(2)),
}
TOTAL = sum(10 + i + 20 + i for i in range(4))

TASK = """
me="$AMP_TOKEN $AMP_STEP/$AMP_INDEX $AMP_ATTEMPT"
echo "$me start" >> "$LEDGER"
echo "working on $1"
sleep 0.02
echo "$1" > "$AMP_OUT/value.json"
echo "$me end" >> "$LEDGER"
"""
SHAKY = """
me="$AMP_TOKEN $AMP_STEP/$AMP_INDEX $AMP_ATTEMPT"
echo "$me start" >> "$LEDGER"
sleep 0.02
echo "$me end" >> "$LEDGER"
[ "$AMP_ATTEMPT" -gt 1 ]
"""


class KillTest(AmpTest):
    def setUp(self) -> None:
        self.random = random.Random(f"{SEED} {self.id()}")

    def kill_project(self) -> Project:
        return self.project({"flow.toml": FLOW, "task.sh": TASK, "shaky.sh": SHAKY})

    def snapshot(self, project: Project) -> Snapshot:
        succeeded = frozenset(name for name, state in project.states().items() if state == "succeeded")
        return Snapshot(len(project.ledger_lines()), succeeded)

    def finish(self, project: Project, snapshots: list[Snapshot], story: str) -> None:
        """Resumes until the run has succeeded, and judges."""
        for _ in range(5):
            if not project.runs():
                self.assertEqual(project.ledger_lines(), [], f"{story}: tasks ran, but there is no run")
                result = project.amp("run")
            else:
                snapshots.append(self.snapshot(project))
                result = project.amp("resume", "latest")
            self.assertIn(result.code, FINE_CODES, f"{story}: {result}")
            if result.code == 0:
                break
        tasks = project.tasks()
        findings = judge(project.ledger_lines(), snapshots, tasks, EXPECTED)
        self.assertEqual(findings, [], f"{story}\n" + "\n".join(project.ledger_lines()))
        self.assertEqual(project.amp("get", "latest/total", "value").out.strip(), str(TOTAL), story)

    def finish_and_remove(self, project: Project, snapshots: list[Snapshot], story: str) -> None:
        self.finish(project, snapshots, story)
        project.remove()


@unittest.skipUnless(KILL_AT.exists(), "kill_at is not built beside the binary")
class SystemCallKills(KillTest):
    """Kill points uniform over the system calls of a reference run."""

    def traced(self, project: Project, process: str, call: int, *arguments: str) -> tuple[int, int, bool]:
        """Exit code, calls that the process made, and whether it was killed."""
        report = project.top / "report"
        command = [KILL_AT, process, str(call), report, AMP, *arguments]
        with (project.top / "output").open("ab") as output:
            code = subprocess.run(
                command,
                cwd=project.folder,
                env=project.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=60 * SLOW,
                check=False,
            ).returncode
        calls, killed = report.read_text().split()
        return code, int(calls), killed == "1"

    def interrupted_project(self) -> Project:
        """A run that lost its orchestrator about in the middle."""
        project = self.kill_project()
        driver = project.start("run")
        wait_until(lambda: len(project.ledger_lines()) >= 12 or driver.poll() is not None, 20, "the middle of the run")
        driver.kill()
        driver.wait()
        return project

    def phase(self, process: str, make: Callable[[], Project], *arguments: str) -> None:
        reference = make()
        code, calls, _ = self.traced(reference, process, 0, *arguments)
        self.assertEqual(code, 0, reference.output())
        self.assertGreater(calls, 100, f"the {process} was not seen")
        killed = 0
        for number in range(KILLS):
            # One in each of KILLS equal stretches: uniform, and spread.
            call = 1 + int((number + self.random.random()) * calls / KILLS)
            story = f"seed {SEED}: {process} of `amp {' '.join(arguments)}` killed at system call {call} of {calls}"
            project = make()
            snapshots = [self.snapshot(project)] if arguments[0] == "resume" else []
            code, _, hit = self.traced(project, process, call, *arguments)
            self.assertIn(code, FINE_CODES, f"{story}: {project.output()}")
            killed += hit
            self.finish_and_remove(project, snapshots, story)
        # A run makes some calls fewer or more than the reference: the last points may miss.
        self.assertGreaterEqual(killed, KILLS * 0.7, "too many of the kill points were never reached")

    def test_orchestrator_of_a_run(self) -> None:
        self.phase("command", self.kill_project, "run")

    def test_keeper_of_a_run(self) -> None:
        self.phase("keeper", self.kill_project, "run")

    def test_orchestrator_of_a_resume(self) -> None:
        self.phase("command", self.interrupted_project, "resume", "latest")

    def test_keeper_of_a_resume(self) -> None:
        def without_keeper() -> Project:
            project = self.interrupted_project()
            for pid in project.keepers():
                kill_quietly(pid)
            return project

        self.phase("keeper", without_keeper, "resume", "latest")


class RandomKills(KillTest):
    """Up to three kills of a run and its resumes, at random times, of the orchestrator, the keeper, or both."""

    def test_random_kills(self) -> None:
        began = time.monotonic()
        self.finish(self.kill_project(), [], "reference")
        usual = time.monotonic() - began
        for number in range(2 * KILLS):
            project = self.kill_project()
            snapshots: list[Snapshot] = []
            story = [f"seed {SEED}, number {number}"]
            for _ in range(self.random.randint(1, 3)):
                self.run_and_kill(project, snapshots, usual, story)
            self.finish_and_remove(project, snapshots, "; ".join(story))

    def run_and_kill(self, project: Project, snapshots: list[Snapshot], usual: float, story: list[str]) -> None:
        exists = bool(project.runs())
        if exists:
            snapshots.append(self.snapshot(project))
        driver = project.start(*(("resume", "latest") if exists else ("run",)))
        victim = self.random.choice(["orchestrator", "keeper", "both"])
        delay = self.random.uniform(0, usual)
        story.append(f"{victim} killed after {delay * 1000:.0f} ms")
        time.sleep(delay)
        if victim != "orchestrator":
            for pid in project.keepers():
                kill_quietly(pid)
        if victim == "keeper":
            try:
                code = driver.wait(timeout=30 * SLOW)
            except subprocess.TimeoutExpired:
                self.fail(f"{'; '.join(story)}: the orchestrator did not end\n{project.output()}")
            self.assertIn(code, FINE_CODES, f"{'; '.join(story)}\n{project.output()}")
        else:
            driver.kill()
            driver.wait()


class DetachedKills(KillTest):
    """The orchestrator of a detached run is killed at random times, its keeper with it now and then."""

    def test_random_kills(self) -> None:
        for number in range(KILLS):
            project = self.kill_project()
            snapshots: list[Snapshot] = []
            story = f"seed {SEED}, number {number}"
            for _ in range(self.random.randint(1, 2)):
                arguments = ("run",)
                if project.runs():
                    snapshots.append(self.snapshot(project))
                    arguments = ("resume", "latest")
                result = project.amp(*arguments, "-q", "--detach")
                self.assertIn(result.code, FINE_CODES, f"{story}: {result}")
                delay = self.random.uniform(0, 0.5)
                both = self.random.random() < 0.3
                story += f"; {'both' if both else 'orchestrator'} killed after {delay * 1000:.0f} ms"
                time.sleep(delay)
                for pid, words in project.processes().items():
                    if words[1:2] == ["orchestrate"] or (both and words[1:2] == ["keeper"]):
                        kill_quietly(pid)
            self.finish_and_remove(project, snapshots, story)


class StoppedDriver(KillTest):
    def test_a_stopped_driver_still_holds_its_run(self) -> None:
        """The orchestrator is stopped in the middle, and another tries to take over: one drives, and it is the first."""
        project = self.kill_project()
        driver = project.start("run")
        wait_until(lambda: len(project.ledger_lines()) >= 10, 20, "the middle of the run")
        driver.send_signal(signal.SIGSTOP)
        busy = project.amp("resume", "latest", seconds=30)
        self.assertEqual(busy.code, 75, f"a stopped driver still holds its run: {busy}")
        driver.send_signal(signal.SIGCONT)
        self.assertEqual(driver.wait(timeout=60 * SLOW), 0, project.output())
        self.assertEqual(judge(project.ledger_lines(), [], project.tasks(), EXPECTED), [])


if __name__ == "__main__":
    unittest.main()

"""`concurrency` of a flow: several runs of one flow in one store."""

import json
import signal
import subprocess
import unittest
from pathlib import Path

from harness import SLOW, AmpTest, Project, kill_quietly, wait_until

# A run stays at its gate until there is a file named after it.
FLOW = """
[flow]
name = "Turns"
concurrency = "{}"
[step.work]
run = "echo begin $AMP_RUN >> $LEDGER; while ! test -e $LEDGER.$AMP_RUN; do sleep 0.02; done; echo end $AMP_RUN >> $LEDGER"
[step.clean]
when = "always()"
run = "echo clean $AMP_RUN >> $LEDGER"
"""


class Concurrency(AmpTest):
    def turns(self, mode: str) -> Project:
        return self.project(FLOW.format(mode))

    def begin(self, project: Project, *arguments: str) -> str:
        return self.run_ok(project, "run", "-q", "--detach", *arguments).out.strip()

    def let_go(self, project: Project, *runs: str) -> None:
        for run in runs:
            Path(f"{project.ledger}.{run}").touch()

    def state(self, project: Project, run: str) -> str:
        return project.json("show", run)["state"]

    def wait_state(self, project: Project, run: str, state: str) -> None:
        wait_until(lambda: self.state(project, run) == state, 30, f"{run} is {state}")

    def wait_working(self, project: Project, run: str) -> None:
        wait_until(lambda: f"begin {run}" in project.ledger_lines(), 30, f"{run} works")

    def orchestrator_of(self, project: Project, run: str) -> int:
        lease = (project.folder / ".amp" / "runs" / run / "lease").read_text()
        return json.loads(lease)["pid"]


class Queue(Concurrency):
    def test_one_after_the_other_the_oldest_first(self) -> None:
        project = self.turns("queue")
        runs = [self.begin(project) for _ in range(3)]
        self.wait_working(project, runs[0])
        self.assertEqual([self.state(project, run) for run in runs], ["running", "pending", "pending"])
        self.assertEqual([project.json("show", run)["waits_for"] for run in runs], [None, runs[0], runs[0]])
        self.assertIn(f"until run {runs[0]} has ended", project.amp("show", runs[2]).out)
        self.assertEqual({run["run"]: run["state"] for run in project.runs()}[runs[2]], "pending")
        self.let_go(project, *runs)
        for run in runs:
            self.run_ok(project, "attach", run)
        self.assertEqual(project.ledger_lines(), [f"{word} {run}" for run in runs for word in ("begin", "end", "clean")])
        self.assert_no_orphans(project)

    def test_many_at_the_same_instant(self) -> None:
        project = self.turns("queue")
        starts = [project.start("run", "-q", "--detach", stdout=subprocess.PIPE) for _ in range(8)]
        runs = [start.communicate(timeout=30 * SLOW)[0].decode().strip() for start in starts]
        self.assertEqual(len(set(runs)), 8)
        self.let_go(project, *runs)
        for run in runs:
            self.run_ok(project, "attach", run)
        lines = project.ledger_lines()
        self.assertEqual([line.split()[0] for line in lines], ["begin", "end", "clean"] * 8, "no two at once")

    def test_a_waiting_run_can_be_cancelled(self) -> None:
        project = self.turns("queue")
        first, second, third = (self.begin(project) for _ in range(3))
        self.run_ok(project, "cancel", second)
        self.wait_state(project, second, "cancelled")
        self.assert_code(9, project.amp("attach", second))
        self.let_go(project, first, second, third)
        self.run_ok(project, "attach", third)
        self.assertFalse([line for line in project.ledger_lines() if second in line], "nothing of it ran")

    def test_a_waiting_run_can_be_interrupted_and_resumed(self) -> None:
        project = self.turns("queue")
        first = self.begin(project)
        waiting = project.start("run")
        wait_until(lambda: f"waits until run {first}" in project.output(), 20, "it says what it waits for")
        waiting.send_signal(signal.SIGINT)
        self.assertEqual(waiting.wait(timeout=20 * SLOW), 130, project.output())
        second = next(run["run"] for run in project.runs() if run["run"] != first)
        self.assertEqual(self.state(project, second), "interrupted")
        resumed = project.start("resume", second)
        wait_until(lambda: self.state(project, second) == "pending", 20, "it waits again")
        self.let_go(project, first, second)
        self.assertEqual(resumed.wait(timeout=30 * SLOW), 0, project.output())

    def test_a_run_that_died_blocks_nobody(self) -> None:
        project = self.turns("queue")
        first, second, third = (self.begin(project) for _ in range(3))
        self.wait_working(project, first)
        kill_quietly(self.orchestrator_of(project, second))  # one that waits, and the one that is on
        kill_quietly(self.orchestrator_of(project, first))
        self.wait_working(project, third)
        self.assertEqual([self.state(project, run) for run in (first, second)], ["interrupted", "interrupted"])
        resumed = project.start("resume", first, "-q")
        self.wait_state(project, first, "pending")
        self.let_go(project, first, second, third)
        self.assertEqual(resumed.wait(timeout=30 * SLOW), 0, project.output())

    def test_a_run_that_asks_nobody_counts(self) -> None:
        project = self.turns("queue")
        other = self.begin(project, "--concurrency", "allow")
        run = self.begin(project)
        self.assertEqual(project.json("show", run)["waits_for"], other)
        both = self.begin(project, "--concurrency", "allow")
        self.wait_working(project, both)
        self.let_go(project, other, both, run)
        self.run_ok(project, "attach", run)

    def test_other_flows_and_children_do_not_count(self) -> None:
        project = self.turns("queue")
        first = self.begin(project)
        project.write("other.toml", '[flow]\nname = "Other"\nconcurrency = "queue"\n[step.a]\nflow = "child.toml"\n')
        project.write("child.toml", '[flow]\nname = "Turns"\nconcurrency = "queue"\n[step.a]\nrun = "true"\n')
        self.run_ok(project, "run", "other.toml")
        self.let_go(project, first)
        self.run_ok(project, "attach", first)

    def test_events_tell_of_the_waiting(self) -> None:
        project = self.turns("queue")
        first = self.begin(project)
        waiting = project.start("run", "--events=ndjson", stdout=subprocess.PIPE)
        line = waiting.stdout.readline().decode()
        self.assertIn('"event":"run_waits"', line)
        self.assertIn(f'"behind":"{first}"', line)
        waiting.send_signal(signal.SIGTERM)
        self.assertEqual(waiting.wait(timeout=20 * SLOW), 143)
        waiting.stdout.close()
        self.let_go(project, first)


class Skip(Concurrency):
    def test_nothing_is_recorded_while_another_is_on(self) -> None:
        project = self.turns("skip")
        first = self.begin(project)
        result = self.run_ok(project, "run")
        self.assertEqual(result.out, "")
        self.assertIn(f"run {first} of this flow is on", result.err)
        document = project.json("run")
        self.assertEqual((document["state"], document["run"], document["skipped_for"]), ("skipped", None, first))
        self.assertEqual(self.run_ok(project, "run", "--detach").out, "")
        self.assertEqual([run["run"] for run in project.runs()], [first])
        self.let_go(project, first)
        self.run_ok(project, "attach", first)
        second = self.begin(project)
        self.let_go(project, second)
        self.run_ok(project, "attach", second)

    def test_of_many_at_the_same_instant_one_goes_on(self) -> None:
        project = self.turns("skip")
        starts = [project.start("run", "-q", "--detach", stdout=subprocess.PIPE) for _ in range(8)]
        told = [start.communicate(timeout=30 * SLOW)[0].decode().strip() for start in starts]
        self.assertEqual([start.returncode for start in starts], [0] * 8, project.output())
        (run,) = [text for text in told if text]
        self.assertEqual([seen["run"] for seen in project.runs()], [run])
        self.let_go(project, run)
        self.run_ok(project, "attach", run)

    def test_a_resume_is_skipped_too(self) -> None:
        project = self.turns("skip")
        first = self.begin(project)
        self.wait_working(project, first)
        kill_quietly(self.orchestrator_of(project, first))
        self.wait_state(project, first, "interrupted")
        second = self.begin(project)
        result = self.run_ok(project, "resume", first)
        self.assertIn(f"run {second} of this flow is on", result.err)
        self.assertEqual(self.state(project, first), "interrupted")
        self.let_go(project, first, second)
        self.run_ok(project, "attach", second)
        self.run_ok(project, "resume", first)


class Replace(Concurrency):
    def ledger_of(self, project: Project, run: str) -> list[str]:
        return [line for line in project.ledger_lines() if run in line]

    def test_the_other_is_cancelled_and_has_ended_before_this_one_begins(self) -> None:
        project = self.turns("replace")
        first = self.begin(project)
        self.wait_working(project, first)
        second = self.begin(project)
        self.wait_working(project, second)
        self.assertEqual(self.state(project, first), "cancelled")
        self.assertEqual(project.ledger_lines(), [f"begin {first}", f"clean {first}", f"begin {second}"])
        self.let_go(project, second)
        self.run_ok(project, "attach", second)

    def test_the_last_one_stays(self) -> None:
        project = self.turns("replace")
        runs = [self.begin(project) for _ in range(4)]
        self.wait_working(project, runs[-1])
        self.assertEqual([self.state(project, run) for run in runs], ["cancelled"] * 3 + ["running"])
        self.let_go(project, *runs)
        self.run_ok(project, "attach", runs[-1])

    def test_on_the_command_line(self) -> None:
        project = self.turns("queue")
        first, waiting = self.begin(project), self.begin(project)
        third = self.begin(project, "--concurrency", "replace")
        self.wait_working(project, third)
        self.assertEqual([self.state(project, run) for run in (first, waiting)], ["cancelled", "cancelled"])
        self.let_go(project, third)
        self.run_ok(project, "attach", third)


if __name__ == "__main__":
    unittest.main()

"""The keeper as a user meets it: always there to be asked, its remarks, memory that runs out."""

import json
import os
import signal
import sys
import unittest
from pathlib import Path

from harness import SLOW, AmpTest, kill_quietly, wait_until

MEMORY = Path("/sys/fs/cgroup/memory")
HOG = "import sys; data = bytearray(400 << 20); sys.exit(len(data) == 0)"


class Remarks(AmpTest):
    FLOW = """[flow]
name = "R"
[step.one]
run = "(trap '' TERM; touch up; sleep 60) & while ! test -e up; do :; done"
"""
    REMARK = "one/_: what it had left running was ended"

    def test_on_the_terminal(self) -> None:
        self.assertIn(f"note: {self.REMARK}", self.run_ok(self.project(self.FLOW), "run").err)

    def test_in_json_lines(self) -> None:
        result = self.run_ok(self.project(self.FLOW), "run", "--events=ndjson")
        lines = [json.loads(line) for line in result.out.splitlines()]
        self.assertIn(self.REMARK, [line.get("text") for line in lines if line.get("event") == "note"], result.out)


class AlwaysThere(AmpTest):
    def test_cancel_while_all_tasks_wait_for_their_back_off(self) -> None:
        """Also when the keeper has died meanwhile."""
        project = self.project('[flow]\nname = "B"\n[step.one]\nrun = "exit 1"\nretry = { times = 3, delay = "10m" }\n')
        driver = project.start("run")
        wait_until(lambda: project.runs() and project.states().get("one/_") == "retrying", 20, "the back-off")
        keepers = project.keepers()
        self.assertEqual(len(keepers), 1)
        kill_quietly(keepers[0])
        wait_until(lambda: project.keepers() not in ([], keepers), 20, "another keeper")
        self.run_ok(project, "cancel", "latest")
        self.assertNotEqual(driver.wait(timeout=20 * SLOW), 0)
        self.assertEqual(project.runs()[0]["state"], "cancelled")
        self.assert_no_orphans(project)

    def test_a_driver_that_slept_is_no_second_one(self) -> None:
        """Stopped while its keeper is killed and another takes the run over, it starts nothing when it goes on."""
        flow = '[flow]\nname = "S"\n[step.one]\nrun = "echo $AMP_ATTEMPT >> $LEDGER; sleep 3"\n'
        project = self.project(flow)
        driver = project.start("run")
        wait_until(project.ledger_lines, 20, "the task runs")
        driver.send_signal(signal.SIGSTOP)
        for pid in project.keepers():
            kill_quietly(pid)
        second = project.start("resume", "latest", "--take-over")
        wait_until(lambda: len(project.ledger_lines()) == 2, 20, "the second attempt runs")
        driver.send_signal(signal.SIGCONT)
        self.assertEqual(driver.wait(timeout=20 * SLOW), 75, project.output())
        self.assertEqual(second.wait(timeout=20 * SLOW), 0, project.output())
        self.assertEqual(project.ledger_lines(), ["1", "2"])
        self.assert_no_orphans(project)


class OutOfMemory(AmpTest):
    """With the kernel's own OOM killer, in a memory cgroup of our own."""

    def limited_group(self) -> Path:
        group = MEMORY / f"amp-e2e-{os.getpid()}-{self._testMethodName}"
        try:
            group.mkdir()
            self.addCleanup(group.rmdir)
            (group / "memory.limit_in_bytes").write_text(str(200 << 20))
            if "oom_kill " not in (group / "memory.oom_control").read_text():
                self.skipTest("SKIPPED, NOT TESTED: this kernel does not count its OOM kills in a memory cgroup (v1)")
        except OSError as error:
            self.skipTest(f"SKIPPED, NOT TESTED: no memory cgroup (v1) can be made: {error}")
        return group

    def run_limited(self, script: str) -> dict[str, object]:
        """The last attempt of a task whose script is killed for want of memory."""
        group = self.limited_group()
        project = self.project({"hog.py": HOG, "flow.toml": f'[flow]\nname = "M"\n[step.one]\nrun = {json.dumps(script)}\n'})
        self.addCleanup(self.assert_no_orphans, project)
        driver = project.start("run", preexec_fn=lambda: (group / "cgroup.procs").write_text(str(os.getpid())))
        self.assertEqual(driver.wait(timeout=60 * SLOW), 1, project.output())
        kills = (group / "memory.oom_control").read_text()
        self.assertNotIn("oom_kill 0", kills, "the test itself is wrong: nothing was killed")
        return project.tasks()["one/_"]["attempts"][-1]

    def test_of_the_task_itself(self) -> None:
        attempt = self.run_limited(f"exec {sys.executable} hog.py")
        self.assertEqual((attempt["cause"], attempt["signal"]), ("oom", 9), attempt)
        self.assertIn("out of memory: the kernel killed it", str(attempt["message"]))

    def test_of_a_child_of_it(self) -> None:
        attempt = self.run_limited(f"{sys.executable} hog.py; exit $?")
        self.assertEqual((attempt["cause"], attempt["exit"]), ("oom", 137), attempt)
        self.assertIn("out of memory: the kernel killed a process of it", str(attempt["message"]))

    def test_of_a_child_whose_parent_says_it_otherwise(self) -> None:
        attempt = self.run_limited(f"{sys.executable} hog.py || exit 3")
        self.assertEqual((attempt["cause"], attempt["exit"]), ("user", 3), attempt)
        self.assertIn("the kernel killed a process for want of memory", str(attempt["message"]))


if __name__ == "__main__":
    unittest.main()

"""Signals at any time, terminals that close, outputs that nobody takes: rows 40 and 41 of tests/README.md.

AMP_FAULT_SIGNALS: how many runs are interrupted at random times (default 8). AMP_FAULT_SEED repeats a choice.
"""

import os
import pty
import random
import signal
import subprocess
import time
import unittest
from pathlib import Path

from faults import EXPECTED, FaultTest
from harness import AMP, SLOW, Project, kill_quietly, wait_until
from judge import judge

COUNT = int(os.environ.get("AMP_FAULT_SIGNALS", "8"))
SEED = int(os.environ.get("AMP_FAULT_SEED", str(time.time_ns() % 1_000_000)))
CODES = {signal.SIGINT: {130}, signal.SIGTERM: {143}, signal.SIGHUP: {143}, signal.SIGQUIT: {-signal.SIGQUIT}}


class Signals(FaultTest):
    def slow_project(self, seconds: float) -> Project:
        project = self.fault_project()
        script = (project.folder / "task.sh").read_text()
        project.write("task.sh", script.replace('echo "$me end"', f'sleep ${{NAP:-{seconds}}}\necho "$me end"'))
        return project

    def running(self, seconds: float = 60) -> tuple[Project, subprocess.Popen[bytes]]:
        project = self.slow_project(seconds)
        driver = project.start("run", start_new_session=True)
        wait_until(project.ledger_lines, 20, "the first task runs")
        return project, driver

    def test_at_any_time(self) -> None:
        """Whatever comes, and whenever: it ends in time, as it should, and the run goes on to the same result."""
        choice = random.Random(SEED)
        for number in range(COUNT):
            kind = choice.choice(list(CODES))
            delay = choice.uniform(0, 0.5)
            story = f"AMP_FAULT_SEED={SEED}: {kind.name} after {delay * 1000:.0f} ms, number {number}"
            project = self.slow_project(0.05)
            driver = project.start("run", start_new_session=True)
            time.sleep(delay)
            driver.send_signal(kind)
            code = driver.wait(timeout=20 * SLOW)
            # Before the signals are ours, and after the end, it dies of them or has ended.
            self.assertIn(code, {0, -kind, *CODES[kind]}, f"{story}\n{project.output()}")
            self.finish(project, story)
            self.assert_no_orphans(project)
            project.remove()

    def test_interrupted_twice_it_ends_at_once(self) -> None:
        project = self.slow_project(0)
        project.write("task.sh", 'trap "" TERM INT\necho start >> "$LEDGER"\nsleep 60 & wait\nwait\nsleep 60\n')
        driver = project.start("run", start_new_session=True)
        wait_until(project.ledger_lines, 20, "the task runs")
        driver.send_signal(signal.SIGINT)
        time.sleep(0.2)
        self.assertIsNone(driver.poll(), "the task ignores what it is told")
        began = time.monotonic()
        driver.send_signal(signal.SIGINT)
        self.assertEqual(driver.wait(timeout=20 * SLOW), 130)
        self.assertLess(time.monotonic() - began, 1.5 * SLOW)
        self.assert_no_orphans(project)
        shown = project.json("show")
        self.assertEqual(shown["state"], "interrupted")
        self.assertNotRegex(project.output(), r"interrupted after .*running", "what was killed runs no more")
        killed = [attempt for task in shown["tasks"] for attempt in task["attempts"]]
        self.assertEqual({attempt["cause"] for attempt in killed}, {"cancelled"}, "it is recorded that it was killed")

    def test_quit_kills_the_orchestrator_alone(self) -> None:
        """SIGQUIT is the user's axe; the keeper goes on, as after any death of its orchestrator."""
        project = self.fault_project()
        script = (project.folder / "task.sh").read_text()
        gate = 'until test -e "$LEDGER.go"; do sleep 0.02; done\n'
        project.write("task.sh", script.replace('echo "$me end"', gate + 'echo "$me end"'))
        driver = project.start("run", start_new_session=True)
        wait_until(project.ledger_lines, 20, "the first task runs")
        driver.send_signal(signal.SIGQUIT)
        self.assertEqual(driver.wait(timeout=20 * SLOW), -signal.SIGQUIT)
        Path(f"{project.ledger}.go").touch()
        self.finish(project, "SIGQUIT")

    def test_stopped_and_continued(self) -> None:
        """Ctrl-Z stops amp and not its tasks; fg goes on with what has ended meanwhile."""
        project = self.slow_project(0.3)
        driver = project.start("run", preexec_fn=os.setpgrp)  # as a shell does; in a session of its own nothing is stopped
        wait_until(project.ledger_lines, 20, "the first task runs")
        driver.send_signal(signal.SIGTSTP)
        wait_until(lambda: any(line.endswith("end") for line in project.ledger_lines()), 20, "the task ends meanwhile")
        self.assertIn("T (stopped)", Path(f"/proc/{driver.pid}/status").read_text())
        driver.send_signal(signal.SIGCONT)
        self.assertEqual(driver.wait(timeout=30 * SLOW), 0, project.output())
        self.assertEqual(judge(project.ledger_lines(), [], project.tasks(), EXPECTED), [])

    def test_a_terminal_that_closes(self) -> None:
        """The window is closed: the tasks go on, and the run is resumed from elsewhere."""
        project = self.slow_project(0.5)
        pid, terminal = pty.fork()
        if pid == 0:
            try:
                os.chdir(project.folder)
                os.execve(AMP, [str(AMP), "run"], project.environment_with({"TERM": "xterm"}))
            finally:
                os._exit(127)
        try:
            wait_until(project.ledger_lines, 20, "the first task runs")
        finally:
            os.close(terminal)
        # The kernel sends SIGHUP to the session's leader, which is amp.
        code = os.waitstatus_to_exitcode(wait_until(lambda: os.waitpid(pid, os.WNOHANG)[1] or None, 20, "amp ends"))
        self.assertEqual(code, 143)
        wait_until(lambda: any(line.endswith("end") for line in project.ledger_lines()), 20, "the task goes on")
        self.finish(project, "a closed terminal")
        self.assert_no_orphans(project)

    def test_a_keeper_that_gets_signals(self) -> None:
        """Those that a terminal or a careless kill(1) sends: it ends its tasks or goes on; the run comes to its end."""
        for kind in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGSEGV):
            project, driver = self.running(0.3)
            for pid in project.keepers():
                kill_quietly(pid, kind)
            code = driver.wait(timeout=30 * SLOW)
            self.assertIn(code, (0, 5), f"{kind.name}: {project.output()}")
            self.finish(project, kind.name)
            self.assert_no_orphans(project)
            project.remove()


class Outputs(FaultTest):
    def test_nobody_takes_the_output(self) -> None:
        """A reader that never reads, one that goes away, and a full disk behind stdout: the run succeeds all the same."""
        flood = '[flow]\nname = "F"\n[step.one]\nforeach = "range(300)"\nrun = "echo $AMP_INDEX"\n'
        for how in ("closed", "unread", "full"):
            project = self.project(flood)
            if how == "full":
                streams: dict[str, object] = {"stdout": subprocess.DEVNULL, "stderr": open("/dev/full", "wb")}
            else:
                streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            driver = project.start("run", **streams)
            if how == "closed":
                driver.stdout.close()
                driver.stderr.close()
            wait_until(lambda p=project: p.runs() and p.runs()[0]["state"] == "succeeded", 60, f"the run ends, {how}")
            if how == "unread":  # what does not fit into the pipe waits for its reader, and for nothing else
                driver.communicate(timeout=20 * SLOW)
            self.assertIn(driver.wait(timeout=20 * SLOW), (0, 5), how)
            if how == "full":
                streams["stderr"].close()
            self.assertEqual(set(project.states().values()), {"succeeded"}, how)


if __name__ == "__main__":
    unittest.main()

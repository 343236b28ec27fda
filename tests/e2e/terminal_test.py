"""Signals, terminals, pipes and poor environments."""

import hashlib
import os
import pty
import select
import shutil
import signal
import subprocess
import time
import unittest

from harness import AMP, SLOW, AmpTest, Project, wait_until

LONG = """
[flow]
name = "Long"
[step.one]
foreach = "range(2)"
run = "echo start $AMP_INDEX >> $LEDGER; sleep 60; echo end >> $LEDGER"
[step.last]
when = "always()"
run = "echo cleaned >> $LEDGER"
"""
SHORT = '[flow]\nname = "Short"\n[step.one]\nrun = "echo hello"\n[step.two]\nneeds = "one"\nrun = "echo world"\n'


class Signals(AmpTest):
    def running(self) -> tuple[Project, subprocess.Popen[bytes]]:
        project = self.project(LONG)
        driver = project.start("run", "--max-workers", "2", start_new_session=True)
        wait_until(lambda: len(project.ledger_lines()) == 2, 20, "both tasks run")
        return project, driver

    def interrupted(self, number: int, code: int) -> None:
        """A graceful stop: the run is interrupted, nothing is left running, and it can be resumed."""
        project, driver = self.running()
        driver.send_signal(number)
        self.assertEqual(driver.wait(timeout=30 * SLOW), code, project.output())
        self.assert_no_orphans(project)
        self.assertIn(project.json("show")["state"], ("interrupted", "cancelled"))
        self.assertNotIn("end", project.ledger_lines())

    def test_interrupt_once(self) -> None:
        self.interrupted(signal.SIGINT, 130)

    def test_terminate(self) -> None:
        self.interrupted(signal.SIGTERM, 143)

    def test_a_hang_up_leaves_what_runs_to_the_keeper(self) -> None:
        """The terminal is gone, the tasks go on; resume takes over what they came to."""
        project = self.project('[flow]\nname = "H"\n[step.one]\nrun = "echo start >> $LEDGER; sleep 1; echo end >> $LEDGER"\n')
        driver = project.start("run", start_new_session=True)
        wait_until(lambda: project.ledger_lines(), 20, "the task runs")
        driver.send_signal(signal.SIGHUP)
        self.assertEqual(driver.wait(timeout=30 * SLOW), 143, project.output())
        wait_until(lambda: project.ledger_lines() == ["start", "end"], 20, "the task ends without an orchestrator")
        self.run_ok(project, "resume", "latest")
        self.assertEqual(project.ledger_lines(), ["start", "end"])
        self.assertEqual(project.states(), {"one/_": "succeeded"})
        self.assert_no_orphans(project)

    def test_interrupt_twice_cancels(self) -> None:
        project = self.project(LONG.replace("sleep 60", "trap '' TERM INT; sleep 3 & wait; wait"))
        driver = project.start("run", start_new_session=True)
        wait_until(lambda: len(project.ledger_lines()) == 2, 20, "both tasks run")
        driver.send_signal(signal.SIGINT)
        time.sleep(0.3)
        driver.send_signal(signal.SIGINT)
        self.assertEqual(driver.wait(timeout=40 * SLOW), 130, project.output())
        self.assert_no_orphans(project)

    def test_an_interrupted_run_is_resumed(self) -> None:
        project = self.project(
            '[flow]\nname = "I"\n[step.one]\nrun = "echo start >> $LEDGER; sleep ${NAP:-60}; echo end >> $LEDGER"\n'
        )
        driver = project.start("run", start_new_session=True)
        wait_until(lambda: project.ledger_lines(), 20, "the task runs")
        driver.send_signal(signal.SIGINT)
        driver.wait(timeout=30 * SLOW)
        self.run_ok(project, "resume", "latest", env={"NAP": "0.1"})
        self.assertEqual(project.ledger_lines(), ["start", "start", "end"])

    def test_control_c_reaches_amp_and_not_the_task_first(self) -> None:
        """A terminal signals the whole foreground group; tasks are in groups of their own."""
        project, driver = self.running()
        os.killpg(driver.pid, signal.SIGINT)
        self.assertEqual(driver.wait(timeout=30 * SLOW), 130)
        self.assert_no_orphans(project)


class Poor(AmpTest):
    def test_no_home(self) -> None:
        project = self.project(SHORT)
        self.run_ok(project, "run", env={"HOME": None, "USER": None})
        self.run_ok(project, "show", "latest", env={"HOME": None, "USER": None})

    def test_an_empty_environment(self) -> None:
        project = self.project('[flow]\nname = "E"\n[step.one]\nrun = ["/bin/echo", "hi"]\n')
        nothing: dict[str, str | None] = {name: None for name in project.environment if not name.startswith("AMP_E2E")}
        self.run_ok(project, "run", env=nothing)

    def test_closed_streams(self) -> None:
        project = self.project(SHORT)
        for closed in ((0,), (1,), (2,), (0, 1, 2)):
            line = " ".join(f"{number}>&-" for number in closed)
            code = subprocess.run(
                ["sh", "-c", f'exec "$0" run -q {line}', AMP],
                cwd=project.folder,
                env=project.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=60 * SLOW,
                check=False,
            ).returncode
            # The run itself succeeds; that its id could not be printed is an error.
            self.assertEqual(code, 5 if 1 in closed else 0, f"closed: {closed}")
            self.assertEqual(project.json("show")["state"], "succeeded", f"closed: {closed}")

    def test_a_closed_stdout(self) -> None:
        """What cannot be printed is an error of each command that prints; who prints nothing does not mind."""
        project = self.project(SHORT)
        self.run_ok(project, "run")
        for command, code in (
            ("show latest", 5),
            ("runs --json", 5),
            ("logs latest", 5),
            ("--version", 5),
            ("help", 5),
            ("tag add latest good", 0),
        ):
            with self.subTest(command):
                done = subprocess.run(
                    ["sh", "-c", f'exec "$0" {command} >&-', AMP],
                    cwd=project.folder,
                    env=project.environment,
                    stderr=subprocess.PIPE,
                    text=True,
                    check=False,
                )
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertEqual("cannot write standard output" in done.stderr, code != 0, done.stderr)

    def test_a_full_stdout(self) -> None:
        project = self.project(SHORT)
        self.run_ok(project, "run")
        with open("/dev/full", "wb") as full:
            result = subprocess.run(
                [AMP, "show", "latest"],
                cwd=project.folder,
                env=project.environment,
                stdout=full,
                stderr=subprocess.PIPE,
                check=False,
            )
        self.assertNotEqual(result.returncode, 0)
        self.assertGreater(result.returncode, 0)

    def test_head_takes_one_line(self) -> None:
        project = self.project('[flow]\nname = "H"\n[step.one]\nrun = "seq 100000"\n')
        self.run_ok(project, "run")
        for command in ("logs latest/one", "show latest", "runs", "explain", "--help"):
            script = f'"$0" {command} | head -1; echo "${{PIPESTATUS[0]}}"'
            result = subprocess.run(
                ["bash", "-c", script, AMP],
                cwd=project.folder,
                env=project.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=30 * SLOW,
                check=False,
            )
            lines = result.stdout.splitlines()
            self.assertEqual(len(lines), 2, result)
            self.assertIn(lines[1], ("0", "141"), f"{command}: {result}")
            self.assertEqual(result.stderr, "", command)

    def test_an_unwritable_project(self) -> None:
        project = self.project(SHORT)
        project.top.chmod(0o755)
        project.folder.chmod(0o555)
        amp = shutil.copy(AMP, project.top)  # a place that somebody else may enter
        other = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        result = subprocess.run(
            [amp, "run"],
            cwd=project.folder,
            env=project.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            **other,
        )
        self.assertIn(result.returncode, (5, 10), result)
        self.assertIn("Permission denied", result.stderr)

    def test_a_deleted_working_folder(self) -> None:
        project = self.project(SHORT)
        result = subprocess.run(
            ["sh", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$0" run', AMP],
            cwd=project.folder,
            env=project.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30 * SLOW,
            check=False,
        )
        self.assertNotIn(result.returncode, (0, 70), result)
        self.assertGreater(result.returncode, 0)


class Terminal(AmpTest):
    def in_terminal(
        self, project: Project, *arguments: str, env: dict[str, str | None] | None = None, typed: tuple[str, bytes] = ("", b"")
    ) -> tuple[int, str]:
        """Exit code and everything that amp wrote to a terminal of its own. `typed`: after which words the keys are pressed."""
        question, keys = typed
        pid, terminal = pty.fork()
        if pid == 0:
            try:
                os.chdir(project.folder)
                os.execve(AMP, [str(AMP), *arguments], project.environment_with({"TERM": "xterm", **(env or {})}))
            finally:
                os._exit(127)
        output = b""
        deadline = time.monotonic() + 60 * SLOW
        while time.monotonic() < deadline:
            ready, _, _ = select.select([terminal], [], [], 1)
            try:
                data = os.read(terminal, 65536) if ready else None
            except OSError:  # the other end is closed
                break
            if data == b"":
                break
            output += data or b""
            if keys and question.encode() in output:
                os.write(terminal, keys)
                keys = b""
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), output.decode(errors="replace")

    def test_a_run(self) -> None:
        project = self.project(SHORT)
        code, output = self.in_terminal(project, "run")
        self.assertEqual(code, 0, output)
        self.assertEqual(project.json("show")["state"], "succeeded")

    def test_a_secret_is_asked_for_and_not_shown(self) -> None:
        project = self.project(
            '[flow]\nname = "Ask"\n[params]\ntoken = { type = "secret" }\n[step.one]\nparams = ["token"]\n'
            'run = "printf %s \\"$AMP_PARAM_TOKEN\\" | sha256sum >> $LEDGER; test -e mended"\n'
        )
        expected = hashlib.sha256("canary-é33".encode()).hexdigest() + "  -"
        typed = ("token", "wrong\x15canary-éé\x7fx\x7f33\r".encode())
        code, output = self.in_terminal(project, "run", typed=typed)
        self.assertEqual((code, project.ledger_lines()), (1, [expected]), output)
        self.assertNotIn("canary", output)
        (project.folder / "mended").touch()
        code, output = self.in_terminal(project, "resume", typed=typed)
        self.assertEqual((code, project.ledger_lines()), (0, [expected] * 2), output)

    def test_a_secret_that_is_not_given(self) -> None:
        project = self.project('[flow]\nname = "Ask"\n[params]\ntoken = { type = "secret" }\n[step.one]\nrun = "true"\n')
        self.assertEqual(self.in_terminal(project, "run", typed=("token", b"abc\x03"))[0], 130)
        self.assertEqual(self.in_terminal(project, "run", typed=("token", b"\x04"))[0], 143)
        code, output = self.in_terminal(project, "run", typed=("token", b"\r"))
        self.assertEqual(code, 3, output)
        self.assertIn("has no value", output)
        self.assertEqual(project.amp("run").code, 3)
        code, output = self.in_terminal(project, "run", "--no-input")
        self.assertEqual(code, 3, output)
        self.assertNotIn("not shown", output)
        self.assertEqual(project.runs(), [])

    def test_colour_is_an_offer(self) -> None:
        project = self.project(SHORT)
        self.run_ok(project, "run")
        self.assertIn("\x1b[", self.in_terminal(project, "show", "latest")[1])
        self.assertNotIn("\x1b[", self.in_terminal(project, "show", "latest", env={"NO_COLOR": "1"})[1])
        self.assertNotIn("\x1b[", self.in_terminal(project, "show", "latest", "--color=never")[1])
        self.assertNotIn("\x1b[", self.run_ok(project, "show", "latest").out)
        self.assertIn("\x1b[", self.run_ok(project, "show", "latest", "--color=always").out)

    def test_what_a_task_prints_cannot_drive_the_terminal(self) -> None:
        project = self.project(
            '[flow]\nname = "T"\n[step.one]\nrun = "printf \'\\\\033]0;owned\\\\007\\\\033[2Jx\\\\n\' >&2; exit 1"\n'
        )
        code, output = self.in_terminal(project, "run")
        self.assertEqual(code, 1, output)
        self.assertNotIn("\x1b]0;owned", output)
        self.assertNotIn("\x1b[2J", output)

    def test_no_escapes_without_a_terminal(self) -> None:
        project = self.project(SHORT)
        result = self.run_ok(project, "run", env={"CI": "true"})
        self.assertNotIn("\x1b", result.out + result.err)
        self.assertNotIn("\r", result.out + result.err)


if __name__ == "__main__":
    unittest.main()

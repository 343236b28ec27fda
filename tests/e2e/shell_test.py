"""amp shell: a terminal in a task's place; and places that are held for one after a failure (--hold-on-fail)."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unittest
from pathlib import Path

from harness import AMP, SLOW, AmpTest, Project, decode, has_ended, kill_quietly, wait_until

FLOW = """
[flow]
name = "Shell"

[params]
lr = 0.1

[step.prepare]
cwd = "task"
run = "echo data > set.txt; amp put n 7; amp put set @set.txt"

[step.each]
needs = "prepare"
foreach = "['a', 'b']"
env = { COLOUR = "blue" }
outputs = { model = { path = "model", type = "file" } }
run = '''
echo did {{ item }} {{ prepare.n }} {{ params.lr }}
cat {{ prepare.set }} > {{ outputs.model }}
[ {{ item }} = a ] || exit 3
'''
"""


class Terminal:
    """amp in a terminal of its own."""

    def __init__(self, project: Project, *arguments: str, env: dict[str, str | None] | None = None) -> None:
        (project.home / ".bashrc").write_text("PS1='ready> '; HISTFILE=; bind 'set enable-bracketed-paste off'\n")
        settings = {"TERM": "xterm", "SHELL": "/bin/bash", **(env or {})}
        words = [*project.prefix, str(AMP), *arguments]
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(project.folder)
                os.execvpe(words[0], words, project.environment_with(settings))
            finally:
                os._exit(127)
        self.text = ""
        self.open = True

    def read(self) -> None:
        ready, _, _ = select.select([self.fd], [], [], 0.1)
        try:
            data = os.read(self.fd, 65536) if ready else None
        except OSError:
            data = b""
        self.open = data != b""
        self.text += decode(data).replace("\r\n", "\n")

    def wait_for(self, pattern: str, seconds: float = 20) -> str:
        deadline = time.monotonic() + seconds * SLOW
        while not (found := re.search(pattern, self.text)):
            if not self.open or time.monotonic() > deadline:
                raise AssertionError(f"'{pattern}' was not shown:\n{self.text}")
            self.read()
        shown, self.text = self.text[: found.end()], self.text[found.end() :]
        return shown

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def end(self, seconds: float = 20) -> int:
        deadline = time.monotonic() + seconds * SLOW
        while time.monotonic() < deadline:
            if self.open:
                self.read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
        raise AssertionError(f"amp does not end:\n{self.text}")

    def close(self) -> None:
        os.close(self.fd)
        self.open = False


class ShellTest(AmpTest):
    def failed_run(self) -> Project:
        project = self.project(FLOW)
        self.assert_code(1, project.amp("run"))
        return project

    def terminal(self, project: Project, *arguments: str, **options: dict[str, str | None]) -> Terminal:
        terminal = Terminal(project, *arguments, **options)
        self.addCleanup(lambda: kill_quietly(terminal.pid) if not has_ended(terminal.pid) else None)
        return terminal


class OneCommand(ShellTest):
    """Without a terminal: -c."""

    def test_what_the_task_would_get(self) -> None:
        project = self.failed_run()
        command = 'echo "$PWD|$AMP_ITEM|$AMP_PARAM_LR|$COLOUR|$AMP_TASK"; cat "$AMP_IN/set"; ls "$AMP_OUT"; exit 7'
        result = project.amp("shell", "each/1", "-c", command)
        self.assert_code(7, result)
        run = project.runs()[0]["run"]
        place, *rest = result.out.splitlines()
        self.assertRegex(place, rf'^/.*/code\|"b"\|0\.1\|blue\|{run}/each/1$')
        self.assertEqual(rest, ["data"])
        self.assertFalse(Path(place.split("|")[0]).exists(), "what was laid goes with the shell")
        self.assert_no_orphans(project)

    def test_how_a_task_is_named(self) -> None:
        project = self.failed_run()
        run = project.runs()[0]["run"]
        for words in (("each/1",), ("latest/each/1",), ("latest", "each/1"), (f"{run}/each/1",), (run, "each/1")):
            with self.subTest(words):
                self.assertEqual(self.run_ok(project, "shell", *words, "-c", "echo $AMP_INDEX").out, "1\n")
        self.assertEqual(self.run_ok(project, "shell", "prepare", "-c", "echo $AMP_STEP").out, "prepare\n")
        for words, code in ((("each",), 2), (("each/9",), 7), (("latest", "eech"), 7), (("@none",), 2)):
            with self.subTest(words):
                self.assert_code(code, project.amp("shell", *words, "-c", "true"))

    def test_its_command_can_be_done(self) -> None:
        project = self.failed_run()
        result = project.amp("shell", "each/1", "-c", '$AMP_COMMAND; echo "exit $?"; cat "$AMP_OUT/model"')
        self.assertEqual(result.out, "did b 7 0.1\nexit 3\ndata\n")
        self.assertEqual(len(project.runs()), 1)

    def test_streams_are_its_own(self) -> None:
        project = self.failed_run()
        result = project.amp("shell", "each/0", "-c", "cat; echo no >&2", stdin=b"in\n")
        self.assertEqual((result.code, result.out, result.err), (0, "in\n", "no\n"))

    def test_a_flow_that_has_not_run(self) -> None:
        project = self.project(FLOW)
        result = project.amp("shell", "prepare", "-c", 'echo "$AMP_STEP $PWD"; $AMP_COMMAND; ls "$AMP_OUT"')
        self.assert_code(0, result)
        first, *made = result.out.splitlines()
        self.assertRegex(first, r"^prepare /.*/task$")
        self.assertEqual(made, ["n.json", "set"])
        self.assertEqual(project.runs(), [])
        refused = project.amp("shell", "each/1", "-c", "true")  # needs what prepare makes
        self.assertIn(refused.code, (3, 7), str(refused))
        self.assertNotIn("internal", refused.err)

    def test_a_list_of_a_flow_that_has_not_run(self) -> None:
        project = self.project('[flow]\nname = "L"\n[step.a]\nforeach = "[3, 4]"\nrun = "echo {{ item }}"\n')
        self.assertEqual(self.run_ok(project, "shell", "a/1", "-c", "$AMP_COMMAND; pwd").out, f"4\n{project.folder}\n")

    def test_no_terminal_and_no_command(self) -> None:
        project = self.failed_run()
        result = project.amp("shell", "each/1")
        self.assert_code(2, result)
        self.assertIn("needs a terminal", result.err)
        self.assertIn("-c", result.err)

    def test_its_gpu_is_claimed(self) -> None:
        name = f"e2e-shell-{os.getpid()}"
        flow = '[flow]\nname = "G"\n[step.one]\nrun = "echo $CUDA_VISIBLE_DEVICES"\nresources = { cpu = 0.1, gpu = 1 }\n'
        project = self.project(flow)
        env = {"CUDA_VISIBLE_DEVICES": name}
        self.run_ok(project, "run", env=env)
        again = f'echo $CUDA_VISIBLE_DEVICES; CUDA_VISIBLE_DEVICES={name} AMP_TASK_DIR= {AMP} shell one -c true; echo $?'
        result = self.run_ok(project, "shell", "one", "-c", again, env=env)
        self.assertEqual(result.out.splitlines(), [name, "75"], result.err)
        self.assertIn("needs 1 gpu", result.err)

    def test_secrets_are_there(self) -> None:
        flow = '[flow]\nname = "S"\n[step.one]\nrun = "true"\nsecrets = { KEY = "env:MINE" }\n'
        project = self.project(flow)
        env = {"MINE": "hush-hush"}
        self.run_ok(project, "run", env=env)
        self.assertEqual(self.run_ok(project, "shell", "one", "-c", "echo $KEY", env=env).out, "hush-hush\n")


class InATerminal(ShellTest):
    def test_a_session(self) -> None:
        project = self.failed_run()
        terminal = self.terminal(project, "shell", "each/1")
        banner = terminal.wait_for("ready> ")
        self.assertIn("each/1", banner)
        self.assertIn("$AMP_COMMAND", banner)
        self.assertIn("not kept", banner)
        terminal.type('echo "<$AMP_ITEM>"\n')
        terminal.wait_for(r'<"b">\n(.|\n)*ready> ')
        terminal.type("sleep 600\n")
        wait_until(lambda: any(words[-1:] == ["600"] for words in project.processes().values()), 20, "it sleeps")
        terminal.type("\x03")  # Ctrl-C: of the shell's job alone
        terminal.wait_for("ready> ")
        terminal.type("sleep 601\n")
        wait_until(lambda: any(words[-1:] == ["601"] for words in project.processes().values()), 20, "it sleeps")
        terminal.type("\x1a")  # Ctrl-Z
        terminal.wait_for(r"Stopped(.|\n)*ready> ")
        terminal.type("kill %1; exit 6\n")
        terminal.type("exit 6\n")
        self.assertEqual(terminal.end(), 6, terminal.text)
        self.assert_no_orphans(project)

    def test_the_size_of_the_window(self) -> None:
        project = self.failed_run()
        terminal = self.terminal(project, "shell", "each/0")
        terminal.wait_for("ready> ")
        terminal.type("trap 'echo size $(stty size)' WINCH\n")
        terminal.wait_for("ready> ")
        fcntl.ioctl(terminal.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
        terminal.type("\n")
        terminal.wait_for("size 33 77")
        terminal.type("exit\n")
        self.assertEqual(terminal.end(), 0)

    def test_a_terminal_that_closes(self) -> None:
        """All of it ends, and its GPU is free."""
        name = f"e2e-hang-{os.getpid()}"
        flow = '[flow]\nname = "G"\n[step.one]\nrun = "true"\nresources = { cpu = 0.1, gpu = 1 }\n'
        project = self.project(flow)
        env: dict[str, str | None] = {"CUDA_VISIBLE_DEVICES": name}
        self.run_ok(project, "run", env=env)
        terminal = self.terminal(project, "shell", "one", env=env)
        terminal.wait_for("ready> ")
        terminal.type("(trap '' HUP TERM; sleep 600) & echo begun\n")
        terminal.wait_for("\nbegun")
        self.assert_code(75, project.amp("shell", "one", "-c", "true", env=env))
        terminal.close()
        terminal.end()
        self.assert_no_orphans(project)
        self.run_ok(project, "shell", "one", "-c", "true", env=env)
        self.assertEqual(list(project.top.glob("amp-shell-*")), [])

    def test_a_shell_that_is_killed_leaves_the_terminal_as_it_was(self) -> None:
        project = self.failed_run()
        terminal = self.terminal(project, "shell", "each/0")
        before = termios.tcgetattr(terminal.fd)
        terminal.wait_for("ready> ")
        terminal.type("stty raw -echo; echo pid=$$\n")
        found = re.search(r"pid=(\d+)\D", terminal.wait_for(r"pid=\d+\D"))
        assert found is not None
        kill_quietly(int(found[1]))
        deadline = time.monotonic() + 20 * SLOW
        modes = None
        while modes != before and time.monotonic() < deadline and not has_ended(terminal.pid):
            modes = termios.tcgetattr(terminal.fd)
            time.sleep(0.002)
        self.assertEqual(terminal.end(), 128 + signal.SIGKILL)
        self.assertEqual(termios.tcgetattr(terminal.fd)[:4], before[:4])

    def test_it_is_told_to_end(self) -> None:
        project = self.failed_run()
        terminal = self.terminal(project, "shell", "each/0")
        terminal.wait_for("ready> ")
        os.kill(terminal.pid, signal.SIGTERM)
        self.assertNotEqual(terminal.end(), 0)
        self.assert_no_orphans(project)


HELD = """
[flow]
name = "Held"
[step.one]
run = "echo half > $AMP_OUT/model; echo note > $AMP_TASK_DIR/trace; echo $CUDA_VISIBLE_DEVICES; exit 4"
resources = { cpu = 0.1, gpu = 1 }
env = { COLOUR = "blue" }
[step.other]
run = "echo other >> $LEDGER"
resources = { cpu = 0.1 }
"""
GPU = '[flow]\nname = "Wants"\n[step.one]\nrun = "echo got >> $LEDGER"\nresources = { cpu = 0.1, gpu = 1 }\n'


class Holds(ShellTest):
    def setUp(self) -> None:
        self.gpu = f"e2e-hold-{os.getpid()}-{self._testMethodName}"
        self.env: dict[str, str | None] = {"CUDA_VISIBLE_DEVICES": self.gpu}

    def held(self, time_: str = "30m", flow: str = HELD) -> tuple[Project, subprocess.Popen[bytes]]:
        """A run whose step `one` has failed, and is held."""
        project = self.project(flow)
        driver = project.start("run", "--keep-going", "--hold-on-fail", time_, env={**self.env, "INHERITED": "yes"})
        self.addCleanup(lambda: (driver.kill(), driver.wait()) if driver.poll() is None else None)
        wait_until(lambda: "is held until" in project.output(), 30, "it is held")
        return project, driver

    def assert_free(self, seconds: float = 20) -> None:
        other = self.project(GPU)
        self.run_ok(other, "run", env=self.env, seconds=seconds)

    def assert_taken(self) -> None:
        other = self.project(GPU)
        waits = other.start("run", env=self.env)
        wait_until(lambda: "that another run holds" in other.output(), 20, "it waits for the GPU")
        self.assertEqual(other.ledger_lines(), [])
        waits.terminate()
        waits.wait(20 * SLOW)
        other.kill_all()

    def ends(self, project: Project, driver: subprocess.Popen[bytes], code: int = 1) -> None:
        self.assertEqual(driver.wait(20 * SLOW), code, project.output())
        self.assert_no_orphans(project)
        self.assertEqual(list(project.top.glob("amp-*/*-1-*")), [], "its folders are gone")
        self.assertEqual(list((project.folder / ".amp").rglob("holds/*")), [])
        self.run_ok(project, "fsck")

    def test_the_place_is_that_of_the_failure(self) -> None:
        project, driver = self.held()
        self.assertEqual(project.ledger_lines(), ["other"])
        command = "cat $AMP_OUT/model $AMP_TASK_DIR/trace; echo $COLOUR $CUDA_VISIBLE_DEVICES $INHERITED"
        result = project.amp("shell", "one", "-c", command + "; echo more >> $AMP_OUT/model")
        self.assertEqual(result.out, f"half\nnote\nblue {self.gpu} yes\n", str(result))
        self.assertIn("is held until", result.err)
        self.assertEqual(self.run_ok(project, "shell", "one", "-c", "cat $AMP_OUT/model").out, "half\nmore\n")
        self.assert_taken()
        task = project.tasks()["one/_"]
        self.assertEqual(task["state"], "failed")
        self.assertRegex(task["held_until"], r"^\d{4}-.*Z$")
        shown = self.run_ok(project, "show").out
        self.assertIn(f"amp shell {project.runs()[0]['run']}/one", shown)
        self.assertIsNone(driver.poll())
        result = self.run_ok(project, "shell", "one", "--release")
        self.assertIn("free again", result.err)
        self.ends(project, driver)
        self.assert_free()
        self.assertIsNone(project.tasks()["one/_"]["held_until"])
        self.assert_code(7, project.amp("shell", "one", "--release"))

    def test_until_its_time_is_over(self) -> None:
        project, driver = self.held("2s")
        self.ends(project, driver)
        self.assertIn("free again", project.output())
        self.assert_free()

    def test_who_is_inside_is_not_thrown_out(self) -> None:
        project, driver = self.held("3s")
        terminal = self.terminal(project, "shell", "one", env=self.env)
        banner = terminal.wait_for("ready> ")
        self.assertIn("as it failed", banner)
        time.sleep(5)  # longer than it is held: nothing happens then, which is what is tested
        self.assertIsNone(driver.poll(), project.output())
        terminal.type("cat $AMP_OUT/model\n")
        terminal.wait_for("\nhalf\n")
        terminal.type("exit\n")
        self.assertEqual(terminal.end(), 0)
        self.assertIn("its time is over", terminal.text)
        self.ends(project, driver)

    def test_cancel_frees_it_and_ends_the_shell(self) -> None:
        project, driver = self.held()
        terminal = self.terminal(project, "shell", "one", env=self.env)
        terminal.wait_for("ready> ")
        self.run_ok(project, "cancel")
        self.assertEqual(terminal.end(), 7, terminal.text)
        self.assertIn("held no longer", terminal.text)
        self.assertIn(driver.wait(20 * SLOW), (1, 9))
        self.assert_no_orphans(project)
        self.assert_free()

    def test_an_interrupt_frees_it(self) -> None:
        project, driver = self.held()
        driver.send_signal(signal.SIGINT)
        self.ends(project, driver)
        self.assertEqual(project.json("show")["state"], "failed")
        self.assert_free()

    def test_the_orchestrator_is_killed(self) -> None:
        project, driver = self.held()
        driver.kill()
        driver.wait()
        self.assertIsNone(project.tasks()["one/_"]["held_until"])
        wait_until(lambda: not project.keepers(), 60, "its keeper ends")
        self.assertEqual(list(project.top.glob("amp-*/*-1-*")), [])
        self.assert_free()
        self.assert_code(1, project.amp("resume", env=self.env))

    def test_the_keeper_is_killed(self) -> None:
        project, driver = self.held()
        for pid in project.keepers():
            kill_quietly(pid)
        self.assertEqual(driver.wait(20 * SLOW), 1, project.output())
        self.assert_free()
        self.assert_code(1, project.amp("resume", env=self.env))
        self.assertEqual(list(project.top.glob("amp-*/*-1-*")), [], "whoever drives next removes it")

    def test_only_what_has_failed_for_good(self) -> None:
        """Not the attempts before the last, nor what is caught, nor what succeeds."""
        flow = """
        [flow]
        name = "Retried"
        [step.one]
        run = "echo $AMP_ATTEMPT $CUDA_VISIBLE_DEVICES >> $LEDGER; exit 1"
        retry = 2
        resources = { cpu = 0.1, gpu = 1 }
        [step.caught]
        run = "exit 1"
        catch = true
        """
        project, driver = self.held(flow=flow)
        self.assertEqual(project.ledger_lines(), [f"{i} {self.gpu}" for i in (1, 2, 3)])
        self.assertEqual({name for name, task in project.tasks().items() if task["held_until"]}, {"one/_"})
        self.assertEqual(self.run_ok(project, "shell", "one", "-c", "echo $AMP_ATTEMPT").out, "3\n")
        self.run_ok(project, "shell", "one", "--release")
        self.ends(project, driver)
        fine = self.project(GPU)
        self.run_ok(fine, "run", "--hold-on-fail", "30m", env=self.env)

    def test_of_a_resume_and_a_detached_run(self) -> None:
        project, driver = self.held("1s")
        driver.wait(30 * SLOW)
        self.run_ok(project, "resume", "--hold-on-fail", "30m", "--detach", env=self.env)
        wait_until(lambda: project.tasks()["one/_"]["held_until"], 20, "it is held")
        self.assertEqual(self.run_ok(project, "shell", "one", "-c", "echo $AMP_ATTEMPT").out, "2\n")
        self.run_ok(project, "cancel")
        self.assert_no_orphans(project)

    def test_what_is_no_time(self) -> None:
        project = self.project(HELD)
        for text in ("soon", "0s", "-1m"):
            self.assert_code(2, project.amp("run", f"--hold-on-fail={text}"))


if __name__ == "__main__":
    unittest.main()

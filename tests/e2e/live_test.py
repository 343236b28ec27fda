"""How a run is told while it goes on: at a terminal (tmux is one), in a notebook, in CI, in poor surroundings."""

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
import unittest
from collections.abc import Callable
from pathlib import Path

from harness import AMP, RUN_ID, SLOW, AmpTest, Project, decode, wait_until

FAILS = """
[flow]
name = "Fails"
[step.prepare]
run = "echo ready"
[step.train]
needs = "prepare"
foreach = "range(4)"
run = "sleep 0.$((3 + AMP_INDEX)); if [ $AMP_INDEX = 1 ]; then echo words of the failed; exit 3; fi"
[step.judge]
needs = "train"
join = true
run = "true"
"""
# Goes on until a file is there.
HELD = """
[flow]
name = "Held"
[step.one]
run = "until test -e go; do sleep 0.05; done"
[step.many]
foreach = "range(3)"
run = "until test -e go; do sleep 0.05; done"
"""
BAR = re.compile("[━─]")
CURSOR_MOVE = re.compile(r"\x1b\[[0-9;?]*[A-HJKhlf]")


class Tmux:
    """A terminal of its own, with a shell in it."""

    def __init__(self, project: Project, columns: int, rows: int, **env: str) -> None:
        self.socket = str(project.top / f"tmux{time.monotonic_ns()}")
        # A process with the project's marker would be taken for one that amp left behind.
        self.environment = {name: value for name, value in project.environment.items() if name != "AMP_E2E"}
        shell = ["env", "PS1=$ ", "bash", "--norc", "--noprofile"]
        self.call("new-session", "-d", "-s", "t", "-x", str(columns), "-y", str(rows), *shell)
        settings = " ".join(f"{name}={value}" for name, value in {"AMP_E2E": project.environment["AMP_E2E"], **env}.items())
        self.type(f"cd {project.folder}; export {settings}; amp() {{ {AMP} \"$@\"; }}; clear")
        wait_until(lambda: self.screen() == ["$"], 10, "the shell is ready")

    def call(self, *arguments: str) -> str:
        command = ["tmux", "-S", self.socket, "-f", "/dev/null", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=20 * SLOW, check=False)
        if done.returncode != 0:
            raise AssertionError(f"tmux {arguments}: {done.stderr}")
        return done.stdout

    def type(self, line: str) -> None:
        self.call("send-keys", "-t", "t", "-l", line)
        self.key("Enter")

    def key(self, key: str) -> None:
        self.call("send-keys", "-t", "t", key)

    def screen(self, history: bool = False, colour: bool = False) -> list[str]:
        """Its lines without the empty ones at the end; those that were wrapped are one."""
        text = self.call("capture-pane", "-p", "-J", "-t", "t", *(["-S", "-"] if history else []), *(["-e"] if colour else []))
        lines = [line.rstrip() for line in text.splitlines()]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def wait_for(self, what: Callable[[list[str]], bool], name: str, history: bool = False) -> list[str]:
        try:
            return wait_until(lambda: (lines := self.screen(history)) and what(lines) and lines, 30, name)
        except AssertionError as error:
            raise AssertionError(f"{error}\n" + "\n".join(self.screen(True))) from None

    def wait_for_text(self, text: str) -> list[str]:
        return self.wait_for(lambda lines: any(text in line for line in lines), f"'{text}' is shown")

    def wait_for_prompt(self, history: bool = True) -> list[str]:
        return self.wait_for(lambda lines: lines[-1] == "$" and len(lines) > 1, "the prompt is back", history)

    def cursor_is_shown(self) -> bool:
        return self.call("display-message", "-p", "-t", "t", "#{cursor_flag}").strip() == "1"

    def end(self) -> None:
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], capture_output=True, check=False)


@unittest.skipUnless(shutil.which("tmux"), "SKIPPED, NOT TESTED: there is no tmux")
class Live(AmpTest):
    def terminal(self, project: Project, columns: int = 80, rows: int = 24, **env: str) -> Tmux:
        tmux = Tmux(project, columns, rows, **env)
        self.addCleanup(tmux.end)
        return tmux

    def assert_whole(self, tmux: Tmux, lines: list[str]) -> None:
        """No trace of the region is left."""
        text = "\n".join(lines)
        self.assertIsNone(BAR.search(text), text)
        self.assertNotIn("total", text)
        self.assertTrue(tmux.cursor_is_shown())

    def test_failures_scroll_up_and_stay_once(self) -> None:
        for columns, rows in ((80, 24), (200, 50), (40, 8)):
            project = self.project(FAILS)
            tmux = self.terminal(project, columns, rows)
            tmux.type("amp run --keep-going --max-workers 2")
            shown = tmux.wait_for(lambda lines: any("1 running" in line or "2 running" in line for line in lines), "it runs")
            self.assertTrue(any(line.strip().startswith("total") for line in shown), shown)
            lines = tmux.wait_for_prompt()
            self.assert_whole(tmux, lines)
            run = project.runs()[0]["run"]
            told = [re.sub(r"\d\d:\d\d:\d\d |\b\d+(\.\d+)?m?s\b", "_", line) for line in lines]
            self.assertEqual(
                told,
                [
                    "$ amp run --keep-going --max-workers 2",
                    run,
                    f"_run {run} started",
                    "_train/1 failed: user: exit status 3",
                    "    | words of the failed",
                    f"    log:    amp logs {run}/train/1",
                    f"    replay: amp replay {run}/train/1",
                    f"_run {run} failed after _: 4 succeeded, 1 failed, 1 blocked",
                    "    1 task failed:",
                    "      train/1: user: exit status 3",
                    f"    go on with: amp resume {run}",
                    "$",
                ],
                "\n".join(lines),
            )
            self.assert_no_orphans(project)

    def test_stopped_and_in_the_foreground_again(self) -> None:
        project = self.project(HELD)
        tmux = self.terminal(project)
        tmux.type("amp run --max-workers 4")
        tmux.wait_for_text("running")
        tmux.key("C-z")
        tmux.wait_for_text("Stopped")
        self.assertTrue(tmux.cursor_is_shown())
        tmux.type("clear; echo between")
        tmux.wait_for_text("between")
        tmux.type("clear; fg")
        tmux.wait_for_text("total")
        (project.folder / "go").touch()
        lines = tmux.wait_for_prompt(history=False)
        self.assert_whole(tmux, lines)
        self.assertEqual(sum("succeeded after" in line for line in lines), 1, lines)
        self.assertEqual(project.json("show")["state"], "succeeded")

    def test_in_the_background_it_draws_nothing(self) -> None:
        project = self.project(HELD)
        tmux = self.terminal(project)
        tmux.type("amp run --max-workers 4 & sleep 1.5; echo later")
        tmux.wait_for_text("later")
        self.assertIsNone(BAR.search("\n".join(tmux.screen())))
        (project.folder / "go").touch()
        tmux.wait_for_text("succeeded after")

    def test_resized_while_it_runs(self) -> None:
        project = self.project(HELD)
        tmux = self.terminal(project, 120, 30)
        tmux.type("amp run --max-workers 4")
        tmux.wait_for_text("running")
        for columns, rows in ((50, 12), (30, 30), (90, 20), (25, 6)):
            tmux.call("resize-window", "-t", "t", "-x", str(columns), "-y", str(rows))
            time.sleep(1.2)
            shown = tmux.screen()
            self.assertLess(max(map(len, shown)), columns)
            self.assertEqual(sum(line.strip().startswith("total") for line in shown), 1, f"{columns}x{rows}: {shown}")
            self.assertTrue(tmux.cursor_is_shown())
        (project.folder / "go").touch()
        self.assert_whole(tmux, tmux.wait_for_prompt(history=False))

    def test_an_interrupt_is_told_in_peace(self) -> None:
        project = self.project(HELD)
        tmux = self.terminal(project)
        tmux.type("amp run --max-workers 4")
        tmux.wait_for_text("running")
        tmux.key("C-c")
        lines = tmux.wait_for_prompt()
        self.assert_whole(tmux, lines)
        text = "\n".join(lines)
        self.assertNotIn("^C", text)
        self.assertRegex(text, r"note: interrupted: ending \d tasks \(again: kill them at once\)\n")
        self.assertIn("go on with: amp resume", text)
        self.assert_no_orphans(project)

    def test_attached_it_shows_what_runs_already(self) -> None:
        project = self.project(HELD)
        run = self.run_ok(project, "run", "-q", "--detach", "--max-workers", "4").out.strip()
        wait_until(lambda: "running" in project.states().values(), 20, "a task runs")
        tmux = self.terminal(project)
        tmux.type("amp attach latest")
        tmux.wait_for_text("many/0")
        (project.folder / "go").touch()
        lines = tmux.wait_for_prompt()
        self.assert_whole(tmux, lines)
        self.assertRegex("\n".join(lines), f"run {run} succeeded: 4 succeeded\n")

    def test_what_waits_is_shown_until_it_does_not(self) -> None:
        project = self.project(
            '[flow]\nname = "W"\n[step.check]\nwait = { file = "here" }\nrun = "until test -e go; do sleep 0.05; done"\n'
            '[step.publish]\nneeds = "check"\nwait = "approval"\nrun = "true"\n'
        )
        tmux = self.terminal(project)
        tmux.type("amp run")
        tmux.wait_for_text("waits for file /")
        (project.folder / "here").touch()
        tmux.wait_for_text("1 running")
        self.assertNotIn("waits", "\n".join(tmux.screen()))
        (project.folder / "go").touch()
        tmux.wait_for_text("answer with: amp approve")
        other = self.terminal(project)
        other.type("amp attach latest")
        other.wait_for_text("answer with: amp approve")
        tmux.wait_for(lambda lines: lines[-1].startswith("    publish "), "the region says that it waits")
        self.run_ok(project, "approve", "latest/publish")
        self.assert_whole(tmux, tmux.wait_for_prompt())
        self.assert_whole(other, other.wait_for_prompt())

    def test_killed_it_leaves_a_cursor(self) -> None:
        project = self.project(HELD)
        tmux = self.terminal(project)
        tmux.type("amp run --max-workers 4")
        tmux.wait_for_text("running")
        tmux.call("send-keys", "-t", "t", "")
        for pid, arguments in project.processes().items():
            if arguments[1:2] == ["run"]:
                os.kill(pid, signal.SIGKILL)
        tmux.wait_for_text("Killed")
        self.assertTrue(tmux.cursor_is_shown())

    def test_ten_thousand_tasks(self) -> None:
        project = self.project('[flow]\nname = "Big"\n[step.a]\nforeach = "range(10000)"\nrun = ["/bin/true"]\n')
        tmux = self.terminal(project, 200, 50)
        tmux.type("amp run --max-workers 2")
        tmux.wait_for_text("/10,000")
        began = time.monotonic()
        while project.runs()[0]["state"] == "running" and time.monotonic() < began + 100 * SLOW:
            shown = tmux.screen()
            self.assertLessEqual(len(shown), 12, shown)
            time.sleep(0.5)
        lines = tmux.wait_for_prompt()
        self.assert_whole(tmux, lines)
        self.assertEqual(len(lines), 6, lines)
        self.assertIn(": 10000 succeeded", lines[3])

    def test_without_unicode(self) -> None:
        project = self.project(HELD)
        tmux = self.terminal(project, LANG="C", LC_ALL="C")
        tmux.type("amp run --max-workers 4")
        text = "\n".join(tmux.wait_for_text("running"))
        self.assertIn("------", text)
        self.assertTrue(text.isascii(), text)
        (project.folder / "go").touch()
        self.assertTrue("\n".join(tmux.wait_for_prompt()).isascii())

    def test_without_colour(self) -> None:
        project = self.project(HELD)
        for env, coloured in (({"NO_COLOR": "1"}, False), ({}, True)):
            tmux = self.terminal(project, **env)
            tmux.type("amp run --max-workers 4")
            tmux.wait_for_text("many/0")
            self.assertEqual("\x1b[" in "\n".join(tmux.screen(colour=True)), coloured)
            (project.folder / "go").touch()
            tmux.wait_for_prompt()
            (project.folder / "go").unlink()
            tmux.end()


class Written(AmpTest):
    """The very bytes."""

    def in_terminal(self, project: Project, *arguments: str, env: dict[str, str | None] | None = None) -> tuple[int, str]:
        """Exit code and what amp writes to a terminal of 60 columns."""
        pid, terminal = pty.fork()
        if pid == 0:
            try:
                os.chdir(project.folder)
                os.execve(AMP, [str(AMP), *arguments], project.environment_with({"TERM": "xterm", **(env or {})}))
            finally:
                os._exit(127)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
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
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), decode(output).replace("\r\n", "\n")

    def test_lines_where_nothing_can_be_drawn(self) -> None:
        project = self.project(FAILS)
        for env in ({"TERM": "dumb"}, {"TERM": None}, {"CI": "true"}, {"CI": "1", "JPY_SESSION_NAME": "x"}):
            code, output = self.in_terminal(project, "run", "--color=never", env=env)
            self.assertEqual(code, 1, output)
            self.assertNotIn("\x1b", output, env)
            self.assertNotIn("\r", output, env)
            self.assertIn("prepare started", output)
        self.assertNotIn("\x1b", self.in_terminal(project, "run", env={"TERM": "dumb"})[1])

    def test_quiet_and_json_draw_nothing(self) -> None:
        project = self.project(FAILS)
        for option in ("--quiet", "--json", "--events"):
            arguments = ["--events=ndjson"] if option == "--events" else [option]
            output = self.in_terminal(project, "run", *arguments)[1]
            self.assertIsNone(CURSOR_MOVE.search(output), output)

    def test_frames_leave_the_cursor_below_and_shown(self) -> None:
        code, output = self.in_terminal(self.project(FAILS), "run", "--keep-going")
        self.assertEqual(code, 1, output)
        self.assertEqual(output.count("\x1b[?25l"), output.count("\x1b[?25h"))
        self.assertGreater(output.count("\x1b[?25l"), 1)
        self.assertIn("\x1b[J", output)

    def test_a_notebook_gets_one_line(self) -> None:
        project = self.project(FAILS)
        for name in ("JPY_SESSION_NAME", "JPY_PARENT_PID"):
            code, output = self.in_terminal(project, "run", "--keep-going", env={name: "1"})
            self.assertEqual(code, 1, output)
            self.assertIsNone(CURSOR_MOVE.search(output), output)
            self.assertRegex(output, r"\r\x1b\[36m\d of 6 tasks done, \d running")
            self.assertIn("\x1b[31mfailed\x1b[0m", output)
            self.assertRegex(output, r"\r +\r(\x1b\[1m)?STEP")
            self.assertRegex(output, r"\ntrain +4  3 succeeded, 1 failed\n")
        piped = project.amp("run", "--keep-going", env={"JPY_SESSION_NAME": "1", "TERM": "xterm"})
        self.assertNotIn("\r", piped.err)
        self.assertNotIn("\x1b", piped.err)
        self.assertIn("prepare started", piped.err)

    def test_a_kernel_of_an_editor_is_one_too(self) -> None:
        """VS Code sets no variable of Jupyter's: there the ancestor tells."""
        project = self.project(FAILS)
        kernel = project.write(
            "ipykernel_launcher.py",
            f"import subprocess, sys\nsys.exit(subprocess.call(['sh', '-c', '{AMP} run --keep-going; exit 7']))\n",
        )
        pid, terminal = pty.fork()
        if pid == 0:
            try:
                os.chdir(project.folder)
                environment = project.environment_with({"TERM": "xterm", "VSCODE_PID": "1"})
                os.execvpe("python3", ["python3", str(kernel)], environment)
            finally:
                os._exit(127)
        output = b""
        while True:
            try:
                data = os.read(terminal, 65536)
            except OSError:
                break
            if not data:
                break
            output += data
        os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 7)
        self.assertIsNone(CURSOR_MOVE.search(decode(output)), output)
        self.assertIn(b"tasks done", output)

    def test_a_notebook_and_ci_are_not_asked(self) -> None:
        project = self.project('[flow]\nname = "Ask"\n[params]\ntoken = { type = "secret" }\n[step.one]\nrun = "true"\n')
        for name in ("JPY_SESSION_NAME", "CI"):
            code, output = self.in_terminal(project, "run", env={name: "1"})
            self.assertEqual(code, 3, output)
            self.assertIn("has no value", output)

    def test_a_terminal_by_force(self) -> None:
        project = self.project(FAILS)
        output = project.amp("run", "--keep-going", env={"AMP_FORCE_TTY": "47"}).err
        self.assertIn("\x1b[?25l", output)
        rows = [re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", line).strip("\r") for line in output.splitlines() if BAR.search(line)]
        self.assertTrue(rows)
        self.assertLess(max(map(len, rows)), 47)
        self.assertNotIn("\x1b", project.amp("run", env={"AMP_FORCE_TTY": "47", "TERM": "dumb", "NO_COLOR": "1"}).err)

    def test_heartbeats(self) -> None:
        project = self.project('[flow]\nname = "Long"\n[step.one]\nrun = "sleep 2"\n')
        result = self.run_ok(project, "run", env={"AMP_HEARTBEAT": "500ms", "CI": "true"})
        beats = result.err.count(" 0 of 1 tasks done, 1 running\n")
        self.assertGreaterEqual(beats, 2, result)
        self.assertLessEqual(beats, 4, result)
        self.assertRegex(result.err, r"\A(\d\d:\d\d:\d\d .*\n|    .*\n)+\Z")
        self.assertNotIn("tasks done", self.run_ok(project, "run", env={"CI": "true"}).err)

    def test_folds(self) -> None:
        project = self.project(FAILS)
        github = project.amp("run", "--keep-going", env={"CI": "true", "GITHUB_ACTIONS": "true"})
        self.assertIn("\n::group::log of train/1\n    | words of the failed\n::endgroup::\n", github.err)
        gitlab = project.amp("run", "--keep-going", env={"CI": "true", "GITLAB_CI": "true"})
        self.assertRegex(gitlab.err, r"\n\x1b\[0Ksection_start:\d+:amp_1\[collapsed=true\]\r\x1b\[0Klog of train/1\n    \| words")
        self.assertNotIn("\r", project.amp("run", "--keep-going", env={"CI": "true"}).err)

    def test_a_reader_who_has_enough(self) -> None:
        project = self.project(FAILS.replace("exit 3", "exit 0"))
        result = subprocess.run(
            ["bash", "-c", f"{AMP} run 2>&1 | head -1; exit ${{PIPESTATUS[0]}}"],
            cwd=project.folder,
            env=project.environment,
            capture_output=True,
            text=True,
            timeout=60 * SLOW,
            check=False,
        )
        self.assertEqual((result.returncode, result.stderr), (0, ""), result)
        self.assertRegex(result.stdout, RUN_ID)
        self.assertEqual(project.json("show")["state"], "succeeded")

    def test_what_a_task_says_of_itself_is_shown(self) -> None:
        task = f"{AMP} progress 0.4 epoch 2 of 5; until test -e go; do sleep 0.1; done"
        project = self.project(f'[flow]\nname = "P"\n[step.one]\nrun = "{task}"\n')
        go = Path(project.folder / "go")
        pid = os.fork()
        if pid == 0:
            time.sleep(6)
            go.touch()
            os._exit(0)
        output = self.in_terminal(project, "run")[1]
        os.waitpid(pid, 0)
        self.assertIn("40 %  epoch 2 of 5", output)


if __name__ == "__main__":
    unittest.main()

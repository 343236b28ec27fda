"""amp shell on the machine where a step runs: in a place that is held there, and in one that is made for it."""

import fcntl
import os
import pwd
import struct
import subprocess
import termios
from pathlib import Path

from harness import has_ended, kill_quietly, wait_until
from machines import FarProject, MachineTest
from shell_test import Terminal

FLOW = """
[flow]
name = "Held"
[params]
word = "it's"
[step.data]
run = "echo 1 2 3 > {{ outputs.numbers }}"
outputs = { numbers = "numbers.txt" }
[step.one]
needs = "data"
run = "cat lib/more.txt > $AMP_OUT/model; echo {{ params.word }} > $AMP_TASK_DIR/trace; ./fail.sh {{ data.numbers }}"
env = { COLOUR = "blue" }
secrets = ["TOKEN"]
"""
FILES: dict[str, str | bytes] = {
    "flow.toml": FLOW,
    "lib/more.txt": "half\n",
    "fail.sh": "#!/bin/sh\necho failing with $(cat $1)\nexit 4\n",
}
SECRET = {"TOKEN": "c4n4ry-of-the-shell"}


class FarShellTest(MachineTest):
    def setUp(self) -> None:
        home = self.machines.home()
        (home / ".bashrc").write_text("PS1='ready> '; HISTFILE=; bind 'set enable-bracketed-paste off' 2>/dev/null\n")
        self.machines.own(home / ".bashrc")
        self.addCleanup((home / ".bashrc").unlink)
        self.places_before = self.all_places()

    def files(self) -> FarProject:
        project = self.project(FILES)
        (project.folder / "fail.sh").chmod(0o755)
        return project

    def held(self, profile: str = "box", time: str = "30m") -> tuple[FarProject, subprocess.Popen[bytes]]:
        """A run whose step `one` has failed there, and is held."""
        project = self.files()
        driver = project.start("run", "--on", profile, "--hold-on-fail", time, env=SECRET)
        self.addCleanup(lambda: (driver.kill(), driver.wait()) if driver.poll() is None else None)
        wait_until(lambda: "is held until" in project.output(), 60, "it is held")
        return project, driver

    def failed(self) -> FarProject:
        project = self.files()
        self.assertEqual(project.amp("run", "--on", "box", env=SECRET).code, 1)
        wait_until(lambda: not self.machines.processes("keeper"), 20, "its keeper has ended")
        return project

    def terminal(self, project: FarProject, *arguments: str, **options: dict[str, str | None]) -> Terminal:
        terminal = Terminal(project, *arguments, **options)
        self.addCleanup(lambda: kill_quietly(terminal.pid) if not has_ended(terminal.pid) else None)
        return terminal

    def assert_nobody_inside(self) -> None:
        wait_until(lambda: not self.machines.processes("enter-place"), 20, "nobody is inside any more")

    def all_places(self) -> set[Path]:
        uid = pwd.getpwnam(self.machines.user["sh"]).pw_uid
        return set(Path(f"/tmp/amp-{uid}").glob("*/*/.amp-place.json"))

    def places(self) -> set[Path]:
        """Of this test: keepers of others may linger."""
        return self.all_places() - self.places_before


class Held(FarShellTest):
    def test_one_command(self) -> None:
        project, driver = self.held()
        command = 'cat $AMP_OUT/model $AMP_TASK_DIR/trace; echo $COLOUR ${#TOKEN} $(id -un) "$AMP_STEP"; cat; echo no >&2; exit 7'
        result = project.amp("shell", "one", "-c", command, stdin=b"in\n")
        self.assertEqual(result.code, 7, str(result))
        user = self.machines.user["sh"]
        self.assertEqual(result.out, f"half\nit's\nblue {len(SECRET['TOKEN'])} {user} one\nin\n")
        self.assertRegex(result.err, r"(?m)^no\n(.|\n)*is held until")
        result = self.run_ok(project, "shell", "one", "-c", '$AMP_COMMAND; echo "exit $?"; echo more >> $AMP_OUT/model')
        self.assertEqual(result.out, "failing with 1 2 3\nexit 4\n")
        self.assertEqual(self.run_ok(project, "shell", "one", "-c", "cat $AMP_OUT/model").out, "half\nmore\n")
        ended = project.amp("shell", "one", "-c", "printf last >&2; exit 255")
        self.assertEqual((ended.code, ended.err.splitlines()[0][:4]), (255, "last"), str(ended))
        self.assertEqual(project.amp("shell", "one", "-c", "kill -9 $$").code, 137)
        self.assert_nobody_inside()
        self.assertIsNone(driver.poll())
        self.assertEqual(len(self.places()), 1)
        self.run_ok(project, "shell", "one", "--release")
        self.assertEqual(driver.wait(60), 1, project.output())
        wait_until(lambda: not self.places(), 20, "its folders are gone")
        self.assertNotIn(SECRET["TOKEN"], self.machines.sshd_log())

    def test_a_session_in_a_terminal(self) -> None:
        project, driver = self.held()
        terminal = self.terminal(project, "shell", "one")
        banner = terminal.wait_for("ready> ")
        self.assertRegex(banner, "the place of .*/one, attempt 1, as it failed, on box")
        terminal.type("echo on $(id -un) as $AMP_STEP with $TERM in $(tty)\n")
        terminal.wait_for(rf"\non {self.machines.user['sh']} as one with xterm in /dev/pts/\d+\n(.|\n)*ready> ")
        terminal.type("sh -c 'echo begun; exec sleep 600'\n")
        terminal.wait_for("\nbegun\n")
        terminal.type("\x03")  # Ctrl-C: of the shell's job alone
        terminal.wait_for("ready> ")
        terminal.type("trap 'echo size $(stty size)' WINCH\n")
        terminal.wait_for("ready> ")
        fcntl.ioctl(terminal.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
        terminal.type("\n")
        terminal.wait_for("size 33 77")
        terminal.type("exit 6\n")
        self.assertEqual(terminal.end(), 6, terminal.text)
        self.assertIn("is held until", terminal.text)
        self.assertNotIn("closed", terminal.text)
        self.assert_nobody_inside()
        self.assertIsNone(driver.poll())

    def test_who_is_inside_is_not_thrown_out(self) -> None:
        project, driver = self.held(time="4s")
        terminal = self.terminal(project, "shell", "one")
        terminal.wait_for("ready> ")
        terminal.type("sleep 6; cat $AMP_OUT/model\n")  # longer than it is held
        terminal.wait_for("\nhalf\n")
        self.assertIsNone(driver.poll(), project.output())
        terminal.type("exit\n")
        self.assertEqual(terminal.end(), 0)
        self.assertIn("its time is over", terminal.text)
        self.assertEqual(driver.wait(60), 1, project.output())

    def test_cancel_ends_the_shell(self) -> None:
        project, driver = self.held()
        terminal = self.terminal(project, "shell", "one")
        terminal.wait_for("ready> ")
        self.run_ok(project, "cancel")
        self.assertEqual(terminal.end(), 7, terminal.text)
        self.assertIn("held no longer", terminal.text)
        driver.wait(60)
        self.assert_nobody_inside()

    def test_a_terminal_that_closes_ends_all_of_it_there(self) -> None:
        project, driver = self.held()
        terminal = self.terminal(project, "shell", "one")
        terminal.wait_for("ready> ")
        terminal.type("(trap '' HUP TERM; echo $BASHPID > $HOME/stays; sleep 600) & echo begun\n")
        terminal.wait_for("\nbegun")
        stays = self.machines.home() / "stays"
        wait_until(lambda: stays.exists() and stays.read_text(), 20, "it runs")
        terminal.close()
        terminal.end()
        self.assert_nobody_inside()
        wait_until(lambda: has_ended(int(stays.read_text())), 20, "what it left has ended")
        self.assertIsNone(driver.poll())
        stays.unlink()

    def test_whatever_the_login_shell_is(self) -> None:
        for kind in ("csh", "fish"):
            with self.subTest(kind):
                project, driver = self.held(kind)
                command = "exec sh -c 'echo \"$COLOUR\" \"it is! \\\\ `echo so`\"; exit 3'"
                result = project.amp("shell", "one", "-c", command)
                self.assertEqual((result.code, result.out), (3, "blue it is! \\ so\n"), str(result))
                driver.terminate()
                driver.wait(60)

    def test_the_host_cannot_be_reached(self) -> None:
        project, _ = self.held()
        self.machines.stop_sshd(22)
        self.addCleanup(self.machines.sshd, "box", 22)
        result = project.amp("shell", "one", "-c", "true")
        self.assertEqual(result.code, 5, str(result))
        self.assertIn("box cannot be reached", result.err)
        self.assertIn("help: try `ssh box true`", result.err)
        terminal = self.terminal(project, "shell", "one")
        self.assertEqual(terminal.end(60), 5, terminal.text)
        self.assertIn("box cannot be reached", terminal.text)

    def test_the_place_is_gone(self) -> None:
        project, driver = self.held()
        driver.send_signal(19)  # it does not look
        self.addCleanup(driver.send_signal, 18)
        for pid in self.machines.processes("keeper"):
            kill_quietly(pid)
        result = project.amp("shell", "one", "-c", "true")
        self.assertEqual(result.code, 7, str(result))
        self.assertRegex(result.err, "no place of .*one.* is held there any more")
        self.assertIn("help: ", result.err)


class Made(FarShellTest):
    def test_what_the_task_would_get_there(self) -> None:
        project = self.failed()
        command = ('echo $(id -un) "$AMP_STEP $COLOUR ${#TOKEN}" $(cat $AMP_IN/numbers) $(cat $(amp get numbers)); ls $AMP_OUT; '
                   'cat lib/more.txt; $AMP_COMMAND; exit $?')
        result = project.amp("shell", "one", "-c", command, env=SECRET)
        self.assertEqual(result.code, 4, str(result))
        user = self.machines.user["sh"]
        shown = f"{user} one blue {len(SECRET['TOKEN'])} 1 2 3 1 2 3\nhalf\nfailing with 1 2 3\n"
        self.assertEqual(result.out, shown, str(result))
        wait_until(lambda: not self.machines.processes("keeper"), 20, "the keeper there has ended")
        self.assertEqual(self.places(), set())
        self.assertEqual(len(project.runs()), 1)
        self.assertEqual(len(list((project.folder / ".amp" / "runs").iterdir())), 1)
        self.run_ok(project, "fsck")

    def test_a_terminal(self) -> None:
        project = self.failed()
        terminal = self.terminal(project, "shell", "one", env=SECRET)
        banner = terminal.wait_for("ready> ")
        self.assertRegex(banner, "a shell in the place of .*/one, on box")
        terminal.type("cat $AMP_IN/numbers; exit 5\n")
        self.assertEqual(terminal.end(), 5, terminal.text)
        self.assertIn("\n1 2 3\n", terminal.text)
        wait_until(lambda: not self.machines.processes("keeper"), 20, "the keeper there has ended")

    def test_while_the_run_goes_on(self) -> None:
        """Its driver is not disturbed."""
        project = self.project("""
[flow]
name = "Goes"
[step.one]
run = "while ! test -e $HOME/go; do sleep 0.1; done; echo done"
""")
        go = self.machines.home() / "go"
        driver = project.start("run", "--on", "box")
        wait_until(lambda: project.runs() and project.states().get("one/_") == "running", 60, "it runs")
        self.assertEqual(self.run_ok(project, "shell", "one", "-c", "echo $AMP_STEP").out, "one\n")
        go.touch()
        self.addCleanup(go.unlink)
        self.assertEqual(driver.wait(60), 0, project.output())

    def test_the_host_cannot_be_reached(self) -> None:
        project = self.failed()
        self.machines.stop_sshd(22)
        self.addCleanup(self.machines.sshd, "box", 22)
        result = project.amp("shell", "one", "-c", "true", env=SECRET)
        self.assertEqual(result.code, 5, str(result))
        self.assertIn("box cannot be reached", result.err)
        self.assertIn("help: ", result.err)

    def test_its_gpu_must_be_free_there(self) -> None:
        gpu = f"far-shell-{os.getpid()}"
        with (self.machines.home() / ".bashrc").open("a") as rc:
            rc.write(f"export CUDA_VISIBLE_DEVICES={gpu}\n")
        flow = '[flow]\nname = "Gpu"\n[step.one]\nrun = "false"\nresources = { cpu = 0.1, gpu = 1 }\n'
        waits, holds = self.project(flow), self.project(flow)
        self.assertEqual(waits.amp("run", "--on", "box").code, 1)
        driver = holds.start("run", "--on", "box", "--hold-on-fail", "30m")
        self.addCleanup(lambda: (driver.kill(), driver.wait()) if driver.poll() is None else None)
        wait_until(lambda: "is held until" in holds.output(), 60, "it is held")
        self.assertEqual(self.run_ok(holds, "shell", "one", "-c", "echo $CUDA_VISIBLE_DEVICES").out, f"{gpu}\n")
        result = waits.amp("shell", "one", "-c", "true")
        self.assertEqual(result.code, 75, str(result))
        self.assertIn("cannot be had on box now", result.err)
        self.run_ok(holds, "shell", "one", "--release")
        self.assertEqual(driver.wait(60), 1, holds.output())
        self.assertEqual(self.run_ok(waits, "shell", "one", "-c", "echo $CUDA_VISIBLE_DEVICES").out, f"{gpu}\n")

    def test_what_there_never_is(self) -> None:
        project = self.project('[flow]\nname = "Gpu"\n[step.one]\nrun = "false"\nresources = { gpu = 1 }\n')
        self.assertNotEqual(project.amp("run", "--on", "box").code, 0)  # there is none there
        result = project.amp("shell", "one", "-c", "true")
        self.assertEqual(result.code, 5, str(result))
        self.assertIn("gpu", result.err)


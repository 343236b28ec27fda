"""Runs that go on without the one who started them: --detach, attach, closed terminals."""

import json
import os
import pty
import signal
import subprocess
import time
import unittest
from pathlib import Path

from harness import AMP, RUN_ID, SLOW, AmpTest, Project, kill_quietly, wait_until

# Goes on until the file `go` is there.
GATE = """
[flow]
name = "Gate"
[step.first]
run = "echo first >> $LEDGER"
[step.gate]
needs = "first"
run = "while ! test -e $LEDGER.go; do sleep 0.02; done; echo gate >> $LEDGER"
[step.last]
needs = "gate"
run = "echo last >> $LEDGER"
"""


class Leaving(AmpTest):
    def gate(self, flow: str = GATE) -> Project:
        return self.project(flow)

    def open(self, project: Project) -> None:
        Path(f"{project.ledger}.go").touch()

    def detached(self, project: Project, *arguments: str) -> str:
        result = self.run_ok(project, *(arguments or ("run",)), "-q", "--detach")
        self.assertRegex(result.out, rf"^{RUN_ID.pattern[2:-2]}\n$")
        return result.out.strip()

    def orchestrators(self, project: Project) -> list[int]:
        return [pid for pid, arguments in project.processes().items() if arguments[1:2] == ["orchestrate"]]

    def waits_at_the_gate(self, project: Project) -> None:
        wait_until(lambda: project.ledger_lines() == ["first"], 20, "the first step is done")

    def wait_succeeded(self, project: Project, run: str = "latest") -> None:
        wait_until(lambda: project.json("show", run)["state"] == "succeeded", 30, "the run succeeds")


class Detached(Leaving):
    def test_it_is_driven_when_its_id_is_printed(self) -> None:
        project = self.gate()
        run = self.detached(project)
        self.assertEqual(project.json("show", run)["state"], "running")
        self.assertEqual(project.amp("resume", run).code, 75)
        self.open(project)
        self.run_ok(project, "attach", run)
        self.assertEqual(project.ledger_lines(), ["first", "gate", "last"])
        self.assert_no_orphans(project)

    def test_who_reads_its_output_is_not_kept_waiting(self) -> None:
        project = self.gate()
        command = [AMP, "run", "--detach"]
        began = time.monotonic()
        result = subprocess.run(  # reads both pipes to their ends
            command, cwd=project.folder, env=project.environment, capture_output=True, timeout=20 * SLOW, check=True
        )
        self.assertLess(time.monotonic() - began, 15 * SLOW)
        self.assertIn(b"amp attach", result.stderr)
        piped = subprocess.run(
            ["sh", "-c", f"{AMP} run --detach 2>&1 | cat; {AMP} cancel -q"],
            cwd=project.folder, env=project.environment, capture_output=True, timeout=20 * SLOW, check=True,
        )  # fmt: skip
        self.assertRegex(piped.stdout.decode(), RUN_ID)
        self.open(project)
        self.wait_succeeded(project, result.stdout.decode().strip())

    def test_it_has_no_terminal_and_a_session_of_its_own(self) -> None:
        project = self.gate()
        self.detached(project)
        self.waits_at_the_gate(project)
        (pid,) = self.orchestrators(project)
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        session, terminal = int(fields[3]), int(fields[4])
        self.assertEqual((session, terminal), (pid, 0))
        links = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in range(3)}
        self.assertEqual(len(links), 2, links)
        self.assertIn("/dev/null", links)
        self.open(project)
        self.wait_succeeded(project)

    def test_json(self) -> None:
        project = self.gate()
        told = project.json("run", "--detach")
        self.assertEqual((told["schema"], told["state"]), ("amp.detached/1", "running"))
        self.open(project)
        self.run_ok(project, "attach", told["run"])
        self.assertIn("gate succeeded", Path(told["log"]).read_text())

    def test_what_is_wrong_is_told_in_the_foreground(self) -> None:
        project = self.project('[flow]\nname = "Bad"\n[step.a]\nrun = "true"\nneeds = "b"\n')
        result = project.amp("run", "--detach")
        self.assert_code(3, result)
        self.assertIn("needs", result.err)
        project.write("flow.toml", '[flow]\nname = "Bad"\n[step.a]\nrun = "true"\nsecrets = ["NOT_THERE"]\n')
        self.assert_code(3, project.amp("run", "--detach"))
        self.assert_code(2, project.amp("run", "--detach", "--events=ndjson"))
        self.assertEqual(project.runs(), [])
        self.assert_no_orphans(project)

    def test_resume(self) -> None:
        project = self.project('[flow]\nname = "R"\n[step.a]\nrun = \'test "$AMP_ATTEMPT" -gt 1\'\n')
        self.assert_code(1, project.amp("run"))
        run = self.detached(project, "resume", "latest")
        self.run_ok(project, "attach", run)
        self.assertEqual(project.tasks(run)["a/_"]["attempt"], 2)
        again = self.run_ok(project, "resume", run, "--detach")  # nothing is left to do
        self.assertIn("already succeeded", again.err)
        self.assertEqual(again.out.strip(), run)
        self.assert_no_orphans(project)

    def test_what_it_cannot_take_is_told_in_the_foreground(self) -> None:
        project = self.gate()
        run = self.detached(project)
        self.waits_at_the_gate(project)
        busy = project.amp("resume", run, "--detach")
        self.assert_code(75, busy)
        self.assertIn(run, busy.err)
        self.open(project)
        self.wait_succeeded(project)

    def test_secrets_get_there_unseen(self) -> None:
        flow = '[flow]\nname = "S"\n[params]\nkey = { type = "secret" }\n[step.a]\nparams = ["key"]\n'
        flow += "run = 'echo \"$AMP_PARAM_KEY\" | tr a-z A-Z >> $LEDGER; echo \"it is $AMP_PARAM_KEY\"; "
        flow += "while [ ! -e $LEDGER.go ]; do sleep 0.05; done'\n"
        project = self.project(flow)
        result = project.amp("run", "-q", "--detach", "-p", "key=-", stdin=b"hush-hush-hush\n")
        self.assert_code(0, result)
        for pid in self.orchestrators(project):
            self.assertNotIn(b"hush-hush", Path(f"/proc/{pid}/cmdline").read_bytes())
            self.assertNotIn(b"hush-hush", Path(f"/proc/{pid}/environ").read_bytes())
        self.open(project)
        self.run_ok(project, "attach")
        self.assertEqual(project.ledger_lines(), ["HUSH-HUSH-HUSH"])
        for path in (project.folder / ".amp").rglob("*"):
            if path.is_file():
                self.assertNotIn(b"hush-hush", path.read_bytes(), path)

    def test_a_closed_terminal_does_not_end_it(self) -> None:
        project = self.gate()
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(project.folder)
            os.execve("/bin/sh", ["sh", "-c", f"{AMP} run --detach; sleep 60"], project.environment)
        wait_until(lambda: project.ledger_lines() == ["first"], 20, "the first step is done")
        os.close(terminal)  # hangs up: the shell and all of its terminal get SIGHUP
        kill_quietly(pid, signal.SIGHUP)
        os.waitpid(pid, 0)
        self.assertEqual(project.json("show")["state"], "running")
        self.open(project)
        self.wait_succeeded(project)
        self.assert_no_orphans(project)

    def test_the_end_of_its_session_does_not_end_it(self) -> None:
        """As a CI job or a notebook's kernel that is killed with its whole group."""
        project = self.gate()
        parent = subprocess.Popen(
            ["sh", "-c", f"{AMP} run --detach; sleep 60"],
            cwd=project.folder, env=project.environment, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_until(lambda: project.ledger_lines() == ["first"], 20, "the first step is done")
        os.killpg(parent.pid, signal.SIGKILL)
        parent.wait()
        self.open(project)
        self.wait_succeeded(project)

    def test_a_relative_store_and_a_sub_folder(self) -> None:
        project = self.gate()
        project.write("amp.toml", "")
        (project.folder / "below").mkdir()
        result = project.amp("run", "-q", "--detach", cwd=project.folder / "below", env={"AMP_STORE": "../elsewhere"})
        self.assert_code(0, result)
        self.open(project)
        self.assert_code(0, project.amp("attach", env={"AMP_STORE": str(project.folder / "elsewhere")}))


class Attached(Leaving):
    def test_it_ends_as_the_run_does(self) -> None:
        project = self.project('[flow]\nname = "F"\n[step.a]\nrun = "sleep 0.5; echo oh no; exit 3"\n')
        run = self.detached(project)
        result = project.amp("attach")
        self.assert_code(1, result)
        self.assertEqual(result.out.strip(), run)
        self.assertIn("a failed: user: exit status 3", result.err)
        self.assertIn("oh no", result.err)
        again = project.amp("attach")  # when all is over: how it ended
        self.assert_code(1, again)
        self.assertIn("failed", again.err)

    def test_of_a_run_in_the_foreground(self) -> None:
        project = self.gate()
        driver = project.start("run")
        self.waits_at_the_gate(project)
        follower = project.start("attach", "--json", stdout=subprocess.PIPE)
        wait_until(lambda: "of 3 tasks done" in project.output(), 20, "it says where the run is")
        self.open(project)
        out, _ = follower.communicate(timeout=30 * SLOW)
        self.assertEqual(driver.wait(timeout=30 * SLOW), 0)
        document = json.loads(out)
        self.assertEqual((document["schema"], document["state"], document["exit_code"]), ("amp.outcome/1", "succeeded", 0))
        self.assertEqual(follower.returncode, 0)

    def test_events(self) -> None:
        project = self.gate()
        self.detached(project)
        self.waits_at_the_gate(project)
        follower = project.start("attach", "--events=ndjson", stdout=subprocess.PIPE)
        first = json.loads(follower.stdout.readline())
        self.assertEqual((first["schema"], first["event"]), ("amp.event/1", "run_attached"))
        self.open(project)
        out, _ = follower.communicate(timeout=30 * SLOW)
        events = [json.loads(line) for line in out.splitlines()]
        told = [(event["event"], event.get("task")) for event in events]
        self.assertIn(("task_ended", "gate/_"), told)
        self.assertEqual([e for e in told if e[1] == "last/_"], [("task_started", "last/_"), ("task_ended", "last/_")])
        self.assertEqual(told[-1], ("run_ended", None))

    def test_ctrl_c_only_leaves(self) -> None:
        project = self.gate()
        run = self.detached(project)
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)):
            self.waits_at_the_gate(project)
            follower = project.start("attach")
            wait_until(lambda: project.output().count("of 3 tasks done") == 1, 20, "it follows")
            follower.send_signal(number)
            self.assertEqual(follower.wait(timeout=10 * SLOW), code, project.output())
            self.assertIn(f"run {run} goes on", project.output())
            self.assertEqual(project.json("show")["state"], "running")
            (project.top / "output").unlink()
        self.open(project)
        self.wait_succeeded(project)

    def test_of_a_cancelled_run(self) -> None:
        project = self.gate()
        self.detached(project)
        self.waits_at_the_gate(project)
        follower = project.start("attach")
        self.run_ok(project, "cancel")
        self.assertEqual(follower.wait(timeout=20 * SLOW), 9, project.output())

    def test_of_a_run_that_nobody_drives(self) -> None:
        project = self.gate()
        run = self.detached(project)
        self.waits_at_the_gate(project)
        follower = project.start("attach")
        wait_until(lambda: "of 3 tasks done" in project.output(), 20, "it follows")
        (pid,) = self.orchestrators(project)
        kill_quietly(pid)
        self.assertEqual(follower.wait(timeout=20 * SLOW), 75, project.output())
        self.assertIn(f"amp resume {run}", project.output())
        self.assertIn("last words", project.output())
        again = project.amp("attach", run)
        self.assert_code(75, again)
        self.open(project)
        self.run_ok(project, "resume", run)
        self.assertEqual(project.ledger_lines(), ["first", "gate", "last"])
        self.run_ok(project, "attach", run)

    def test_of_many_tasks(self) -> None:
        project = self.project('[flow]\nname = "M"\n[step.a]\nforeach = "range(2000)"\nrun = ["true"]\n')
        self.detached(project)
        result = self.run_ok(project, "attach", "--events=ndjson")
        states = [json.loads(line) for line in result.out.splitlines()]
        ended = [event["task"] for event in states if event["event"] == "task_ended"]
        self.assertEqual(len(ended), len(set(ended)), "each end is told once")
        self.assertEqual(states[-1]["state"], "succeeded")

    def test_there_is_no_such_run(self) -> None:
        project = self.gate()
        self.assert_code(7, project.amp("attach"))
        self.assert_code(7, project.amp("attach", "261120-000000-zzzz"))


if __name__ == "__main__":
    unittest.main()

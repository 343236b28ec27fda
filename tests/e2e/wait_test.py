"""Steps that wait for people or the world."""

import http.server
import shutil
import signal
import socket
import threading
import unittest

from harness import AmpTest, Project, kill_quietly, wait_until

APPROVAL = """
[flow]
name = "Approval"

[step.make]
run = 'echo "$AMP_TASK $AMP_ATTEMPT" >> "$LEDGER"'

[step.publish]
needs = "make"
wait = "approval"
run = 'echo "$AMP_TASK $AMP_ATTEMPT" >> "$LEDGER"'
"""


class Waits(AmpTest):
    def await_state(self, project: Project, task: str, state: str) -> None:
        wait_until(lambda: project.runs() and project.tasks().get(task, {}).get("waits_since"), 20, f"{task} is {state}")

    def test_approval_survives_a_kill(self) -> None:
        project = self.project(APPROVAL)
        driver = project.start("run")
        self.await_state(project, "publish/_", "waiting")
        since = project.tasks()["publish/_"]["waits_since"]
        kill_quietly(driver.pid)
        driver.wait()
        self.assertEqual(project.states()["publish/_"], "waiting")
        driver = project.start("resume")
        wait_until(lambda: project.json("show")["state"] == "running", 20, "it is driven again")
        self.assertEqual(project.tasks()["publish/_"]["waits_since"], since)
        self.assertIn("waits for approval since", self.run_ok(project, "show").out)
        self.assertIn("waits for approval", self.run_ok(project, "why", "latest/publish").out)
        self.assert_code(7, project.amp("approve", "latest/make"))
        self.run_ok(project, "approve", "latest/publish", "--comment", "fine")
        self.assertEqual(driver.wait(20), 0, project.output())
        self.assertIn("publish: approved by", project.output())
        self.assertEqual(len(project.ledger_lines()), 2)
        result = project.amp("approve", "latest/publish")
        self.assert_code(7, result)
        self.assert_no_orphans(project)

    def test_an_approval_while_nobody_drives_counts_on_resume(self) -> None:
        project = self.project(APPROVAL)
        driver = project.start("run")
        self.await_state(project, "publish/_", "waiting")
        driver.send_signal(signal.SIGINT)
        self.assertEqual(driver.wait(20), 130, project.output())
        self.run_ok(project, "approve", "latest/publish")
        self.run_ok(project, "resume")
        self.assertEqual(set(project.states().values()), {"succeeded"})

    def test_an_answer_that_nobody_has_heard_yet(self) -> None:
        project = self.project(APPROVAL)
        driver = project.start("run")
        self.await_state(project, "publish/_", "waiting")
        driver.send_signal(signal.SIGINT)
        self.assertEqual(driver.wait(20), 130, project.output())
        self.assertIsNone(project.tasks()["publish/_"]["answer"])
        self.run_ok(project, "approve", "latest/publish")
        again = project.amp("approve", "latest/publish", "--reject")
        self.assert_code(7, again)
        self.assertRegex(again.err, r"publish was approved by \S+ already")
        self.assertNotIn("did you mean", again.err)
        self.assertIn("amp resume", again.err)
        self.assertRegex(project.tasks()["publish/_"]["answer"], r"^approved by \S")
        shown = self.run_ok(project, "show").out
        self.assertRegex(shown, r"waited for approval since .*: approved by \S+; go on with: amp resume")
        self.assertNotIn("waits for approval", shown)
        self.assertIn("did you mean 'publish'?", project.amp("approve", "latest/publihs").err)

    def test_rejected(self) -> None:
        project = self.project(APPROVAL)
        driver = project.start("run")
        self.await_state(project, "publish/_", "waiting")
        self.run_ok(project, "approve", "latest/publish/_", "--reject", "--comment", "not today")
        self.assertEqual(driver.wait(20), 1, project.output())
        self.assertIn("never started: rejected by", self.run_ok(project, "show").out)
        self.assertEqual(project.states(), {"make/_": "succeeded", "publish/_": "failed"})
        self.run_ok(project, "fsck")

    def test_a_step_of_a_sub_flow_says_how_to_answer(self) -> None:
        parent = '[flow]\nname = "Parent"\n[step.sub]\nflow = "child.toml"\n'
        project = self.project({"flow.toml": parent, "child.toml": APPROVAL})
        driver = project.start("run")
        line = wait_until(lambda: "amp approve " in project.output(), 20, "it is told") and project.output()
        target = line.split("amp approve ", 1)[1].split()[0]
        self.run_ok(project, "approve", target)
        self.assertEqual(driver.wait(20), 0, project.output())

    def test_a_cancel_ends_it(self) -> None:
        project = self.project(APPROVAL)
        driver = project.start("run")
        self.await_state(project, "publish/_", "waiting")
        self.run_ok(project, "cancel")
        self.assertEqual(driver.wait(20), 9, project.output())
        self.assertEqual(project.states()["publish/_"], "cancelled")
        self.assert_code(7, project.amp("approve", "latest/publish"))

    @unittest.skipUnless(shutil.which("curl"), "there is no curl")
    def test_a_url(self) -> None:
        ready = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(204 if ready.is_set() else 503)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        project = self.project(
            '[flow]\nname = "Url"\n[step.a]\nwait = { url = "http://127.0.0.1:%d/", timeout = "0.5s" }\n'
            % server.server_address[1]
        )
        self.assert_code(1, project.amp("run"))
        self.assertIn("did not come within 0.5 s", self.run_ok(project, "show").out)
        ready.set()
        self.run_ok(project, "resume")
        self.assertEqual(project.states(), {"a/_": "succeeded"})

    @unittest.skipUnless(shutil.which("curl"), "there is no curl")
    def test_addresses_that_never_answer_hold_nobody_up(self) -> None:
        server = socket.create_server(("127.0.0.1", 0))  # the kernel accepts, and nobody says a word
        self.addCleanup(server.close)
        project = self.project(
            """
[flow]
name = "Silent"
[step.a]
foreach = "range(20)"
wait = { url = "http://127.0.0.1:%d/{{ item }}" }
[step.b]
run = 'echo "$AMP_TASK $AMP_ATTEMPT" >> "$LEDGER"'
[step.c]
needs = "b"
run = 'echo "$AMP_TASK $AMP_ATTEMPT" >> "$LEDGER"'
"""
            % server.getsockname()[1]
        )
        driver = project.start("run")
        wait_until(lambda: len(project.ledger_lines()) == 2, 20, "the others go on")
        wait_until(lambda: project.states()["c/_"] == "succeeded", 20, "and their ends are written down")
        driver.send_signal(signal.SIGINT)
        self.assertEqual(driver.wait(10), 130, project.output())
        self.assertEqual(project.states()["c/_"], "succeeded")
        self.assert_no_orphans(project)

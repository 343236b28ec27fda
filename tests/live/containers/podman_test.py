"""Tasks in containers of podman: without a daemon, and so with processes of the engine that become the keeper's children."""

import signal
import unittest

from contained import BARE, IMAGE, ContainedTest, make_images
from engines import Podman, need
from harness import kill_quietly, wait_until

ENGINE: Podman


def setUpModule() -> None:
    global ENGINE
    need("podman", "runc")
    ENGINE = Podman()
    unittest.addModuleCleanup(ENGINE.stop)
    if not ENGINE.is_up():
        raise unittest.SkipTest(f"SKIPPED, NOT TESTED: podman does not work here: {ENGINE('info').stderr[-300:]}")
    make_images(ENGINE)
    if ENGINE("run", "--rm", "--network", "host", IMAGE, "true").returncode != 0:
        raise unittest.SkipTest("SKIPPED, NOT TESTED: podman runs no container here")
    ENGINE.environment["AMP_CONTAINER_ENGINE"] = "podman"


class PodmanTest(ContainedTest):
    @property
    def engine(self) -> Podman:
        return ENGINE

    def test_outputs_logs_and_exits(self) -> None:
        project = self.contained("""
[step.one]
run = "echo made > {{ outputs.f }}; amp put n 4; echo out; echo err >&2"
outputs = { f = "f.txt" }
[step.two]
needs = "one"
inputs = ["one.n"]
run = "cat {{ one.f }}; amp get n; exit 3"
catch = true
[step.three]
run = "kill -9 $$"
catch = true
[step.four]
run = "sleep 1000 & echo left"
""")
        result = self.run_ok(project, "run", seconds=120)
        self.assertEqual(self.log(project), "out\nerr\n")
        self.assertEqual(self.log(project, "latest/two"), "made\n4\n")
        self.assertEqual(self.task(project, "two/_")["exit"], 3)
        self.assertIn("signal 9", self.task(project, "three/_")["message"])
        self.assertEqual(result.err.count("what it had left running was ended"), 1)
        self.assertEqual(self.engine.containers(), [])

    def test_memory(self) -> None:
        project = self.run_in('[step.one]\nrun = "tail /dev/zero"\nresources = { memory = "32Mi" }\n', code=1)
        self.assertEqual(self.task(project)["cause"], "oom")

    def test_timeout_and_grace(self) -> None:
        project = self.run_in(
            """[step.one]\ntimeout = 3\nrun = "trap 'echo heard; exit 3' TERM; echo ready; while true; do sleep 0.1; done"\n""",
            code=1,
        )
        self.assertEqual([line for line in self.log(project).split() if line != "Terminated"], ["ready", "heard"])
        self.assertEqual(self.task(project)["cause"], "timeout")

    def test_a_killed_keeper_leaves_no_container(self) -> None:
        project = self.contained('[step.one]\nrun = "test -e again || { touch begun; sleep 1000; }"\n')
        with self.started(project, "run") as amp:
            wait_until((project.folder / "begun").exists, 30, "it runs")
            for pid in (amp.pid, *project.keepers()):
                kill_quietly(pid, signal.SIGKILL)
            amp.wait()
        self.wait_for_none()
        project.write("again", "")
        self.run_ok(project, "resume")
        self.assertEqual(self.engine.containers(), [])

    def test_images(self) -> None:
        project = self.contained(f'[step.one]\nimage = "{BARE}"\nrun = ["/busybox", "echo", "alone"]\n')
        self.assertIn("sha256:", self.run_ok(project, "run").err)
        self.assertEqual(self.log(project), "alone\n")
        project = self.contained('[step.one]\nimage = "localhost/amp-test/no:1"\nrun = ["true"]\n')
        result = project.amp("run", seconds=120)
        self.assert_code(5, result)
        self.assertIn("the image 'localhost/amp-test/no:1' cannot be had", result.err)


if __name__ == "__main__":
    unittest.main()

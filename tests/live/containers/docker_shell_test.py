"""amp shell and amp replay where tasks run in containers of docker."""

import subprocess
import unittest

from contained import ContainedTest, make_images
from engines import Docker, start_docker
from harness import AMP, wait_until

ENGINE: Docker


def setUpModule() -> None:
    global ENGINE
    ENGINE = start_docker()
    unittest.addModuleCleanup(ENGINE.stop)
    make_images(ENGINE)


class DockerTest(ContainedTest):
    @property
    def engine(self) -> Docker:
        return ENGINE


class Replay(DockerTest):
    def test_it_is_done_again_in_the_container(self) -> None:
        project = self.run_in('[step.one]\nrun = "ls -d /.amp; echo again; exit 4"\n', code=1)
        result = project.amp("replay", "latest/one", "--exit-code=task")
        self.assert_code(4, result)
        self.assertIn("/.amp\nagain\n", result.out)
        self.assertEqual(self.engine.containers(), [])

    def test_a_shell_in_the_container(self) -> None:
        project = self.run_in('[step.one]\nrun = "true"\n')
        typed = b"ls -d /.amp; echo task=$AMP_STEP\nexit 6\n"
        done = subprocess.run(
            ["script", "-qec", f"{AMP} replay latest/one --shell --exit-code=task", "/dev/null"],
            cwd=project.folder,
            env=project.environment,
            input=typed,
            capture_output=True,
            check=False,
            timeout=60,
        )
        printed = done.stdout.decode(errors="replace")
        self.assertRegex(printed, r"(?m)^/\.amp\r?$")
        self.assertIn("task=one", printed)
        self.assertEqual(done.returncode, 6, printed)
        self.assertEqual(self.engine.containers(), [])


class Shell(DockerTest):
    def test_amp_shell_enters_the_container(self) -> None:
        project = self.run_in('[step.one]\nrun = "echo $AMP_STEP; ls -d /.amp; exit 4"\n', code=1)
        result = project.amp("shell", "one", "-c", "$AMP_COMMAND; echo exit $?; exit 6")
        self.assert_code(6, result)
        self.assertEqual(result.out, "one\n/.amp\nexit 4\n")
        self.assertEqual(self.engine.containers(), [])

    def test_a_held_place_is_entered_in_a_new_container(self) -> None:
        project = self.contained('[step.one]\nrun = "echo half > $AMP_OUT/x; exit 4"\n')
        driver = project.start("run", "--hold-on-fail", "30m")
        wait_until(lambda: "is held until" in project.output(), 60, "it is held")
        result = project.amp("shell", "one", "-c", "ls -d /.amp; cat $AMP_OUT/x")
        self.assertEqual(result.out, "/.amp\nhalf\n", str(result))
        self.run_ok(project, "shell", "one", "--release")
        self.assertEqual(driver.wait(30), 1)
        self.assertEqual(self.engine.containers(), [])


if __name__ == "__main__":
    unittest.main()

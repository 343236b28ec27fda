"""amp shell where tasks run in containers of docker."""

import unittest

from contained import ContainedTest, make_images
from engines import Docker, start_docker
from harness import wait_until

ENGINE: Docker


def setUpModule() -> None:
    global ENGINE
    ENGINE = start_docker()
    unittest.addModuleCleanup(ENGINE.stop)
    make_images(ENGINE)


class Shell(ContainedTest):
    @property
    def engine(self) -> Docker:
        return ENGINE

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

"""What the tests of tasks in containers share: images, and projects whose tasks run in them."""

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engines import BUSYBOX, Engine, libraries_of, make_root
from harness import AMP, AmpTest, Project, wait_until

IMAGE = "amp-test/busybox:1"  # a shell and its tools; and what an amp that is linked dynamically needs
BARE = "amp-test/bare:1"  # one program, and no shell
APPLETS = ("sh", "cat", "sleep", "env", "id", "nc", "tail", "ls", "printf", "echo", "test", "touch", "true")
IS_STATIC = not libraries_of(AMP)

FLOW = """[flow]
name = "Contained"
[defaults]
image = "amp-test/busybox:1"
container = true
shell = ["sh", "-eu", "-c"]
"""


def make_images(engine: Engine) -> None:
    libraries = tuple(libraries_of(AMP))
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        engine.make_image(IMAGE, make_root(top / "full", {"bin/busybox": BUSYBOX}, APPLETS, libraries))
        engine.make_image(BARE, make_root(top / "bare", {"busybox": BUSYBOX}, (), libraries))
        engine.make_image("amp-test/nothing:1", make_root(top / "nothing", {"busybox": BUSYBOX}))


class ContainedTest(AmpTest):
    engine: Engine

    def contained(self, steps: str, files: dict[str, str | bytes] | None = None, flow: str = FLOW) -> Project:
        project = self.project({**(files or {}), "flow.toml": flow + steps})
        project.environment.update(self.engine.environment)
        return project

    def run_in(self, steps: str, *arguments: str, code: int = 0, **options: Any) -> Project:
        """Of a flow with these steps, run to its end, after which there is no container any more."""
        project = self.contained(steps)
        result = project.amp("run", *arguments, **options)
        self.assert_code(code, result)
        self.assertEqual(self.engine.containers(), [])
        return project

    @contextlib.contextmanager
    def started(self, project: Project, *arguments: str, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
        """amp at work; a test that fails does not wait for its end."""
        amp = project.start(*arguments, **options)
        try:
            yield amp
        finally:
            amp.kill()
            amp.wait()

    def task(self, project: Project, name: str = "one/_") -> dict[str, Any]:
        """With what its last attempt came to."""
        task = project.tasks()[name]
        return {**task, **(task["attempts"][-1] if task["attempts"] else {})}

    def log(self, project: Project, target: str = "latest/one") -> str:
        return self.run_ok(project, "logs", target).out

    def wait_for_container(self) -> str:
        (name,) = wait_until(self.engine.containers, 20, "there is a container")
        return name

    def wait_for_none(self) -> None:
        wait_until(lambda: not self.running(), 20, "no container runs any more")

    def running(self) -> list[str]:
        return self.engine.ok("ps", "--format", "{{.Names}}").split()

    def details(self, name: str) -> Any:
        return json.loads(self.engine.ok("inspect", name))

"""GPUs of tasks in containers of docker, as far as a machine without them can tell."""

import os
import time
import unittest

from contained import ContainedTest, make_images
from engines import Docker, start_docker

ENGINE: Docker


def setUpModule() -> None:
    global ENGINE
    ENGINE = start_docker()
    unittest.addModuleCleanup(ENGINE.stop)
    make_images(ENGINE)


class Devices(ContainedTest):
    @property
    def engine(self) -> Docker:
        return ENGINE

    def test_an_nvidia_smi_that_hangs_holds_up_no_container(self) -> None:
        """This machine has no runtime that gives GPUs to a container: the client leaves the word for that out."""
        client = '#!/bin/bash\nfor word; do shift; [[ $word == --gpus ]] && skip=1 && continue\n'
        client += '  [[ -n ${skip-} ]] && skip= && echo "$word" >> "$LEDGER" && continue; set -- "$@" "$word"; done\n'
        steps = "[step.one]\nforeach = 'range(2)'\nresources = { cpu = 0.1, gpu = 1 }\nmonitor = { interval = '0.2s' }\n"
        steps += "run = 'sleep 2; echo $CUDA_VISIBLE_DEVICES'\n"
        project = self.contained(steps, {
            "bin/docker": client + 'exec "$DOCKER" "$@"\n',
            "bin/nvidia-smi": "#!/bin/sh\necho asked >> $LEDGER\nexec sleep 1000\n",
        })
        for name in ("docker", "nvidia-smi"):
            os.chmod(project.folder / "bin" / name, 0o755)
        project.environment["DOCKER"] = next(
            path for folder in project.environment["PATH"].split(":") if os.access(path := f"{folder}/docker", os.X_OK))
        project.environment["PATH"] = f"{project.folder}/bin:{project.environment['PATH']}"
        project.environment["CUDA_VISIBLE_DEVICES"] = "4,5"
        began = time.monotonic()
        self.run_ok(project, "run", seconds=60)
        self.assertLess(time.monotonic() - began, 20)
        self.assertEqual(project.ledger_lines().count("asked"), 1)
        self.assertEqual(sorted(word for word in project.ledger_lines() if "device=" in word), ['"device=4"', '"device=5"'])
        metrics = project.tasks()["one/0"]["report"]["metrics"]
        self.assertGreater(metrics["system/cpu"]["count"], 2)
        self.assertEqual([name for name in metrics if name.startswith("system/gpu/")], [])
        self.assertEqual(self.engine.containers(), [])
        self.assert_no_orphans(project)


if __name__ == "__main__":
    unittest.main()

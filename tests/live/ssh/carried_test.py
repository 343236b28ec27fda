"""Python environments on a machine that reaches no registry: their packages are carried there."""

import os
import shutil
from pathlib import Path

from harness import kill_quietly, wait_until
from machines import FarProject, MachineTest
from wheels import make_wheel

FLOW = """
[flow]
name = "Carried"
[step.one]
foreach = "range(4)"
resources = { cpu = 0.1 }
environment = { requirements = "requirements.txt" }
retry = { times = 0, on = ["infra"] }
run = '''python -c "import sys, amp, tiny; print(sys.prefix, tiny.VALUE)"; tiny-tool'''
"""


class Carried(MachineTest):
    def carried_project(self, flow: str = FLOW, profile: str = "") -> FarProject:
        project = self.project({"flow.toml": flow})
        project.write("amp.toml", f'[profile.box]\nbackend = "ssh"\nhost = "box"\nmax_workers = 4\n{profile}')
        wheels = project.top / "wheels"
        make_wheel(wheels, "tiny", "1")
        wheels.chmod(0o700)  # there is but one disk: what is there is only ours
        project.write("requirements.txt", f"--no-index\n--find-links {wheels}\ntiny\n")
        return project

    def environments(self) -> list[Path]:
        folder = self.machines.root() / "environments"
        return [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()] if folder.exists() else []

    def objects(self) -> set[str]:
        return {path.name for path in (self.machines.root() / "store" / "objects").rglob("*") if path.is_file()}

    def forget(self) -> None:
        shutil.rmtree(self.machines.root() / "environments", ignore_errors=True)

    def check(self, project: FarProject) -> None:
        logs = [self.run_ok(project, "logs", f"latest/one/{i}").out for i in range(4)]
        for log in logs:
            self.assertRegex(log, rf"{self.machines.root()}/environments/\S+ 1\ntool 1\n$")
        self.assertEqual(len(self.environments()), 1)

    def test_packages_are_got_here_and_sent_once(self) -> None:
        self.forget()
        project = self.carried_project()
        told = self.run_ok(project, "run", "--on", "box").err
        self.assertIn("gets the packages of requirements.txt for box (Python 3.", told)
        self.check(project)
        entry = project.json("show", "latest")["environments"][0]
        self.assertEqual([carried["profile"] for carried in entry["carried"]], ["box"])
        before = self.objects()
        shutil.rmtree(project.top / "wheels")  # they are in the store
        told = self.run_ok(project, "run", "--on", "box").err
        self.assertNotIn("gets the packages", told)
        self.check(project)
        self.assertEqual(self.objects(), before)
        self.run_ok(project, "fsck")

    def test_a_python_without_pip_gets_that_as_well(self) -> None:
        self.forget()
        shims = self.machines.top / "shims"
        shims.mkdir(exist_ok=True)
        (shims / "python3").write_text(
            '#!/bin/sh\ncase "$*" in *"import ensurepip"*) exit 1;; esac\nexec /usr/bin/python3 "$@"\n')
        (shims / "python3").chmod(0o755)
        project = self.carried_project(FLOW + f'env = {{ PATH = "{shims}:/usr/bin:/bin" }}\n')
        self.run_ok(project, "run", "--on", "box")
        self.check(project)
        self.assertFalse((self.environments()[0] / "bin" / "pip").exists())

    def test_the_makers_are_killed_and_the_next_makes_it_whole(self) -> None:
        project = self.carried_project(FLOW.replace('on = ["infra"]', 'on = ["lost"]'))
        folder = self.machines.root() / "environments"
        for sign in ("*/pyvenv.cfg", "*/bin/python3", "*/lib/python*/site-packages/*"):
            with self.subTest(sign):
                self.forget()
                run = project.start("run", "--on", "box", "--keep-going")
                wait_until(lambda: next(folder.glob(sign), None), 60, "it is being made")
                for pid in self.machines.processes("environment-run"):
                    kill_quietly(pid)
                self.assertEqual(run.wait(60), 1, project.output())
                attempts = [task["attempts"][-1] for task in project.tasks().values()]
                self.assertEqual({attempt["signal"] for attempt in attempts}, {9}, attempts)
                self.run_ok(project, "run", "--on", "box")
                self.check(project)

    def test_not_carried_and_out_of_reach(self) -> None:
        self.forget()
        project = self.carried_project(FLOW + 'env = { PIP_RETRIES = "1" }\n', "carry = false\n")
        project.write("requirements.txt", "--index-url https://10.99.99.99/simple\ntiny\n")
        self.assertEqual(project.amp("run", "--on", "box").code, 5)
        attempt = next(task for task in project.tasks().values() if task["state"] == "failed")["attempts"][-1]
        self.assertEqual(attempt["cause"], "infra", attempt)
        self.assertIn("`carry` of the profile in amp.toml has the packages sent", attempt["message"])
        folder = self.machines.root() / "environments"
        self.assertEqual([path for path in folder.iterdir() if path.is_symlink()], [])

    def test_packages_that_cannot_be_had_here(self) -> None:
        project = self.carried_project()
        wheels = project.top / "wheels"
        project.write("requirements.txt", f"--no-index\n--find-links {wheels}\ntiny==7\n")
        refused = project.amp("run", "--on", "box")
        self.assertEqual(refused.code, 3, str(refused))
        self.assertIn("the packages of requirements.txt cannot be had for Python 3.", refused.err)
        self.assertEqual(project.runs(), [])
        self.assertFalse([name for name in os.listdir(project.top) if name.startswith("amp-environment-")])

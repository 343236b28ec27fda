"""Python environments of steps: made once a machine, locked with the run, and whole or not there."""

import json
import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from harness import AmpTest, Project, has_ended, wait_until
from wheels import get_uv, make_wheel, reaches_pypi

LOCAL = 'environment = { requirements = "requirements.txt" }\n'
PRINT = 'run = "python -c \'import tiny; print(tiny.VALUE)\'"\n'
FLOW = '[flow]\nname = "Env"\n'


class Environments(AmpTest):
    def env_project(self, flow: str, requirements: str = "tiny") -> Project:
        project = self.project(FLOW + flow)
        wheels = project.top / "wheels"
        for version in ("1", "2"):
            make_wheel(wheels, "tiny", version)
        project.write("requirements.txt", self.local(project, requirements))
        return project

    def local(self, project: Project, requirements: str) -> str:
        return f"--no-index\n--find-links {project.top}/wheels\n{requirements}\n"

    def cache(self, project: Project) -> Path:
        return project.home / ".cache" / "amp" / "environments"

    def made(self, project: Project) -> list[Path]:
        """The folders there are, whole or not."""
        cache = self.cache(project)
        return [path for path in cache.iterdir() if path.is_dir() and not path.is_symlink()] if cache.exists() else []

    def links(self, project: Project) -> list[Path]:
        cache = self.cache(project)
        return [path for path in cache.iterdir() if path.is_symlink()] if cache.exists() else []

    def log(self, project: Project, task: str) -> str:
        return self.run_ok(project, "logs", f"latest/{task}").out

    def shim(self, project: Project, name: str, script: str) -> dict[str, str | None]:
        """A program in front of PATH; `real` in it is the one behind it."""
        folder = project.top / "shims"
        folder.mkdir(exist_ok=True)
        real = shutil.which(name, path=project.environment["PATH"])
        (folder / name).write_text(f"#!/bin/sh\nreal={real}\ntop={project.top}\n{script}")
        (folder / name).chmod(0o755)
        return {"PATH": f"{folder}:{project.environment['PATH']}"}

    def test_one_is_made_for_twenty_tasks_at_once(self) -> None:
        project = self.env_project(
            "[step.one]\nforeach = 'range(20)'\nresources = { cpu = 0.01 }\n" + LOCAL + """run = '''
            python3 - <<'END'
import amp, os, shutil, sys, tiny
home = os.environ["VIRTUAL_ENV"]
assert sys.prefix == home, sys.prefix
assert shutil.which("python3") == home + "/bin/python3" and "PYTHONHOME" not in os.environ
amp.put("value", tiny.VALUE)
END
            test "$(command -v tiny-tool)" = "$VIRTUAL_ENV/bin/tiny-tool"
            tiny-tool'''\n""")
        self.run_ok(project, "run", "--max-workers", "20", env={"PYTHONHOME": sys.base_prefix}, seconds=180)
        self.assertEqual(set(project.states().values()), {"succeeded"})
        logs = [self.log(project, f"one/{i}") for i in range(20)]
        self.assertEqual(sum("amp: makes its environment" in log for log in logs), 1, "\n".join(logs))
        self.assertTrue(all(log.endswith("tool 2\n") for log in logs), logs)
        self.assertEqual(len(self.made(project)), 1)
        self.assertEqual([link.resolve() for link in self.links(project)], self.made(project))
        self.run_ok(project, "run")  # and the next run finds it
        self.assertEqual({self.log(project, f"one/{i}") for i in range(20)}, {"tool 2\n"})
        self.assertTrue(self.run_ok(project, "replay", "latest/one/3").out.endswith("tool 2\n"))
        locked = project.json("show", "latest")["environments"]
        self.assertEqual([(entry["tool"], entry["file"], entry["carried"]) for entry in locked],
                         [("requirements", "requirements.txt", [])])

    def test_killed_while_it_is_made(self) -> None:
        project = self.env_project("[step.one]\n" + LOCAL + PRINT)
        blocking = self.shim(project, "python3", """
"$real" "$@" || exit
case "$*" in *"-m venv"*) test -e "$top/go" || { touch "$top/reached"; exec sleep 1000; };; esac
""")
        run = project.start("run", env=blocking)
        wait_until((project.top / "reached").exists, 60, "half of it is there")
        self.assertEqual(len(self.made(project)), 2)  # it, and the copy of its files
        project.kill_all()
        self.assertTrue(has_ended(run.pid) or run.wait(10) is not None)
        self.assertEqual(self.links(project), [])
        (project.top / "go").touch()
        self.run_ok(project, "resume", env=blocking)
        self.assertTrue(self.log(project, "one").endswith("\n2\n"))
        self.assertEqual([link.resolve() for link in self.links(project)], self.made(project))

    def test_whoever_waits_goes_on_when_the_maker_is_killed(self) -> None:
        project = self.env_project(
            "[step.one]\nforeach = 'range(2)'\nretry = 1\nresources = { cpu = 0.01 }\n" + LOCAL + PRINT)
        blocking = self.shim(project, "python3", """
case "$*" in *"-m venv"*) mkdir "$top/first" 2>/dev/null && { echo $PPID > "$top/maker"; exec sleep 1000; };; esac
exec "$real" "$@"
""")
        run = project.start("run", env=blocking)
        maker = project.top / "maker"
        wait_until(lambda: maker.exists() and maker.read_text().endswith("\n"), 60, "one makes it")
        os.kill(int(maker.read_text()), 9)
        self.assertEqual(run.wait(120), 0, project.output())
        self.assertEqual({state for state in project.states().values()}, {"succeeded"})
        self.assertEqual(len(self.made(project)), 1)

    def test_another_file_is_another_definition(self) -> None:
        project = self.env_project("[step.one]\ncache = true\n" + LOCAL + PRINT, "tiny==1")
        self.run_ok(project, "run")
        self.assertTrue(self.log(project, "one").endswith("\n1\n"))
        self.run_ok(project, "run")
        self.assertEqual(project.states(), {"one/_": "cached"})
        project.write("requirements.txt", self.local(project, "-r more.txt"))
        project.write("more.txt", "tiny==1\n")
        self.run_ok(project, "run")
        self.assertEqual(project.states(), {"one/_": "succeeded"})
        project.write("more.txt", "tiny==2\n")
        planned = self.run_ok(project, "plan").out
        self.assertIn("one", planned)
        self.run_ok(project, "run")
        self.assertEqual(project.states(), {"one/_": "succeeded"})
        self.assertTrue(self.log(project, "one").endswith("\n2\n"))
        runs = [run["run"] for run in project.runs()]
        changes = project.json("diff", runs[1], runs[0])["environments"]
        self.assertEqual([change["name"] for change in changes], ["requirements.txt"])
        self.assertIn("environments\n  requirements.txt: ", project.amp("diff", runs[1], runs[0]).out)
        self.assertIn("python environment: changed", project.amp("why", "latest/one").out)
        self.assertEqual(len(self.made(project)), 3)

    def test_a_resumed_run_has_what_was_locked(self) -> None:
        project = self.env_project("[step.one]\n" + LOCAL + """
run = '''python -c 'import tiny; print(tiny.VALUE)'; test -e "$LEDGER.go"'''\n""", "tiny==1")
        self.assert_code(1, project.amp("run"))
        project.write("requirements.txt", self.local(project, "tiny==2"))
        shutil.rmtree(self.cache(project))
        resumed = project.amp("resume")
        self.assert_code(1, resumed)
        self.assertIn("requirements.txt differs from what run", resumed.err)
        self.assertTrue(self.log(project, "one").endswith("\n1\n"), self.log(project, "one"))
        Path(f"{project.ledger}.go").touch()
        relocked = self.run_ok(project, "resume", "--relock")
        self.assertIn("environment has changed: requirements.txt", relocked.err)
        self.assertTrue(self.log(project, "one").endswith("\n2\n"))
        self.run_ok(project, "fsck")

    def test_two_steps_two_environments_a_gang_and_a_subflow(self) -> None:
        project = self.env_project(
            "[step.one]\n" + LOCAL + PRINT +
            '[step.two]\nnodes = 2\nresources = { cpu = 0.01 }\nenvironment = { requirements = "-r two é.txt" }\n' + PRINT +
            '[step.three]\nflow = "other.toml"\n', "tiny==1")
        project.write("-r two é.txt", self.local(project, "tiny==2"))
        other = '[flow]\nname = "Other"\n[step.inner]\nenvironment = { requirements = "-r two é.txt" }\n'
        project.write("other.toml", other + PRINT)
        self.run_ok(project, "run", seconds=120)
        self.assertTrue(self.log(project, "one").endswith("\n1\n"))
        self.assertIn("2\n", self.log(project, "two"))
        child = next(run["run"] for run in project.runs("--all") if run["flow"] == "Other")
        self.assertIn("2\n", self.run_ok(project, "logs", f"{child}/inner").out)
        self.assertEqual(len(self.made(project)), 2)
        self.assertEqual(len(project.json("show", "Env/latest")["environments"]), 2)

    def failing(self, project: Project, code: int = 1, **options: object) -> dict[str, object]:
        self.assert_code(code, project.amp("run", **options))  # type: ignore[arg-type]
        attempt = project.tasks()["one/_"]["attempts"][-1]
        self.assertEqual(self.made(project), [])
        return dict(attempt)

    def test_why_there_is_none(self) -> None:
        project = self.env_project("[step.one]\nretry = { times = 0, on = ['infra'] }\n" + LOCAL + PRINT, "tiny==99")
        attempt = self.failing(project)
        self.assertEqual(attempt["cause"], "user")
        self.assertRegex(str(attempt["message"]), "^its environment cannot be made: ERROR: Could not find a version .*tiny==99")
        self.assertIn("ERROR: No matching distribution found for tiny==99", self.log(project, "one"))
        project.write("requirements.txt", "--index-url http://127.0.0.1:9/\ntiny\n")
        attempt = self.failing(project, 5, env={"PIP_RETRIES": "1"})
        self.assertEqual(attempt["cause"], "infra", attempt)
        self.assertIn("`carry` of the profile", str(attempt["message"]))
        project.write("requirements.txt", self.local(project, "tiny"))
        project.write(".python-version", "3.99\n")
        self.assertIn("Python 3.99 is asked for, and here is", str(self.failing(project)["message"]))
        (project.folder / ".python-version").unlink()
        project.write("flow.toml", FLOW + "[step.one]\n" + LOCAL + 'run = ["no-such-program"]\n')
        self.assert_code(1, project.amp("run"))
        attempt = project.tasks()["one/_"]["attempts"][-1]
        self.assertEqual((attempt["exit"], attempt["message"]), (127, "program 'no-such-program' not found in PATH"))

    def test_mistakes_are_told_before_anything_starts(self) -> None:
        project = self.project({"flow.toml": FLOW + "[step.one]\n" + LOCAL + PRINT})
        told = project.amp("validate")
        self.assert_code(3, told)
        self.assertIn("AMP1609", told.err + told.out)
        self.assert_code(3, project.amp("run"))
        project.write("requirements.txt", "six\n-e .\n")
        refused = project.amp("run")
        self.assert_code(3, refused)
        self.assertIn("requirements.txt:2: '-e .' lies in the project, and is no package", refused.err)
        project.write("requirements.txt", "-r gone.txt\n")
        self.assert_code(7, project.amp("run"))
        self.assertEqual(list((project.folder / ".amp/runs").glob("*")), [])

    def test_the_limit_of_time_is_of_the_command(self) -> None:
        project = self.env_project("[step.one]\ntimeout = '5s'\n" + LOCAL +
                                   "run = '''python -c 'import tiny'; test -e \"$LEDGER.quick\" || sleep 1000'''\n")
        slow = self.shim(project, "python3", 'case "$*" in *"-m venv"*) sleep 6;; esac; exec "$real" "$@"\n')
        self.assert_code(1, project.amp("run", env=slow))
        attempt = project.tasks()["one/_"]["attempts"][-1]
        self.assertEqual(attempt["cause"], "timeout", attempt)
        self.assertEqual(len(self.links(project)), 1)  # it was made
        shutil.rmtree(self.cache(project))
        Path(f"{project.ledger}.quick").touch()
        self.run_ok(project, "run", env=slow)

    def test_conda_by_a_program_that_stands_in_for_it(self) -> None:
        project = self.project({
            "flow.toml": FLOW + '[step.one]\nenvironment = { conda = "envs/e.yml" }\nrun = "tool; echo $CONDA_PREFIX"\n',
            "envs/e.yml": "dependencies:\n  - python\n  - pip:\n    - -r more.txt\n",
            "envs/more.txt": "six\n",
        })
        self.assert_code(1, project.amp("run"))
        self.assertIn("neither micromamba nor mamba nor conda in PATH", project.tasks()["one/_"]["attempts"][-1]["message"])
        there = self.shim(project, "micromamba", """
test "$1 $2 $3" = "create --yes --prefix" && test -e more.txt && grep -q python "$6" || exit 3
mkdir -p "$4/bin" "$4/conda-meta" && printf '#!/bin/sh\\necho tool\\n' > "$4/bin/tool" && chmod +x "$4/bin/tool"
""")
        self.run_ok(project, "run", env=there)
        self.assertRegex(self.log(project, "one"), r"\ntool\n/.*/amp/environments/\w+-\w+\.\w+\n$")


class WithUv(AmpTest):
    def test_a_lock_file_with_uv_and_without(self) -> None:
        uv = get_uv()
        if uv is None:
            self.skipTest("SKIPPED test_a_lock_file_with_uv_and_without: PyPI cannot be reached, and so uv is not to be had")
        project = self.project()
        make_wheel(project.top / "wheels", "tiny", "1")
        path = f"{uv}:{project.environment['PATH']}"
        poor = project.environment["PATH"]
        project.write("pyproject.toml", f"""
[project]
name = "train"
version = "0"
requires-python = ">=3.9"
dependencies = ["tiny"]
[tool.uv]
no-index = true
find-links = ["{project.top}/wheels"]
""")
        subprocess.run([f"{uv}/uv", "lock", "--quiet"], cwd=project.folder, env={**project.environment, "PATH": path}, check=True)
        step = ('environment = {{ uv = "uv.lock" }}\nenv = {}\n'
                'run = "python -c \'import sys, tiny; print(sys.prefix, tiny.VALUE)\'"\n')
        project.write("flow.toml", FLOW + "[step.rich]\n" + step.format("{}"))
        self.run_ok(project, "run", env={"PATH": path})
        self.assertRegex(self.run_ok(project, "logs", "latest/rich").out, r"/amp/environments/\S+ 1\n$")
        shutil.rmtree(project.home / ".cache/amp")
        variables = json.dumps({"PATH": poor, "PIP_FIND_LINKS": f"{project.top}/wheels", "PIP_NO_INDEX": "1"})
        variables = variables.replace('":', '" =')
        project.write("flow.toml", FLOW + "[step.poor]\n" + step.format(variables))
        self.run_ok(project, "run", env={"PATH": path})
        log = self.run_ok(project, "logs", "latest/poor").out
        self.assertRegex(log, r"/amp/environments/\S+ 1\n$")
        self.assertIn("exported.txt", log)
        shutil.rmtree(project.home / ".cache/amp")
        self.assert_code(1, project.amp("run", env={"PATH": poor}))
        self.assertIn("there is no uv in PATH", project.tasks()["poor/_"]["attempts"][-1]["message"])

    def test_packages_of_pypi(self) -> None:
        if not reaches_pypi():
            self.skipTest("SKIPPED test_packages_of_pypi: PyPI cannot be reached")
        project = self.project({
            "flow.toml": FLOW + "[step.one]\n" + LOCAL + 'run = "python -c \'import six; print(six.__version__)\'"\n',
            "requirements.txt": "six==1.17.0 \\\n"
            "    --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274\n"})
        reaching = {name: os.environ.get(name) for name in ("PIP_INDEX_URL", "PIP_CERT", "PIP_PROXY", "HTTPS_PROXY")}
        self.run_ok(project, "run", env=reaching)
        self.assertTrue(self.run_ok(project, "logs", "latest/one").out.endswith("\n1.17.0\n"))


if __name__ == "__main__":
    unittest.main()

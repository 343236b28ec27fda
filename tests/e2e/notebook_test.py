"""amp in the cells of notebooks, executed by a real Jupyter kernel: `!` is a terminal without a cursor there, `%%bash` a pipe."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from harness import AMP, ROOT, SLOW, AmpTest, Project

PACKAGES = ("nbconvert==7.16.4", "nbclient==0.10.0", "ipykernel==6.29.5")
FLOW = """
[flow]
name = "Cells"

[params]
broken = false
quick = true

[step.train]
foreach = "[1, 2, 3]"
run = '''
echo "épochs of {{ item }}"; amp metric loss=0.5; amp put score {{ item }}
{{ params.quick }} || sleep 1
! {{ params.broken }}
'''

[step.report]
needs = "train"
join = true
run = "echo the report; amp put total {{ sum(train.*.score) }}"
"""
SECRET = '[flow]\nname = "Asks"\n[params]\ntoken = { type = "secret" }\n[step.one]\nparams = ["token"]\nrun = "true"\n'
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
RUN_LINE = re.compile(r"^\d{6}-\d{6}-\w{4}\r?$", re.MULTILINE)


def has_jupyter(python: str | Path) -> bool:
    command = [python, "-c", "import nbconvert, nbclient, ipykernel"]
    try:
        return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0
    except OSError:
        return False


def jupyter_python() -> str:
    """A Python with Jupyter: one that is there, else one that is made below build/ from PyPI, once. @raises SkipTest"""
    folder = ROOT / "build" / "venv-notebook"
    for python in (sys.executable, "/usr/bin/python3", str(folder / "bin" / "python")):
        if has_jupyter(python):
            return python
    folder.parent.mkdir(exist_ok=True)
    with (folder.parent / "venv-notebook.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not has_jupyter(folder / "bin" / "python"):
            shutil.rmtree(folder, ignore_errors=True)
            pip = [folder / "bin" / "python", "-m", "pip", "install", "-q", "--retries", "1", "--timeout", "20", *PACKAGES]
            for command in ([sys.executable, "-m", "venv", folder], pip):
                done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
                if done.returncode != 0:
                    shutil.rmtree(folder, ignore_errors=True)
                    reason = (done.stderr.strip().splitlines() or ["it failed"])[-1]
                    raise unittest.SkipTest(f"SKIPPED, NOT TESTED: no Jupyter here, and none from PyPI: {reason}")
    return str(folder / "bin" / "python")


class Notebooks(AmpTest):
    python: str

    @classmethod
    def setUpClass(cls) -> None:
        cls.python = jupyter_python()

    def execute(self, project: Project, notebook: Path, *options: str, code: int = 0) -> dict[str, list[dict]]:
        """The outputs of each cell, by its id."""
        tools = project.top / "bin"
        tools.mkdir()
        (tools / "amp").symlink_to(AMP)
        environment = {
            **project.environment,
            "PATH": f"{tools}:{project.environment['PATH']}",
            "PYTHONPATH": str(ROOT / "python"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            "JUPYTER_PLATFORM_DIRS": "1",
            "TERM": "xterm",
        }
        environment.pop("LEDGER")
        shutil.copy(notebook, project.folder / "notebook.ipynb")
        command = [
            self.python,
            "-m",
            "nbconvert",
            "--to",
            "notebook",
            "--execute",
            "--output",
            "done.ipynb",
            *options,
            "notebook.ipynb",
        ]
        done = subprocess.run(
            command,
            cwd=project.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240 * SLOW,
            check=False,
        )
        self.assertEqual(done.returncode, code, done.stderr[-3000:])
        if code != 0:
            return {}
        cells = json.loads((project.folder / "done.ipynb").read_text())["cells"]
        return {cell["id"]: cell.get("outputs", []) for cell in cells}

    def text(self, outputs: list[dict], *names: str) -> str:
        """What was printed to these streams; of errors the traceback."""
        return "".join(
            "".join(output.get("text", output.get("traceback", [])))
            for output in outputs
            if not names or output.get("name", output["output_type"]) in names
        )

    def assert_calm(self, cell: str, text: str) -> None:
        """No cursor moves, no questions, nothing but colours and carriage returns."""
        rest = COLOUR.sub("", text)
        self.assertNotIn("\x1b", rest, f"{cell}: {text!r}")
        self.assertFalse([c for c in rest if ord(c) < 0x20 and c not in "\n\r\t"], f"{cell}: {text!r}")
        self.assertNotIn("not shown", rest, f"{cell}: {text!r}")
        self.assertNotIn("--More--", rest)

    def test_cells(self) -> None:
        files = {"flow.toml": FLOW, "secret.toml": SECRET, "wrong.toml": '[flow]\nnmae = "x"\n[step.one]\nrun = "true"\n'}
        project = self.project(files)
        cells = self.execute(project, ROOT / "tests" / "data" / "notebook.ipynb", "--allow-errors")
        printed = {name: COLOUR.sub("", self.text(outputs)) for name, outputs in cells.items()}
        for name, outputs in cells.items():
            if not name.startswith(("client", "wrong-bash")):  # there IPython colours its tracebacks
                self.assert_calm(name, self.text(outputs))
        self.assertRegex(printed["run"], RUN_LINE)
        self.assertIn("exit code 0", printed["run-code"])
        self.assertRegex(printed["show"], r"run \S+ +succeeded")
        for word in ("succeeded", "train/1", "loss", "the report"):
            self.assertIn(word, printed["lists"])
        self.assertIn("['succeeded', 'succeeded', 'succeeded', 'succeeded']", printed["captured"])
        self.assertEqual(printed["bash"], "succeeded\n6\n")
        self.assertEqual(printed["python"], "['succeeded', 'succeeded'] ''\n")
        self.assertIn("in a task: False", printed["client"])
        self.assertRegex(printed["client-put"], "(?i)error.*")
        self.check_errors(cells, printed)
        states = [run["state"] for run in project.runs()]
        self.assertEqual(states, ["succeeded", "failed", "failed", "succeeded", "succeeded"])

    def check_errors(self, cells: dict[str, list[dict]], printed: dict[str, str]) -> None:
        """They can be read, and the code is that of amp."""
        self.assertRegex(printed["wrong"], r"error: there is no run '2z'")
        self.assertRegex(printed["wrong"], r"train/\d.*exit status 1")
        self.assertIn("exit code 1", printed["wrong-code"])
        self.assertIn("CalledProcessError", printed["wrong-bash"])
        self.assertIn("exit status 1", printed["wrong-bash"])
        self.assertNotIn("never\n", self.text(cells["wrong-bash"], "stdout"))
        self.assertIn("error[AMP1010]", printed["wrong-flow"])
        self.assertIn("token", printed["secret"])
        self.assertIn("has no value", printed["secret"])

    def test_a_cell_that_fails_stops_the_notebook(self) -> None:
        project = self.project(FLOW)
        cell = {"cell_type": "code", "execution_count": None, "id": "a", "metadata": {}, "outputs": []}
        text = {
            "cells": [{**cell, "source": "%%bash\nset -e\namp run -q --broken true\n"}],
            "metadata": {},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        path = project.write("one.ipynb", json.dumps(text))
        self.execute(project, path, code=1)
        self.assertEqual([run["state"] for run in project.runs()], ["failed"])

    def test_the_example(self) -> None:
        folder = ROOT / "examples" / "notebook"
        project = self.project({"flow.toml": (folder / "flow.toml").read_text()})
        cells = self.execute(project, folder / "notebook.ipynb")
        for name, outputs in cells.items():
            self.assert_calm(name, self.text(outputs))
        self.assertIn("best rate: 0.5, with a loss of", self.text(cells["python"], "stdout"))
        self.assertRegex(self.text(cells["bash"], "stdout"), r"2 succeeded\ntrain/0\tloss\t")
        self.assertEqual(self.text(cells["bash"], "stderr"), "")
        self.assertIn("params.rates", COLOUR.sub("", self.text(cells["compare"])))

    def test_examples_are_kept_without_outputs(self) -> None:
        for path in (ROOT / "examples" / "notebook" / "notebook.ipynb", ROOT / "tests" / "data" / "notebook.ipynb"):
            for cell in json.loads(path.read_text())["cells"]:
                self.assertEqual(
                    (cell.get("outputs", []), cell.get("execution_count")), ([], None), f"{path}: {os.linesep}{cell}"
                )

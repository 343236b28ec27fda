"""What the tests of the built binary share: a project in a temporary folder, amp run in it, golden texts, processes.

The binary is $AMP_BINARY, by default build/amp. AMP_UPDATE_GOLDEN=1 writes the golden texts anew.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).resolve().parent / "golden"
AMP = Path(os.environ.get("AMP_BINARY", ROOT / "build" / "amp")).resolve()
SLOW = float(os.environ.get("AMP_SLOW", "1"))  # a binary with sanitizers takes this many times longer

RUN_ID = re.compile(r"\b\d{6}-\d{6}-[bcdfghjkmnpqrstvwxz23456789]{4}\b")
TIME = re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?")
CLOCK = re.compile(r"\b\d\d:\d\d:\d\d\b")
DURATION = re.compile(r"\b(\d+h)?(\d+m)?\d+(\.\d+)?(ms|s)\b|\b\d+h(\d+m)?\b|\b\d+m\b")

TERMINAL = {"succeeded", "failed", "caught", "skipped", "cached", "blocked", "cancelled"}


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


def decode(data: bytes | None) -> str:
    return (data or b"").decode(errors="backslashreplace")


def processes_with(marker: str) -> Iterator[tuple[int, list[str]]]:
    """Pid and arguments of every living process whose environment holds `marker`."""
    needle = marker.encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if needle not in (folder / "environ").read_bytes().split(b"\0"):
                continue
            if (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                continue
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # ended meanwhile
        yield int(folder.name), [decode(argument) for argument in arguments[:-1]]


def has_ended(pid: int) -> bool:
    """Its files are closed too: a process that is ending loses its environment before them, and its first thread may be gone
    before the others."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state in "ZX" and len(list(Path(f"/proc/{pid}/task").iterdir())) <= 1
    except OSError:
        return True


def kill_quietly(pid: int, number: int = signal.SIGKILL) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def wait_until(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Polls until `condition` gives something true and returns that. @raises AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds * SLOW
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds * SLOW:g} s: {what}")
        time.sleep(0.01)


class Project:
    """A folder with a flow, and amp called in it. Everything that it starts carries a marker in its environment."""

    _count = 0

    def __init__(self, files: dict[str, str | bytes] | None = None) -> None:
        Project._count += 1
        self.top = Path(tempfile.mkdtemp(prefix="amp-e2e-"))
        self.folder = self.top / "project"
        self.home = self.top / "home"
        self.prefix: list[str] = []  # of amp's words
        self.folder.mkdir()
        self.home.mkdir()
        self.marker = f"AMP_E2E={os.getpid()}.{Project._count}"
        self.ledger = self.top / "ledger"
        self.ledger.touch()
        name, value = self.marker.split("=")
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "USER": "tester",
            "LANG": "C.UTF-8",
            "TMPDIR": str(self.top),
            "LEDGER": str(self.ledger),
            name: value,
            **{name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")},
        }
        for path, content in (files or {}).items():
            self.write(path, content)

    def write(self, path: str, content: str | bytes) -> Path:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    def amp(
        self,
        *arguments: str | bytes,
        stdin: bytes | None = None,
        env: dict[str, str | None] | None = None,
        cwd: Path | None = None,
        seconds: float = 60,
    ) -> Result:
        """Runs amp to its end."""
        result = subprocess.run(
            [AMP, *arguments],
            cwd=cwd or self.folder,
            env=self.environment_with(env),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=seconds * SLOW,
            check=False,
        )
        return Result(result.returncode, decode(result.stdout), decode(result.stderr))

    def start(self, *arguments: str, env: dict[str, str | None] | None = None, **options: Any) -> subprocess.Popen[bytes]:
        """Starts amp; what it prints is appended to the file `output` beside the project, unless `options` say otherwise."""
        with (self.top / "output").open("ab") as output:
            settings = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output, **options}
            return subprocess.Popen([AMP, *arguments], cwd=self.folder, env=self.environment_with(env), **settings)

    def environment_with(self, changes: dict[str, str | None] | None) -> dict[str, str]:
        merged = {**self.environment, **(changes or {})}
        return {name: value for name, value in merged.items() if value is not None}

    def output(self) -> str:
        path = self.top / "output"
        return decode(path.read_bytes()) if path.exists() else ""

    def json(self, *arguments: str, code: int = 0) -> Any:
        result = self.amp(*arguments, "--json")
        if result.code != code:
            raise AssertionError(f"amp {' '.join(arguments)} --json: {result}")
        return json.loads(result.out)

    def tasks(self, run: str = "latest") -> dict[str, dict[str, Any]]:
        """The tasks of a run, by STEP/INDEX."""
        return {f"{task['step']}/{task['index']}": task for task in self.json("show", run)["tasks"]}

    def states(self, run: str = "latest") -> dict[str, str]:
        return {name: task["state"] for name, task in self.tasks(run).items()}

    def runs(self, *options: str) -> list[dict[str, Any]]:
        """What `amp runs` lists, newest first."""
        return self.json("runs", *options)["runs"]

    def ledger_lines(self) -> list[str]:
        return self.ledger.read_text().splitlines()

    def processes(self) -> dict[int, list[str]]:
        return dict(processes_with(self.marker))

    def keepers(self) -> list[int]:
        return [pid for pid, arguments in self.processes().items() if arguments[1:2] == ["keeper"]]

    def kill_all(self) -> None:
        """Ends whatever this project started."""
        deadline = time.monotonic() + 10
        killed: set[int] = set()
        while (pids := list(self.processes())) and time.monotonic() < deadline:
            killed.update(pids)
            for pid in pids:
                kill_quietly(pid)
            time.sleep(0.01)
        while not all(has_ended(pid) for pid in killed) and time.monotonic() < deadline:
            time.sleep(0.01)

    def remove(self) -> None:
        self.kill_all()
        for folder, _, _ in os.walk(self.top):
            os.chmod(folder, 0o700)
        shutil.rmtree(self.top, ignore_errors=True)


class AmpTest(unittest.TestCase):
    """A test with projects that are removed, and with what they started ended, however it ends."""

    maxDiff = None

    def project(self, files: dict[str, str | bytes] | str | None = None) -> Project:
        """@param files path → content; or the text of flow.toml alone"""
        project = Project({"flow.toml": files} if isinstance(files, str) else files)
        self.addCleanup(project.remove)
        return project

    def run_ok(self, project: Project, *arguments: str, **options: Any) -> Result:
        result = project.amp(*arguments, **options)
        self.assertEqual(result.code, 0, f"amp {' '.join(map(str, arguments))}: {result}")
        return result

    def assert_code(self, code: int, result: Result) -> None:
        self.assertEqual(result.code, code, str(result))
        self.assertNotIn("terminate called", result.err)
        self.assertNotIn("Sanitizer", result.err)

    def assert_no_orphans(self, project: Project, seconds: float = 10) -> None:
        """Everything that the project started has ended."""
        try:
            wait_until(lambda: not project.processes(), seconds, "no process is left")
        except AssertionError as error:
            raise AssertionError(f"{error}: {project.processes()}") from None

    def golden(self, name: str, text: str, project: Project | None = None) -> None:
        """Compares with tests/e2e/golden/NAME; ids, times and folders are replaced by placeholders."""
        if project is not None:
            text = text.replace(str(project.folder), "<PROJECT>").replace(str(project.top), "<TOP>")
        text = RUN_ID.sub("<RUN>", text)  # which may hold the host's name
        text = text.replace(os.uname().nodename, "<HOST>")
        for pattern, placeholder in ((TIME, "<TIME>"), (CLOCK, "<CLOCK>"), (DURATION, "<DURATION>")):
            text = pattern.sub(placeholder, text)
        text = re.sub(r"  +<DURATION>", " <DURATION>", text)  # columns are as wide as what stands in them
        text = re.sub(r"<DURATION>  +", "<DURATION> ", text)
        text = re.sub(r"  +TOOK\b", " TOOK", text)
        path = GOLDEN / name
        if os.environ.get("AMP_UPDATE_GOLDEN"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            return
        self.assertTrue(path.exists(), f"{path} is missing; AMP_UPDATE_GOLDEN=1 writes it")
        self.assertEqual(path.read_text(), text, f"{path} differs")

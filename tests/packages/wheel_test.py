"""The wheel, in a virtual environment that reaches no index."""

import base64
import hashlib
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

from common import PackageTest, run

IN_TASK = """
import amp
amp.put("where", amp.__file__)
"""


class WheelTest(PackageTest):
    wheel: Path
    venv: Path

    def make_venv(self, folder: Path) -> Path:
        done = run(sys.executable, "-m", "venv", folder)
        if done.returncode != 0:
            self.skipTest("SKIPPED, NOT TESTED: this Python makes no virtual environments (python3-venv)")
        return folder

    def setUp(self) -> None:
        super().setUp()
        self.wheel = self.only("amp-*.whl")
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        self.environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"

    def inside(self, *command: object, **options: object) -> str:
        return self.ok(*command, env=self.environment, cwd=self.folder, **options)

    def install(self, *options: object) -> None:
        self.inside(self.venv / "bin" / "pip", "install", "--no-index", "--no-compile", *options, self.wheel)


class Installed(WheelTest):
    """What only looks at what was installed shares one environment."""

    def setUp(self) -> None:
        super().setUp()
        cls = type(self)
        if not hasattr(cls, "venv"):
            folder = tempfile.TemporaryDirectory(prefix="amp-package-venv-")
            cls.addClassCleanup(folder.cleanup)
            cls.venv = self.make_venv(Path(folder.name) / "venv")
            self.install()

    def test_what_is_installed_works(self) -> None:
        self.assertRegex(self.inside(self.venv / "bin" / "amp", "--version"), r"\Aamp \d")
        self.assertRegex(self.inside(self.venv / "bin" / "python", "-m", "amp", "--version"), r"\Aamp \d")
        program = "import amp; amp.metric(loss=1.0); print(amp.__file__)"
        self.assertIn(str(self.venv), self.inside(self.venv / "bin" / "python", "-c", program))
        said = self.inside(self.venv / "bin" / "pip", "show", "amp")
        self.assertIn("Version: " + self.inside(self.venv / "bin" / "amp", "--version").split()[1], said)

    def test_exit_codes_and_arguments_go_through(self) -> None:
        done = run(self.venv / "bin" / "python", "-m", "amp", "explain", "no such thing", env=self.environment, cwd=self.folder)
        direct = run(self.venv / "bin" / "amp", "explain", "no such thing", env=self.environment, cwd=self.folder)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (direct.returncode, direct.stdout, direct.stderr))

    def test_a_task_imports_the_package_of_the_amp_that_runs_it(self) -> None:
        """With the package installed too, neither copy may give way to the other for ever."""
        python = self.venv / "bin" / "python"
        (self.folder / "task.py").write_text(IN_TASK)
        (self.folder / "flow.toml").write_text(f'[flow]\nname = "W"\n[step.one]\nrun = ["{python}", "task.py"]\n')
        self.inside(self.venv / "bin" / "amp", "run")
        where = self.inside(self.venv / "bin" / "amp", "get", "latest/one", "where")
        self.assertNotIn(str(self.venv), where)

    def test_a_module_of_the_user_s_own_wins(self) -> None:
        (self.folder / "amp.py").write_text("mine = 1\n")
        said = self.inside(self.venv / "bin" / "python", "-c", "import amp; print(amp.mine)")
        self.assertEqual(said, "1\n")


class Installing(WheelTest):
    def setUp(self) -> None:
        super().setUp()
        self.venv = self.make_venv(self.folder / "venv")

    def test_removed_it_leaves_nothing(self) -> None:
        before = self.listing()
        self.install()
        self.assertNotEqual(self.listing(), before)
        self.inside(self.venv / "bin" / "pip", "uninstall", "--yes", "amp")
        self.assertEqual(self.listing(), before)

    def test_into_a_folder(self) -> None:
        target = self.folder / "target"
        self.install("--target", target)
        self.environment["PYTHONPATH"] = str(target)
        self.assertRegex(self.inside(self.venv / "bin" / "python", "-m", "amp", "--version"), r"\Aamp \d")

    def test_without_the_executable_it_says_so(self) -> None:
        self.install()
        (self.venv / "bin" / "amp").unlink()
        done = run(self.venv / "bin" / "python", "-m", "amp", env=self.environment, cwd=self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "error: there is no executable amp: neither beside this package nor in PATH\n")

    def listing(self) -> list[str]:
        return sorted(str(path) for path in self.venv.rglob("*") if "__pycache__" not in path.parts)


class Content(WheelTest):
    def test_its_record_tells_the_truth(self) -> None:
        with zipfile.ZipFile(self.wheel) as archive:
            names = archive.namelist()
            record = next(name for name in names if name.endswith("RECORD"))
            rows = [line.split(",") for line in archive.read(record).decode().splitlines()]
            self.assertEqual(sorted(row[0] for row in rows), sorted(names))
            for name, digest, size in rows:
                if name != record:
                    content = archive.read(name)
                    told = "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
                    self.assertEqual((digest, int(size)), (told, len(content)), name)


if __name__ == "__main__":
    unittest.main()

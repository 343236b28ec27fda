"""What the tests of the packages share: the static executable, the packages made of it, and projects to try them with."""

import os
import shutil
import stat
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("AMP_BINARY", ROOT / "build" / "static" / "amp")).resolve().parent
AMP = BUILD / "amp"
PACKAGES = Path(os.environ.get("AMP_PACKAGES", ROOT / "build" / "packages")).resolve()
CHROOT = shutil.which("chroot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") or "chroot"
FLOW = '[flow]\nname = "Self"\n[step.one]\nrun = ["%s", "--version"]\n'


def run(*command: object, **options: object) -> subprocess.CompletedProcess:
    settings = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "check": False, "timeout": 120, **options}
    return subprocess.run([str(word) for word in command], **settings)


class PackageTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="amp-package-", ignore_cleanup_errors=True)
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.folder.chmod(0o755)

    def ok(self, *command: object, **options: object) -> str:
        done = run(*command, **options)
        self.assertEqual(done.returncode, 0, f"{command}\n--- stdout\n{done.stdout}\n--- stderr\n{done.stderr}")
        return done.stdout

    def only(self, pattern: str) -> Path:
        found = sorted(PACKAGES.glob(pattern))
        self.assertEqual(len(found), 1, f"{pattern} in {PACKAGES}: {found}")
        return found[0]

    def project(self, program: str = "/amp") -> Path:
        """A flow whose one step is the program itself: it needs no shell and no interpreter."""
        folder = self.folder / "project"
        folder.mkdir()
        (folder / "flow.toml").write_text(FLOW % program)
        return folder

    def need_root(self) -> None:
        if os.geteuid() != 0:
            self.skipTest("SKIPPED, NOT TESTED: only root may mount, change its root folder or be somebody else")

    def assert_modes(self, files: dict[str, int]) -> None:
        """Nothing that others may write, nothing that others may not read."""
        for name, mode in files.items():
            self.assertEqual(mode & 0o7777 & ~0o111, 0o644, f"{name}: {oct(mode)}")
            self.assertIn(mode & 0o111, (0, 0o111), f"{name}: {oct(mode)}")

    def modes_below(self, folder: Path) -> dict[str, int]:
        return {str(path): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if not path.is_symlink()}

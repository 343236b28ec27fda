"""`amp --version` and `amp version`: the commit, and what is linked in; and where the build looks them up."""

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness import ROOT, AmpTest

SCRIPT = ROOT / "cmake" / "version_facts.cmake"


class Version(AmpTest):
    def test_text_and_json_say_the_same(self) -> None:
        project = self.project()
        text = self.run_ok(project, "--version").out
        self.assertEqual(self.run_ok(project, "version").out, text)
        said = project.json("version")
        self.assertEqual(set(said), {"schema", "version", "commit", "libraries", "compiler", "linkage"})
        first, libraries, compiler = text.splitlines()
        self.assertEqual(first, f"amp {said['version']} ({said['commit'] or 'unknown'})")
        listed = ", ".join(sorted(f"{name} {version}" for name, version in said["libraries"].items()))
        self.assertEqual(", ".join(sorted(libraries.removeprefix("libraries: ").split(", "))), listed)
        self.assertEqual(compiler, f"compiler: {said['compiler']}, {said['linkage']}")
        for name, version in said["libraries"].items():
            self.assertRegex(version, r"\A\d+(\.\d+)*\Z", name)


@unittest.skipIf(shutil.which("git") is None or shutil.which("cmake") is None, "SKIPPED, NOT TESTED: git and cmake are needed")
class Commit(unittest.TestCase):
    """The script that the build runs, on small repositories."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="amp-version-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.output = self.folder / "facts.cpp"

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.folder / "source"), "-c", "user.name=a", "-c", "user.email=a@localhost", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def repository(self) -> str:
        (self.folder / "source" / "below").mkdir(parents=True)
        (self.folder / "source" / "file").write_text("1")
        self.git("init", "-q")
        self.git("add", "file")
        self.git("commit", "-q", "-m", "one")
        return self.git("rev-parse", "--short=12", "HEAD")

    def commit(self, source: str = "source") -> str:
        values = {
            "OUTPUT": self.output,
            "SOURCE": self.folder / source,
            "VERSION": "1.2.3",
            "COMPILER": "GCC 12.2.0",
            "LINKAGE": "shared",
        }
        words = [word for name, value in {**values, "YAML_VERSION": "0.7.0"}.items() for word in ("-D", f"{name}={value}")]
        subprocess.run(["cmake", *words, "-P", str(SCRIPT)], check=True, capture_output=True)
        (found,) = re.findall(r"amp 1\.2\.3 \((.*)\)", self.output.read_text())
        return found

    def test_the_commit(self) -> None:
        commit = self.repository()
        self.assertEqual(self.commit(), commit)

    def test_changes_that_are_not_committed(self) -> None:
        commit = self.repository()
        (self.folder / "source" / "new").write_text("not git's")
        self.assertEqual(self.commit(), commit)
        (self.folder / "source" / "file").write_text("2")
        self.assertEqual(self.commit(), f"{commit}-dirty")

    def test_an_archive_without_git_has_none(self) -> None:
        (self.folder / "source").mkdir()
        self.assertEqual(self.commit(), "unknown")

    def test_an_archive_in_somebody_else_s_repository_has_none(self) -> None:
        self.repository()
        self.assertEqual(self.commit("source/below"), "unknown")

    def test_it_is_written_when_it_changes_and_not_otherwise(self) -> None:
        self.repository()
        self.commit()
        before = self.output.stat().st_mtime_ns
        self.commit()
        self.assertEqual(self.output.stat().st_mtime_ns, before)
        self.git("commit", "-q", "--allow-empty", "-m", "two")
        self.commit()
        self.assertNotEqual(self.output.stat().st_mtime_ns, before)


if __name__ == "__main__":
    unittest.main()

"""amp's reader of Python against CPython's own: the same trees, and the same files refused.

AMP_PYTHON_FILES=N: how many files of /usr/lib/python3* (0: all, a minute). AMP_PYTHON: the Python to compare with,
for instance a python3.13, whose newer syntax is then looked at too.
"""

import os
import random
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Iterable
from pathlib import Path

from harness import AMP
from python_snippets import generated, snippets

TREE = AMP.parent / "python_tree"
PYTHON = os.environ.get("AMP_PYTHON", sys.executable)
FILES = int(os.environ.get("AMP_PYTHON_FILES", "60"))
CHUNK = 40


def lines_of(command: list[str], files: list[Path]) -> list[str]:
    result = subprocess.run([*command, *map(str, files)], capture_output=True, check=True)
    return result.stdout.decode("utf-8").split("\n")[:-1]


def chunks(files: list[Path]) -> Iterable[list[Path]]:
    return (files[i : i + CHUNK] for i in range(0, len(files), CHUNK))


def difference(ours: str, theirs: str) -> str:
    at = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs)))
    begin = max(0, at - 80)
    return f"ours …{ours[begin : at + 80]}…\n theirs …{theirs[begin : at + 80]}…"


@unittest.skipUnless(TREE.exists(), "SKIPPED, NOT TESTED: python_tree is not built beside the binary")
class Trees(unittest.TestCase):
    def compare(self, files: list[Path]) -> None:
        for some in chunks(files):
            ours = lines_of([str(TREE)], some)
            theirs = lines_of([PYTHON, str(Path(__file__).with_name("python_trees.py"))], some)
            self.assertEqual(len(ours), len(theirs))
            for file, our, their in zip(some, ours, theirs, strict=True):
                with self.subTest(str(file)):
                    if their.startswith("!"):
                        self.assertTrue(our.startswith("!"), f"{file.read_text()}\nPython: {their}\nours: {our}")
                    elif our != their:
                        self.fail(difference(our, their))

    def written(self, texts: list[str]) -> list[Path]:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        files = []
        for number, text in enumerate(texts):
            file = Path(folder.name) / f"{number:04}.py"
            file.write_bytes(text.encode())
            files.append(file)
        return files

    def test_snippets(self) -> None:
        newer = subprocess.run([PYTHON, "-c", "import sys; sys.exit(sys.version_info < (3, 13))"], check=False).returncode == 0
        self.compare(self.written(snippets("snippets") + (snippets("newer") if newer else [])))

    def test_snippets_without_a_last_line_feed_and_with_carriage_returns(self) -> None:
        texts = [text.replace("\n", "\r\n") for text in snippets("snippets")]
        self.compare(self.written([text + "\r\n" for text in texts] + ["\ufeff" + text for text in snippets("snippets")]))

    def test_wrong_snippets(self) -> None:
        self.compare(self.written(snippets("wrong")))

    def test_generated(self) -> None:
        seed = random.randrange(1 << 30)
        with self.subTest(f"seed {seed}"):
            self.compare(self.written(generated(seed, 200)))

    def test_files_of_the_system(self) -> None:
        found = Path("/usr/lib").glob("python3*/**/*.py")
        every = sorted(path for path in found if path.is_file() and b"\\N{" not in path.read_bytes())
        if not every:
            self.skipTest("SKIPPED, NOT TESTED: there are no files in /usr/lib/python3*")
        self.compare(every if FILES == 0 else random.sample(every, min(FILES, len(every))))


if __name__ == "__main__":
    unittest.main()

"""The Python package of tasks alone, in folders made as a keeper makes them."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "python"


class Library(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = Path(folder.name)
        for name in ("task/in/prepare", "task/out"):
            (self.top / name).mkdir(parents=True)
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(PACKAGE),
            "PYTHONDONTWRITEBYTECODE": "1",
            "AMP_TASK_DIR": str(self.top / "task"),
            "AMP_IN": str(self.top / "task/in"),
            "AMP_OUT": str(self.top / "task/out"),
            "AMP_PARAMS": '{"lr": 0.5, "name": "x"}',
            "AMP_ITEM": '["a", 1]',
            "AMP_INDEX": "3.0@2",
            "AMP_ATTEMPT": "2",
            "AMP_TASK": "R/train/3.0@2",
        }

    def run_python(self, script: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in {**self.environment, **changes}.items() if value is not None}
        return subprocess.run(
            [sys.executable, "-c", script], env=environment, cwd=self.top, capture_output=True, text=True, timeout=60, check=False
        )

    def ok(self, script: str, **changes: str | None) -> str:
        result = self.run_python(script, **changes)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def lines(self) -> list[dict]:
        return [json.loads(line) for line in (self.top / "task/report").read_text().splitlines()]

    def test_who_am_i(self) -> None:
        self.ok(
            "import amp\n"
            "assert amp.params.lr == 0.5 and amp.params['name'] == 'x' and 'lr' in amp.params and len(amp.params) == 2\n"
            "assert amp.item == ['a', 1] and amp.index == (3, 0) and amp.attempt == 2 and amp.task == 'R/train/3.0@2'"
        )
        self.assertIn("given no parameter 'rate'", self.run_python("import amp; amp.params.rate").stderr)

    def test_large_values_lie_in_a_file(self) -> None:
        (self.top / "params").write_text('{"big": [1, 2]}')
        self.ok("import amp; assert amp.params.big == [1, 2]", AMP_PARAMS=f"@{self.top / 'params'}")

    def test_values_and_files(self) -> None:
        (self.top / "task/in/prepare/data").write_text("bytes")
        (self.top / "task/in/score.json").write_text("0.5")
        self.ok(
            "import amp, pathlib\n"
            "assert amp.get('score') == 0.5 and amp.get('prepare/data').read_text() == 'bytes' and amp.get('none', 7) == 7\n"
            "amp.put('a', {'x': [1, float('inf')]}); amp.put('b', amp.get('prepare/data')); amp.put('a', 2)\n"
            "for bad in ('1a', '../a', ''):\n"
            "    try: amp.put(bad, 1); raise SystemExit(1)\n"
            "    except ValueError: pass\n"
            "for bad in ('../score', '/etc/passwd', 'a//b'):\n"
            "    try: amp.get(bad); raise SystemExit(1)\n"
            "    except ValueError: pass\n"
        )
        self.assertEqual(sorted(path.name for path in (self.top / "task/out").iterdir()), ["a.json", "b"])
        self.assertIn("there are: prepare, score", self.run_python("import amp; amp.get('scores')").stderr)

    def test_scalars_that_stay_themselves(self) -> None:
        """As numpy.longdouble and numpy.clongdouble, whose tolist() gives no number of Python's."""
        result = self.run_python(
            "import amp, numbers\n"
            "class Wide:\n"
            "    def tolist(self): return self\n"
            "    def __float__(self): return 0.25\n"
            "numbers.Real.register(Wide)\n"
            "class Other:\n"
            "    def tolist(self): return self\n"
            "amp.put('wide', {'x': [Wide()]})\n"
            "try: amp.put('other', Other()); raise SystemExit(1)\n"
            "except TypeError as error: print(error)\n"
        )
        self.assertEqual(result.stdout, "Other cannot be said in JSON: write a file, and put its path\n", result.stderr)
        self.assertEqual((self.top / "task/out/wide.json").read_text(), '{"x": [0.25]}')

    def test_two_copies_of_it_and_a_module_of_the_user(self) -> None:
        """As after `pip install amp`: the first copy in the path is taken, and a user's module before both."""
        shutil.copytree(PACKAGE / "amp", self.top / "installed/amp")
        both = f"{PACKAGE}:{self.top / 'installed'}"
        self.assertEqual(self.ok("import amp; print(amp.__file__)", PYTHONPATH=both).strip(), str(PACKAGE / "amp/__init__.py"))
        (self.top / "own").mkdir()
        (self.top / "own/amp.py").write_text("mine = 1\n")
        self.assertEqual(self.ok("import amp; print(amp.mine)", PYTHONPATH=f"{both}:{self.top / 'own'}"), "1\n")

    def test_reports(self) -> None:
        self.ok("import amp; amp.metric('q\"ü', 1, step=2); amp.metric(x=float('nan')); amp.note('n'); amp.progress(7)")
        told = [{key: value for key, value in line.items() if key != "at"} for line in self.lines()]
        self.assertEqual(
            told,
            [
                {"metric": 'q"ü', "value": 1.0, "step": 2},
                {"metric": "x", "value": "NaN"},
                {"note": "n"},
                {"progress": 1.0, "text": ""},
            ],
        )

    def test_outside_of_a_task(self) -> None:
        alone = {name: None for name in self.environment if name.startswith("AMP_")}
        self.ok("import amp; assert not amp.in_task() and len(amp.params) == 0; amp.metric(x=1); amp.note('n')", **alone)
        self.assertIn("not a task", self.run_python("import amp; amp.put('a', 1)", **alone).stderr)

    def test_every_point_of_every_thread_and_process(self) -> None:
        self.ok(
            "import amp, os, threading\n"
            "def tell(n):\n    for i in range(2000): amp.metric(f'm{n}', i, step=i)\n"
            "threads = [threading.Thread(target=tell, args=(n,)) for n in range(4)]\n"
            "[t.start() for t in threads]; [t.join() for t in threads]\n"
            "pid = os.fork()\ntell(9)\n"
            "if pid: os.waitpid(pid, 0)\nelse: amp.flush(); os._exit(0)\n"
        )
        steps: dict[str, list[int]] = {}
        for line in self.lines():
            steps.setdefault(line["metric"], []).append(line["step"])
        self.assertEqual({name: sorted(values) for name, values in steps.items()},
                         {**{f"m{n}": list(range(2000)) for n in range(4)}, "m9": sorted(list(range(2000)) * 2)})

    def test_a_lone_point_is_written_at_once(self) -> None:
        self.ok("import amp, os; amp.metric(x=1); os._exit(0)")
        self.assertEqual(len(self.lines()), 1)

    def test_a_burst_is_written_soon(self) -> None:
        self.ok("import amp, os, time\nfor i in range(700): amp.metric(x=i)\ntime.sleep(0.3)\nos._exit(0)")
        self.assertEqual(len(self.lines()), 700)


if __name__ == "__main__":
    unittest.main()

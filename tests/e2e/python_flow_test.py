"""Flows in Python: they are checked without being run, hostile ones too, and no command pretends to run them."""

import json
import unittest
from pathlib import Path

from harness import AmpTest

HEAD = "from metaflow import FlowSpec, step\n\n\nclass Demo(FlowSpec):\n"
START = "    @step\n    def start(self):\n        self.next(self.end)\n"
END = "    @step\n    def end(self):\n        pass\n"
GOOD = f'open("touched", "w")\n{HEAD}{START}{END}\nif __name__ == "__main__":\n    Demo()\n'
WRONG = GOOD.replace("self.next(self.end)", "self.next(self.edn)")


class Validate(AmpTest):
    def test_a_good_flow(self) -> None:
        project = self.project({"flow.py": GOOD})
        result = self.run_ok(project, "validate", "flow.py")
        self.assertEqual(result.out, "flow.py is valid: 2 steps\n")
        self.assertIn("note: flow.py:5:7: flows in Python are checked, but not run", result.err)
        self.assertFalse((Path(project.folder) / "touched").exists())
        self.assertEqual(self.run_ok(project, "validate", "--quiet", "flow.py").err, "")

    def test_a_mistake(self) -> None:
        project = self.project({"flow.py": WRONG})
        result = project.amp("validate", "flow.py")
        self.assert_code(3, result)
        self.golden("validate/python.txt", result.out + result.err, project)

    def test_as_json_beside_another_flow(self) -> None:
        toml = '[flow]\nname = "Toml"\n[step.one]\nrun = "true"\n'
        project = self.project({"flow.py": WRONG, "flow.toml": toml})
        result = project.amp("validate", "flow.toml", "flow.py", "nothing.py", "--json")
        self.assert_code(3, result)
        document = json.loads(result.out)
        first, second, third = document["flows"]
        self.assertTrue(first["valid"])
        self.assertEqual((second["flow"], second["valid"], second["steps"]), ("Demo", False, 2))
        found = second["diagnostics"][0]
        self.assertEqual((found["code"], found["line"], found["hint"]), ("AMP3010", 8, "did you mean 'end'?"))
        self.assertIn("not run", second["notes"][0]["message"])
        self.assertIsNotNone(third["error"])

    def test_what_reading_does_not_decide_is_said(self) -> None:
        based = GOOD.replace("FlowSpec):", "Base, FlowSpec):").replace("\n\n\nclass", "\nfrom base import Base\n\n\nclass")
        project = self.project({"flow.py": based})
        result = self.run_ok(project, "validate", "flow.py")
        self.assertEqual(result.out, "flow.py is valid as far as it can be read: 2 steps\n")
        self.assertIn("the base class 'Base' is written in another module, 'base': what that does is not checked", result.err)


class Run(AmpTest):
    def test_as_a_sub_flow_too(self) -> None:
        toml = '[flow]\nname = "Outer"\n[step.one]\nflow = "flow.py"\n'
        result = self.project({"flow.py": GOOD, "flow.toml": toml}).amp("run")
        self.assert_code(3, result)
        self.assertIn("error[AMP1706]: the flow 'flow.py' of step 'one' is in Python, and cannot be run", result.err)

    def test_it_says_that_it_is_not_run(self) -> None:
        project = self.project({"flow.py": GOOD})
        for words in (["run"], ["plan"], ["show"]):
            with self.subTest(words):
                result = project.amp(*words, "flow.py")
                self.assert_code(3, result)
                self.assertIn("error: flows in Python can only be checked, and not run, by this version of amp", result.err)
                self.assertIn("amp validate", result.err)
                self.assertNotIn("AMP1001", result.err)
        self.assertFalse((Path(project.folder) / "touched").exists())
        self.assert_code(7, project.amp("run", "nothing.py"))


class Hostile(AmpTest):
    def told(self, content: bytes, code: int = 3) -> str:
        project = self.project({"flow.py": content})
        result = project.amp("validate", "flow.py", seconds=20)
        self.assert_code(code, result)
        self.assertNotIn("\x1b", result.out + result.err)
        self.assertLess(len(result.err), 10_000)
        return result.out + result.err

    def test_no_text(self) -> None:
        self.assertIn("AMP1004", self.told(b"\x7fELF\x02\x01\x01" + bytes(500)))
        self.assertIn("AMP1004", self.told(b"a = 1\x00\n"))
        self.assertIn("AMP1004", self.told(b"a = '\xff'\n"))
        self.assertIn("AMP3002", self.told("# -*- coding: latin-1 -*-\na = 'é'\n".encode()))
        self.assertIn("AMP3004", self.told(b""))

    def test_too_large_and_too_deep(self) -> None:
        self.assertIn("AMP1003", self.told(b"(" * (10 << 20)))
        for text in ("(" * 100_000, "[" * 100_000 + "]" * 100_000, "f'{" * 50_000, "x = " + "-" * 100_000 + "1\n",
                     "x = " + "not " * 50_000 + "1\n", "x = " + "lambda: " * 50_000 + "1\n", "x = a" + ".b" * 100_000 + "\n",
                     "x = a" + "()" * 100_000 + "\n", "x = 1" + "+1" * 100_000 + "\n", "x = 1" + "**1" * 100_000 + "\n",
                     "x = 1" + " if 1 else 1" * 50_000 + "\n",
                     "".join(" " * depth + "if 1:\n" for depth in range(300)) + " " * 300 + "x\n"):
            with self.subTest(text[:20]):
                self.assertIn("AMP3003", self.told(text.encode()))

    def test_unfinished(self) -> None:
        mixed = "if 1:\n\tx\n        y\n  z\n"
        for text in ("x = 'abc\n", 'x = """abc\n\n', "x = f'{a", "x = (1,\n", "if 1:\n", mixed, "x = \\"):
            with self.subTest(text):
                self.assertIn("AMP3001", self.told(text.encode()))

    def test_newer_and_older_syntax(self) -> None:
        head = GOOD.replace("\n", "\r\n").encode()
        self.assertIn("is valid: 2 steps", self.told(b"\xef\xbb\xbf" + head, 0))
        more = (
            "type Pair[T: int, *Ts, **P] = tuple[T, *Ts]\ndef f[T](x: T, /, *, y: 'T' = 1) -> list[T]: ...\n"
            "if (n := 10) > 5: x = f'{n!r:>{n}} {f\"{n}\"}'\n@(lambda f: f)\ndef g(): pass\n"
            "match n:\n    case {'k': [1, *_], **rest} | None: pass\n    case _: pass\ntry: pass\nexcept* E: pass\n"
        )
        self.assertIn("is valid: 2 steps", self.told((more + GOOD).encode(), 0))


if __name__ == "__main__":
    unittest.main()

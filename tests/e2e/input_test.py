"""Input that is wrong, huge or hostile: a clear error in time, or it simply works; never a crash."""

import json
import os
import random
import unittest

from harness import AmpTest, Project

GOOD = '[flow]\nname = "Good"\n\n[params]\nx = "v"\n\n[step.one]\nrun = ["echo", "{{ params.x }}"]\n'
NASTY_TEXTS = [
    "two words",
    "new\nline",
    "single ' quote",
    'double " quote',
    "back\\slash",
    "$(touch owned)",
    "`touch owned`",
    "; touch owned",
    "../../../etc/passwd",
    "-rf",
    "--",
    "",
    "*",
    "~",
    "é ü 漢字 🎲",
    "\u202eright to left",
    "a" * 255,
    "\x1b[31mred",
    "%s%n",
    "{{ x }}",
]


class Flows(AmpTest):
    def refused(self, content: bytes, seconds: float = 20) -> str:
        project = self.project({"flow.toml": content})
        result = project.amp("validate", seconds=seconds)
        self.assert_code(3, result)
        text = result.out + result.err
        self.assertIn("AMP", text)
        self.assertLess(len(text), 2_000_000)
        self.assertNotIn("\x1b", text)
        return text

    def test_junk(self) -> None:
        source = random.Random(1)
        self.refused(b"\x00" * 1000)
        self.refused(b"\xff\xfe" + "[flow]".encode("utf-16-le"))
        self.refused(b"\x7fELF\x02\x01\x01" + bytes(500))
        for _ in range(20):
            self.refused(source.randbytes(source.randint(1, 5000)))

    def test_bad_utf8(self) -> None:
        self.refused(b'[flow]\nname = "a\xff\xfeb"\n[step.one]\nrun = "true"\n')

    def test_truncated_anywhere(self) -> None:
        for end in range(len(GOOD)):
            project = self.project({"flow.toml": GOOD[:end]})
            self.assertIn(project.amp("validate").code, (0, 3), GOOD[:end])
            project.remove()

    def test_one_byte_changed_anywhere(self) -> None:
        source = random.Random(2)
        for at in range(len(GOOD)):
            changed = bytearray(GOOD.encode())
            changed[at] = source.randrange(256)
            project = self.project({"flow.toml": bytes(changed)})
            result = project.amp("validate")
            self.assertIn(result.code, (0, 3), f"{bytes(changed)!r}: {result}")
            project.remove()

    def test_ten_megabytes(self) -> None:
        self.refused(b"# " + b"x" * 10_000_000 + b"\n" + GOOD.encode())
        self.refused(GOOD.encode() + b'[step.two]\nrun = "' + b"y" * 10_000_000 + b'"\n')

    def test_ten_thousand_nested_tables(self) -> None:
        self.refused(("[" + ".".join(["a"] * 10_000) + "]\n").encode())
        self.refused(("x = " + "[" * 10_000 + "]" * 10_000 + "\n").encode())
        self.refused(("x = " + "{a = " * 10_000 + "1" + "}" * 10_000 + "\n").encode())
        self.refused(GOOD.encode() + ('[step.two]\nrun = "true"\nwhen = "' + "(" * 10_000 + "1" + ")" * 10_000 + '"\n').encode())
        self.refused(GOOD.encode() + ('[step.two]\nrun = "true"\nwhen = "' + "not " * 10_000 + '1"\n').encode())

    def test_ten_thousand_mistakes(self) -> None:
        lines = [f'[step.s{i}]\nrun = "true"\nneeds = "nothing{i}"\n' for i in range(10_000)]
        text = self.refused((GOOD + "\n".join(lines)).encode())
        self.assertIn("more", text)

    def test_names(self) -> None:
        for name in ("two words", "new\\nline", "a'b", "..", "/", "x" * 255, "é", "", "-a", "1a", "A", "range"):
            flow = f'[flow]\nname = "Names"\n[step."{name}"]\nrun = "true"\n'
            self.refused(flow.encode())
        for name in ("two words", "..", "x" * 64, "", "a/b", "-x"):
            self.refused(f'[flow]\nname = "{name}"\n[step.one]\nrun = "true"\n'.encode())

    def test_output_paths_stay_inside(self) -> None:
        for path in ("../out", "/etc/passwd", "a/../../b", ""):
            self.refused(f'[flow]\nname = "O"\n[step.one]\nrun = "true"\noutputs = {{ data = "{path}" }}\n'.encode())

    def test_a_flow_that_is_a_folder_or_a_pipe(self) -> None:
        project = self.project({})
        (project.folder / "flow.toml").mkdir()
        self.assertNotIn(project.amp("validate").code, (0, 70))
        os.mkfifo(project.folder / "pipe.toml")
        self.assertNotIn(project.amp("validate", "pipe.toml", seconds=10).code, (0, 70))
        self.assertNotIn(project.amp("validate", "/dev/zero", seconds=10).code, (0, 70))


class Values(AmpTest):
    """Parameters and items with any text arrive as they are, in both forms of `run`, and nothing of them is executed."""

    def test_nasty_texts(self) -> None:
        flow = """
[flow]
name = "Nasty"
[params]
texts = { type = "list" }
[step.one]
foreach = "params.texts"
run = ["python3", "-c", "import sys, os; open(os.environ['AMP_OUT'] + '/got', 'w', newline='').write(sys.argv[1])", "{{ item }}"]
outputs = { got = "got" }
[step.two]
foreach = "params.texts"
run = 'printf %s {{ item }} > "$AMP_OUT/got"; test "$(printf %s {{ item }}; echo .)" = "{{ item }}."'
outputs = { got = "got" }
"""
        project = self.project(flow)
        self.run_ok(project, "run", "-p", f"texts={json.dumps(NASTY_TEXTS)}", "--keep-going")
        for index, text in enumerate(NASTY_TEXTS):
            for step in ("one", "two"):
                self.run_ok(project, "get", f"latest/{step}/{index}", "got", "-o", f"{step}{index}")
                self.assertEqual((project.folder / f"{step}{index}").read_bytes().decode(), text, f"{step}: {text!r}")
        self.assertEqual(list(project.folder.rglob("owned")), [])

    def test_a_value_that_is_too_long_for_the_kernel(self) -> None:
        flow = '[flow]\nname = "L"\n[step.one]\nrun = ["echo", "{{ json(range(100000)) }}"]\n'
        project = self.project(flow)
        result = project.amp("run")
        self.assert_code(1, result)
        self.assertIn("AMP_IN", result.err)

    def test_nul_in_a_value(self) -> None:
        project = self.project('[flow]\nname = "Z"\n[params]\nx = "a"\n[step.one]\nrun = ["echo", "{{ params.x }}"]\n')
        result = project.amp("run", "-p", r'x="a\u0000b"')
        self.assertIn(result.code, (0, 1, 3), str(result))


class Places(AmpTest):
    """Projects and files with unusual names."""

    def test_project_folders(self) -> None:
        for name in ("two words", "quote'd", "new\nline", "é", "$HOME", "-x", "a" * 255):
            project = self.project({})
            folder = project.folder / name
            folder.mkdir()
            (folder / "flow.toml").write_text(
                '[flow]\nname = "P"\n[step.one]\nrun = "echo ok > {{ outputs.x }}"\noutputs = { x = "x" }\n'
                '[step.two]\nneeds = "one"\nrun = "cat {{ one.x }}"\n'
            )
            self.run_ok(project, "run", cwd=folder)
            self.assertIn("ok", self.run_ok(project, "logs", "latest/two", cwd=folder).out)
            project.remove()

    def test_a_project_folder_that_is_not_utf8(self) -> None:
        project = self.project({})
        folder = os.fsencode(project.folder) + b"/\xff\xfe"
        os.mkdir(folder)
        with open(folder + b"/flow.toml", "w") as file:
            file.write(GOOD)
        result = project.amp("run", cwd=os.fsdecode(folder))
        self.assertNotIn(result.code, (70, -6, -11), str(result))
        self.assertTrue(result.code == 0 or "folder" in result.err, str(result))

    def test_artifacts_with_unusual_names_in_a_folder(self) -> None:
        script = "import os; os.makedirs('d/empty'); os.symlink('two words', 'd/link')\n"
        script += "for name in ('two words', 'new\\nline', 'é', '-x'): open('d/' + name, 'w').close()\n"
        flow = '[flow]\nname = "A"\n[step.one]\nrun = "python3 make.py; amp put d @d"\n'
        project = self.project({"flow.toml": flow, "make.py": script})
        self.run_ok(project, "run")
        self.run_ok(project, "get", "latest/one", "d", "-o", "copy")
        names = sorted(os.listdir(project.folder / "copy"))
        self.assertEqual(names, ["-x", "empty", "link", "new\nline", "two words", "é"])

    def test_a_folder_artifact_with_a_name_that_is_not_utf8_is_refused(self) -> None:
        flow = '[flow]\nname = "A"\n[step.one]\nrun = "python3 make.py; amp put d @d"\n'
        script = "import os; os.mkdir('d'); open(b'd/\\xff', 'w').close()\n"
        project = self.project({"flow.toml": flow, "make.py": script})
        result = project.amp("run")
        self.assert_code(1, result)
        self.assertIn("UTF-8", result.err)

    def test_a_link_that_leaves_a_folder_artifact(self) -> None:
        script = "mkdir d; ln -s /etc/passwd d/link; amp put d @d"
        project = self.project(f"[flow]\nname = \"A\"\n[step.one]\nrun = '''\n{script}\n'''\n")
        self.assert_code(1, project.amp("run"))

    def test_references_that_are_none(self) -> None:
        project = self.project(GOOD)
        self.run_ok(project, "run")
        for reference in ("..", "../../etc", "latest/..", "latest/one/../x", "latest/one/x", "/", "a" * 300, "new\nline", ""):
            for command in ("show", "logs", "artifacts"):
                result = project.amp(command, reference)
                self.assertIn(result.code, (0, 2, 7), f"{command} {reference!r}: {result}")
                if reference:
                    self.assertNotEqual(result.code, 0, f"{command} {reference!r}: {result}")

    def test_arguments_that_are_not_utf8(self) -> None:
        project = self.project(GOOD)
        for arguments in ((b"\xff",), (b"show", b"\xff"), (b"run", b"-p", b"x=\xff"), (b"--\xff",)):
            result = project.amp(*arguments)
            self.assertNotIn(result.code, (70, -6, -11), f"{arguments}: {result}")


class Stores(AmpTest):
    def ran(self) -> Project:
        project = self.project(GOOD)
        self.run_ok(project, "run")
        return project

    def test_a_newer_store_is_refused(self) -> None:
        project = self.ran()
        path = project.folder / ".amp" / "store.json"
        document = json.loads(path.read_text())
        document["layout"] = 999
        path.chmod(0o600)
        path.write_text(json.dumps(document))
        result = project.amp("runs")
        self.assertNotIn(result.code, (0, 70), str(result))
        self.assertIn("newer", result.err)

    def test_broken_records_are_told_and_crash_nothing(self) -> None:
        source = random.Random(3)
        project = self.ran()
        files = [path for path in (project.folder / ".amp").rglob("*") if path.is_file() and path.stat().st_size]
        for path in files:
            good = path.read_bytes()
            path.chmod(0o600)
            for damage in (b"", good[: len(good) // 2], source.randbytes(len(good))):
                path.write_bytes(damage)
                for command in (("show", "latest"), ("runs",), ("logs", "latest"), ("artifacts", "latest")):
                    result = project.amp(*command)
                    self.assertNotIn(result.code, (70, -6, -11), f"{path} as {damage[:20]!r}, {command}: {result}")
            path.write_bytes(good)
        self.run_ok(project, "show", "latest")


if __name__ == "__main__":
    unittest.main()

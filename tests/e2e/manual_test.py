"""Help, manual pages and what they are made of: one source, told in several places."""

import re
import shutil
import subprocess
import unittest
from pathlib import Path

from harness import ROOT, AmpTest, Project, decode

FLOW = '[flow]\nname = "M"\n[step.one]\nrun = "true"\n'
TOPICS = ["backends", "config", "environment", "exit-codes", "formatting"]
HIDDEN = ["complete", "manual", "task"]


def commands(overview: str) -> list[str]:
    block = overview.partition("Commands:\n")[2].partition("\n\n")[0]
    return [line.split()[0] for line in block.splitlines()]


def squeezed(text: str) -> str:
    return " ".join(text.split())


class ManualTest(AmpTest):
    def pages(self, project: Project) -> dict[str, str]:
        folder = project.folder / "man"
        folder.mkdir(exist_ok=True)
        self.run_ok(project, "manual", str(folder), str(ROOT / "docs" / "man"))
        return {path.name: path.read_text() for path in sorted(folder.iterdir())}

    def tool(self, name: str, package: str) -> str:
        path = shutil.which(name)
        if path is None:
            self.skipTest(f"SKIPPED, NOT TESTED: {name} is not installed (Debian: {package})")
        return path

    def rendered(self, project: Project, page: str) -> str:
        command = [self.tool("mandoc", "mandoc"), "-T", "ascii", "-O", "width=80", str(project.folder / "man" / page)]
        text = subprocess.run(command, capture_output=True, check=True).stdout.decode()
        return re.sub(".\b", "", text)


class Help(ManualTest):
    def test_short_form_long_form_and_where_h_stands(self) -> None:
        project = self.project(FLOW)
        short = self.run_ok(project, "run", "-h").out
        for words in (("-h", "run"), ("run", "--help"), ("run", "--lr", "0.1", "-h"), ("--json", "run", "flow.toml", "-h")):
            self.assertEqual(self.run_ok(project, *words).out, short)
        whole = self.run_ok(project, "help", "run").out
        self.assertIn("Ctrl-C", whole)
        self.assertNotIn("Ctrl-C", short)
        self.assertIn("See also: resume", whole)
        lines = [line for line in short.splitlines() if line]
        self.assertTrue(set(lines) <= set(whole.splitlines()))
        overview = self.run_ok(project).out
        for words in (("-h",), ("help",), ("--help",)):
            self.assertEqual(self.run_ok(project, *words).out, overview)

    def test_two_examples_lead_each_help_and_all_of_it_fits_80_columns(self) -> None:
        project = self.project(FLOW)
        overview = self.run_ok(project).out
        names = commands(overview)
        self.assertGreater(len(names), 30)
        self.assertFalse(set(names) & set(HIDDEN))
        for name in [*names, *HIDDEN]:
            text = self.run_ok(project, name, "-h").out
            examples = text.partition("Examples:\n")[2].partition("\n\n")[0].splitlines()
            self.assertEqual(len(examples), 2, text)
            self.assertTrue(all(example.startswith("  ") and "amp" in example for example in examples), text)
            self.assertLess(text.index("Examples:"), text.index("Common options:"))
            whole = [] if name in TOPICS else [self.run_ok(project, "help", name).out]
            for page in (text, *whole):
                self.assertFalse([line for line in page.splitlines() if len(line) > 80])
        for topic in TOPICS:
            page = self.run_ok(project, "help", topic).out
            self.assertIn(f"  {topic} ", overview)
            self.assertFalse([line for line in page.splitlines() if len(line) > 75], topic)
        self.assertFalse([line for line in overview.splitlines() if len(line) > 80])

    def test_two_dashes_end_options(self) -> None:
        project = self.project(FLOW)
        self.run_ok(project, "run", "-q")
        result = project.amp("show", "--", "--json")
        self.assert_code(7, result)
        self.assertIn("error: ", result.err)  # and no document: it is a run that is asked for
        self.assertIn("'--json'", result.err)
        self.assertNotIn("Usage", project.amp("note", "--", "-h").out)  # a remark "-h"
        self.assertIn("Usage", project.amp("note", "-h").out)

    def test_each_variable_that_amp_reads_is_in_its_topic(self) -> None:
        read: set[str] = set()
        call = re.compile(r'(?:getenv|environment\.(?:find|contains)|variable(?:_of)?)\((?:[\w.]+, )?"([A-Z][A-Z_0-9]*)"')
        loop = re.compile(r"for \(const (?:char\*|std::string_view) \w+ : \{([^}]*)\}\)")
        for path in (path for top in ("cli", "core", "backends") for path in (ROOT / top).rglob("*.cpp")):
            text = path.read_text()
            read.update(call.findall(text))
            for words in loop.findall(text):
                read.update(name for name in re.findall(r'"([A-Z][A-Z_0-9]+)"', words))
        self.assertTrue({"AMP_STORE", "HOME", "TMPDIR", "NO_COLOR", "LC_ALL", "CUDA_VISIBLE_DEVICES"} <= read, read)
        topic = self.run_ok(self.project(FLOW), "help", "environment").out
        self.assertFalse({name for name in read if not re.search(rf"\b{name}\b", topic)})

    def test_the_exit_codes_of_commands_are_in_the_topic(self) -> None:
        project = self.project(FLOW)
        known = set(re.findall(r"^  (\d+) ", self.run_ok(project, "help", "exit-codes").out, re.MULTILINE))
        for name in set(commands(self.run_ok(project).out)) - set(TOPICS):
            line = re.search(r"^Exit codes: ([\d, ]+) \(", self.run_ok(project, "help", name).out, re.MULTILINE)
            assert line is not None
            codes = line[1].split(", ")
            self.assertEqual(codes[0], "0")
            self.assertTrue(set(codes) <= known, name)
            self.assertEqual(codes, sorted(codes, key=int), name)


class Pages(ManualTest):
    def test_they_are_the_same_each_time_and_nothing_is_missing(self) -> None:
        project = self.project(FLOW)
        pages = self.pages(project)
        self.assertEqual(self.pages(project), pages)
        names = commands(self.run_ok(project).out)
        wanted = {"amp.1", "amp-flow.5", "amp.toml.5", *(f"amp-{name}.1" for name in names)}
        self.assertEqual(set(pages), wanted)
        for name, text in pages.items():
            for other, section in re.findall(r"^(?:\.It )?\.?Xr (\S+) (\d)", text, re.MULTILINE):
                self.assertIn(f"{other}.{section}", pages, name)
            self.assertNotIn("\n@", text, name)
            self.assertTrue(text.isascii(), name)
            for other in re.findall(r"\b(amp-[a-z]+)\(1\)", text.replace("\\-", "-")):
                self.assertIn(f"{other}.1", pages, name)

    def test_mandoc_finds_nothing(self) -> None:
        mandoc = self.tool("mandoc", "mandoc")
        project = self.project(FLOW)
        for name in self.pages(project):
            done = subprocess.run(
                [mandoc, "-T", "lint", "-W", "warning", str(project.folder / "man" / name)], capture_output=True, check=False
            )
            self.assertEqual(decode(done.stdout + done.stderr), "", name)

    def test_they_render_at_80_columns(self) -> None:
        project = self.project(FLOW)
        for name in self.pages(project):
            text = self.rendered(project, name)
            self.assertFalse([line for line in text.splitlines() if len(line) > 80], name)
            self.assertIn("NAME\n", text)
            self.assertIn("SEE ALSO\n", text)

    def test_man_shows_them(self) -> None:
        man = self.tool("man", "man-db")
        project = self.project(FLOW)
        self.pages(project)
        environment = {**project.environment, "MANWIDTH": "80", "MANPAGER": "cat", "LC_ALL": "C"}
        for name in ("amp.1", "amp-run.1", "amp-flow.5", "amp.toml.5"):
            done = subprocess.run(
                [man, "--warnings", "-l", str(project.folder / "man" / name)], capture_output=True, check=False, env=environment
            )
            self.assertEqual((done.returncode, decode(done.stderr)), (0, ""), name)
            self.assertIn("SEE ALSO", re.sub(".\b", "", decode(done.stdout)))

    def test_each_option_is_in_help_and_page(self) -> None:
        project = self.project(FLOW)
        pages = self.pages(project)
        for name in commands(self.run_ok(project).out):
            text = self.run_ok(project, name, "-h").out.partition("Examples:")[2].partition("\n\n")[2]
            labels = re.findall(r"^  (-\S.*?)(?:  .*)?$", text, re.MULTILINE)
            in_help = {re.sub(r" [^-\s]\S*$", "", label) for label in labels}
            items = re.findall(r"^\.It (Fl .*)$", pages[f"amp-{name}.1"], re.MULTILINE)
            in_page = {
                re.sub(r" , Fl ", ", -", item.replace("\\-", "-").partition(" Ar ")[0]).replace("Fl ", "-", 1) for item in items
            }
            self.assertEqual(in_help, in_page, name)
            self.assertIn("--json", in_page)

    def test_commands_and_topics_are_in_the_main_page(self) -> None:
        project = self.project(FLOW)
        self.pages(project)
        page = squeezed(self.rendered(project, "amp.1"))
        overview = self.run_ok(project).out
        for line in overview.partition("Commands:\n")[2].partition("\n\n")[0].splitlines():
            name, summary = line.split(maxsplit=1)
            self.assertIn(f"amp-{name}(1) {summary[0].upper()}{summary[1:]}.", page)
        for topic in TOPICS:
            for line in self.run_ok(project, "help", topic).out.splitlines()[1:]:
                self.assertIn(squeezed(line), page, topic)

    def test_each_key_that_validation_knows_is_in_a_page(self) -> None:
        pages = self.pages(self.project(FLOW))
        for source, page in (("schema.cpp", "amp-flow.5"), ("project_config_schema.cpp", "amp.toml.5")):
            text = re.sub(r"\s+", " ", (ROOT / "core" / "flow" / source).read_text())
            rows = re.findall(r'\{"(\w+)", &?(?:\w+\(\)|k_\w+|&?\w+),? ?("[^"]*")?', text)
            keys = {name for name, meaning in rows if not re.fullmatch(r"slurm|kubernetes|batch", name) or meaning}
            keys -= {"flow"} if page == "amp.toml.5" and "flow" not in pages[page] else set()
            self.assertGreater(len(keys), 30)
            shown = set(re.findall(r'^\.It Ic "\\&(\S+)"', pages[page], re.MULTILINE))
            self.assertFalse(keys - shown, page)

    def test_each_key_of_the_page_is_known_to_validation(self) -> None:
        """And a key that is on no page is not."""
        project = self.project(FLOW)
        page = self.pages(project)["amp-flow.5"]
        tables = {
            "flow": ("THE TABLE flow", '[flow]\nname = "M"\n{key} = {{}}\n[step.a]\nrun = "true"\n'),
            "params": ("THE TABLE params", '[flow]\nname = "M"\n[params.p]\n{key} = {{}}\n[step.a]\nrun = "true"\n'),
            "config": ("THE TABLE config", '[flow]\nname = "M"\n[config.c]\n{key} = {{}}\n[step.a]\nrun = "true"\n'),
            "step": ("THE TABLES step AND defaults", '[flow]\nname = "M"\n[step.a]\n{key} = {{}}\n'),
        }
        for name, (title, flow) in tables.items():
            section = page.partition(f".Sh {title}\n")[2].partition("\n.Sh ")[0]
            depth, keys = 0, []
            for line in section.splitlines():
                depth += line.startswith(".Bl") - line.startswith(".El")
                found = re.match(r'\.It Ic "\\&(\S+)"', line)
                if found and depth == 1:
                    keys.append(found[1])
            self.assertGreater(len(keys), 2, name)
            for key in [*keys, "nonsense_key"]:
                if name == "flow" and key == "name":
                    continue
                project.write("flow.toml", flow.format(key=key))
                unknown = f"nknown key `{key}`" in (text := project.amp("validate").err) or "AMP1010" in text
                self.assertEqual(unknown, key == "nonsense_key", f"{name}.{key}: {text}")

    def test_a_page_with_unknown_keys_is_refused(self) -> None:
        project = self.project(FLOW)
        project.write("sources/x.5.in", "@keys nothing@\n")
        (project.folder / "man").mkdir()
        self.assert_code(3, project.amp("manual", "man", "sources"))
        self.assert_code(7, project.amp("manual", "nowhere"))


if __name__ == "__main__":
    unittest.main()

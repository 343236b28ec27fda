"""What people expect of a command line: narrow terminals, --plain everywhere, hints where something is empty or misspelt."""

import json
import os
import pwd
import re
import unittest

from harness import AmpTest, Project

FLOW = """
[flow]
name = "Manners"
[params]
rates = [0.1, 0.2]
[step.prepare]
run = "amp put n 7; echo prepared"
[step.train]
needs = "prepare"
foreach = "params.rates"
run = "echo {{ item }}; amp put score {{ item }}"
"""
CLOCK = r"\d\d:\d\d:\d\d"


class Plain(AmpTest):
    def test_show(self) -> None:
        project = self.project(FLOW)
        self.run_ok(project, "run")
        records = [line.split("\t") for line in self.run_ok(project, "show", "latest", "--plain").out.splitlines()]
        tasks = ("prepare/_", "train/0", "train/1")
        self.assertEqual([record[:5] for record in records], [[name, "succeeded", "1", "0", "none"] for name in tasks])
        self.assertEqual([record[7] for record in records], ["", "0.1", "0.2"])
        self.assertRegex(records[0][5], r"^\d{4}-.*Z$")
        records = [line.split("\t") for line in self.run_ok(project, "show", "flow.toml", "--plain").out.splitlines()]
        self.assertEqual(records, [["prepare", "", "", ""], ["train", "prepare", "params.rates", ""]])

    def test_compare(self) -> None:
        project = self.project(FLOW)
        self.run_ok(project, "run")
        self.run_ok(project, "run", "--rates", "[3]")
        plain = [line.split("\t") for line in self.run_ok(project, "compare", "--plain").out.splitlines()]
        self.assertEqual([record[1] for record in plain], ["succeeded", "succeeded"])
        columns = self.run_ok(project, "compare", "--csv").out.splitlines()[0].split(",")
        self.assertEqual({len(record) for record in plain}, {len(columns)})
        self.assertEqual([record[columns.index("params.rates")] for record in plain], ["[3]", "[0.1,0.2]"])


class Narrow(AmpTest):
    """A table on a terminal that is narrower than its columns: whole columns go, and no time is cut."""

    def shown(self, project: Project, columns: int, *arguments: str) -> list[str]:
        result = self.run_ok(project, *arguments, "--color=never", env={"AMP_FORCE_TTY": str(columns)})
        return result.out.splitlines()

    def test_runs_and_tasks(self) -> None:
        project = self.project(FLOW)
        self.run_ok(project, "run", "--tag", "a-tag-of-some-length")
        for columns in (40, 60, 80, 120):
            for command in (("runs",), ("show", "latest"), ("artifacts",)):
                lines = self.shown(project, columns, *command)
                table = [line for line in lines if re.match(r"RUN|TASK|\d{6}-|train/", line)]
                self.assertLessEqual(max(map(len, table)), columns, "\n".join(lines))
                for line in table:
                    for cut in re.findall(r"[\d:-]+…", line):
                        self.fail(f"{columns} columns: {cut} in\n" + "\n".join(lines))
        self.assertIn("FLOW", self.shown(project, 40, "runs")[0])
        self.assertNotIn("STARTED", self.shown(project, 40, "runs")[0])
        self.assertRegex("\n".join(self.shown(project, 80, "show", "latest")), rf"train/1 .* {CLOCK} ")


LOGS = """
[flow]
name = "Logs"
[params]
open = false
[step.shaky]
run = "echo try $AMP_ATTEMPT; test $AMP_ATTEMPT = 3"
retry = 2
[step.broken]
needs = "shaky"
run = "exit 1"
[step.behind]
needs = "broken"
run = "true"
[step.closed]
when = "params.open"
run = "true"
[step.many]
needs = "broken"
foreach = "range(2)"
run = "true"
"""


class Logs(AmpTest):
    def test_earlier_attempts_and_why_there_is_nothing(self) -> None:
        project = self.project(LOGS)
        self.assert_code(1, project.amp("run"))
        run = project.runs()[0]["run"]
        result = self.run_ok(project, "logs", "latest/shaky")
        self.assertEqual(result.out, "try 3\n")
        self.assertIn(f"amp logs {run}/shaky --attempt N (1 to 2)", result.err)
        self.assertEqual(self.run_ok(project, "logs", "latest/shaky", "--attempt", "2").err, "")
        self.assertEqual(self.run_ok(project, "logs", "latest/shaky", "-q").err, "")
        self.assertEqual(self.run_ok(project, "logs", "latest").err, "")
        said_of = {"behind": "behind is blocked", "closed": "closed is skipped", "many": "many is blocked"}
        for step, said in said_of.items():
            result = self.run_ok(project, "logs", f"latest/{step}")
            self.assertEqual(result.out, "")
            self.assertRegex(result.err, said)
        self.assertIn(f"amp why {run}/behind", self.run_ok(project, "logs", "latest/behind").err)

    def test_what_was_taken_over_has_its_log_elsewhere(self) -> None:
        project = self.project(FLOW)
        self.run_ok(project, "run")
        first = project.runs()[0]["run"]
        self.run_ok(project, "resume", "--rates", "[5]")
        self.assertIn(f"amp logs {first}/prepare", self.run_ok(project, "logs", "latest/prepare").err)


class Hints(AmpTest):
    """What is wrong is answered with what would be right."""

    def told(self, text: str, *arguments: str) -> str:
        result = self.project(f'[flow]\nname = "Hints"\n{text}').amp(*(arguments or ("validate",)))
        self.assertIn(result.code, (2, 3), str(result))
        return result.err

    def test_names_of_roots(self) -> None:
        step = '[step.a]\nrun = "echo {{ %s }}"\noutputs = { x = "x" }\n'
        self.assertIn("did you mean 'outputs'?", self.told(step % "output.x"))
        self.assertIn("did you mean 'params'?", self.told(step % "param.lr"))

    def test_numbers(self) -> None:
        step = '[step.a]\nrun = "true"\nresources = { cpu = "%s" }\n'
        told = self.told(step % "many")
        self.assertIn("must be a number of processors", told)
        self.assertIn("help: write a number", told)
        self.assertIn("help: write it without quotes", self.told(step % "4"))

    def test_values_of_parameters(self) -> None:
        flow = '[params]\n%s\n[step.a]\nrun = "true"\nparams = "*"\n'
        for parameter, hint in (
            ("n = { default = 0, min = 1 }", "say default = 1, or change `min`"),
            ("n = { default = 9.5, max = 2 }", "say default = 2.0, or change `max`"),
            ("n = { default = 'bes', choices = ['best', 'last'] }", 'say default = "best", or change `choices`'),
            ("n = { default = 'c', pattern = '^[ab]$' }", "give one that matches, or change `pattern`"),
        ):
            self.assertIn(f"help: {hint}", self.told(flow % parameter))
        for parameter, value, hint in (
            ("n = { default = 2, min = 1 }", "0", "for instance -p n=1"),
            ("n = { default = 'best', choices = ['best', 'last'] }", "lst", "for instance -p n=last"),
            ("n = { default = 'a', pattern = '^[ab]$', help = 'which' }", "c", "give one that matches; n: which"),
        ):
            self.assertIn(f"help: {hint}", self.told(flow % parameter, "run", "-p", f"n={value}"))

    def test_one_mistake_is_told_once(self) -> None:
        for text in ("foreach = 'params.['", "foreach = ['a']", "needs = 'nobody'"):
            told = self.told(f"[step.a]\n{text}\nrun = 'true'\n[step.b]\nneeds = 'a'\njoin = true\nrun = 'true'\n")
            self.assertNotIn("AMP1306", told)
            self.assertIn("has 1 error", told)

    def test_a_misspelt_option_with_a_value(self) -> None:
        project = self.project(FLOW)
        for command in (("run",), ("run", "--detach"), ("plan",)):
            result = project.amp(*command, "--unti", "train")
            self.assert_code(2, result)
            self.assertIn("unknown option '--unti'", result.err)
            self.assertIn("did you mean '--until'?", result.err)
        own = self.project(FLOW.replace("rates =", "unti = 'x'\nrates ="))
        self.run_ok(own, "run", "--unti", "train")  # it is a parameter

    def test_what_others_call_our_commands(self) -> None:
        project = self.project(FLOW)
        for other, ours in (("ls", "runs"), ("list", "runs"), ("status", "runs"), ("stop", "cancel"), ("kill", "cancel"),
                            ("start", "run"), ("log", "logs"), ("graph", "show")):
            result = project.amp(other)
            self.assert_code(2, result)
            self.assertIn(f"did you mean 'amp {ours}'?", result.err)

    def test_errors_have_a_code_in_json(self) -> None:
        project = self.project(FLOW)
        for arguments, code in ((("runs", "--nonsense"), "usage"), (("ls",), "usage"), (("show",), "not_found")):
            self.assertEqual(json.loads(project.amp(*arguments, "--json").out)["error"]["code"], code)


class Input(AmpTest):
    """A flow that is written into standard input."""

    CHILD = '[flow]\nname = "Child"\n[step.say]\nrun = "cat data.txt"\n'
    TEXT = '[flow]\nname = "Piped"\n[step.one]\nrun = "cat data.txt"\n[step.two]\nflow = "child.toml"\n'

    def test_a_flow_from_standard_input(self) -> None:
        project = self.project({"data.txt": "of the project\n", "child.toml": self.CHILD, "amp.toml": ""})
        below = project.folder / "below"
        below.mkdir()
        text = self.TEXT.encode()
        self.assertIn("<stdin> is valid: 2 steps", self.run_ok(project, "validate", "-", stdin=text).out)
        self.assertIn("(<stdin>)", self.run_ok(project, "show", "-", stdin=text).out)
        self.assertIn("a new run of <stdin>", self.run_ok(project, "plan", "-", stdin=text).out)
        self.run_ok(project, "run", "-", stdin=text, cwd=below)
        self.assertEqual(self.run_ok(project, "logs", "latest/one").out, "of the project\n")
        self.assertEqual(project.json("plan", "--resume", "latest")["flow"], "<stdin>")
        self.run_ok(project, "resume", "--from", "two")  # by what was recorded
        result = project.amp("run", "-", stdin=b"[flow]\nname = 3\n")
        self.assert_code(3, result)
        self.assertIn("--> <stdin>:2:8", result.err)

    def test_a_dry_run_is_a_plan(self) -> None:
        project = self.project(FLOW)
        options = ("--rates", "[1, 2, 3]", "--until", "train")
        plan = self.run_ok(project, "plan", *options).out
        self.assertEqual(self.run_ok(project, "run", "--dry-run", *options).out, plan)
        self.assertIn("train (3 tasks)", plan)
        self.assertEqual(json.loads(self.run_ok(project, "run", "-n", "--json").out)["schema"], "amp.plan/1")
        self.assertFalse((project.folder / ".amp").exists())
        self.assert_code(2, project.amp("run", "--dry-run", "--detach"))
        self.run_ok(project, "run")
        only = ("--only", "train", "--origin", "latest")
        self.assertEqual(self.run_ok(project, "run", "--dry-run", *only).out, self.run_ok(project, "plan", *only).out)
        self.assert_code(2, project.amp("plan", "--only", "train"))


class Settings(AmpTest):
    def test_a_mistake_in_amp_toml_is_shown_where_it_is(self) -> None:
        project = self.project({"flow.toml": FLOW, "amp.toml": '[profile.hpc]\nbackend = "slrum"\n[stroe]\nurl = "x"\n'})
        result = project.amp("validate")
        self.assert_code(3, result)
        excerpt = '2 | backend = "slrum"\n  |           ^~~~~~~\nhelp: did you mean "slurm"?'
        self.assertIn(f"--> {project.folder}/amp.toml:2:11\n  |\n{excerpt}", result.err)
        self.assertIn("amp.toml:3:2", result.err)  # all of them
        self.assertIn("amp.toml has 2 errors", result.err)
        error = json.loads(project.amp("validate", "--json").out)["error"]
        self.assertEqual([found["line"] for found in error["diagnostics"]], [2, 3])
        self.assertIn("slrum", project.amp("validate", "--set", "profile.hpc.backend=slrum").err)


class Who(AmpTest):
    def test_the_user_has_a_name_without_an_environment(self) -> None:
        project = self.project(FLOW)
        self.run_ok(project, "run", env={"USER": None, "LOGNAME": None})
        self.assertEqual(project.runs()[0]["user"], pwd.getpwuid(os.getuid()).pw_name)


if __name__ == "__main__":
    unittest.main()

"""What a careful command line does: it refuses what is empty or contradicts itself, asks before it removes, shows why a task
failed wherever one looks, and its pages name the exit codes that it has."""

import os
import re
import subprocess
import unittest
from typing import Any

from harness import AMP, ROOT, AmpTest, Project, Result, decode
from shell_test import Terminal

FLOW = """
[flow]
name = "Care"

[params]
secs = 1.5

[step.one]
run = "echo done {{ params.secs }}"
"""
FAILING = """
[flow]
name = "Fails"
keep_going = true

[step.train]
foreach = "range(5)"
run = "for i in 1 2 3 4 5 6 7 8; do echo line $i of {{ item }}; done; exit 3"
"""
BROKEN = 'name = "x\n'

# Of each command, what it is given where only its project matters.
ARGUMENTS: dict[str, list[str]] = {
    "get": ["latest", "x"],
    "why": ["latest/one"],
    "replay": ["latest/one"],
    "shell": ["one", "-c", "true"],
    "approve": ["latest/one"],
    "diff": ["latest", "latest"],
    "checkout": ["latest", "laid"],
    "package": ["list"],
    "tag": ["list", "latest"],
    "rm": ["latest"],
    "completion": ["bash"],
    "put": ["a", "b"],
    "metric": ["a=1"],
    "progress": ["0.1"],
    "note": ["a"],
    "link": ["a", "http://b"],
    "spawn": ["flow.toml"],
}


# Of these `amp help` has a page, and no command.
TOPICS = ("backends", "config", "environment", "formatting")


def commands() -> list[str]:
    """Those of the overview."""
    text = subprocess.run([AMP, "help"], capture_output=True, check=True).stdout.decode()
    found = [name for name in re.findall(r"^  ([a-z]+) {2,}", text, re.M) if name not in TOPICS]
    assert len(found) > 30, found
    return found


class Empty(AmpTest):
    """In a script an empty argument is a variable that is not set, never the default."""

    def test_arguments(self) -> None:
        project = self.project(FLOW)
        self.run_ok(project, "run")
        for words in (
            ["run", ""],
            ["plan", ""],
            ["validate", ""],
            ["validate", "flow.toml", ""],
            ["show", ""],
            ["logs", ""],
            ["artifacts", ""],
            ["metrics", ""],
            ["get", "", "x"],
            ["attach", ""],
            ["cancel", ""],
            ["resume", ""],
            ["rm", ""],
            ["shell", "", "one", "-c", "true"],
            ["run", "--like", ""],
            ["runs", "--tag", ""],
            ["runs", "--flow="],
            ["runs", "--since", ""],
            ["gc", "--older-than", ""],
            ["run", "--params", ""],
        ):
            with self.subTest(words):
                result = project.amp(*words)
                self.assert_code(2, result)
                self.assertIn("it is empty", result.err)
        self.assertEqual(1, len(project.runs()))

    def test_what_may_be_empty(self) -> None:
        project = self.project(FLOW.replace("1.5", '""'))
        self.run_ok(project, "run", "-p", "secs=")


class Options(AmpTest):
    def test_an_option_is_no_value(self) -> None:
        project = self.project(FLOW)
        for words in (["--tag", "-h"], ["--tag", "--detach"], ["--until", "--json"], ["--params", "-q"], ["-p", "--json"]):
            result = project.amp("run", *words)
            self.assert_code(2, result)
            self.assertIn(f"option '{words[0]}' needs a value", result.err)
        self.assertFalse((project.folder / ".amp").exists())
        self.run_ok(project, "run", "--tag=-x")
        self.assertEqual(["-x"], project.runs()[0]["tags"])
        self.run_ok(project, "run", "--secs", "-0.5", "-q")
        self.assertEqual(-0.5, project.runs()[0]["params"]["secs"])

    def test_nought_is_no_limit(self) -> None:
        project = self.project(FLOW)
        self.run_ok(project, "run")
        refused = (["run", "--max-workers", "0"], ["runs", "--limit", "0"], ["logs", "--limit=0"], ["compare", "--limit", "0"])
        for words in refused:
            result = project.amp(*words)
            self.assert_code(2, result)
            self.assertIn("at least 1", result.err)

    def test_twice(self) -> None:
        result = self.project(FLOW).amp("runs", "--limit=3", "--limit", "1")
        self.assert_code(2, result)
        self.assertIn("error: option '--limit' is given twice", result.err)

    def test_one_way_to_print(self) -> None:
        project = self.project(FLOW)
        self.run_ok(project, "run")
        for words in (
            ["show", "flow.toml", "--dot", "--json"],
            ["show", "flow.toml", "--dot", "--plain"],
            ["compare", "--csv", "--json"],
            ["compare", "--csv", "--plain"],
            ["runs", "--json", "--plain"],
        ):
            result = project.amp(*words)
            self.assert_code(2, result)
            self.assertIn("do not go together", result.err)
            for option in words[-2:]:
                self.assertIn(option, result.err)

    def test_verbose_is_no_option(self) -> None:
        project = self.project(FLOW)
        self.assert_code(2, project.amp("runs", "--verbose"))
        self.assertNotIn("verbose", self.run_ok(project, "help", "runs").out)


class Validation(AmpTest):
    def test_all_files_are_looked_at(self) -> None:
        project = self.project({"bad.toml": FLOW.replace("run =", "rum ="), "flow.toml": FLOW})
        result = project.amp("validate", "nosuch.toml", "bad.toml", "flow.toml")
        self.assert_code(3, result)
        self.assertIn("nosuch.toml", result.err)
        self.assertIn("rum", result.err)
        self.assertIn("flow.toml is valid", result.out)
        document = project.json("validate", "nosuch.toml", "bad.toml", "flow.toml", code=3)
        self.assertFalse(document["valid"])
        first, second, third = document["flows"]
        self.assertIn("nosuch.toml", first["error"])
        self.assertTrue(second["diagnostics"])
        self.assertEqual([False, False, True], [first["valid"], second["valid"], third["valid"]])
        self.assert_code(7, project.amp("validate", "flow.toml", "nosuch.toml"))


class Failures(AmpTest):
    """Whoever comes later sees what `amp run` has shown."""

    def failed(self) -> tuple[Project, str]:
        project = self.project(FAILING)
        result = project.amp("run", "-q")
        self.assert_code(1, result)
        return project, result.out.strip()

    def test_attach(self) -> None:
        project, run = self.failed()
        result = project.amp("attach")
        self.assert_code(1, result)
        self.assertRegex(result.err, r"train/0 failed: user: exit status 3\n    \| line 1 of 0\n")
        self.assertIn("    | line 8 of 4\n", result.err)
        self.assertIn(f"log:    amp logs {run}/train/0\n    replay: amp replay {run}/train/0", result.err)
        self.assertIn("5 tasks failed:\n", result.err)

    def test_attach_to_one_that_was_mended(self) -> None:
        project = self.project('[flow]\nname = "M"\n[step.one]\nrun = "test -e there"\n')
        self.assert_code(1, project.amp("run"))
        project.write("there", "")
        self.run_ok(project, "resume")
        self.assertNotIn("failed", self.run_ok(project, "attach").err)

    def test_show(self) -> None:
        project, run = self.failed()
        text = self.run_ok(project, "show").out
        self.assertIn("    | ...\n    | line 4 of 0\n", text)
        self.assertIn("    | line 8 of 2\n", text)
        self.assertNotIn("of 3\n", text)
        self.assertIn(f"log:    amp logs {run}/train/3\n", text)
        task = self.run_ok(project, "show", "latest/train/4").out
        self.assertIn(f"    | line 8 of 4\n  log:    amp logs {run}/train/4\n  replay: amp replay {run}/train/4\n", task)

    def test_why(self) -> None:
        project, run = self.failed()
        text = self.run_ok(project, "why", "latest/train/4").out
        self.assertIn(f"    | line 8 of 4\n  log:    amp logs {run}/train/4\n  replay: amp replay {run}/train/4\n", text)
        self.assertEqual(3, self.run_ok(project, "why", "latest/train").out.count("replay: "))

    def test_words_of_a_task_stay_as_they_are(self) -> None:
        project = self.project('[flow]\nname = "U"\n[step.one]\nrun = "echo \'loss → 0.3 …\'; exit 1"\n')
        result = project.amp("run", env={"LC_ALL": "C"})
        self.assertIn("| loss → 0.3 …\n", result.err)


class Asking(AmpTest):
    """Before runs are removed, where there is somebody to ask."""

    def terminal(self, project: Project, *words: str, **options: Any) -> Terminal:
        terminal = Terminal(project, *words, **options)
        self.addCleanup(terminal.close)
        return terminal

    def test_rm(self) -> None:
        project = self.project(FLOW)
        for _ in range(2):
            self.run_ok(project, "run")
        self.assert_no_orphans(project)
        run = project.runs()[0]["run"]
        terminal = self.terminal(project, "rm", "latest")
        terminal.wait_for(re.escape(f"remove run {run}? [y/N] "))
        terminal.type("\n")
        terminal.wait_for("nothing was removed")
        self.assertEqual(130, terminal.end())
        self.assertEqual(2, len(project.runs()))
        terminal = self.terminal(project, "rm", "latest")
        terminal.wait_for(r"\[y/N\] ")
        terminal.type("y\n")
        self.assertEqual(0, terminal.end())
        self.assertEqual(1, len(project.runs()))
        self.assertEqual(0, self.terminal(project, "rm", "latest", "--yes").end())
        self.assertEqual(0, len(project.runs()))

    def test_nobody_to_ask(self) -> None:
        project = self.project(FLOW)
        for _ in range(3):
            self.run_ok(project, "run")
        self.assert_no_orphans(project)
        self.run_ok(project, "rm", "latest")
        self.assertEqual(0, self.terminal(project, "rm", "latest", "--no-input").end())
        self.assertEqual(0, self.terminal(project, "rm", "latest", env={"CI": "true"}).end())

    def test_gc(self) -> None:
        project = self.project(FLOW)
        for _ in range(3):
            self.run_ok(project, "run")
        self.assert_no_orphans(project)
        terminal = self.terminal(project, "gc", "--keep-last", "1")
        terminal.wait_for(r"remove 2 runs\? \[y/N\] ")
        terminal.type("no\n")
        self.assertEqual(130, terminal.end())
        self.assertEqual(3, len(project.runs()))
        self.assertEqual(0, self.terminal(project, "gc", "--keep-last", "5").end())
        self.assertEqual(0, self.terminal(project, "gc", "--keep-last", "1", "--yes").end())
        self.assertEqual(1, len(project.runs()))

    def test_no_prompt_where_nobody_types(self) -> None:
        project = self.project(FLOW)
        self.run_ok(project, "run")
        for name in ("CI", "JPY_PARENT_PID"):
            for words in (["shell", "one"], ["replay", "latest/one", "--shell"]):
                terminal = self.terminal(project, *words, env={name: "1"})
                terminal.wait_for("opens no prompt in " + ("CI" if name == "CI" else "a notebook"))
                terminal.wait_for("-c 'COMMAND'")
                self.assertEqual(2, terminal.end())
            self.run_ok(project, "shell", "one", "-c", "true", env={name: "1"})


class Pipes(AmpTest):
    """What a shell gives by <(COMMAND), and standard input."""

    def shell(self, project: Project, script: str) -> Result:
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=project.folder,
            env=project.environment_with({"AMP": str(AMP)}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        return Result(done.returncode, decode(done.stdout), decode(done.stderr))

    def test_parameters(self) -> None:
        project = self.project(FLOW)
        for text in ("secs = 3.5", '{"secs": 3.5}', "secs: 3.5"):
            self.assert_code(0, project.amp("run", "--params", "-", stdin=text.encode()))
            self.assertEqual(3.5, project.runs()[0]["params"]["secs"])
            self.assert_code(0, self.shell(project, f"\"$AMP\" run --params <(echo '{text}')"))
            self.assertEqual(3.5, project.runs()[0]["params"]["secs"])
        self.assertEqual(6, len(project.runs()))
        both = project.amp("run", "-", "--params", "-", stdin=FLOW.encode())
        self.assert_code(2, both)
        self.assertIn("not both", both.err)

    def test_a_flow(self) -> None:
        project = self.project({"kept.toml": FLOW})
        self.assert_code(0, self.shell(project, '"$AMP" validate <(cat kept.toml)'))
        self.assert_code(0, self.shell(project, '"$AMP" run <(cat kept.toml)'))
        self.assert_code(0, self.shell(project, '"$AMP" show <(cat kept.toml)'))
        wrong = self.shell(project, '"$AMP" run <(echo x)')
        self.assert_code(3, wrong)
        self.assertIn("/dev/fd/", wrong.err)
        self.assertEqual(["succeeded"], [run["state"] for run in project.runs()])
        self.run_ok(project, "resume")

    def test_other_pipes_are_no_files(self) -> None:
        project = self.project(FLOW)
        os.mkfifo(project.folder / "pipe.toml")
        result = project.amp("validate", "pipe.toml")
        self.assert_code(3, result)
        self.assertIn("no regular file", result.err)


class Suggestions(AmpTest):
    def test_a_step_of_the_latest_run(self) -> None:
        project = self.project(FAILING)
        project.amp("run")
        for words in (["logs", "train/1"], ["show", "train"], ["get", "train", "x"]):
            result = project.amp(*words)
            self.assert_code(7, result)
            self.assertIn("did you mean 'latest/train'?", result.err)

    def test_a_parameter(self) -> None:
        project = self.project(FLOW)
        self.run_ok(project, "run")
        for options in ([], ["--json"], ["--plain"], ["-q"]):
            result = self.run_ok(project, "runs", "--where", "params.sec > 0.1", *options)
            self.assertIn("no run has 'params.sec'; did you mean 'params.secs'?", result.err)
        self.assertNotIn("warning", self.run_ok(project, "runs", "--where", "params.secs > 9").err)
        self.assertNotIn("warning", self.run_ok(project, "runs", "--where", "exists(params.sec)").err)
        result = project.amp("runs", "--sort", "params.sec")
        self.assert_code(2, result)
        self.assertIn("did you mean 'params.secs'?", result.err)


class ExitCodes(AmpTest):
    """The pages name what the program does."""

    def listed(self, command: str) -> set[int]:
        text = subprocess.run([AMP, "help", command], capture_output=True, check=True).stdout.decode()
        found = re.search(r"^Exit codes: (.*) \(amp help", text, re.M)
        assert found, text
        return {int(code) for code in found.group(1).split(", ")}

    def exit(self, project: Project, *words: str, full: bool = False) -> int:
        with open("/dev/full" if full else os.devnull, "w") as out:
            return subprocess.run(
                [AMP, *words],
                cwd=project.folder,
                env=project.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.DEVNULL,
                timeout=120,
                check=False,
            ).returncode

    def test_settings_that_are_broken(self) -> None:
        project = self.project(FLOW)
        self.run_ok(project, "run")
        project.write("amp.toml", BROKEN)
        for command in commands():
            words = [command, *ARGUMENTS.get(command, [])]
            with self.subTest(words):
                self.assertIn(self.exit(project, *words), self.listed(command))

    def test_an_output_that_is_full(self) -> None:
        project = self.project(FLOW)
        self.run_ok(project, "run")
        for command in commands():
            if command in ("rm", "run", "resume", "attach"):
                continue
            words = [command, *ARGUMENTS.get(command, [])]
            with self.subTest(words):
                self.assertIn(self.exit(project, *words, full=True), self.listed(command))
        self.assertIn(self.exit(project, "rm", "latest", full=True), self.listed("rm"))

    def test_an_option_that_there_is_not(self) -> None:
        project = self.project(FLOW)
        for command in commands():
            with self.subTest(command):
                self.assertEqual(2, self.exit(project, command, "-Z"))
                self.assertIn(2, self.listed(command))

    def test_the_version(self) -> None:
        with open("/dev/full", "w") as full:
            result = subprocess.run([AMP, "--version"], stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertEqual(10, result.returncode)
        self.assertIn(b"cannot write standard output", result.stderr)


if __name__ == "__main__":
    unittest.main()

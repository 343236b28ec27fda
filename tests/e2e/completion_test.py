"""`amp complete`, and the shells that ask it."""

import re
import unittest

from harness import RUN_ID, AmpTest, Project
from shells import Shell

FLOW = """
[flow]
name = "Demo"
[params]
lr = { default = 0.1, help = "the learning rate" }
batch_size = 4
optimizer = { default = "adam", choices = ["adam", "sgd"] }
fast = false
data = { type = "file", default = "flow.toml" }
[config]
sets = { file = "sets.toml", required = false }
[step.prepare]
run = "true"
[step.train]
needs = "prepare"
foreach = "range(3)"
run = "echo {{ item }} {{ params.lr }} {{ params.batch_size }} {{ params.optimizer }} {{ params.fast }} {{ params.data }}"
[step.report]
needs = "train"
join = true
run = "true"
"""
LARGE = """
[flow]
name = "Large"
[step.first]
run = "amp put begun 1"
[step.each]
needs = "first"
foreach = "range(10001)"
run = ["/bin/true"]
[step.last]
needs = "each"
join = true
run = "amp put model 1; exit 3"
catch = "oops"
"""
SETTINGS = '[profile.hpc]\nbackend = "slurm"\npartition = "gpu"\n'
HOSTILE = ["two words", "$(touch pwned)", "`touch pwned`", "a'b", 'c"d', "e;touch pwned", "f&g", "*", "~root", "\\x"]


class CompletionTest(AmpTest):
    def made(self) -> Project:
        project = self.project({"flow.toml": FLOW, "amp.toml": SETTINGS})
        self.run_ok(project, "run", "-q")
        return project

    def asked(self, project: Project, *words: str, **options) -> tuple[str, dict[str, str]]:
        """The first line, and the words with what they are."""
        result = self.run_ok(project, "complete", "--", *words, **options)
        self.assertEqual(result.err, "")
        kind, _, rest = result.out.partition("\n")
        return kind, dict(((line + "\t").split("\t")[:2]) for line in rest.splitlines())

    def words(self, project: Project, *words: str, **options) -> list[str]:
        return list(self.asked(project, *words, **options)[1])


class Asked(CompletionTest):
    def test_commands_and_options(self) -> None:
        project = self.made()
        self.assertEqual(self.asked(project, "sho"), ("words", {"show": "show a flow as a tree, or how a run went"}))
        everything = self.words(project, "")
        self.assertTrue({"run", "show", "completion"} <= set(everything))
        self.assertFalse({"complete", "manual", "keeper", "orchestrate", "task"} & set(everything))
        self.assertTrue({"--json", "--on", "--version", "--help"} <= set(self.words(project, "--")))
        self.assertIn("run", self.words(project, "--json", "--on", "hpc", "r"))
        self.assertEqual(self.words(project, "nonsense", ""), [])
        options = self.words(project, "runs", "--")
        self.assertTrue({"--state", "--since", "--json"} <= set(options))
        self.assertNotIn("--state", self.words(project, "runs", "--state", "failed", "--"))
        self.assertNotIn("--profile", self.words(project, "runs", "--on", "hpc", "--"))
        self.assertIn("--tag", self.words(project, "run", "--tag", "x", "--"))  # may be given again
        self.assertEqual(self.words(project, "runs", "--", "--"), [])

    def test_each_kind_of_value(self) -> None:
        project = self.made()
        run = project.runs()[0]["run"]
        self.run_ok(project, "tag", "add", "latest", "good")
        states = ["pending", "running", "succeeded", "failed", "cancelled", "interrupted"]
        self.assertEqual(self.words(project, "runs", "--state", ""), states)
        self.assertEqual(self.words(project, "runs", "--state=f"), ["--state=failed"])
        self.assertEqual(self.words(project, "runs", "--tag", ""), ["good"])
        self.assertEqual(self.words(project, "attach", ""), ["latest", "@good", run])
        self.assertEqual(self.words(project, "diff", "latest", "@"), ["@good"])
        self.assertEqual(self.words(project, "diff", "latest", "latest", ""), [])
        self.assertEqual(self.words(project, "rm", run, "l"), ["latest"])
        self.assertEqual(self.asked(project, "cancel", run[:6])[1], {run: "succeeded Demo"})
        self.assertEqual(self.words(project, "run", "--on", ""), ["local", "hpc"])
        self.assertEqual(self.words(project, "run", "--until", ""), ["prepare", "train", "report"])
        self.assertEqual(self.words(project, "run", "--until", "train", "--until", "p"), ["prepare"])
        self.assertEqual(self.words(project, "logs", "latest", "--step", "t"), ["train"])
        self.assertEqual(self.words(project, "resume", "--from", "r"), ["report"])
        self.assertEqual(self.words(project, "plan", "--resume", "latest", "--from", "r"), ["report"])
        self.assertEqual(self.words(project, "tag", ""), ["add", "remove", "list"])
        self.assertEqual(self.words(project, "tag", "remove", "latest", ""), ["good"])
        self.assertEqual(self.words(project, "completion", ""), ["bash", "zsh", "fish"])
        self.assertEqual(self.words(project, "package", ""), ["list", "save"])
        self.assertEqual(self.asked(project, "package", "save", "")[0], "files")
        self.assertEqual(self.words(project, "package", "list", "--run", "l"), ["latest"])
        self.assertEqual(self.words(project, "explain", "AMP120")[0], "AMP1201")
        self.assertIn("exit-codes", self.words(project, "help", ""))
        self.assertIn("run", self.words(project, "help", ""))
        self.assertEqual(self.words(project, "config", "profile.hpc.p"), ["profile.hpc.partition"])
        self.assertEqual(self.asked(project, "--set", "profile.hpc.p")[1].keys(), {"profile.hpc.partition="})
        self.assertEqual(self.asked(project, "validate", "")[0], "files")
        self.assertEqual(self.asked(project, "checkout", "latest", "")[0], "folders")
        self.assertEqual(self.asked(project, "run", "--params", "")[0], "files")
        self.assertEqual(self.asked(project, "runs", "--limit", ""), ("", {}))

    def test_names_within_runs(self) -> None:
        project = self.project({"flow.toml": FLOW.replace('run = "true"', 'run = "amp put size 1; amp put model 2"', 1)})
        self.run_ok(project, "run", "-q", "--tag", "first")
        self.run_ok(project, "run", "-q", "--tag", "second")
        self.assertEqual(self.words(project, "get", "latest/prepare", ""), ["model", "size"])
        self.assertEqual(self.words(project, "get", "latest/prepare", "s"), ["size"])
        self.assertEqual(self.words(project, "get", "latest/report", ""), [])
        self.assertEqual(self.words(project, "get", "latest/prepare", "size", ""), [])
        self.assertEqual(self.words(project, "tag", "remove", "@first", ""), ["first"])
        self.assertEqual(self.words(project, "tag", "add", "@first", ""), ["second", "first"])
        self.assertEqual(self.words(project, "runs", "--sort", "st"), ["state"])
        self.assertEqual(self.words(project, "runs", "--sort", "-params.b"), ["-params.batch_size"])
        self.assertEqual(self.words(project, "compare", "--sort=params.l"), ["--sort=params.lr"])

    def test_short_options_together(self) -> None:
        project = self.made()
        self.assertEqual(self.words(project, "run", "-qp", "optimizer="), ["optimizer=adam", "optimizer=sgd"])
        self.assertEqual(self.words(project, "run", "-qpoptimizer=s"), ["-qpoptimizer=sgd"])
        self.assertEqual(self.words(project, "run", "-pop"), ["-poptimizer="])

    def test_parameters_of_the_flow(self) -> None:
        project = self.made()
        self.assertEqual(self.asked(project, "run", "--lr")[1], {"--lr": "the learning rate"})
        self.assertEqual(self.words(project, "run", "--batch"), ["--batch-size"])
        self.assertEqual(self.words(project, "run", "--batch_"), ["--batch_size"])
        self.assertEqual(self.words(project, "run", "--lr", "1", "--l"), ["--like"])
        self.assertEqual(self.words(project, "run", "--optimizer", ""), ["adam", "sgd"])
        self.assertEqual(self.words(project, "run", "--optimizer=s"), ["--optimizer=sgd"])
        self.assertEqual(self.words(project, "run", "--fast", ""), ["true", "false"])
        self.assertEqual(self.asked(project, "run", "--data", "")[0], "files")
        self.assertEqual(self.words(project, "run", "-p", "b"), ["batch_size="])
        self.assertEqual(self.words(project, "run", "-p", "optimizer=a"), ["optimizer=adam"])
        self.assertEqual(self.words(project, "run", "--config", ""), ["sets="])
        self.assertEqual(self.asked(project, "run", "--config", "sets=")[0], "files")
        project.write("other.toml", '[flow]\nname = "O"\n[params]\nlonely = 1\n[step.a]\nrun = "true"\n')
        self.assertEqual(self.words(project, "run", "other.toml", "--l"), ["--like", "--lonely"])
        self.assertEqual(self.words(project, "resume", "--opt"), ["--optimizer"])
        folder = project.folder / "below"
        folder.mkdir()
        self.assertEqual(self.words(project, "run", "--lr", cwd=folder), ["--lr"])

    def test_tasks_piece_by_piece(self) -> None:
        project = self.made()
        run = project.runs()[0]["run"]
        kind, words = self.asked(project, "logs", "l")
        self.assertEqual((kind, words), ("words nospace", {"latest": "the newest run"}))
        kind, words = self.asked(project, "logs", "latest/")
        self.assertEqual((kind, list(words)), ("words nospace", ["latest/prepare", "latest/train", "latest/report"]))
        kind, words = self.asked(project, "logs", f"{run}/train/")
        self.assertEqual((kind, list(words)), ("words", [f"{run}/train/{i}" for i in range(3)]))
        self.assertEqual(set(words.values()), {"succeeded"})
        self.assertEqual(self.words(project, "why", "l"), ["latest/"])
        self.assertEqual(self.words(project, "logs", "latest/nonsense/"), [])
        self.assertEqual(self.words(project, "logs", "nonsense/"), [])
        self.assertEqual(self.words(project, "logs", "De"), ["Demo/latest"])
        self.assertEqual(self.words(project, "logs", "Demo/"), ["Demo/latest"])
        self.assertEqual(self.words(project, "logs", "Demo/latest/pr"), ["Demo/latest/prepare"])
        self.assertEqual(self.words(project, "why", "Demo/latest/train/2"), ["Demo/latest/train/2"])
        self.run_ok(project, "tag", "add", "latest", "good")
        self.assertEqual(self.words(project, "logs", "@good/tr"), ["@good/train"])
        kind, words = self.asked(project, "show", "f")
        self.assertEqual((kind, list(words)), ("files nospace", ["flow.toml"]))

    def test_within_a_large_run(self) -> None:
        """Little of its journal is taken apart, and what is offered is right all the same."""
        project = self.project(LARGE)
        self.run_ok(project, "run", "-q")
        kind, words = self.asked(project, "logs", "latest/each/999")
        self.assertEqual((kind, list(words)), ("words", [f"latest/each/{i}" for i in (999, *range(9990, 10000))]))
        self.assertEqual(set(words.values()), {"succeeded"})
        words = self.asked(project, "logs", "latest/each/")[1]
        self.assertEqual(list(words), [f"latest/each/{i}" for i in range(10_000)])  # no more are offered
        self.assertLessEqual(set(words.values()), {"succeeded", ""})
        self.assertEqual(self.words(project, "logs", "latest/each/10000"), ["latest/each/10000"])
        self.assertEqual(self.asked(project, "logs", "latest/first/")[1], {"latest/first/_": "succeeded"})
        self.assertEqual(self.words(project, "get", "latest/last", ""), ["model", "oops"])
        self.assertEqual(self.words(project, "get", "latest/each/17", ""), [])
        self.assertEqual(self.words(project, "get", "latest", "b"), ["begun"])

    def test_a_line_is_split_as_a_shell_does_and_nothing_of_it_is_done(self) -> None:
        project = self.made()
        for line, words in (
            ("amp sh", ["show", "shell"]),
            ("/x/amp   'run'  \"--lr", ["--lr"]),
            ("amp run --opt\\imizer a", ["adam"]),
            ("amp run --optimizer 's", ["sgd"]),
            ("amp $(touch pwned) ", None),
            ("amp `touch pwned` ", None),
            ("amp run --on h", ["hpc"]),
            ("amp", None),
            ("", None),
        ):
            result = self.run_ok(project, "complete", "--line", line)
            if words is not None:
                self.assertEqual([row.split("\t")[0] for row in result.out.splitlines()[1:]], words, line)
        self.assertFalse((project.folder / "pwned").exists())


class Silent(CompletionTest):
    def quiet(self, project: Project, *words: str, **options) -> str:
        result = self.run_ok(project, "complete", "--", *words, **options)
        self.assertEqual(result.err, "")
        return result.out

    def test_no_project_no_store_and_a_broken_flow(self) -> None:
        project = self.project({})
        runs = (("show", ""), ("attach", ""), ("tag", "add", ""))
        for words in (*runs, ("logs", "latest/"), ("run", "--until", ""), ("resume", "--from", "")):
            self.assertNotIn("latest", self.quiet(project, *words))
        self.assertEqual(self.quiet(project, "attach", ""), "")
        self.assertFalse((project.folder / ".amp").exists())
        project.write("flow.toml", FLOW + "\n[step.broken\nnonsense = = 1\n")
        self.assertIn("prepare", self.quiet(project, "run", "--until", ""))
        project.write("flow.toml", b"\xff\xfe\x00")
        self.assertEqual(self.quiet(project, "run", "--until", ""), "")
        self.assertIn("--like", self.quiet(project, "run", "--l"))
        project.write("amp.toml", "nonsense = [")
        for words in (("attach", ""), ("run", "--on", ""), ("config", "")):
            self.quiet(project, *words)
        self.assertIn("show", self.quiet(project, "sh"))

    def test_a_damaged_store(self) -> None:
        project = self.made()
        run = project.runs()[0]["run"]
        self.quiet(project, "attach", "")
        (project.folder / ".amp" / "index" / "runs").write_bytes(b"amp runs 1 nonsense\n\0\xff")
        self.assertIn(run, self.quiet(project, "attach", ""))
        (project.folder / ".amp" / "runs" / run / "summary.json").write_text("{")
        (project.folder / ".amp" / "runs" / run / "run.json").write_text("nonsense")
        self.quiet(project, "attach", "")
        self.quiet(project, "logs", "latest/")
        self.quiet(project, "logs", f"{run}/train/")
        (project.folder / ".amp" / "store.json").write_text("{}")
        self.assertEqual(self.quiet(project, "attach", ""), "")

    def test_nothing_is_printed_raw(self) -> None:
        """What could be taken for something else by a terminal or a shell's script is left out, or made visible."""
        project = self.made()
        text = FLOW.replace("the learning rate", "red \\u001b[31m\\ttab\\nline\\u202e $(touch pwned)")
        project.write("flow.toml", text)
        out = self.quiet(project, "run", "--lr")
        self.assertEqual(len(out.splitlines()), 2)
        self.assertNotIn("\x1b", out)
        self.assertNotIn("\u202e", out)
        self.run_ok(project, "tag", "add", "latest", "--", *HOSTILE, "b\u202ec", "-rf")
        (project.folder / ".amp" / "runs" / project.runs()[0]["run"] / "tags" / "odd").write_text("{}")
        tags = self.words(project, "runs", "--tag", "")
        self.assertEqual(set(tags), {*HOSTILE, "-rf"})
        steering = ("\x1b[31m", "\n", "a\tb", "$(touch pwned)", "\xff", "x" * 100_000)
        commands = ((), ("run",), ("show",), ("logs",), ("run", "-p"), ("run", "--on"), ("explain",))
        for nasty in (*steering, "-", "--", "@", "/", "//", "a/b/c/d", "="):
            for before in (*commands, ("tag", "add", nasty)):
                self.assertNotIn("\x1b", self.quiet(project, *before, nasty))
        self.assertFalse((project.folder / "pwned").exists())

    def test_nothing_is_written(self) -> None:
        project = self.made()
        self.assert_no_orphans(project)

        def listing() -> list[str]:
            return sorted(str(path) for path in project.top.rglob("*"))

        before = listing()
        for words in (("show", ""), ("show", "latest/train/"), ("run", "--lr"), ("runs", "--tag", ""), ("config", "")):
            self.quiet(project, *words)
        self.assertEqual(listing(), before)


class InShells(CompletionTest):
    """Each test types into one real shell."""

    shell = ""

    def opened(self, project: Project) -> Shell:
        shell = Shell(self.shell, project)
        self.addCleanup(shell.close)
        return shell

    @staticmethod
    def missing(words: set[str], shown: str) -> set[str]:
        """Those that were not shown, not even by their ends as fish does."""
        seen = set(re.findall(r"[^\s()]+", shown))
        ends = tuple(word[1:] for word in seen if word.startswith("…"))
        return {word for word in words - seen if not (ends and word.endswith(ends))}

    def typing(self) -> None:
        project = self.made()
        run = project.runs()[0]["run"]
        shell = self.opened(project)
        for typed, line in (
            ("amp sho", "amp show "),
            ("amp run --lr", "amp run --lr "),
            ("amp run --opti", "amp run --optimizer "),
            ("amp run --optimizer s", "amp run --optimizer sgd "),
            ("amp runs --state fa", "amp runs --state failed "),
            ("amp runs --state=fa", "amp runs --state=failed "),
            ("amp run -p optimizer=s", "amp run -p optimizer=sgd "),
            ("amp run --on h", "amp run --on hpc "),
            ("amp show -- lat", "amp show -- latest"),
            ("amp logs latest/pr", "amp logs latest/prepare"),
            ("amp logs latest/train/2", "amp logs latest/train/2 "),
            (f"amp show {run[:-2]}", f"amp show {run}"),
            ("amp run --params fl", "amp run --params flow.toml "),
            ("amp explain AMP1001", "amp explain AMP1001 "),
            ("amp help exit", "amp help exit-codes "),
        ):
            done, shown = shell.completed(typed)
            self.assertEqual(done.rstrip(), line.rstrip(), shown)
            if line.endswith(" "):
                self.assertEqual(done, line, shown)
        for typed, words in (
            ("amp run --l", {"--like", "--lr"}),
            ("amp logs latest/", {"latest/prepare", "latest/train", "latest/report"}),
            ("amp logs latest/train/", {"latest/train/0", "latest/train/1", "latest/train/2"}),
            ("amp show ", {"latest", run, "flow.toml"}),
            ("amp re", {"replay", "resume"}),
        ):
            shown = shell.listed(typed, lambda text, words=words: not self.missing(words, text))
            self.assertFalse(self.missing(words, shown), f"{typed}: {shown!r}")

    def hostile(self) -> None:
        """Names with code in them are put into the line quoted, and run by nobody."""
        project = self.made()
        self.run_ok(project, "tag", "add", "latest", "--", *HOSTILE)
        shell = self.opened(project)
        harmless = ("tw", "a", "c")  # "two words", "a'b", 'c"d'
        for beginning in (*harmless, "'$(t", "e"):
            shell.settle(0.05)
            shell.seen = ""
            shell.send(f"printf '[%s]' x; amp runs -q --tag {beginning}")
            shell.settle()
            shell.send("\t")
            shell.settle()
            shell.send("\r")
            if beginning.startswith("'"):  # within quotes a shell may leave it to the user
                shell.settle()
                shell.send("\x03")
                continue
            shell.wait_for(r"\[x\]")
            shell.wait_for(RUN_ID.pattern)
            shell.settle()
        self.assertIn("pwned", shell.listed("amp runs --tag ", lambda text: "pwned" in text))
        shell.completed("amp runs --tag $(touch pwned) --state ")
        shell.completed("amp runs --tag `touch pwned`")
        shell.settle()
        self.assertFalse((project.folder / "pwned").exists())

    def nothing_to_say(self) -> None:
        """Errors are silent: the line stays, and nothing is shown."""
        project = self.project({"amp.toml": "nonsense = ["})
        shell = self.opened(project)
        for typed in ("amp attach ", "amp nonsense x", "amp runs --limit "):
            line, shown = shell.completed(typed)
            self.assertEqual(line, typed, shown)
            self.assertNotIn("error", shown)

    def path(self) -> None:
        """A program that is called by its path is the one that is asked."""
        project = self.made()
        (project.folder / "amp").symlink_to(project.top / "tools" / "amp")
        self.assertEqual(self.opened(project).completed("./amp sho")[0], "./amp show ")


class Bash(InShells):
    shell = "bash"

    def test_typing(self) -> None:
        self.typing()

    def test_hostile_names(self) -> None:
        self.hostile()

    def test_nothing_to_say(self) -> None:
        self.nothing_to_say()

    def test_called_by_its_path(self) -> None:
        self.path()


class Zsh(InShells):
    shell = "zsh"

    def test_typing(self) -> None:
        self.typing()

    def test_hostile_names(self) -> None:
        self.hostile()

    def test_nothing_to_say(self) -> None:
        self.nothing_to_say()

    def test_descriptions(self) -> None:
        shown = self.opened(self.made()).listed("amp attach ", lambda text: "Demo" in text and "newest" in text)
        self.assertRegex(shown, r"latest +-- the newest run")
        self.assertRegex(shown, r"-- succeeded Demo")


    def test_as_a_file_of_fpath(self) -> None:
        """As packages install it: compinit finds `#compdef amp` in it, and the first Tab loads it."""
        project = self.made()
        functions = project.top / "functions"
        functions.mkdir()
        (functions / "_amp").write_text(self.run_ok(project, "completion", "zsh").out)
        shell = self.opened(project)
        shell.send(f" unfunction _amp; compdef -d amp; fpath=({functions} $fpath); compinit -u -D; echo ag''ain\r")
        shell.wait_for("again")
        self.assertEqual(shell.completed("amp sho")[0], "amp show ")
        self.assertEqual(shell.completed("amp logs latest/pr")[0], "amp logs latest/prepare")


class Fish(InShells):
    shell = "fish"

    def test_typing(self) -> None:
        self.typing()

    def test_hostile_names(self) -> None:
        self.hostile()

    def test_nothing_to_say(self) -> None:
        self.nothing_to_say()

    def test_descriptions(self) -> None:
        shown = self.opened(self.made()).listed("amp attach ", lambda text: "Demo" in text and "newest" in text)
        self.assertRegex(shown, r"latest +\(the newest run\)")
        self.assertRegex(shown, r"\(succeeded Demo\)")


if __name__ == "__main__":
    unittest.main()

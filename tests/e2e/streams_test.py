"""What goes where: results on standard output, all else on standard error; plain records, selections, width, ASCII."""

import json
import re
import subprocess

from harness import AMP, AmpTest

FLOW = """
[flow]
name = "Streams"

[params]
sizes = [1, 2]
broken = false

[step.make]
foreach = "params.sizes"
run = '''
echo "line {{ item }}"; amp put score {{ item }}; printf 'a\\tb' > "$AMP_OUT/text"; amp metric loss=0.5 --step {{ item }}
! {{ params.broken }}
'''

[step.report]
needs = "make"
join = true
run = "for i in 1 2 3 4 5; do echo report $i; done"
"""
ID = r"\d{6}-\d{6}-\w{4}\n"
NOTHING = r""


class Streams(AmpTest):
    def setUp(self) -> None:
        self.p = self.project({"flow.toml": FLOW, "wrong.toml": "[flow]\nnmae = 1\n[step.a]\nrun = 'true'\n"})
        self.run_ok(self.p, "run", "-q", "--tag", "good")
        self.run_ok(self.p, "run", "-q", "--tag", "tab\\it")
        self.assert_code(1, self.p.amp("run", "-q", "-p", "broken=true"))
        self.newest, self.second, self.first = (run["run"] for run in self.p.runs())

    # command → exit code, what is on standard output, what is on standard error
    TABLE = {
        "runs": (0, r"RUN +STATE.*\n(.+\n){3}", NOTHING),
        "runs -q": (0, ID * 3, NOTHING),
        "runs --flow Nothing": (0, NOTHING, r"no runs; none is of the flow 'Nothing'\n"),
        "runs --flow Nothing -q": (0, NOTHING, NOTHING),
        "runs --nonsense": (2, NOTHING, r"error: (.|\n)*"),
        "show": (0, r"run .*failed(.|\n)*", NOTHING),
        "show @nothing": (7, NOTHING, r"error: (.|\n)*"),
        "show flow.toml": (0, r"flow Streams(.|\n)*", NOTHING),
        "show wrong.toml": (3, NOTHING, r"error(.|\n)*"),
        "show flow.toml --dot": (0, r"digraph (.|\n)*", NOTHING),
        "logs @good/make/0": (0, r"line 1\n", NOTHING),
        "logs @good --limit 2": (0, r"report \| report 4\nreport \| report 5\n", NOTHING),
        "artifacts @good": (0, r"TASK .*\n(.+\n){4}", NOTHING),
        "artifacts latest/report": (0, NOTHING, r"no artifacts.*\n"),
        "metrics @good": (0, r"TASK .*\n(.+\n){2}", NOTHING),
        "metrics @good --csv": (0, r"task,attempt,metric,step,value,at\n(.+\n){2}", NOTHING),
        "metrics latest/report": (0, NOTHING, r"no metrics.*\n"),
        "get @good/make/0 score": (0, r"1\n", NOTHING),
        "get @good/make/0 nothing": (7, NOTHING, r"error: (.|\n)*"),
        "tag list @good": (0, r"good\n", NOTHING),
        "tag add @good more": (0, NOTHING, NOTHING),
        "tag remove @good more": (0, NOTHING, NOTHING),
        "validate": (0, r"flow.toml is valid: 2 steps\n", NOTHING),
        "validate -q": (0, NOTHING, NOTHING),
        "validate wrong.toml": (3, NOTHING, r"error(.|\n)*"),
        "plan": (0, r"a new run of (.|\n)*", NOTHING),
        "why @good/report": (0, r"report +succeeded\n(.|\n)*", NOTHING),
        "diff @good latest": (0, r"--- (.|\n)*", NOTHING),
        "compare": (0, r"RUN .*\n(.+\n){3}", NOTHING),
        "compare --csv": (0, r"run,state,(.|\n)*", NOTHING),
        "cancel @good": (0, NOTHING, r"run \S+ had ended already\n"),
        "cancel @good -q": (0, NOTHING, NOTHING),
        "attach @good": (0, rf"({ID})", r"(.|\n)*"),
        "resume @good": (0, rf"({ID})", r"(.|\n)*"),
        "resume @good -q": (0, rf"({ID})", NOTHING),
        "replay @good/report": (0, r"report 1\n(.+\n){4}", r"replay of (.|\n)*"),
        "approve latest/report": (7, NOTHING, r"error: (.|\n)*"),
        "config": (0, r"default = .*\n", NOTHING),
        "explain AMP1203": (0, r"AMP1203: (.|\n)*", NOTHING),
        "explain AMP0": (7, NOTHING, r"error: (.|\n)*"),
        "gc --dry-run": (0, r"would remove (.|\n)*", NOTHING),
        "fsck": (0, r"(.|\n)*sound\n", NOTHING),
        "doctor": (None, r"amp (.|\n)*", NOTHING),
        "help": (0, r"(.|\n)+", NOTHING),
        "version": (0, r"amp (.|\n)*", NOTHING),
        "put x 1": (2, NOTHING, r"error: (.|\n)*"),
        "nonsense": (2, NOTHING, r"error: (.|\n)*"),
        "--nonsense": (2, NOTHING, r"error: (.|\n)*"),
    }

    def test_results_here_and_all_else_there(self) -> None:
        for command, (code, out, err) in self.TABLE.items():
            with self.subTest(command):
                result = self.p.amp(*command.split())
                if code is not None:
                    self.assertEqual(result.code, code, str(result))
                self.assertRegex(result.out, rf"\A{out}\Z")
                self.assertRegex(result.err, rf"\A{err}\Z")

    def test_runs_print_their_id_alone(self) -> None:
        project = self.project(FLOW)
        for options in (["-q"], [], ["-q", "--detach"], ["--detach"]):
            with self.subTest(options):
                result = self.run_ok(project, "run", *options)
                self.assertRegex(result.out, rf"\A{ID}\Z")
                self.assertEqual(result.err == "", "-q" in options, str(result))
                project.amp("attach", result.out.strip())
        run = result.out.strip()
        run = project.runs()[-1]["run"]
        self.assertEqual(self.run_ok(project, "rm", "-q", run).out, run + "\n")

    def test_with_json_nothing_but_json(self) -> None:
        for command in self.TABLE:
            if command.split()[0] in ("help", "--nonsense", "put") or "--csv" in command or "--dot" in command:
                continue
            with self.subTest(command):
                for line in self.p.amp(*command.split(), "--json").out.splitlines():
                    self.assertIn("schema", json.loads(line))

    def test_plain_records(self) -> None:
        runs = [line.split("\t") for line in self.run_ok(self.p, "runs", "--plain").out.splitlines()]
        self.assertEqual([len(fields) for fields in runs], [11] * 3)
        self.assertEqual([fields[0] for fields in runs], [self.newest, self.second, self.first])
        self.assertEqual([fields[1] for fields in runs], ["failed", "succeeded", "succeeded"])
        self.assertEqual(runs[1][9], "tab\\\\it")
        self.assertEqual(json.loads(runs[0][10])["broken"], True)
        made = [line.split("\t") for line in self.run_ok(self.p, "artifacts", "@good/make/0", "--plain").out.splitlines()]
        self.assertEqual(
            [fields[:5] for fields in made], [["make/0", "1", "score", "value", "1"], ["make/0", "1", "text", "file", "3"]]
        )
        self.assertEqual((len(made[0][5]), made[0][6], made[1][6]), (64, "1", ""))
        told = [line.split("\t") for line in self.run_ok(self.p, "metrics", "@good", "--plain").out.splitlines()]
        self.assertEqual(told[1], ["make/1", "1", "loss", "0.5", "2", "0.5", "0.5", "1"])
        tag = self.run_ok(self.p, "tag", "list", "--plain", "@good").out.rstrip("\n").split("\t")
        self.assertEqual((tag[0], tag[2]), ("good", "tester"))
        for command in (
            ["runs", "--plain", "--flow", "Nothing"],
            ["artifacts", "latest/report", "--plain"],
            ["metrics", "latest/report", "--plain"],
        ):
            result = self.run_ok(self.p, *command, env={"AMP_FORCE_TTY": "40"})
            self.assertEqual(result.out + result.err, "")
        wide = self.run_ok(self.p, "runs", "--plain", "--color=always", env={"AMP_FORCE_TTY": "20"}).out
        self.assertEqual(wide, self.run_ok(self.p, "runs", "--plain").out)

    def test_how_many_and_since_when(self) -> None:
        self.assertEqual(self.run_ok(self.p, "runs", "-q", "--limit", "1").out.split(), [self.newest])
        for command, whole, less in (
            (["runs", "--plain"], 3, 2),
            (["artifacts", "@good", "--plain"], 4, 2),
            (["metrics", "@good", "--plain"], 2, 1),
            (["metrics", "@good", "--json"], 2, 1),
            (["logs", "@good"], 7, 2),
            (["logs", "@good", "--json"], None, 2),
        ):
            with self.subTest(command):
                lines = self.run_ok(self.p, *command).out.splitlines()
                self.assertEqual(len(lines), len(lines) if whole is None else whole)
                self.assertEqual(len(self.run_ok(self.p, *command, "--limit", str(less)).out.splitlines()), min(less, len(lines)))
                self.assertEqual(self.run_ok(self.p, *command, "--since", "1h").out.splitlines(), lines)
                self.assertEqual(self.run_ok(self.p, *command, "--since", "2000-01-01").out.splitlines(), lines)
                self.assertEqual(self.run_ok(self.p, *command, "--since", "2999-01-01T00:00:00Z").out, "")
                self.assert_code(2, self.p.amp(*command, "--since", "yesterday"))
                self.assert_code(2, self.p.amp(*command, "--limit", "-1"))
        self.assertEqual(self.run_ok(self.p, "tag", "list", "@good", "--since", "2999-01-01").out, "")
        self.assert_code(2, self.p.amp("logs", "-f", "--limit", "1"))

    def test_selections(self) -> None:
        ok = {
            ("runs", ".runs[].run"): f"{self.newest}\n{self.second}\n{self.first}\n",
            ("runs", ".runs[-1].tags[]"): "good\n",
            ("runs", ".runs[1].tags"): '["tab\\\\it"]\n',
            ("show @good", ".tasks[].state"): "succeeded\n" * 3,
            ("show @good", ".ended"): None,
            ("metrics @good", ".value"): "0.5\n0.5\n",
            ("logs @good/report", ".attempt"): None,
            ("tag list @good", ".tags[0]"): "good\n",
            ("version", ".version"): None,
            ("cancel @good", ".was_open"): "false\n",
        }
        for (command, path), expected in ok.items():
            with self.subTest(f"{command} {path}"):
                result = self.run_ok(self.p, *command.split(), "--select", path)
                self.assertEqual(result.out if expected is None else expected, result.out)
                self.assertTrue(result.out)
        for path in ("runs", ".runs | length", ".runz[].run", ".runs.run", "", "$(touch x)"):
            with self.subTest(path):
                result = self.p.amp("runs", f"--select={path}")
                self.assert_code(2, result)
                self.assertEqual(result.out, "")
        result = self.p.amp("show", "@nothing", "--select", ".run")
        self.assert_code(7, result)
        self.assertEqual(result.out, "")
        shell = f'RUN=$({AMP} run -q) && {AMP} show $RUN --select ".tasks[].exit"'
        done = subprocess.run(
            ["bash", "-c", shell], cwd=self.p.folder, env=self.p.environment, capture_output=True, text=True, check=False
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_filter_that_fits_no_run_is_an_error(self) -> None:
        result = self.p.amp("runs", "--where", "rate > 2")
        self.assert_code(2, result)
        self.assertIn("--where: runs have no 'rate'", result.err)
        for nothing in ("state == 'nothing'", "params.nosuch > 1"):
            self.assertEqual(self.run_ok(self.p, "runs", "-q", "--where", nothing).out, "")

    def test_a_selection_that_does_not_fit_is_told_before_the_run_and_never_ends_it(self) -> None:
        project = self.project('[flow]\nname = "S"\n[step.a]\nrun = "true"\n')
        for arguments in (("run",), ("run", "--detach")):
            self.assert_code(2, project.amp(*arguments, "--select", ".stat"))
        self.assertEqual(project.runs(), [])
        result = self.run_ok(project, "run", "--events=ndjson", "--select", ".event.x")
        self.assertEqual(set(result.out.split()), {"null"})
        self.assertEqual(self.run_ok(project, "run", "--select", ".state").out, "succeeded\n")

    def test_every_word_of_ours_is_ascii_in_an_ascii_locale(self) -> None:
        commands = [command.split() for command in self.TABLE]
        names = re.findall(r"^  ([a-z][a-z-]+) ", self.p.amp("help").out, re.MULTILINE)
        commands += [["help", name] for name in names] + [[name, "-h"] for name in names]
        commands += [["explain", code] for code in self.p.amp("explain", "--select", ".codes[].code").out.split()]
        self.p.write(
            "strange.toml",
            '[flow]\nname = "S"\n[step.a]\nrun = "echo {{ items[0] }} ${x{{ params.y }}}"\nneeds = "b"\n[step.b]\nneeds = "a"\n',
        )
        commands += [["validate", "strange.toml"], ["run", "strange.toml"], ["run", "-p", "broken=true"]]
        for command in commands:
            for locale in ("C", "POSIX"):
                result = subprocess.run(
                    [AMP, *command],
                    cwd=self.p.folder,
                    env={**self.p.environment, "LANG": locale, "AMP_FORCE_TTY": "60"},
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    check=False,
                )
                self.assertTrue((result.stdout + result.stderr).isascii(), f"LANG={locale} amp {' '.join(command)}: {result}")
                if command[0] in ("explain", "help") or command[-1] == "-h":
                    break  # for these both are one
        self.assertFalse(self.p.amp("explain", "AMP1205").out.isascii())  # else nothing was tested

    def test_tables_fit_a_terminal(self) -> None:
        long = "very-long-tag-" * 8
        self.run_ok(self.p, "tag", "add", "@good", long[:120])
        for command in (["runs"], ["artifacts", "@good"], ["metrics", "@good"], ["show", "@good/make"]):
            for columns in ("80", "200"):
                with self.subTest(f"{command} {columns}"):
                    out = self.run_ok(self.p, *command, env={"AMP_FORCE_TTY": columns, "NO_COLOR": "1"}).out
                    table = [line for line in out.splitlines() if not line.startswith("  ")]  # the head is no table
                    self.assertLessEqual(max(map(len, table)), int(columns), out)
        self.assertIn(long[:120], self.run_ok(self.p, "runs").out)  # a pipe gets all
        self.assertIn(long[:80], self.run_ok(self.p, "runs", env={"AMP_FORCE_TTY": "200"}).out)

    def test_colour_is_for_those_who_want_it(self) -> None:
        for changes, options, colour in (
            ({}, [], False),
            ({"AMP_FORCE_TTY": "80"}, [], True),
            ({"AMP_FORCE_TTY": "80", "NO_COLOR": "1"}, [], False),
            ({"AMP_FORCE_TTY": "80", "TERM": "dumb"}, [], False),
            ({"AMP_FORCE_TTY": "80", "NO_COLOR": "1"}, ["--color=always"], True),
            ({"CLICOLOR_FORCE": "1"}, [], True),
            ({"FORCE_COLOR": "1"}, [], True),
            ({"FORCE_COLOR": "1"}, ["--color", "never"], False),
            ({}, ["--color", "always"], True),
            ({"FORCE_COLOR": "1"}, ["--json"], False),
            ({"FORCE_COLOR": "1"}, ["--plain"], False),
            ({"FORCE_COLOR": "1"}, ["--select", ".runs[].state"], False),
        ):
            with self.subTest(f"{changes} {options}"):
                self.assertEqual("\x1b[" in self.run_ok(self.p, "runs", *options, env=changes).out, colour)

    def test_nothing_moves_with_plain(self) -> None:
        forced = {"AMP_FORCE_TTY": "80", "NO_COLOR": "1", "TERM": "xterm"}
        self.assertIn("\x1b", self.run_ok(self.p, "run", env=forced).err)
        result = self.run_ok(self.p, "run", "--plain", env=forced)
        self.assertNotIn("\x1b", result.out + result.err)
        self.assertNotIn("\r", result.out + result.err)

    def test_a_reader_that_goes_away(self) -> None:
        project = self.project('[flow]\nname = "Much"\n[step.one]\nrun = "seq 1 200000"\n')
        self.run_ok(project, "run")
        for command, code in (
            ("logs", 0),
            ("runs", 0),
            ("show", 0),
            ("show --json", 0),
            ("logs --json", 0),
            ("logs --select .text", 0),
            ("help", 0),
        ):
            shell = f"{AMP} {command} | head -1; echo ${{PIPESTATUS[0]}} >&2"
            done = subprocess.run(
                ["bash", "-c", shell],
                cwd=project.folder,
                env=project.environment,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            with self.subTest(command):
                self.assertEqual(done.stderr, f"{code}\n")
                self.assertEqual(done.stdout.count("\n"), 1)
        full = subprocess.run(
            ["bash", "-c", f"{AMP} logs > /dev/full"],
            cwd=project.folder,
            env=project.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(full.returncode, 10)
        self.assertIn("cannot write standard output", full.stderr)

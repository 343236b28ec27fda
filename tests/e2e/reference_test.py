"""How people name runs: every command that takes one, with each way to name it; and what no run can be called."""

import time

from harness import AmpTest, Project, wait_until

FLOW = """
[flow]
name = "{name}"

[params]
sizes = [1, 2]

[step.train]
foreach = "params.sizes"
run = "echo {name} {{{{ item }}}}; amp put score {{{{ item }}}}; amp metric loss=0.5"

[step.report]
needs = "train"
join = true
run = "echo done"
"""
WAITING = """
[flow]
name = "Asks"

[step.publish]
wait = "approval"
run = "echo published"
"""


class References(AmpTest):
    project_: Project
    tune: str
    evaluate: str

    @classmethod
    def setUpClass(cls) -> None:
        cls.project_ = Project({"flow.toml": FLOW.format(name="Tune"), "eval.toml": FLOW.format(name="Eval")})
        cls.addClassCleanup(cls.project_.remove)
        runs = []
        for flow in ("flow.toml", "flow.toml", "eval.toml"):
            result = cls.project_.amp("run", "-q", flow)
            if result.code != 0:
                raise AssertionError(str(result))
            runs.append(result.out.strip())
        cls.project_.amp("tag", "add", runs[0], "old")
        cls.project_.amp("tag", "add", runs[1], "good")
        cls.project_.amp("tag", "add", runs[2], "good")
        cls.old, cls.tune, cls.evaluate = runs

    def ways(self) -> dict[str, str]:
        """Each way to name a run, and which run it is."""
        return {
            "latest": self.evaluate,
            "Eval/latest": self.evaluate,
            "Tune/latest": self.tune,
            "@good": self.evaluate,
            "Tune@good": self.tune,
            "@old": self.old,
            self.old: self.old,
            self.old[-4:]: self.old,
            self.old[7:]: self.old,
        }

    def test_each_way_names_its_run(self) -> None:
        for way, run in self.ways().items():
            with self.subTest(way):
                self.assertEqual(self.project_.json("show", way)["run"], run)
                shown = self.project_.json("show", f"{way}/train/1")
                self.assertEqual((shown["run"], [task["task"] for task in shown["tasks"]]), (run, ["train/1"]))
                self.assertEqual(len(self.project_.json("show", f"{way}/train")["tasks"]), 2)

    def test_every_command_takes_them(self) -> None:
        """What each says of the older flow's newest run, which no other way than these names."""
        for n, way in enumerate(("Tune/latest", "Tune@good")):
            commands = {
                "show": (["show", way], "run"),
                "artifacts": (["artifacts", f"{way}/train"], "run"),
                "tag": (["tag", "list", way], "run"),
                "cancel": (["cancel", way], "run"),
                "why": (["why", f"{way}/train/1"], "run"),
                "get": (["get", f"{way}/train/1", "score"], "run"),
                "checkout": (["checkout", way, str(self.project_.top / f"out{n}")], "run"),
                "replay": (["replay", f"{way}/report"], "run"),
                "attach": (["attach", way], "run"),
                "resume": (["resume", way], "run"),
                "plan": (["plan", "--resume", way], "run"),
            }
            for name, (command, key) in commands.items():
                with self.subTest(f"{name} {way}"):
                    self.assertEqual(self.project_.json(*command)[key], self.tune)
            with self.subTest(f"logs {way}"):
                self.assertEqual(self.run_ok(self.project_, "logs", f"{way}/train/0").out, "Tune 1\n")
            with self.subTest(f"metrics {way}"):
                self.assertIn("train/1", self.run_ok(self.project_, "metrics", f"{way}/train/1").out)
            with self.subTest(f"diff {way}"):
                found = self.project_.json("diff", "@old", way)
                self.assertEqual((found["before"]["run"], found["after"]["run"]), (self.old, self.tune))
            with self.subTest(f"compare {way}"):
                runs = self.project_.json("compare", "@old", way)["runs"]
                self.assertEqual([run["run"] for run in runs], [self.old, self.tune])
            with self.subTest(f"fsck {way}"):
                self.assertEqual(self.project_.json("fsck", way)["runs"], 1)
            with self.subTest(f"plan --like {way}"):
                self.run_ok(self.project_, "plan", "--like", way)

    def test_commands_that_change(self) -> None:
        project = self.project({"flow.toml": FLOW.format(name="Tune"), "asks.toml": WAITING})
        first = self.run_ok(project, "run", "-q", "--sizes", "[3]").out.strip()
        like = self.run_ok(project, "run", "-q", "--like", "Tune/latest", "--tag", "good").out.strip()
        self.assertEqual(project.json("show", "@good")["params"], {"sizes": [3]})
        only = self.run_ok(project, "run", "-q", "--only", "report", "--origin", "Tune@good").out.strip()
        self.assertEqual(project.json("show", only)["origin"], like)
        asks = self.run_ok(project, "run", "-q", "--detach", "asks.toml").out.strip()
        deadline = time.monotonic() + 20
        while project.amp("approve", "Asks/latest/publish").code != 0:
            self.assertLess(time.monotonic(), deadline, "nothing waited for approval")
            time.sleep(0.1)
        self.run_ok(project, "attach", "-q", "Asks/latest")
        self.assertEqual(project.json("show", asks)["state"], "succeeded")
        wait_until(lambda: not project.keepers(), 20, "keepers have ended: a run whose tasks are at work stays")
        self.assertEqual(project.json("rm", "Asks/latest")["removed_runs"], [asks])
        self.assert_code(2, project.amp("rm", "@good"))  # it is tagged
        self.assertEqual(project.json("rm", "--force", "@good")["removed_runs"], [like])
        self.assertIn(first, [run["run"] for run in project.runs()])

    def test_what_several_runs_are_called(self) -> None:
        result = self.project_.amp("show", self.old[:4])
        self.assert_code(2, result)
        self.assertIn(f"means 3 runs: {self.evaluate}, {self.tune}, {self.old}", result.err)

    def test_what_no_run_is_called(self) -> None:
        for way, near in {
            "Tone/latest": "'Tune/latest'",
            "Tune": "'Tune/latest'",
            "@gud": "'@good'",
            "good": "'@good'",
            "lastest": "'latest'",
        }.items():
            for command in (["show", way], ["logs", way], ["rm", way], ["resume", way], ["run", "--like", way]):
                with self.subTest(command):
                    result = self.project_.amp(*command)
                    self.assert_code(7, result)
                    self.assertIn(f"did you mean {near}?", result.err)
                    self.assertIn(f"{self.evaluate}, {self.tune}, {self.old}", result.err)

    def test_hostile_ones(self) -> None:
        ways = [
            "../x",
            "..",
            "/",
            "//",
            "x//y",
            "latest/",
            "latest//1",
            "latest/a/1/2",
            "@",
            "Tune@",
            "a\x1b[2Jb",
            "a\tb",
            "x" * 100000,
        ]
        for way in ways:
            for command in ("show", "logs", "artifacts", "metrics", "why", "approve", "replay"):
                with self.subTest(f"{command} {way[:20]!r}"):
                    result = self.project_.amp(command, way)
                    self.assert_code(2, result)
                    self.assertNotIn("\x1b", result.err)
                    self.assertLess(len(result.err), 1000)
        for way in [*ways, "", "latest/train", "Tune/latest/train"]:
            for command in (
                ["cancel"],
                ["resume"],
                ["rm"],
                ["tag", "list"],
                ["attach"],
                ["plan", "--resume"],
                ["diff", "latest"],
            ):
                with self.subTest(f"{command} {way[:20]!r}"):
                    if way == "" and command[0] in ("plan",):
                        continue  # as if it were not given
                    self.assert_code(2, self.project_.amp(*command, way))
        self.assertEqual(len(self.project_.runs()), 3)

    def test_a_step_called_latest_and_a_flow_called_as_a_run(self) -> None:
        flow = '[flow]\nname = "F{}"\n[step.latest]\nrun = "echo step"\n'
        project = self.project({"flow.toml": flow.format(2611)})
        run = self.run_ok(project, "run", "-q").out.strip()
        for way in ("latest/latest", f"{run}/latest", "F2611/latest/latest"):
            self.assertEqual(self.run_ok(project, "logs", way).out, "step\n")
        self.assertEqual(project.json("show", "F2611/latest")["run"], run)

    def test_a_file_that_is_called_as_a_run(self) -> None:
        project = self.project(FLOW.format(name="Tune"))
        run = self.run_ok(project, "run", "-q", "--tag", "good").out.strip()
        for name in ("latest", "Tune/latest", "@good", run):
            project.write(name, "no flow")
            with self.subTest(name):
                self.assertEqual(project.json("show", name)["run"], run)

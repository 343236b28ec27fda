"""Slips of the hand: for each kind of name, what is nearly right is answered with what was meant; nothing is done instead."""

import unittest

from harness import AmpTest, Project, wait_until

FLOW = """
[flow]
name = "Demo"
[params]
rate = 0.1
[config]
sets = { file = "sets.toml", required = false }
[step.prepare]
run = "amp metric loss=1; amp put model 1; echo {{ params.rate }}"
[step.train]
needs = "prepare"
run = "true"
"""
SETTINGS = '[profile.hpc]\nbackend = "slurm"\npartition = "gpu"\n'


class Slips(AmpTest):
    def made(self) -> Project:
        project = self.project({"flow.toml": FLOW, "amp.toml": SETTINGS})
        self.run_ok(project, "run", "-q", "--tag", "good")
        return project

    def answered(self, project: Project, code: int, hint: str, *words: str) -> None:
        result = project.amp(*words)
        with self.subTest(" ".join(words)):
            self.assert_code(code, result)
            self.assertIn(f"did you mean {hint}?", result.err)
            self.assertEqual(result.out, "")

    def test_what_fails_with_the_values_that_are_given(self) -> None:
        flow = '[flow]\nname = "x"\n[params]\nl = [1]\n[step.a]\nrun = "echo {{ params.l[1] }}"\n'
        project = self.project({"flow.toml": flow})
        self.assertIn("warning[AMP1113]", self.run_ok(project, "validate").err)
        refused = project.amp("run")
        self.assert_code(3, refused)
        self.assertIn("error[AMP1113]: 'params.l[1]' does not exist", refused.err)
        self.assertFalse((project.folder / ".amp" / "runs").exists())
        self.assertNotIn("AMP1113", self.run_ok(project, "run", "-p", "l=[1, 2]").err)

    def test_a_value_that_would_be_code(self) -> None:
        flow = '[flow]\nname = "x"\n[params]\nv = "a"\n[step.a]\nrun = "test -v {{ params.v }}"\n'
        refused = self.project({"flow.toml": flow}).amp("run", "-p", "v=PATH[$(touch pwned)]")
        self.assert_code(3, refused)
        self.assertIn("error[AMP1210]", refused.err)

    def test_commands_topics_and_codes(self) -> None:
        project = self.made()
        self.answered(project, 2, "'amp run'", "rnu")
        self.answered(project, 2, "'run'", "help", "rnu")
        self.answered(project, 2, "'environment'", "help", "evironment")
        self.answered(project, 7, "'AMP1203'", "explain", "ANP1203")
        self.answered(project, 7, "'AMP1203'", "explain", "AMP12O3")

    def test_options_and_their_words(self) -> None:
        project = self.made()
        self.answered(project, 2, "'--state'", "runs", "--sate", "failed")
        self.answered(project, 2, "'--keep-going'", "run", "--keep-goin")
        self.answered(project, 2, "'failed'", "runs", "--state", "faild")
        self.answered(project, 2, "'never'", "runs", "--color", "nevr")
        self.answered(project, 2, "'queue'", "run", "--concurrency", "qeue")
        self.answered(project, 2, "'bash'", "completion", "bsh")
        self.answered(project, 2, "'list'", "tag", "lst", "latest")
        self.answered(project, 2, "'state'", "runs", "--sort", "stat")
        self.assertIn("'--tag'", project.amp("run", "--tga", "x").err)  # it could be a parameter, too

    def test_parameters_and_configuration(self) -> None:
        project = self.made()
        self.answered(project, 3, "'rate'", "run", "--rtae", "1")
        self.answered(project, 3, "'rate'", "run", "-p", "rtae=1")
        self.answered(project, 3, "'sets'", "run", "--config", "stes=x.toml")
        self.answered(project, 2, "'hpc'", "run", "--on", "hcp")
        self.answered(project, 7, "'profile.hpc'", "config", "profile.hcp")
        self.answered(project, 7, "'profile.hpc.partition'", "config", "profile.hpc.partiton")

    def test_steps_and_what_they_made(self) -> None:
        project = self.made()
        for command in ("logs", "show", "why", "artifacts", "metrics", "replay"):
            self.answered(project, 7, "'train'", command, "latest/trian")
        self.answered(project, 7, "'train'", "logs", "latest", "--step", "trian")
        self.answered(project, 7, "'train'", "get", "latest/trian", "model")
        self.answered(project, 7, "'model'", "get", "latest/prepare", "modle")
        for command, option in (("run", "--until"), ("run", "--only"), ("resume", "--from"), ("plan", "--until")):
            origin = ("--origin", "latest") if option == "--only" else ()
            self.answered(project, 7, "'train'", command, option, "trian", *origin)
        metrics = project.amp("metrics", "latest", "--name", "lsos")
        self.assertIn("did you mean 'loss'?", metrics.err)
        waiting = self.project('[flow]\nname = "W"\n[step.publish]\nwait = "approval"\n')
        waiting.start("run")
        wait_until(lambda: "did you mean 'publish'?" in waiting.amp("approve", "latest/pubilsh").err, 20, "it waits")

    def test_runs_flows_and_tags(self) -> None:
        project = self.made()
        run = project.runs()[0]["run"]
        wrong = run[:-1] + ("b" if run[-1] != "b" else "c")
        result = project.amp("show", wrong)
        self.assert_code(7, result)
        self.assertIn(run, result.err)
        for command in ("runs", "compare"):
            self.assertIn("did you mean 'good'?", self.run_ok(project, command, "--tag", "godo").err)
            self.assertIn("did you mean 'Demo'?", self.run_ok(project, command, "--flow", "Dmeo").err)
            self.assertNotIn("mean", self.run_ok(project, command, "--flow", "Demo", "--state", "failed").err)
        self.assertIn("did you mean 'good'?", self.run_ok(project, "tag", "remove", "latest", "godo").err)
        self.assertEqual(project.runs()[0]["tags"], ["good"])
        self.assertEqual(self.run_ok(project, "tag", "remove", "latest", "good").err, "")


if __name__ == "__main__":
    unittest.main()

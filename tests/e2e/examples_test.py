"""Every folder of examples/, run as its first lines say."""

import json
import unittest

from harness import ROOT, AmpTest, Project, Result, wait_until

EXAMPLES = ROOT / "examples"


class Examples(AmpTest):
    """A test an example, called `test_` and the name of its folder."""

    def example(self, name: str) -> Project:
        folder = EXAMPLES / name
        files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        return self.project(files)

    def run_it(self, project: Project, *arguments: str, code: int = 0, **options: dict[str, str | None]) -> Result:
        result = project.amp("run", *arguments, **options)
        self.assertEqual(result.code, code, str(result))
        return result

    def artifact(self, project: Project, task: str, name: str, run: str = "latest") -> object:
        """A value of any kind: texts are printed as they are."""
        result = project.amp("get", f"{run}/{task}", name)
        self.assertEqual(result.code, 0, str(result))
        try:
            return json.loads(result.out)
        except json.JSONDecodeError:
            return result.out.rstrip("\n")

    def test_every_example_has_its_test_and_its_line(self) -> None:
        names = {path.name for path in EXAMPLES.iterdir() if path.is_dir()}
        listed = (EXAMPLES / "README.md").read_text()
        for name in names:
            self.assertTrue(hasattr(self, f"test_{name}"), name)
            self.assertIn(f"[{name}]({name}/", listed)

    def test_ngram(self) -> None:
        project = self.example("ngram")
        self.run_it(project, "-p", "orders=[1,2]", "-p", "smoothings=[1.0]", "-p", "size=100000")
        self.assertIn("<svg", project.amp("get", "latest/report", "plot").out)

    def test_notebook(self) -> None:  # its cells: notebook_test.py
        project = self.example("notebook")
        self.run_it(project)
        self.assertEqual(self.artifact(project, "best", "loss"), 0.2812)

    def test_parameters(self) -> None:
        project = self.example("parameters")
        self.run_it(project)
        expected = {"lr": 0.001, "steps": 576, "optimizer": "adam", "labels": 3, "augment": False}
        self.assertEqual(self.artifact(project, "train", "summary"), expected)
        self.run_it(project, "--params", "night.json", "--lr", "0.1", env={"AMP_PARAM_EPOCHS": "9"})
        changed = {**expected, "lr": 0.1, "steps": 20 * 192, "optimizer": "sgd", "augment": True}
        self.assertEqual(self.artifact(project, "train", "summary"), changed)
        self.assertIn("lr", self.run_it(project, "--lr", "7", code=3).err)

    def test_configuration(self) -> None:
        project = self.example("configuration")
        self.run_it(project)
        sample = ["s3://corpora/sample/train", "s3://corpora/sample/test"]
        self.assertEqual(self.artifact(project, "list", "places"), sample)
        self.run_it(project, "--config", "data=data-full.toml")
        self.assertEqual(len(self.artifact(project, "list", "places")), 3)

    def test_artifacts(self) -> None:
        project = self.example("artifacts")
        self.run_it(project)
        self.assertEqual(self.artifact(project, "count", "characters"), 21)
        project.amp("get", "latest/pack", "corpus", "-o", "corpus")
        self.assertEqual((project.folder / "corpus" / "b.txt").read_text(), "text b\n")
        self.assertFalse((project.folder / "corpus" / "b.txt").is_symlink())

    def test_foreach(self) -> None:
        project = self.example("foreach")
        self.run_it(project)
        self.assertEqual(self.artifact(project, "table", "scores"), [8, 8, 2])
        self.run_it(project, "-p", 'models=["small"]')
        self.assertEqual(self.artifact(project, "table", "scores"), [8, 8, 0])

    def test_condition(self) -> None:
        project = self.example("condition")
        self.run_it(project)
        self.assertEqual(self.artifact(project, "evaluate", "verdict"), "gradient-boosting on 5000 rows")
        self.run_it(project, "--rows", "20")
        self.assertEqual(self.artifact(project, "evaluate", "verdict"), "least-squares on 20 rows")
        self.assertEqual(project.states()["boost/_"], "skipped")
        self.assertEqual(project.amp("why", "latest/boost").code, 0)

    def test_cache(self) -> None:
        project = self.example("cache")
        self.run_it(project)
        self.run_it(project, "--sizes", "[1, 2, 3, 4]")
        states = project.states()
        self.assertEqual([states[f"features/{i}"] for i in range(4)], ["cached"] * 3 + ["succeeded"])
        self.assertEqual(self.artifact(project, "total", "total"), 30)

    def test_checkpoint(self) -> None:
        project = self.example("checkpoint")
        self.run_it(project)
        self.assertEqual(self.artifact(project, "train", "first_epoch"), 3)
        self.assertEqual(self.artifact(project, "train", "loss"), 0.107)

    def test_approval(self) -> None:
        project = self.example("approval")
        driver = project.start("run")
        (project.folder / "data-is-here").touch()
        waits = lambda: project.runs() and project.tasks().get("publish/_", {}).get("waits_since")  # noqa: E731
        wait_until(waits, 20, "publish waits")
        self.assertEqual(project.amp("approve", "latest/publish", "--comment", "fine").code, 0)
        self.assertEqual(driver.wait(20), 0, project.output())
        self.assertEqual(self.artifact(project, "publish", "published"), 1000)

    def test_repeat(self) -> None:
        project = self.example("repeat")
        self.run_it(project)
        coarse = self.artifact(project, "report", "root")
        self.run_it(project, "--target", "0.0000001")
        fine = self.artifact(project, "report", "root")
        self.assertAlmostEqual(coarse, 2**0.5, delta=0.01)
        self.assertAlmostEqual(fine, 2**0.5, delta=1e-7)
        self.assertNotEqual(coarse, fine)

    def test_retry(self) -> None:
        project = self.example("retry")
        self.run_it(project)
        self.assertEqual(project.tasks()["download/_"]["attempt"], 3)
        self.assertEqual(self.artifact(project, "train", "seen"), 1048576)

    def test_catch(self) -> None:
        project = self.example("catch")
        self.run_it(project)
        self.assertEqual(self.artifact(project, "summary", "rows"), 200)
        self.assertEqual(self.artifact(project, "summary", "errors"), {"broken.csv": "exit status 4"})
        self.assertEqual(project.amp("resume", "--retry-caught").code, 0)
        self.assertEqual(project.tasks()["parse/1"]["attempt"], 2)

    def test_cleanup(self) -> None:
        project = self.example("cleanup")
        self.run_it(project, code=1)
        self.assertEqual(self.artifact(project, "release", "released"), "gpu-17")
        self.assertRegex(project.amp("logs", "latest/tell").out, r"train/_: user")
        self.run_it(project, "--broken", "false")
        states = project.states()
        self.assertEqual((states["tell/_"], states["release/_"]), ("skipped", "succeeded"))

    def test_resume(self) -> None:
        project = self.example("resume")
        trainings = project.top / "trainings"
        settings = {"TRAININGS": str(trainings)}
        self.run_it(project, code=1, env=settings)
        (project.folder / "threshold.txt").write_text("0.5\n")
        self.assertIn("threshold.txt", project.amp("plan", "--resume", "latest").out)
        self.assertEqual(project.amp("resume", env=settings).code, 0)
        self.assertEqual(project.states(), {"train/_": "cached", "evaluate/_": "succeeded"})
        self.assertEqual(trainings.read_text(), "trained\n")

    def test_leaving(self) -> None:
        project = self.example("leaving")
        runs = [project.amp("run", "-q", "--detach").out.strip() for _ in range(2)]
        for run in reversed(runs):
            self.assertEqual(project.amp("attach", run).code, 0)
        whole = [set(project.states(run).values()) for run in runs]
        self.assertEqual(whole, [{"succeeded"}, {"succeeded"}])
        self.run_it(project, "--until", "train")
        self.assertEqual(project.states(), {"prepare/_": "succeeded", "train/_": "succeeded"})
        self.assertEqual(project.amp("resume", "--from", "train").code, 0)
        self.assertEqual(project.states()["prepare/_"], "cached")
        self.run_it(project, "--only", "report", "--origin", "latest")
        self.assertEqual(self.artifact(project, "report", "line"), "accuracy 0.1")

    def test_limits(self) -> None:
        project = self.example("limits")
        self.run_it(project, "--max-workers", "2")
        self.assertEqual(self.artifact(project, "merge", "parts"), list(range(6)))

    def test_gang(self) -> None:
        project = self.example("gang")
        self.run_it(project)
        self.assertEqual(self.artifact(project, "average", "average"), 1.5)
        self.assertIn("[3] I brought 3, and the average is 1.5\n", project.amp("logs", "latest/average").out)
        self.run_it(project, "--ranks", "1")
        self.assertEqual(self.artifact(project, "average", "average"), 0)

    def test_subflow(self) -> None:
        project = self.example("subflow")
        self.run_it(project)
        self.assertEqual(self.artifact(project, "choose", "best"), 70)
        self.assertEqual(sorted(run["flow"] for run in project.runs("--all")), ["Compare", "Evaluate", "Evaluate"])
        self.run_it(project, "evaluate.toml", "--model", "tiny")
        self.assertEqual(self.artifact(project, "score", "total"), 56)

    def test_spawn(self) -> None:
        project = self.example("spawn")
        run = self.run_it(project).out.strip()
        self.assertEqual(self.artifact(project, "search", "best", run=run), 24)
        self.assertEqual([run["flow"] for run in project.runs("--all")].count("Trial"), 3)

    def test_metrics(self) -> None:
        project = self.example("metrics")
        self.run_it(project)
        self.assertEqual(self.artifact(project, "pick", "best"), 1)
        shown = project.amp("show", "latest").out
        self.assertIn("ended at x = 3.0000", shown)
        self.assertIn("Gradient_descent", shown)
        self.assertEqual(len(project.amp("metrics", "latest", "--csv").out.splitlines()), 1 + 3 * 50 * 2)

    def test_secrets(self) -> None:
        project = self.example("secrets")
        self.run_it(project, env={"TRACKER_TOKEN": "s3cr3t-token"})
        log = project.amp("logs", "latest/publish").out
        self.assertIn("token ***", log)
        self.assertNotIn("s3cr3t-token", log)
        self.assertEqual(self.artifact(project, "publish", "signature"), "19aa5ae493d8")
        self.assertIs(self.artifact(project, "elsewhere", "has_it"), False)


if __name__ == "__main__":
    unittest.main()

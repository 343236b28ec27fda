"""What tasks tell while they run: metrics, notes, links, progress, from bash and from Python."""

import csv
import io
import json
import signal
import unittest

from harness import AmpTest, Project, kill_quietly, wait_until


def flow_of(run: str, more: str = "") -> str:
    return f"[flow]\nname = \"Told\"\n[step.one]\nrun = '''\n{run}\n'''\n{more}\n"


def python_flow(script: str, more: str = "") -> dict[str, str | bytes]:
    return {"flow.toml": f'[flow]\nname = "Told"\n[step.one]\nrun = ["python3", "task.py"]\n{more}\n', "task.py": script}


class Told(AmpTest):
    def report(self, project: Project, task: str = "one/_") -> dict:
        return project.tasks()[task]["report"] or {}

    def points(self, project: Project, *options: str) -> list[dict]:
        return list(csv.DictReader(io.StringIO(self.run_ok(project, "metrics", "latest", "--csv", *options).out)))

    def test_from_bash(self) -> None:
        script = "for i in 1 2 3; do amp metric loss=0.$i 'a b=-1e3' --step $i; done\n"
        script += "amp note the rate was halved; amp link Board http://x:6006; amp progress 40% epoch 2"
        project = self.project(flow_of(script))
        self.run_ok(project, "run")
        report = self.report(project)
        self.assertEqual(report["metrics"]["loss"], {"count": 3, "last": 0.3, "min": 0.1, "max": 0.3, "step": 3})
        self.assertEqual(report["metrics"]["a b"]["last"], -1000)
        self.assertEqual([note["text"] for note in report["notes"]], ["the rate was halved"])
        self.assertEqual(report["links"], [{"title": "Board", "url": "http://x:6006"}])
        self.assertEqual((report["progress"]["done"], report["progress"]["text"]), (0.4, "epoch 2"))
        self.assertEqual([p["value"] for p in self.points(project, "--name", "loss")], ["0.1", "0.2", "0.3"])
        shown = self.run_ok(project, "show", "latest").out
        for text in ("loss 0.3 (step 3)", "Board: http://x:6006", "the rate was halved"):
            self.assertIn(text, shown)
        self.assertIn("loss", self.run_ok(project, "metrics", "latest/one").out)
        self.assertEqual(self.run_ok(project, "logs", "latest/one").out, "", "reports are no log")

    def test_outside_of_a_task(self) -> None:
        project = self.project(flow_of("true"))
        self.assertIn("not a task", self.run_ok(project, "metric", "loss=1").err)
        self.assert_code(2, project.amp("metric", "loss"))
        self.assert_code(2, project.amp("progress", "1.5"))

    def test_from_python(self) -> None:
        script = (
            "import amp, sys, os\n"
            "assert amp.in_task() and amp.params.lr == 0.5 and amp.item is None and amp.index == ()\n"
            "amp.metric(loss=1.5, step=1); amp.metric('loss', 0.5, step=2); amp.metric(bad=float('nan'))\n"
            "amp.note('hallo'); amp.link('W&B', 'https://w'); amp.progress(0.5, 'half')\n"
            "amp.put('score', 0.9)\n"
        )
        files = python_flow(script, 'params = ["lr"]')
        files["flow.toml"] = '[params]\nlr = 0.5\n' + files["flow.toml"]
        project = self.project(files)
        self.run_ok(project, "run")
        report = self.report(project)
        self.assertEqual(report["metrics"]["loss"], {"count": 2, "last": 0.5, "min": 0.5, "max": 1.5, "step": 2})
        self.assertEqual(report["metrics"]["bad"]["last"], "nan")
        self.assertEqual(json.loads(self.run_ok(project, "get", "latest/one", "score").out), 0.9)
        self.assertEqual(list(project.folder.rglob("*.pyc")), [])

    def test_a_module_of_the_users_own_wins(self) -> None:
        project = self.project(python_flow("import amp; assert amp.MINE") | {"amp.py": "MINE = True"})
        self.run_ok(project, "run")
        site = {"lib/amp/__init__.py": "MINE = True"}
        project = self.project(python_flow("import amp; assert amp.MINE") | site)
        self.run_ok(project, "run", env={"PYTHONPATH": str(project.folder / "lib")})
        script = "import sys; sys.path.append('lib')\nimport amp; assert amp.MINE"
        self.run_ok(self.project(python_flow(script) | site), "run")

    def test_a_million_points(self) -> None:
        script = "import amp\nfor i in range(1_000_000):\n    amp.metric('loss', i / 4, step=i)\n"
        project = self.project(python_flow(script))
        self.run_ok(project, "run", seconds=120)
        self.assertEqual(
            self.report(project)["metrics"]["loss"],
            {"count": 1_000_000, "last": 249999.75, "min": 0.0, "max": 249999.75, "step": 999_999},
        )
        lines = self.run_ok(project, "metrics", "latest", "--csv").out.splitlines()
        self.assertEqual(len(lines), 1_000_001)
        self.assertEqual([line.split(",")[3] for line in (lines[1], lines[-1])], ["0", "999999"])

    def test_it_is_seen_while_the_task_runs(self) -> None:
        script = "amp metric loss=0.5 --step 7; amp progress 0.25 warm; while [ ! -s $LEDGER ]; do sleep 0.05; done"
        project = self.project(flow_of(script))
        driver = project.start("run")
        wait_until(lambda: project.runs() and self.report(project).get("progress"), 10, "progress is seen")
        self.assertIsNone(driver.poll())
        self.assertEqual(self.report(project)["metrics"]["loss"]["last"], 0.5)
        self.assertIn("25 %  warm", self.run_ok(project, "show", "latest").out)
        self.assertEqual(len(self.points(project)), 1)
        project.ledger.write_text("go\n")
        self.assertEqual(driver.wait(timeout=20), 0)

    def test_what_was_told_before_a_kill_is_kept(self) -> None:
        project = self.project(flow_of("amp metric loss=0.5; kill -KILL $$"))
        self.assert_code(1, project.amp("run"))
        self.assertEqual(self.report(project)["metrics"]["loss"]["last"], 0.5)

    def killed_and_resumed(self) -> Project:
        """Driver and keeper are killed after attempt 1 has told a metric; attempt 2 tells another."""
        script = "amp metric loss=$AMP_ATTEMPT; [ $AMP_ATTEMPT -gt 1 ] || { echo x >> $LEDGER; sleep 100; }"
        project = self.project(flow_of(script, "retry = { times = 0 }"))
        driver = project.start("run")
        wait_until(lambda: project.runs() and self.report(project), 10, "the metric is seen")
        kill_quietly(driver.pid, signal.SIGKILL)
        for keeper in project.keepers():
            kill_quietly(keeper)
        driver.wait()
        self.run_ok(project, "resume", "latest")
        return project

    def test_a_resumed_task_shows_its_last_attempt(self) -> None:
        self.assertEqual([p["value"] for p in self.points(self.killed_and_resumed())], ["2"])

    def test_the_points_of_a_lost_attempt_before_the_last(self) -> None:
        self.assertEqual([p["value"] for p in self.points(self.killed_and_resumed(), "--attempt", "1")], ["1"])

    def test_hostile_reports(self) -> None:
        for script, remark in (
            ('mkfifo "$AMP_TASK_DIR/report"', "no regular file"),
            ('ln -s /etc/passwd "$AMP_TASK_DIR/report"', "no regular file"),
            ('mkdir "$AMP_TASK_DIR/report"', "no regular file"),
            ('echo junk > "$AMP_TASK_DIR/report"', "line 1: it is no JSON"),
            ('head -c 1000000 /dev/zero > "$AMP_TASK_DIR/report"', "longer than 64 KiB"),
            ('truncate -s 1T "$AMP_TASK_DIR/report"', "longer than"),
            ('echo \'{"metric":"x","value":"y"}\' > "$AMP_TASK_DIR/report"', "is no number"),
        ):
            with self.subTest(script):
                project = self.project(flow_of(script + "; echo fine"))
                self.run_ok(project, "run")
                logs = self.run_ok(project, "logs", "latest/one").out
                self.assertIn("fine", logs)
                self.assertIn(remark, logs)
                self.assertEqual(self.report(project), {})

    def test_who_tells_something_does_not_wait_for_what_is_no_file(self) -> None:
        tell = "timeout 20 amp metric x=1; echo amp $?; timeout 20 python3 -c 'import amp; amp.note(\"x\")'; echo python $?"
        for script in ('mkfifo "$R"', 'ln -s /etc/passwd "$R"', 'ln -s nowhere "$R"', 'mkdir "$R"',
                       'mkfifo "$R"; exec 9<> "$R"'):  # somebody reads it, or might
            with self.subTest(script):
                project = self.project({"flow.toml": "[flow]\nname = 'Told'\n[step.one]\nrun = 'sh task.sh'\n",
                                        "task.sh": f'R=$AMP_TASK_DIR/report\n{script}\n{tell}\n'})
                self.run_ok(project, "run")
                logs = self.run_ok(project, "logs", "latest/one").out
                self.assertIn("\namp 3\n", logs)
                self.assertIn("\npython 1\n", logs)
                self.assertEqual(logs.count("report' is no regular file, and is not read"), 2, logs)
                self.assertEqual(self.report(project), {})

    def test_a_declared_output_of_metrics_agrees(self) -> None:
        outputs = 'outputs = { scores = { path = "scores", type = "metrics" } }'
        project = self.project(flow_of("amp metric acc=0.5; amp metric acc=0.9", outputs))
        self.run_ok(project, "run")
        self.assertEqual(json.loads(self.run_ok(project, "get", "latest/one", "scores").out), {"acc": 0.9})
        project = self.project(flow_of("amp metric acc=0.5; echo '{\"acc\": 0.9, \"n\": 3}' > $AMP_OUT/scores.json", outputs))
        self.run_ok(project, "run")
        metrics = self.report(project)["metrics"]
        self.assertEqual({name: metric["last"] for name, metric in metrics.items()}, {"acc": 0.9, "n": 3})
        self.assertEqual([p["value"] for p in self.points(project, "--name", "acc")], ["0.5", "0.9"])
        self.assert_code(1, self.project(flow_of("true", outputs)).amp("run"))


if __name__ == "__main__":
    unittest.main()

"""amp why, diff, compare, checkout and run --like: what differs between runs, and getting back to one."""

import csv
import io
import json
import os
import shutil
import subprocess
import unittest
from pathlib import Path

from harness import AmpTest, Project

FLOW = """
[flow]
name = "Train"

[params]
lr = 0.1
words = "few"

[config]
data = "data.toml"

[step.prepare]
run = "amp put n {{ config.data.n }}"

[step.train]
needs = "prepare"
run = "sh train.sh {{ params.lr }} {{ prepare.n }}; amp put loss {{ params.lr }}"
"""


class Compare(AmpTest):
    def two_runs(self) -> tuple[Project, str, str]:
        project = self.project({"flow.toml": FLOW, "train.sh": "echo one\n", "data.toml": "n = 1\n", "other.toml": "n = 2\n"})
        self.run_ok(project, "run")
        project.write("train.sh", "echo two\n")
        self.run_ok(project, "run", "--lr", "0.5", "--config", "data=other.toml")
        newest, oldest = (run["run"] for run in project.runs())
        return project, oldest, newest

    def test_why_names_what_differs(self) -> None:
        project, oldest, _ = self.two_runs()
        report = project.json("why", "latest/train")
        self.assertEqual(report["against"], oldest)
        parts = {(d["part"], d["name"]): (d["before"], d["after"]) for d in report["tasks"][0]["differences"]}
        self.assertEqual(parts[("parameter", "lr")], ("0.1", "0.5"))
        self.assertIn(("input", "prepare/n"), parts)
        prepare = project.json("why", "latest/prepare")["tasks"][0]["differences"]
        self.assertEqual([(d["part"], d["name"], d["before"], d["after"]) for d in prepare], [("config", "data.n", "1", "2")])
        self.golden("why/train.txt", self.run_ok(project, "why", "latest/train").out, project)

    def test_why_names_the_flow_that_a_step_runs(self) -> None:
        parent = '[flow]\nname = "P"\n[step.sub]\nflow = "child.toml"\n'
        child = '[flow]\nname = "C"\n[step.one]\nrun = "true"\n'
        project = self.project({"flow.toml": parent, "child.toml": child})
        self.run_ok(project, "run")
        project.write("child.toml", child.replace("true", "echo other"))
        self.run_ok(project, "resume", "latest")
        found = project.json("why", "latest/sub")["tasks"][0]
        self.assertEqual([(d["part"], d["name"]) for d in found["differences"]], [("flow", "child.toml")])
        self.assertNotIn("is the same", " ".join(found["reasons"]))

    def test_why_of_no_task(self) -> None:
        project, _, _ = self.two_runs()
        self.assert_code(7, project.amp("why", "latest/trian"))
        self.assert_code(2, project.amp("why", "latest"))
        self.assert_code(7, project.amp("why", "latest/train/9"))

    def test_diff(self) -> None:
        project, oldest, newest = self.two_runs()
        found = project.json("diff", oldest, newest, "--patch")
        self.assertEqual([(d["name"], d["before"], d["after"]) for d in found["params"]], [("lr", 0.1, 0.5)])
        self.assertEqual([(d["name"], d["before"], d["after"]) for d in found["config"]], [("data.n", 1, 2)])
        self.assertEqual([(c["path"], c["change"]) for c in found["code"]], [("train.sh", "changed")])
        self.assertIn("-echo one\n+echo two\n", found["code"][0]["patch"])
        self.assertEqual({(a["task"], a["name"]) for a in found["artifacts"]}, {("prepare/_", "n"), ("train/_", "loss")})
        self.assertIsNone(found["flow"])
        self.golden("diff/runs.txt", self.run_ok(project, "diff", oldest, newest).out, project)

    def test_diff_exit_code(self) -> None:
        project, oldest, newest = self.two_runs()
        self.run_ok(project, "diff", oldest, newest)
        self.assert_code(6, project.amp("diff", oldest, newest, "--exit-code"))
        self.assert_code(0, project.amp("diff", oldest, oldest, "--exit-code"))

    def test_compare(self) -> None:
        project, oldest, newest = self.two_runs()
        found = project.json("compare", oldest, newest)
        self.assertEqual(found["differing"], ["code", "params.lr", "prepare.n", "train.loss"])
        self.assertEqual([run["values"]["train.loss"] for run in found["runs"]], [0.1, 0.5])
        rows = list(csv.DictReader(io.StringIO(self.run_ok(project, "compare", "--csv", "--sort", "params.lr").out)))
        seen = [(row["run"], row["params.words"], row["train.loss"]) for row in rows]
        self.assertEqual(seen, [(oldest, "few", "0.1"), (newest, "few", "0.5")])
        chosen = project.json("compare", "--where", "params.lr > 0.2")
        self.assertEqual([run["run"] for run in chosen["runs"]], [newest])
        table = self.run_ok(project, "compare", oldest, newest).out
        self.assertNotIn("params.words", table)
        self.assertIn("params.words", self.run_ok(project, "compare", "--all-columns", oldest, newest).out)

    def test_compare_code_and_files(self) -> None:
        """As git has it, with the hash of the files where they are not committed; files and folders by hash and size."""
        run = "cp model.txt {{ outputs.model }}; mkdir {{ outputs.all }}; cp model.txt {{ outputs.all }}; "
        run += "echo x > {{ outputs.same }}"
        outputs = 'outputs = { model = "m.txt", all = "all", same = "s.txt" }'
        flow = f"[flow]\nname = 'Files'\n[step.make]\nrun = '{run}'\n{outputs}\n"
        project = self.project({"flow.toml": flow, "model.txt": "one\n"})
        self.run_ok(project, "run")
        git = ("git", "-c", "user.name=a", "-c", "user.email=a@b")
        for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "first")):
            subprocess.run([*git, *words], cwd=project.folder, check=True, env=project.environment_with(None))
        self.run_ok(project, "run")
        project.write("model.txt", "three\n")
        self.run_ok(project, "run")
        project.write("model.txt", "four again\n")
        self.run_ok(project, "run")
        runs = [run["run"] for run in reversed(project.runs())]
        found = project.json("compare", *runs)
        self.assertEqual(found["differing"], ["code", "make.all", "make.model"])
        self.assertIn("make.same", found["columns"])
        code = [run["values"]["code"] for run in found["runs"]]
        for text, form in zip(code, (r"[0-9a-f]{12}", r"[0-9a-f]{12}", r"[0-9a-f]{12} dirty [0-9a-f]{12}"), strict=False):
            self.assertRegex(text, f"^{form}$")
        self.assertEqual(len(set(code)), 4)
        self.assertEqual(code[1], code[2].split()[0])
        models = [run["values"]["make.model"] for run in found["runs"]]
        self.assertEqual(models[0], models[1])
        sha256 = project.tasks()["make/_"]["attempts"][-1]["artifacts"]["model"]["sha256"]
        self.assertTrue(models[3].startswith(sha256[:12] + " 11"), models)
        table = self.run_ok(project, "compare", "--all-columns", *runs, env={"COLUMNS": "250"}).out
        rows = list(csv.DictReader(io.StringIO(self.run_ok(project, "compare", "--csv", *runs).out)))
        for text in (*code, *models):
            self.assertIn(text, table)
        self.assertEqual([row["code"] for row in rows], code)

    def test_numbers_that_are_none(self) -> None:
        project = self.project("[flow]\nname = 'Nan'\n[step.one]\nrun = 'amp metric a=nan b=inf c=-inf d=1'\n")
        self.run_ok(project, "run")
        row = list(csv.DictReader(io.StringIO(self.run_ok(project, "compare", "--csv").out)))[0]
        self.assertEqual([row[f"one.{name}"] for name in "abcd"], ["nan", "inf", "-inf", "1.0"])
        self.assertNotIn('"', self.run_ok(project, "compare", "--all-columns").out)

    def test_why_of_a_partial_run_names_the_line(self) -> None:
        """Where a step ends is told by the steps behind it, also by those that are no part of the run."""
        flow = "[flow]\nname = 'Part'\n[params]\nx = 1\n"
        flow += "[step.a]\nrun = '''\necho {{ params.x }}\n'''\n[step.b]\nrun = 'true'\n"
        project = self.project(flow)
        self.run_ok(project, "run", "--until", "a")
        project.write("flow.toml", flow.replace("[step.b]", "[step.new]"))
        self.run_ok(project, "run", "--until", "a", "--x", "2")
        lines = [d[key] for d in project.json("why", "latest/a")["tasks"][0]["differences"] for key in ("old_line", "new_line")]
        self.assertTrue(any(lines))
        for line in lines:
            self.assertNotIn("step.", line["text"] if line else "")
        project.write("flow.toml", flow.replace("[step.b]", "[step.new]").replace("echo", "echo more"))
        self.run_ok(project, "run", "--until", "a", "--x", "2")
        found = {d["part"]: d for d in project.json("why", "latest/a")["tasks"][0]["differences"]}["run"]
        self.assertEqual(found["old_line"]["text"], "echo {{ params.x }}")
        self.assertEqual(found["new_line"]["text"], "echo more {{ params.x }}")

    def test_a_damaged_journal_among_others(self) -> None:
        project = self.project("[flow]\nname = 'Hurt'\n[step.one]\nrun = 'true'\n")
        self.run_ok(project, "run")
        self.assert_no_orphans(project)
        before = project.runs()[0]
        folder = project.folder / ".amp/runs" / before["run"]
        for path in (*folder.glob("journal/*"), folder / "run.json"):
            os.chmod(path, 0o600)
            content = path.read_bytes()
            path.write_bytes(content[:90] + b"#" + content[91:])
            (folder / "summary.json").unlink(missing_ok=True)
            shutil.rmtree(project.folder / ".amp/index", ignore_errors=True)
            run = project.runs()[0]
            self.assertEqual(run["state"], "unreadable")
            self.assertEqual(run["created"][:19], before["created"][:19])
            self.assertNotIn("1970", self.run_ok(project, "runs").out)

    def test_csv_at_a_terminal(self) -> None:
        """What a parameter or a metric has of escapes is shown there, and not obeyed; who reads it gets it as it is."""
        name = "a\x1b]0;b\x07"
        flow = '[flow]\nname = "Escapes"\n[params]\nwords = "x"\n[step.one]\nparams = ["words"]\n'
        project = self.project(flow + """run = 'amp metric "$AMP_PARAM_WORDS=1"'\n""")
        self.run_ok(project, "run", "--words", name)
        for command in (("compare", "latest", "--csv"), ("metrics", "latest", "--csv")):
            self.assertIn(name, self.run_ok(project, *command).out)
            shown = self.run_ok(project, *command, env={"AMP_FORCE_TTY": "80"}).out
            self.assertNotIn("\x1b]", shown)
            self.assertNotIn("\x07", shown)
            self.assertIn(r"a\x1b]0;b\x07", shown)

    def test_like(self) -> None:
        project, _, newest = self.two_runs()
        self.run_ok(project, "run")
        result = self.run_ok(project, "run", "--like", newest, "--words", "many")
        record = project.json("show", "latest")
        self.assertEqual(record["params"], {"lr": 0.5, "words": "many"})
        self.assertEqual(json.loads(self.run_ok(project, "get", "latest/prepare", "n").out), 2)
        self.assertNotIn("code differs", result.err)
        project.write("train.sh", "echo three\n")
        self.assertIn("train.sh changed", self.run_ok(project, "run", "--like", newest).err)
        self.assert_code(7, project.amp("run", "--like", "999999"))

    def test_resume_keeps_the_config_that_was_given(self) -> None:
        project, _, _ = self.two_runs()
        self.run_ok(project, "resume", "latest", "--lr", "0.7")
        self.assertEqual(json.loads(self.run_ok(project, "get", "latest/train", "loss").out), 0.7)
        self.assertEqual(project.states()["prepare/_"], "cached")


    def test_plan(self) -> None:
        project, _, newest = self.two_runs()
        self.golden("plan/run.txt", self.run_ok(project, "plan", "--lr", "0.2").out, project)
        self.golden("plan/resume.txt", self.run_ok(project, "plan", "--resume", "latest", "--lr", "0.2").out, project)
        found = project.json("plan", "--resume", newest, "--lr", "0.2")
        self.assertEqual(found["would"], "run_from_origin")
        what = {step["name"]: step["tasks"][0]["what"] for step in found["steps"]}
        self.assertEqual(what, {"prepare": "reuse", "train": "run"})
        self.assertEqual(len(project.runs()), 2)
        self.assertEqual(project.json("plan", "--resume", newest)["would"], "same_run")
        self.assert_code(2, project.amp("plan", "flow.toml", "--resume", "latest"))
        self.assert_code(7, project.amp("plan", "--resume", "999999"))

    def test_plan_of_caught_tasks(self) -> None:
        flow = "[flow]\nname = 'Caught'\n[step.one]\ncatch = true\nrun = 'test -e go'\n"
        flow += "[step.two]\nneeds = 'one'\nrun = 'true'\n"
        project = self.project(flow)
        self.run_ok(project, "run")

        def planned(*options: str) -> dict[str, str]:
            found = project.json("plan", "--resume", "latest", *options)
            self.assertEqual(found["would"], "same_run")
            return {step["name"]: step["tasks"][0]["what"] for step in found["steps"]}

        self.assertEqual(planned(), {"one": "keep", "two": "keep"})
        again = planned("--retry-caught")
        self.assertEqual(again["one"], "run")
        before = {name: task["attempt"] for name, task in project.tasks().items()}
        self.run_ok(project, "resume", "latest", "--retry-caught")
        for name, task in project.tasks().items():
            ran = task["attempt"] > before[name]
            self.assertEqual(again[name.split("/")[0]], "run" if ran else "keep", name)
        self.assert_code(2, project.amp("plan", "--retry-caught"))

    def test_plan_before_the_first_run(self) -> None:
        project = self.project({"flow.toml": FLOW, "data.toml": "n = 1\n"})
        self.assertEqual(project.json("plan")["would"], "new_run")
        self.assertFalse((project.folder / ".amp").exists())


class Checkout(AmpTest):
    def run_once(self) -> Project:
        project = self.project(
            {
                "flow.toml": "[flow]\nname = 'C'\n[params]\nlr = 0.1\nfile = { type = 'file' }\n"
                "password = { type = 'secret', env = 'TOKEN' }\n[step.a]\nrun = 'sh bin/a.sh'\n",
                "bin/a.sh": "cat input.txt\n",
                "input.txt": "then\n",
                "given.txt": "given\n",
            }
        )
        os.chmod(project.folder / "bin/a.sh", 0o755)
        (project.folder / "link").symlink_to("input.txt")
        self.run_ok(project, "run", "--file", "given.txt", "--lr", "0.5", env={"TOKEN": "geheim"})
        return project

    def test_the_code_as_it_was(self) -> None:
        project = self.run_once()
        project.write("input.txt", "now\n")
        project.write("new.txt", "new\n")
        place = project.top / "then"
        self.run_ok(project, "checkout", "latest", str(place))
        self.assertEqual((place / "input.txt").read_text(), "then\n")
        self.assertFalse((place / "new.txt").exists())
        self.assertTrue(os.access(place / "bin/a.sh", os.X_OK))
        self.assertEqual(os.readlink(place / "link"), "input.txt")
        params = json.loads((place / ".amp-run/params.json").read_text())
        self.assertEqual(params["lr"], 0.5)
        for path in place.rglob("*"):
            self.assertFalse(path.is_file() and b"geheim" in path.read_bytes(), str(path))
        self.assertEqual((place / params["file"]).read_text(), "given\n")
        self.assertEqual((place / ".amp-run/flow.toml").read_text(), (project.folder / "flow.toml").read_text())
        again = self.run_ok(project, "run", "--params", ".amp-run/params.json", env={"TOKEN": "geheim"}, cwd=place)
        self.assertNotIn("error", again.err)

    def test_within_the_project_it_is_a_project_of_its_own(self) -> None:
        project = self.project({"flow.toml": '[flow]\nname = "C"\n[step.a]\nrun = "cat input.txt"\n', "input.txt": "then\n"})
        self.run_ok(project, "run")
        place = project.folder / "then"
        self.run_ok(project, "checkout", "latest", str(place))
        project.write("input.txt", "now\n")
        self.run_ok(project, "run", cwd=place)
        self.assertEqual(self.run_ok(project, "logs", "latest", cwd=place).out, "then\n")
        self.assertEqual(len(project.runs()), 1)

    def test_places_that_are_refused(self) -> None:
        project = self.run_once()
        (project.top / "empty").mkdir()
        self.run_ok(project, "checkout", "latest", str(project.top / "empty"))
        self.assert_code(2, project.amp("checkout", "latest", str(project.top / "empty")))
        (project.top / "file").touch()
        self.assert_code(2, project.amp("checkout", "latest", str(project.top / "file")))
        self.assert_code(7, project.amp("checkout", "999999", str(project.top / "none")))
        self.assertFalse((project.top / "none").exists())

    def hostile(self, project: Project, entries: list[dict[str, object]]) -> Path:
        """Checks out a run whose list of code somebody has changed."""
        record = next((project.folder / ".amp/runs").glob("*/run.json"))
        os.chmod(record, 0o600)
        document = json.loads(record.read_text())
        document["code"]["entries"] += entries
        record.write_text(json.dumps(document))
        place = project.top / "place"
        self.assert_code(6, project.amp("checkout", "latest", str(place)))
        self.assertFalse(place.exists())
        self.assertEqual([p.name for p in project.top.glob(".place*")], [])
        return place

    def test_paths_that_lead_out(self) -> None:
        for path in ("../out", "/tmp/amp-out", "a/../../out", "./x", ".amp-run/run.json"):
            project = self.run_once()
            self.hostile(project, [{"path": path, "size_bytes": 5, "sha256": "0" * 64}])
            self.assertFalse((project.top / "out").exists())

    def test_a_file_below_a_link(self) -> None:
        project = self.run_once()
        outside = project.top / "outside"
        outside.mkdir()
        record = json.loads(next((project.folder / ".amp/runs").glob("*/run.json")).read_text())
        entry = next(e for e in record["code"]["entries"] if e["path"] == "input.txt")
        self.hostile(project, [{"path": "out", "link": str(outside)}, {**entry, "path": "out/planted"}])
        self.assertEqual(list(outside.iterdir()), [])

    def test_content_that_is_gone_is_named(self) -> None:
        project = self.run_once()
        record = json.loads(next((project.folder / ".amp/runs").glob("*/run.json")).read_text())
        sha256 = next(e for e in record["code"]["entries"] if e["path"] == "input.txt")["sha256"]
        for path in (project.folder / ".amp/objects" / sha256[:2]).glob(f"{sha256[2:]}*"):
            path.unlink()
        result = project.amp("checkout", "latest", str(project.top / "then"), "--json")
        self.assert_code(6, result)
        self.assertEqual(json.loads(result.out)["missing"], ["input.txt"])


if __name__ == "__main__":
    unittest.main()

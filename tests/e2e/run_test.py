"""amp run, show, logs, artifacts, get, put: a flow from its start to its results."""

import json
import unittest

from harness import AmpTest, Project, wait_until

SWEEP = """
[flow]
name = "Sweep"
tags = ["from-file"]

[params]
items = ["a", "b", "c d"]
greeting = { default = "hello", help = "what is said" }

[step.start]
run = "echo {{ params.greeting }}; amp put base 40"

[step.work]
needs = "start"
foreach = "params.items"
run = ["sh", "-c", 'echo "working on $1"; printf "%s" "$1" > "$2"', "sh", "{{ item }}", "{{ outputs.text }}"]
outputs = { text = "text.txt" }

[step.gather]
needs = "work"
join = true
inputs = ["start.base"]
run = ["sh", "-c", '''
out=$1; shift
cat "$@" > "$out"
amp put answer $(( $(amp get base) + 2 ))''', "sh", "{{ outputs.all }}", "{{ *work.*.text }}"]
outputs = { all = "all.txt" }
"""


class Run(AmpTest):
    def ran(self) -> Project:
        project = self.project(SWEEP)
        self.run_ok(project, "run")
        return project

    def test_a_run_succeeds_and_leaves_nothing_behind(self) -> None:
        project = self.ran()
        self.assertEqual(
            project.states(),
            {name: "succeeded" for name in ("start/_", "work/0", "work/1", "work/2", "gather/_")},
        )
        self.assert_no_orphans(project)

    def test_results_are_read_back(self) -> None:
        project = self.ran()
        self.assertEqual(self.run_ok(project, "get", "latest/gather", "answer").out, "42\n")
        self.run_ok(project, "get", "latest/gather", "all", "-o", "all.txt")
        self.assertEqual((project.folder / "all.txt").read_text(), "abc d")
        artifacts = self.run_ok(project, "artifacts", "latest/work/2").out
        self.assertIn("text", artifacts)
        self.assertIn("hello", self.run_ok(project, "logs", "latest/start").out)
        self.assertIn("working on c d", self.run_ok(project, "logs", "latest/work/2").out)

    def test_the_run_id_is_the_result(self) -> None:
        project = self.project(SWEEP)
        result = self.run_ok(project, "run", "-q")
        self.assertEqual(result.out.split(), [project.runs()[0]["run"]])

    def test_parameters_from_the_command_line_and_the_environment(self) -> None:
        project = self.project(SWEEP)
        self.run_ok(project, "run", "-p", 'items=["x"]', "--greeting", "good day")
        self.assertEqual(set(project.states()), {"start/_", "work/0", "gather/_"})
        self.assertIn("good day", self.run_ok(project, "logs", "latest/start").out)
        self.run_ok(project, "run", env={"AMP_PARAM_GREETING": "from outside"})
        self.assertIn("from outside", self.run_ok(project, "logs", "latest/start").out)

    def test_a_wrong_parameter_ends_before_anything_runs(self) -> None:
        project = self.project(SWEEP)
        result = project.amp("run", "-p", "greting=x")
        self.assertIn(result.code, (2, 3), str(result))
        self.assertIn("greeting", result.err)

    def test_a_failure(self) -> None:
        project = self.project(
            '[flow]\nname = "Bad"\n[step.one]\nrun = "echo before; exit 3"\n[step.two]\nneeds = "one"\nrun = "true"\n'
        )
        result = project.amp("run")
        self.assert_code(1, result)
        self.assertIn("one", result.err)
        self.assertEqual(project.states(), {"one/_": "failed", "two/_": "blocked"})
        self.assertEqual(project.tasks()["one/_"]["attempts"][0]["exit"], 3)
        self.assertEqual(project.json("show")["state"], "failed")

    def test_keep_going_runs_what_is_not_blocked(self) -> None:
        flow = '[flow]\nname = "Bad"\n[step.one]\nforeach = "range(4)"\nrun = "exit {{ item }}"\n'
        project = self.project(flow)
        self.assert_code(1, project.amp("run", "--keep-going"))
        self.assertEqual([project.states()[f"one/{i}"] for i in range(4)], ["succeeded", "failed", "failed", "failed"])

    def test_a_run_from_a_sub_folder_uses_the_project(self) -> None:
        project = self.project({"flow.toml": SWEEP, "amp.toml": '[project]\nname = "p"\n', "deep/er/x": ""})
        self.run_ok(project, "run", cwd=project.folder / "deep" / "er")
        self.assertTrue((project.folder / ".amp").is_dir())
        self.assertFalse((project.folder / "deep" / "er" / ".amp").exists())

    def test_the_store_ignores_itself_in_git(self) -> None:
        project = self.ran()
        self.assertEqual((project.folder / ".amp" / ".gitignore").read_text().split(), ["*"])

    def test_events_as_json_lines(self) -> None:
        project = self.project(SWEEP)
        lines = self.run_ok(project, "run", "--events=ndjson").out.splitlines()
        self.assertGreater(len(lines), 5)
        for line in lines:
            self.assertIsInstance(json.loads(line), dict)

    def test_retries_until_it_works(self) -> None:
        script = "echo attempt $AMP_ATTEMPT; [ $AMP_ATTEMPT = 3 ]"
        flow = f'[flow]\nname = "R"\n[step.one]\nrun = "{script}"\nretry = {{ times = 2, delay = 0 }}\n'
        project = self.project(flow)
        self.run_ok(project, "run")
        task = project.tasks()["one/_"]
        self.assertEqual([attempt["attempt"] for attempt in task["attempts"]], [1, 2, 3])
        self.assertIn("attempt 3", self.run_ok(project, "logs", "latest/one").out)
        self.assertIn("attempt 1", self.run_ok(project, "logs", "latest/one", "--attempt", "1").out)

    def test_a_timeout(self) -> None:
        project = self.project('[flow]\nname = "T"\n[step.one]\nrun = ["sleep", "60"]\ntimeout = "300ms"\n')
        result = project.amp("run", seconds=30)
        self.assertEqual(project.tasks()["one/_"]["attempts"][0]["cause"], "timeout", str(result))
        self.assert_no_orphans(project)

    def test_logs_are_followed(self) -> None:
        project = self.project('[flow]\nname = "L"\n[step.one]\nrun = "echo first; sleep 1; echo second"\n')
        driver = project.start("run")
        wait_until(lambda: (project.folder / ".amp" / "runs").exists() and project.amp("show").code == 0, 20, "the run exists")
        followed = self.run_ok(project, "logs", "-f", "latest/one", seconds=30)
        self.assertEqual(driver.wait(), 0)
        self.assertIn("first", followed.out)
        self.assertIn("second", followed.out)


class Outputs(AmpTest):
    def test_put_and_get_inside_a_task(self) -> None:
        flow = """
[flow]
name = "Put"
[step.make]
run = '''
amp put number 3.5
amp put text "two words"
amp put list '[1, {"a": null}]'
echo content > file; amp put file @file; rm file
mkdir -p folder/sub; echo x > folder/sub/x; amp put folder @folder; rm -r folder
echo '"from stdin"' | amp put piped -
echo plain > "$AMP_OUT/plain"
'''
[step.use]
needs = "make"
inputs = ["make.folder", "make.file", "make.number", "make.text"]
run = '''
[ "$(amp get number)" = 3.5 ]
[ "$(amp get text)" = "two words" ]
[ "$(cat "$AMP_IN/make/file")" = content ]
[ "$(cat "$AMP_IN/make/folder/sub/x")" = x ]
'''
"""
        project = self.project(flow)
        result = project.amp("run")
        self.assert_code(0, result)
        artifacts = {entry["name"] for entry in project.json("artifacts", "latest/make")["artifacts"]}
        self.assertEqual(artifacts, {"number", "text", "list", "file", "folder", "piped", "plain"})
        self.assertEqual(json.loads(self.run_ok(project, "get", "latest/make", "list").out), [1, {"a": None}])

    def test_a_missing_output_fails_the_task(self) -> None:
        project = self.project('[flow]\nname = "M"\n[step.one]\nrun = "true"\noutputs = { model = "model.bin" }\n')
        result = project.amp("run")
        self.assert_code(1, result)
        self.assertIn("model", result.err)

    def test_a_missing_artifact(self) -> None:
        project = self.project(SWEEP)
        self.run_ok(project, "run")
        result = project.amp("get", "latest/gather", "answr")
        self.assert_code(7, result)
        self.assertIn("answer", result.err)

    def test_put_outside_of_a_task(self) -> None:
        result = self.project(SWEEP).amp("put", "a", "1")
        self.assertNotEqual(result.code, 0)
        self.assertIn("task", result.err)


if __name__ == "__main__":
    unittest.main()

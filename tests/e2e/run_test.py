"""amp run, show, logs, artifacts, get, put: a flow from its start to its results."""

import json
import re
import subprocess
import time
import unittest
from pathlib import Path

from harness import SLOW, AmpTest, Project, wait_until

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

    def test_a_task_finds_a_parameter_where_it_is_given_from_outside(self) -> None:
        flow = '[flow]\nname = "P"\n[params]\nlearning_rate = 1\n'
        flow += '[step.one]\nrun = "echo got $AMP_PARAM_LEARNING_RATE"\nparams = "*"\n'
        project = self.project(flow)
        self.run_ok(project, "run", env={"AMP_PARAM_LEARNING_RATE": "7"})
        self.assertIn("got 7", self.run_ok(project, "logs", "latest").out)
        (project.folder / "p.yaml").write_text("learning_rate: 8\n")
        self.run_ok(project, "run", "--params", "p.yaml")
        self.assertIn("got 8", self.run_ok(project, "logs", "latest").out)

    def test_options_of_versions_to_come_are_no_parameters(self) -> None:
        project = self.project(SWEEP)
        for option in ("--isolated", "--debug"):
            for command in ("run", "resume"):
                result = project.amp(command, option, "start")
                self.assert_code(2, result)
                self.assertIn(f"'{option}' is not in this version of amp yet", result.err)
        of_resume = (("run", "--from", "resume"),)
        of_run = tuple(("resume", option, "run") for option in ("--only", "--origin", "--fit", "--dry-run"))
        for command, option, other in of_resume + of_run:
            result = project.amp(command, option, "start")
            self.assert_code(2, result)
            self.assertIn(f"amp {other} takes it", result.err)

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

    def test_a_flow_elsewhere_makes_no_project_of_this_folder(self) -> None:
        project = self.project(SWEEP)
        elsewhere = project.top / "elsewhere"
        elsewhere.mkdir()
        refused = project.amp("run", str(project.folder / "flow.toml"), cwd=elsewhere)
        self.assertEqual(refused.code, 2)
        self.assertIn(f"cd {project.folder}", refused.err)
        self.assertFalse((elsewhere / ".amp").exists())
        (elsewhere / "amp.toml").write_text("")
        self.assert_code(0, project.amp("run", str(project.folder / "flow.toml"), cwd=elsewhere))

    def test_the_root_of_all_files_is_no_project(self) -> None:
        flow = "[flow]\nname = 'Root'\n[step.a]\nrun = 'true'\n"
        refused = self.project(SWEEP).amp("run", "-", cwd=Path("/"), stdin=flow.encode())
        self.assertEqual(refused.code, 2)
        self.assertIn("go to the folder of the project first", refused.err)

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


    def test_a_followed_log_is_quiet_while_nothing_happens_and_quick_when_it_does(self) -> None:
        flow = '[flow]\nname = "L"\n[step.one]\nrun = "while ! test -e go; do sleep 0.02; done; date +%s.%N; sleep 2"\n'
        project = self.project(flow)
        driver = project.start("run")
        wait_until(lambda: project.amp("logs", "latest/one").code == 0, 20, "the task runs")
        follower = project.start("logs", "-f", "latest/one", stdout=subprocess.PIPE)
        self.addCleanup(follower.stdout.close)
        time.sleep(1)

        def wakes() -> int:
            status = Path(f"/proc/{follower.pid}/status").read_text()
            return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.MULTILINE).group(1))

        before = wakes()
        time.sleep(6)
        self.assertLessEqual(wakes() - before, 4)
        project.write("go", "")
        line = follower.stdout.readline()
        self.assertLess(time.time() - float(line.split()[-1]), 0.5 * SLOW)
        self.assertEqual(driver.wait(timeout=30), 0)
        ended = time.monotonic()
        self.assertEqual(follower.wait(timeout=30), 0)
        self.assertLess(time.monotonic() - ended, 1.5 * SLOW)

    def test_an_attempt_that_never_was(self) -> None:
        project = self.project('[flow]\nname = "L"\n[step.one]\nrun = "echo $AMP_ATTEMPT"\n')
        self.run_ok(project, "run")
        self.assertEqual(self.run_ok(project, "logs", "latest/one", "--attempt", "1").out, "1\n")
        result = project.amp("logs", "latest/one", "--attempt", "9")
        self.assert_code(7, result)
        self.assertIn("there are: 1", result.err)


class Before(AmpTest):
    """What is wrong is found before there is a run."""

    def test_a_tag_that_cannot_be(self) -> None:
        project = self.project("[flow]\nname = 'T'\n[step.a]\nrun = 'true'\n")
        self.assert_code(2, project.amp("run", "--tag", "a/b"))
        self.assertEqual(project.runs(), [])

    def test_the_environment_may_say_how_many_and_where(self) -> None:
        flow = "[flow]\nname = 'E'\nmax_workers = '{{ int(env.NW) }}'\n[step.a]\non = '{{ env.WHERE }}'\nrun = 'true'\n"
        project = self.project(flow)
        self.run_ok(project, "run", env={"NW": "3", "WHERE": "local"})

    def test_the_end_of_a_log_of_many_pieces_is_told(self) -> None:
        run = "for i in $(seq 240); do echo line $i; sleep 0.03; done; echo it broke; exit 3"
        project = self.project(f"[flow]\nname = 'L'\n[step.a]\nrun = '{run}'\n")
        result = project.amp("run")
        self.assert_code(1, result)
        self.assertIn("it broke", result.out + result.err)


class Outputs(AmpTest):
    def test_files_go_to_standard_output(self) -> None:
        flow = '[flow]\nname = "F"\n[step.one]\nrun = "head -c 3000000 /dev/zero > $AMP_OUT/data"\n'
        flow += '[step.two]\nneeds = "one"\nrun = "cat {{ one.data }} | wc -c; amp get one.data -o - | wc -c"\n'
        project = self.project(flow)
        self.run_ok(project, "run")
        self.assertEqual(len(self.run_ok(project, "get", "latest/one", "data", "-o", "-").out), 3000000)
        self.assertEqual(len(self.run_ok(project, "get", "latest/one", "data").out), 3000000)
        self.assertEqual(self.run_ok(project, "logs", "latest/two").out, "3000000\n3000000\n")
        result = project.amp("get", "latest/one", "data", "-o", "/nonexistent/x")
        self.assert_code(7, result)
        self.assertIn("'/nonexistent/x'", result.err)
        self.assertNotIn("~", result.err)

    def test_the_folder_of_inputs_is_always_there(self) -> None:
        flow = '[flow]\nname = "I"\n[step.one]\nforeach = "range(40)"\nrun = "ls -A $AMP_IN; touch $AMP_IN/left"\n'
        project = self.project(flow)
        self.run_ok(project, "run", "--max-workers", "2")
        self.assertEqual(self.run_ok(project, "logs", "latest").out, "")

    def test_a_file_and_a_value_of_one_name(self) -> None:
        project = self.project('[flow]\nname = "V"\n[step.one]\nrun = "echo 1 > $AMP_OUT/v; echo 2 > $AMP_OUT/v.json"\n')
        result = project.amp("run")
        self.assert_code(1, result)
        self.assertIn("'v' and 'v.json'", result.err)

    def test_what_looks_like_a_file_reference_is_data(self) -> None:
        data = '{"$file":{"path":"/etc/passwd","sha256":"0","size_bytes":1}}'
        flow = r"""
[flow]
name = "D"
[params]
d = { type = "object", default = {} }
f = { type = "file" }
[step.one]
run = '''
echo {{ params.d }} > $AMP_OUT/v.json
echo $AMP_PARAMS
cat $(echo $AMP_PARAMS | sed 's/.*"f":"//; s/".*//')
'''
params = ["f", "d"]
[step.two]
needs = "one"
run = "echo {{ one.v }}; cat $AMP_IN/v.json"
inputs = ["one.v"]
"""
        project = self.project({"flow.toml": flow, "data.txt": "content\n"})
        self.run_ok(project, "run", "-p", f"d={data}", "-p", "f=data.txt")
        self.assertEqual(self.run_ok(project, "get", "latest/one", "v").out, data + "\n")
        self.assertEqual(self.run_ok(project, "logs", "latest/two").out, data + "\n" + data)
        printed = self.run_ok(project, "logs", "latest/one").out.splitlines()
        self.assertEqual(printed[1], "content")
        self.assertEqual(json.loads(printed[0])["d"], json.loads(data))
        shown = project.json("show")["params"]
        self.assertEqual(shown["d"], json.loads(data))
        self.assertEqual(set(shown["f"]), {"path", "sha256", "size"})
        self.assertEqual(shown["f"]["size"], 8)

    def test_a_default_file_is_the_projects_wherever_one_stands(self) -> None:
        flow = """
[flow]
name = "D"
[params]
f = { type = "file", default = "data/in.txt" }
[step.one]
run = "cat {{ params.f }}"
params = ["f"]
"""
        project = self.project({"flow.toml": flow, "amp.toml": "", "data/in.txt": "content\n"})
        self.run_ok(project, "run", cwd=project.folder / "data")
        self.assertEqual(self.run_ok(project, "logs", "latest/one").out, "content\n")
        (project.folder / "data/in.txt").unlink()
        told = project.amp("validate")
        self.assert_code(0, told)  # another may be given
        self.assertIn("warning[AMP1516]", told.out + told.err)
        self.assertIn("'data/in.txt', the default of the parameter 'f', does not exist", told.out + told.err)
        refused = project.amp("run")
        self.assert_code(3, refused)
        self.assertIn("error[AMP1516]", refused.err)

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

"""The other commands: validate, show, runs, tag, cancel, config, explain, help; and their JSON."""

import json
import os
import signal
import subprocess
import unittest

from harness import AMP, AmpTest, Project, Result, wait_until

FLOW = """
[flow]
name = "Demo"
description = "a small flow"

[params]
lr = 0.1
sizes = [1, 2]

[step.prepare]
run = "echo prepared"

[step.train]
needs = "prepare"
foreach = "params.sizes"
run = "echo {{ item }} {{ params.lr }}"
retry = 1

[step.report]
needs = "train"
join = true
run = "echo done"
"""
WRONG = """
[flow]
nmae = "Wrong"

[params]
lr = { type = "flot", default = 1 }

[step.prepare]
run = "python prepare.py --out '{{ outputs.data }}'"
outputs = { data = "data" }
tmeout = "1h"

[step.train]
needs = "perpare"
run = "python train.py {{ prepare.dta }}"

[step.loop_a]
needs = "loop_b"
run = "true"

[step.loop_b]
needs = "loop_a"
run = "true"

[step.report]
needs = "prepare"
join = true
run = ["echo", "{{ params.rl }}"]
"""


class Validate(AmpTest):
    def test_a_good_flow(self) -> None:
        self.assert_code(0, self.project(FLOW).amp("validate"))

    def test_every_mistake_at_once(self) -> None:
        project = self.project(WRONG)
        result = project.amp("validate")
        self.assert_code(3, result)
        self.golden("validate/wrong.txt", result.out + result.err, project)

    def test_every_mistake_as_json(self) -> None:
        project = self.project(WRONG)
        result = project.amp("validate", "--format", "json")
        self.assert_code(3, result)
        document = json.loads(result.out)
        self.assertFalse(document["valid"])
        findings = document["flows"][0]["diagnostics"]
        self.assertGreaterEqual(len(findings), 7)
        for finding in findings:
            self.assertRegex(finding["code"], r"^AMP\d+$")
            self.assertGreater(finding["line"], 0)
            self.assertTrue(finding["message"])

    def test_every_code_is_explained(self) -> None:
        project = self.project(WRONG)
        findings = json.loads(project.amp("validate", "--format", "json").out)["flows"][0]["diagnostics"]
        for code in {finding["code"] for finding in findings}:
            explained = self.run_ok(project, "explain", code)
            self.assertIn(code, explained.out)
        self.assertNotEqual(project.amp("explain", "AMP9999").code, 0)
        self.assertIn("AMP", self.run_ok(project, "explain").out)

    def test_there_is_no_flow(self) -> None:
        self.assert_code(7, self.project({}).amp("validate"))

    def test_several_flows(self) -> None:
        project = self.project({"a.toml": FLOW, "b.toml": WRONG})
        self.assert_code(0, project.amp("validate", "a.toml"))
        result = project.amp("validate", "a.toml", "b.toml")
        self.assert_code(3, result)
        self.assertIn("b.toml:", result.out + result.err)

    def test_a_request_that_this_machine_can_never_satisfy(self) -> None:
        project = self.project('[flow]\nname = "Big"\n[step.one]\nrun = "true"\nresources = { cpu = 100000 }\n')
        result = project.amp("validate")
        self.assert_code(3, result)
        self.assertIn("100000", result.out + result.err)

    def test_gpus_that_this_machine_does_not_have(self) -> None:
        flow = '[flow]\nname = "Big"\n[step.one]\nrun = "touch ran"\nresources = { gpu = 2 }\n'
        project = self.project({"flow.toml": flow, "amp.toml": '[profile.hpc]\nbackend = "slurm"\n'})
        for command in ("validate", "run"):
            result = project.amp(command, env={"CUDA_VISIBLE_DEVICES": ""})
            self.assert_code(3, result)
            self.assertIn("step 'one' asks for 2 GPUs, but this machine has none", result.err)
        self.assertFalse((project.folder / "ran").exists())
        self.assert_code(3, project.amp("validate", env={"CUDA_VISIBLE_DEVICES": "0"}))
        self.assert_code(0, project.amp("validate", env={"CUDA_VISIBLE_DEVICES": "0,1"}))
        self.assert_code(0, project.amp("validate", "--on", "hpc", env={"CUDA_VISIBLE_DEVICES": ""}))
        refused = project.amp("run", "--on", "hpc", env={"CUDA_VISIBLE_DEVICES": "0,1"})
        self.assert_code(3, refused)
        self.assertIn("profile 'hpc' runs tasks on slurm, which this version of amp cannot do yet", refused.err)
        self.assertFalse((project.folder / "ran").exists())

    def test_a_variable_and_a_git_that_are_not_there(self) -> None:
        flow = '[flow]\nname = "E"\n[step.one]\nrun = "touch ran; echo {{ env.NOT_THERE }} {{ git.commit }}"\n'
        project = self.project(flow)
        result = project.amp("validate")
        self.assert_code(0, result)
        self.assertIn("warning[AMP1604]", result.err)
        self.assertIn("warning[AMP1605]", result.err)
        result = project.amp("run")
        self.assert_code(3, result)
        self.assertIn("error[AMP1604]", result.err)
        self.assertIn("error[AMP1605]", result.err)
        self.assertFalse((project.folder / "ran").exists())
        guarded = flow.replace("env.NOT_THERE", "default(env.NOT_THERE, 1)")
        fine = self.project(guarded.replace("git.commit", "default(git.commit, 1)"))
        self.assertNotIn("AMP16", self.run_ok(fine, "validate").err)
        self.run_ok(fine, "run")

    def test_keys_of_later_versions_are_notes(self) -> None:
        flow = '[flow]\nname = "L"\nschedule = "@daily"\n[step.one]\nrun = "true"\nbatch = { a = 1 }\n'
        project = self.project(flow + "retry = { times = 1, grow = { gpu = 2, disk = 2 } }\n")
        result = self.run_ok(project, "validate")
        self.assertIn("note: flow.toml:3:", result.err)
        self.assertIn("flow.schedule is not acted upon yet", result.err)
        self.assertIn("step.one.batch is not acted upon yet", result.err)
        self.assertNotIn("note", self.run_ok(project, "validate", "-q").err)
        found = json.loads(self.run_ok(project, "validate", "--format", "json").out)["flows"][0]
        self.assertTrue(found["valid"])
        notes = [(note["key"], note["line"]) for note in found["notes"]]
        self.assertEqual(notes, [("flow.schedule", 3), ("step.one.batch", 6), ("step.one.retry.grow.disk", 7)])

    def test_a_bad_config_file_is_told_once(self) -> None:
        flow = '[flow]\nname = "C"\n[config]\ndata = "data.yaml"\n'
        flow += '[step.one]\nrun = "echo {{ config.data.a }} {{ config.data.b }}"\n'
        project = self.project({"flow.toml": flow, "data.yaml": "a: 1\nb: [\n"})
        found = json.loads(project.amp("validate", "--format", "json").out)["flows"][0]["diagnostics"]
        self.assertEqual([(one["code"], one["file"]) for one in found], [("AMP1515", "data.yaml")])
        (project.folder / "data.yaml").write_text("a: 1\nb: [yes, 2]\n")
        self.run_ok(project, "run")
        self.assertIn('1 ["yes",2]', self.run_ok(project, "logs", "latest").out)

    def test_keys_of_later_versions_are_named_when_it_runs(self) -> None:
        project = self.project('[flow]\nname = "L"\nschedule = "@daily"\n[step.one]\nrun = "true"\nbatch = { a = 1 }\n')
        result = self.run_ok(project, "run")
        self.assertIn("schedule", result.err)
        self.assertIn("batch", result.err)


class Show(AmpTest):
    def test_a_flow_as_text_dot_and_json(self) -> None:
        project = self.project(FLOW)
        self.golden("show/flow.txt", self.run_ok(project, "show", "flow.toml").out, project)
        self.golden("show/flow.dot", self.run_ok(project, "show", "flow.toml", "--dot").out, project)
        document = project.json("show", "flow.toml")
        self.assertEqual(document["name"], "Demo")
        self.assertEqual([step["name"] for step in document["steps"]], ["prepare", "train", "report"])

    def test_a_run(self) -> None:
        project = self.project(FLOW)
        self.run_ok(project, "run", "--max-workers", "1", "--tag", "exp-1")
        self.golden("show/run.txt", self.run_ok(project, "show", "latest").out, project)
        document = project.json("show", "latest")
        self.assertEqual(document["state"], "succeeded")
        self.assertEqual(document["flow"], "Demo")
        self.assertEqual(document["tags"], ["exp-1"])
        self.assertEqual(document["params"], {"lr": 0.1, "sizes": [1, 2]})
        self.assertEqual(len(document["tasks"]), 4)
        self.assertEqual(project.json("show", document["run"])["run"], document["run"])

    def test_a_run_that_is_not_there(self) -> None:
        project = self.project(FLOW)
        self.assert_code(7, project.amp("show", "latest"))
        self.run_ok(project, "run")
        self.assert_code(7, project.amp("show", "991231-000000-bbbb"))
        self.assert_code(7, project.amp("show", "latest/nobody"))
        self.assert_code(7, project.amp("show", "latest/train/7"))

    def test_tasks_of_a_run(self) -> None:
        project = self.project(FLOW)
        self.run_ok(project, "run")
        document = project.json("show", "latest/train/1")
        self.assertEqual({(task["step"], task["index"]) for task in document["tasks"]}, {("train", "1")})
        self.assertEqual([step["name"] for step in document["steps"]], ["train"])


class Runs(AmpTest):
    def test_filters_and_order(self) -> None:
        project = self.project(FLOW)
        for lr in ("0.3", "0.1", "0.2"):
            self.run_ok(project, "run", "-p", f"lr={lr}", *(("--tag", "low") if lr == "0.1" else ()))
        project.write("bad.toml", '[flow]\nname = "Bad"\n[step.one]\nrun = "false"\n')
        self.assert_code(1, project.amp("run", "bad.toml"))
        self.assertEqual(len(project.runs()), 4)
        self.assertEqual(project.runs()[0]["flow"], "Bad")
        self.assertEqual([run["params"]["lr"] for run in project.runs("--flow", "Demo", "--sort", "params.lr")], [0.1, 0.2, 0.3])
        self.assertEqual([run["params"]["lr"] for run in project.runs("--flow", "Demo", "--sort", "-params.lr")], [0.3, 0.2, 0.1])
        result = project.amp("runs", "--sort", "params.nope")
        self.assert_code(2, result)
        self.assertIn("no run has 'params.nope'", result.err)
        self.assertEqual([run["params"]["lr"] for run in project.runs("--tag", "low")], [0.1])
        self.assertEqual([run["flow"] for run in project.runs("--state", "failed")], ["Bad"])
        self.assertEqual(len(project.runs("--flow", "Demo", "--where", "params.lr > 0.15")), 2)
        self.assertEqual(len(project.runs("--limit", "2")), 2)
        self.assertEqual(len(project.runs("--since", "1h")), 4)
        self.assertEqual(len(project.runs("--until", "2020-01-01")), 0)
        self.assertIn("Demo", self.run_ok(project, "runs").out)

    def test_none(self) -> None:
        self.assertEqual(self.project(FLOW).runs(), [])


class Tag(AmpTest):
    def test_add_list_remove(self) -> None:
        project = self.project(FLOW)
        self.run_ok(project, "run")
        self.run_ok(project, "tag", "add", "latest", "good", "exp-1")
        self.assertEqual(project.json("show")["tags"], ["exp-1", "good"])
        self.assertIn("good", self.run_ok(project, "tag", "list", "latest").out)
        self.run_ok(project, "tag", "add", "latest", "good")
        self.run_ok(project, "tag", "remove", "latest", "good")
        self.assertEqual(project.json("show")["tags"], ["exp-1"])

    def test_a_run_that_is_not_there(self) -> None:
        self.assert_code(7, self.project(FLOW).amp("tag", "add", "latest", "x"))


class Cancel(AmpTest):
    def test_a_run_in_the_middle(self) -> None:
        flow = (
            '[flow]\nname = "C"\n[step.one]\nrun = "echo start >> $LEDGER; sleep 60"\n'
            '[step.last]\nwhen = "always()"\nrun = "echo cleaned >> $LEDGER"\n'
        )
        project = self.project(flow)
        driver = project.start("run")
        wait_until(lambda: "start" in project.ledger_lines(), 20, "the task runs")
        self.run_ok(project, "cancel", "latest")
        self.assertNotEqual(driver.wait(timeout=30), 0)
        self.assertEqual(project.json("show")["state"], "cancelled")
        self.assertEqual(project.states(), {"one/_": "cancelled", "last/_": "succeeded"})
        self.assertEqual(project.ledger_lines(), ["start", "cleaned"])
        self.assert_no_orphans(project)

    def test_a_run_that_nobody_drives(self) -> None:
        project = self.project('[flow]\nname = "C"\n[step.one]\nrun = "echo start >> $LEDGER; sleep 60"\n')
        driver = project.start("run")
        wait_until(lambda: project.ledger_lines(), 20, "the task runs")
        project.kill_all()
        driver.wait()
        self.assertEqual(project.json("show")["state"], "interrupted")
        self.run_ok(project, "cancel", "latest")
        self.assertEqual(project.json("show")["state"], "cancelled")

    def test_a_keeper_without_a_driver(self) -> None:
        flow = '[flow]\nname = "C"\n[step.one]\nrun = "echo start >> $LEDGER; test -e go || sleep 60"\n'
        flow += '[step.two]\nneeds = "one"\nrun = "true"\n'
        project = self.project(flow)
        project.write(".ampignore", "go\n")
        driver = project.start("run")
        wait_until(lambda: project.ledger_lines(), 20, "the task runs")
        driver.kill()
        driver.wait()
        self.run_ok(project, "cancel", "latest")
        self.assertEqual(project.json("show")["state"], "cancelled")
        self.assertEqual(project.states(), {"one/_": "cancelled", "two/_": "cancelled"})
        self.assert_no_orphans(project)
        project.write("go", "")
        self.run_ok(project, "resume")
        self.assertEqual(project.states(), {"one/_": "succeeded", "two/_": "succeeded"})
        self.assertEqual(project.ledger_lines(), ["start", "start"])

    def test_a_run_in_its_back_off(self) -> None:
        flow = '[flow]\nname = "C"\n[step.one]\nrun = "echo start >> $LEDGER; exit 3"\nretry = { times = 3, delay = "10m" }\n'
        project = self.project(flow)
        driver = project.start("run")
        wait_until(lambda: "attempt 2 follows" in project.output(), 20, "the back-off")
        self.run_ok(project, "cancel", "latest", seconds=15)
        self.assertEqual(driver.wait(timeout=20), 9)
        self.assertEqual(project.json("show")["state"], "cancelled")
        self.assertEqual(project.ledger_lines(), ["start"])
        self.assert_no_orphans(project)

    def test_a_run_that_has_just_begun(self) -> None:
        project = self.project('[flow]\nname = "C"\n[step.one]\nrun = "sleep 60"\n')
        driver = project.start("run")
        wait_until(lambda: project.amp("runs", "--json").out.count('"run"'), 20, "the run is there")
        self.run_ok(project, "cancel", "latest")
        self.assertEqual(driver.wait(timeout=20), 9, project.output())
        self.assertEqual(project.json("show")["state"], "cancelled")
        self.assert_no_orphans(project)

    def test_a_run_that_has_ended(self) -> None:
        project = self.project(FLOW)
        self.run_ok(project, "run")
        project.amp("cancel", "latest")
        self.assertEqual(project.json("show")["state"], "succeeded")


class Code(AmpTest):
    def test_what_is_code_is_chosen_by_the_flow(self) -> None:
        flow = (
            '[flow]\nname = "C"\ncode = { include = ["*.py", "flow.toml"], exclude = ["gen.py"] }\n'
            '[step.one]\nrun = "echo x > made.txt; echo x > gen.py"\n'
        )
        project = self.project({"flow.toml": flow, "a.py": "1\n", "data.txt": "1\n"})
        result = self.run_ok(project, "run")
        self.assertNotIn("code has changed", result.err)
        self.assertNotIn("not acted upon", result.err)
        self.assertFalse(project.json("show")["code_changed"])
        record = json.loads(next(project.folder.glob(".amp/runs/*/run.json")).read_text())
        self.assertEqual([entry["path"] for entry in record["code"]["entries"]], ["a.py", "flow.toml"])

    def test_new_files_outside_git_are_named(self) -> None:
        project = self.project('[flow]\nname = "C"\n[step.one]\nrun = "touch made.txt"\n')
        result = self.run_ok(project, "run")
        self.assertIn("made.txt added", result.err)
        self.assertIn(".ampignore", result.err)

    @unittest.skipUnless(os.getuid() == 0, "needs another user's folder")
    def test_a_repository_of_another_user(self) -> None:
        project = self.project('[flow]\nname = "C"\n[step.one]\nrun = "true"\n')
        subprocess.run(["git", "init", "-q", project.folder], check=True)
        for path in (project.folder, project.folder / ".git"):
            os.chown(path, 65534, 65534)
        result = self.run_ok(project, "run")
        self.assertIn("git refuses", result.err)
        self.assertIn("safe.directory", result.err)


@unittest.skipUnless(os.getuid() == 0, "needs another user")
class Nobody(AmpTest):
    """Another user, in a project and with a HOME that are not his."""

    def as_nobody(self, project: Project, *arguments: str) -> Result:
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", AMP, *arguments]
        done = subprocess.run(
            command,
            cwd=project.folder,
            env=project.environment_with({"TMPDIR": "/tmp"}),
            capture_output=True,
            timeout=60,
            check=False,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    def readable_project(self, run: bool) -> Project:
        project = self.project('[flow]\nname = "U"\n[step.one]\nrun = "echo hello"\n')
        if run:
            self.run_ok(project, "run")
            self.assert_no_orphans(project)  # the keeper tidies up until then
        for folder, folders, files in os.walk(project.top):
            for name in (".", *folders, *files):
                path = os.path.join(folder, name)
                if not os.path.islink(path):  # one leads to the binary
                    os.chmod(path, 0o755 if os.path.isdir(path) else 0o644)
        if self.as_nobody(project, "--version").code != 0:
            self.skipTest("another user may not run this binary")
        return project

    def test_a_store_of_another_user(self) -> None:
        project = self.readable_project(run=True)
        result = self.as_nobody(project, "run")
        self.assert_code(10, result)
        self.assertIn("help:", result.err)
        self.assertEqual(self.as_nobody(project, "logs", "latest/one").out, "hello\n")
        for arguments in (["runs"], ["show"], ["artifacts"], ["tag", "list", "latest"], ["validate"]):
            self.assert_code(0, self.as_nobody(project, *arguments))

    def test_a_home_of_another_user(self) -> None:
        """As in a container that is given a user of its own: the settings there are not meant for it."""
        project = self.readable_project(run=False)
        settings = project.home / ".config/amp/config.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text("this is no TOML")
        project.home.chmod(0o700)
        self.assert_code(0, self.as_nobody(project, "validate"))
        self.assert_code(3, project.amp("validate"))


class Config(AmpTest):
    def test_origins(self) -> None:
        amp_toml = 'default = "local"\n[project]\nname = "here"\n[profile.hpc]\nbackend = "slurm"\npartition = "gpu"\n'
        project = self.project({"flow.toml": FLOW, "amp.toml": amp_toml})
        result = self.run_ok(
            project, "config", "--show-origin", "--set", "profile.hpc.account=x", env={"AMP__PROFILE__HPC__PARTITION": "cpu"}
        )
        for line, origin in (
            ("project.name", "amp.toml"),
            ("profile.hpc.partition", "AMP__PROFILE__HPC__PARTITION"),
            ("profile.hpc.account", "--set"),
        ):
            found = next((text for text in result.out.splitlines() if line in text), "")
            self.assertIn(origin, found, result.out)
        self.assertEqual(self.run_ok(project, "config", "project.name").out.strip(), "here")
        self.assertIsInstance(project.json("config"), dict)

    def test_an_unknown_key_in_amp_toml(self) -> None:
        project = self.project({"flow.toml": FLOW, "amp.toml": '[prject]\nname = "x"\n'})
        result = project.amp("run")
        self.assert_code(3, result)
        self.assertIn("project", result.err)


class Json(AmpTest):
    def test_every_command_that_prints_has_a_document(self) -> None:
        """One JSON document on stdout, with a schema, and nothing else."""
        project = self.project(FLOW)
        self.assertEqual(project.json("run", "--tag", "t")["state"], "succeeded")
        for command in (
            ("validate",),
            ("show", "flow.toml"),
            ("show", "latest"),
            ("runs",),
            ("artifacts", "latest"),
            ("tag", "list", "latest"),
            ("config",),
            ("config", "--show-origin"),
            ("explain",),
            ("explain", "AMP1301"),
            ("version",),
            ("resume", "latest"),
        ):
            document = project.json(*command)
            self.assertRegex(document["schema"], r"^amp\.[a-z_]+/\d+$", command)

    def test_an_error_is_a_document_too(self) -> None:
        result = self.project(FLOW).amp("show", "latest", "--json")
        self.assert_code(7, result)
        self.assertEqual(json.loads(result.out)["error"]["exit_code"], 7)

    def test_logs_are_json_lines(self) -> None:
        project = self.project(FLOW)
        self.run_ok(project, "run")
        lines = self.run_ok(project, "logs", "latest", "--json").out.splitlines()
        self.assertEqual(len(lines), 4)
        self.assertEqual({json.loads(line)["task"] for line in lines}, {"prepare/_", "train/0", "train/1", "report/_"})


class Usage(AmpTest):
    def test_help_everywhere(self) -> None:
        project = self.project({})
        overview = self.run_ok(project, "--help").out
        for command in ("validate", "run", "resume", "runs", "show", "logs", "cancel", "tag", "artifacts", "config", "explain"):
            self.assertIn(command, overview)
            self.assertIn(command, self.run_ok(project, command, "-h").out)
        self.assertIn("75", self.run_ok(project, "help", "exit-codes").out)
        self.assertRegex(self.run_ok(project, "--version").out, r"^amp \d+\.\d+\.\d+")

    def test_mistyped(self) -> None:
        project = self.project(FLOW)
        result = project.amp("validte")
        self.assert_code(2, result)
        self.assertIn("validate", result.err)
        result = project.amp("runs", "--flwo", "x")
        self.assert_code(2, result)
        self.assertIn("--flow", result.err)
        self.assert_code(2, project.amp("show", "a", "b", "c"))

    def test_exit_codes_of_signals(self) -> None:
        project = self.project('[flow]\nname = "S"\n[step.one]\nrun = "echo start >> $LEDGER; sleep 60"\n')
        driver = project.start("run")
        wait_until(lambda: project.ledger_lines(), 20, "the task runs")
        os.kill(driver.pid, signal.SIGTERM)
        self.assertEqual(driver.wait(timeout=30), 143)


if __name__ == "__main__":
    unittest.main()

"""The other commands: validate, show, runs, tag, cancel, config, explain, help; and their JSON."""

import json
import os
import signal
import unittest

from harness import AmpTest, Project, wait_until

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

    def test_keys_of_later_versions_are_named_when_it_runs(self) -> None:
        project = self.project('[flow]\nname = "L"\nschedule = "@daily"\n[step.one]\nrun = "true"\ncache = true\n')
        result = self.run_ok(project, "run")
        self.assertIn("schedule", result.err)
        self.assertIn("cache", result.err)


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
        result = project.amp("show", "latest/one")
        self.assert_code(2, result)
        self.assertIn("amp logs latest/one", result.err)


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

    def test_a_run_that_has_ended(self) -> None:
        project = self.project(FLOW)
        self.run_ok(project, "run")
        project.amp("cancel", "latest")
        self.assertEqual(project.json("show")["state"], "succeeded")


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

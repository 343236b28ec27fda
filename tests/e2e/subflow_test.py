"""Flows within flows: sub-flow steps and `amp spawn`, also when orchestrator and keepers are killed."""

import json
import os
import random
import time
import unittest

from harness import SLOW, AmpTest, Project, kill_quietly, wait_until

TREE_KILLS = int(os.environ.get("AMP_KILLS", "30"))
SEED = int(os.environ.get("AMP_KILL_SEED", str(time.time_ns() % 1_000_000)))

WITNESS = 'echo "$AMP_TASK $AMP_ATTEMPT" >> "$LEDGER"\n'
PARENT = f"""
[flow]
name = "Parent"

[step.prepare]
run = "amp put name world"

[step.each]
needs = "prepare"
foreach = "[1, 2, 3]"
flow = "parts/child.toml"
params = {{ number = "{{{{ item }}}}", name = "{{{{ prepare.name }}}}" }}
outputs = {{ text = "say.text" }}

[step.all]
needs = "each"
join = true
run = '''
{WITNESS}
amp put all '{{{{ each.*.text }}}}'
'''
""".replace("'{{ each.*.text }}'", '"{{ each.*.text }}"')
CHILD = f"""
[flow]
name = "Child"

[params]
number = {{ type = "int", required = true }}
name = {{ type = "string", default = "nobody" }}

[step.think]
run = '''
{WITNESS}
sleep 0.05
amp put twice "$(( 2 * $AMP_PARAM_NUMBER ))"
'''
params = ["number"]

[step.say]
needs = "think"
run = '''
{WITNESS}
sleep 0.05
test ! -e "$LEDGER.broken"
amp put text "{{{{ params.name }}}} {{{{ think.twice }}}}"
'''
"""
SPAWNER = f"""
[flow]
name = "Spawner"
max_workers = 1

[step.ask]
run = '''
{WITNESS}
amp spawn other.toml -p number=7 --wait
amp put done yes
'''
"""
OTHER = f"""
[flow]
name = "Other"

[params]
number = 1

[step.work]
run = '''
{WITNESS}
test "$AMP_PARAM_NUMBER" = 7
sleep 0.05
'''
params = ["number"]
"""


class TreeTest(AmpTest):
    def tree(self, **files: str) -> Project:
        return self.project({"flow.toml": PARENT, "parts/child.toml": CHILD, **files})

    def show(self, project: Project, run: str) -> dict:
        return json.loads(project.amp("show", run, "--json").out)

    def all_runs(self, project: Project) -> list[dict]:
        return json.loads(project.amp("runs", "--all", "--json").out)["runs"]


class Subflows(TreeTest):
    def test_children_are_runs_whose_outputs_come_back(self) -> None:
        project = self.tree()
        result = project.amp("run")
        self.assert_code(0, result)
        self.assertEqual(json.loads(project.amp("get", "latest/all", "all").out), ["world 2", "world 4", "world 6"])
        self.assertEqual(len(json.loads(project.amp("runs", "--json").out)["runs"]), 1)
        self.assertEqual(len(self.all_runs(project)), 4)
        top = self.show(project, "latest")
        children = [task["run"] for task in top["tasks"] if task["step"] == "each"]
        self.assertEqual(len(set(children)), 3)
        self.assertEqual(self.show(project, children[1])["parent"], f"{top['run']}/each/1")

    def test_a_failure_below_is_told_and_resumed(self) -> None:
        project = self.tree()
        (project.top / "ledger.broken").touch()
        result = project.amp("run")
        self.assert_code(1, result)
        self.assertRegex(result.err, r"failed: say: ")
        (project.top / "ledger.broken").unlink()
        before = set(project.ledger_lines())
        self.assert_code(0, project.amp("resume", "latest"))
        self.assertEqual(len(self.all_runs(project)), 4)
        thinks = [line for line in project.ledger_lines() if "/think/" in line and line.endswith(" 1")]
        self.assertLessEqual(len(thinks), 3, before)

    def test_a_failure_below_leads_to_the_task_that_failed(self) -> None:
        """Two floors down: where the log is, and what can be done again."""
        steps = {"flow.toml": ("Top", "flow = 'mid.toml'"), "mid.toml": ("Mid", "flow = 'low.toml'")}
        files = {name: f"[flow]\nname = '{flow}'\n[step.down]\n{what}\n" for name, (flow, what) in steps.items()}
        work = "foreach = '[1, 2]'\nrun = 'echo from {{ item }}; exit {{ item - 1 }}'\n"
        files["low.toml"] = f"[flow]\nname = 'Low'\n[step.work]\n{work}"
        project = self.project(files)
        result = project.amp("run")
        self.assert_code(1, result)
        low = next(run["run"] for run in self.all_runs(project) if run["flow"] == "Low")
        shown = self.run_ok(project, "show", "latest").out
        for told in (result.err, shown):
            self.assertIn(f"log:    amp logs {low}/work/1\n", told)
            self.assertIn(f"replay: amp replay {low}/work/1\n", told)
            self.assertNotRegex(told, r"amp (logs|replay) \S+/down")
        self.assertIn(f"amp logs {low}/work/1", self.run_ok(project, "logs", "latest/down").err)
        self.assertIn("from 2", self.run_ok(project, "logs", f"{low}/work/1").out)
        self.assert_code(1, project.amp("replay", f"{low}/work/1"))

    def test_a_replay_starts_no_runs(self) -> None:
        project = self.project({"flow.toml": SPAWNER, "other.toml": OTHER})
        self.run_ok(project, "run", seconds=30)
        result = project.amp("replay", "latest/ask")
        self.assertIn("`amp replay` and `amp shell` can start no runs", result.out + result.err)

    def test_mistakes_below_are_found_by_validate(self) -> None:
        project = self.tree()
        project.write("parts/child.toml", CHILD.replace('needs = "think"', 'needs = "thnik"'))
        result = project.amp("validate")
        self.assert_code(3, result)
        self.assertIn("parts/child.toml", result.err)
        project.write("parts/child.toml", '[flow]\nname = "Child"\n[step.again]\nflow = "../flow.toml"\n')
        result = project.amp("validate")
        self.assertIn("AMP1702", result.err)

    def test_cancel_ends_all_below(self) -> None:
        project = self.tree()
        project.write("parts/child.toml", CHILD.replace("sleep 0.05", "sleep 30"))
        driver = project.start("run")
        wait_until(lambda: len(project.ledger_lines()) >= 1, 20, "a task below")
        self.assert_code(0, project.amp("cancel", "latest"))
        self.assertEqual(driver.wait(30 * SLOW), 9)
        self.assertEqual({run["state"] for run in self.all_runs(project)} - {"cancelled"}, set())

    def test_spawn_and_wait_with_one_worker(self) -> None:
        project = self.project({"flow.toml": SPAWNER, "other.toml": OTHER})
        self.assert_code(0, project.amp("run", seconds=30))
        runs = self.all_runs(project)
        self.assertEqual([run["state"] for run in runs], ["succeeded", "succeeded"])
        self.assertEqual(len(self.show(project, "latest")["spawned"]), 1)

    def test_two_runs_that_one_task_waits_for_with_one_worker(self) -> None:
        flow = "[flow]\nname = 'W'\nmax_workers = 1\n[step.first]\nrun = 'amp spawn c.toml --key first'\n"
        flow += "[step.a]\nneeds = 'first'\n"
        flow += "run = 'amp spawn c.toml --wait & amp spawn d.toml --wait & wait'\n"
        steps = "".join(f"[step.s{i}]\nneeds = 's{i - 1}'\nrun = 'sleep 0.1'\n" for i in range(1, 4))
        child = "[flow]\nname = 'C'\n[step.s0]\nrun = 'true'\n"
        project = self.project({"flow.toml": flow, "c.toml": child, "d.toml": child.replace("C", "D") + steps})
        self.run_ok(project, "run", seconds=60)
        self.assertEqual({run["state"] for run in project.runs("--all")}, {"succeeded"})
        self.assertEqual(len(project.runs("--all")), 4)

    def test_spawn_outside_of_a_task(self) -> None:
        project = self.project({"flow.toml": SPAWNER, "other.toml": OTHER})
        self.assert_code(2, project.amp("spawn", "other.toml"))

    def test_a_spawned_run_that_fails_gives_its_exit_code(self) -> None:
        spawner = SPAWNER.replace("amp spawn other.toml -p number=7 --wait", "amp spawn other.toml --wait || amp put code $?")
        project = self.project({"flow.toml": spawner, "other.toml": OTHER})
        self.assert_code(0, project.amp("run", seconds=30))
        self.assertEqual(project.amp("get", "latest/ask", "code").out.strip(), "1")

    def test_the_same_key_is_the_same_run(self) -> None:
        spawner = SPAWNER.replace(
            "amp spawn other.toml -p number=7 --wait",
            "amp spawn other.toml -p number=7 --key a\namp spawn other.toml -p number=7 --key a",
        )
        project = self.project({"flow.toml": spawner, "other.toml": OTHER})
        result = project.amp("run", seconds=30)
        self.assert_code(0, result)
        self.assertEqual([run["state"] for run in self.all_runs(project)], ["succeeded", "succeeded"])
        self.assertNotIn("already succeeded", result.err)
        self.assertIn("already succeeded", self.run_ok(project, "resume", "latest").err)

    def test_a_key_again_when_its_run_has_ended(self) -> None:
        wait = "amp spawn other.toml -p number=7 --wait"
        spawner = SPAWNER.replace(wait, f"{wait} --key a\n{wait} --key a")
        project = self.project({"flow.toml": spawner, "other.toml": OTHER})
        self.assertNotIn("already succeeded", self.run_ok(project, "run", seconds=30).err)
        self.assertEqual(len(self.all_runs(project)), 2)


KILLED_PARENT = PARENT + f"""
[step.spawns]
run = '''
{WITNESS}
amp spawn other.toml -p number=7 --wait
'''
retry = {{ times = 0 }}
"""


class TreeKills(TreeTest):
    """Orchestrator and keepers of a tree are killed at random times; the ledger and the store are compared."""

    def succeeded(self, project: Project) -> set[str]:
        done = set()
        for run in self.all_runs(project):
            for task in self.show(project, run["run"])["tasks"]:
                if task["state"] == "succeeded" and task["run"] is None:
                    done.add(f"{run['run']}/{task['task']}")
        return done

    def test_killed_at_random(self) -> None:
        dice = random.Random(SEED)
        self.interrupted = 0
        began = time.monotonic()
        self.run_ok(self.killed_project(), "run")
        self.usual = time.monotonic() - began
        for number in range(TREE_KILLS):
            with self.subTest(number=number, seed=SEED):
                self.kill_once(dice)
        self.assertGreater(self.interrupted, TREE_KILLS // 5, "most runs ended before they were killed")

    def killed_project(self) -> Project:
        return self.project({"flow.toml": KILLED_PARENT, "parts/child.toml": CHILD, "other.toml": OTHER})

    def kill_once(self, dice: random.Random) -> None:
        project = self.killed_project()
        driver = project.start("run")
        time.sleep(dice.uniform(0, self.usual))
        victims = project.keepers()
        victim = dice.choice([driver.pid, *victims]) if victims else driver.pid
        kill_quietly(victim)
        if dice.random() < 0.5:
            kill_quietly(driver.pid)
        driver.wait(60 * SLOW)
        for _ in range(5):
            if not project.runs():
                result = project.amp("run")
            else:
                done = self.succeeded(project)
                lines = len(project.ledger_lines())
                self.interrupted += len(done) < 8
                result = project.amp("resume", "latest")
                again = {line.split()[0] for line in project.ledger_lines()[lines:]} & done
                self.assertEqual(again, set(), "what had succeeded ran again")
            if result.code == 0:
                break
        self.assertEqual(result.code, 0, f"{result}")
        runs = self.all_runs(project)
        self.assertEqual(len(runs), 5, runs)
        self.assertEqual({run["state"] for run in runs}, {"succeeded"})
        self.assertEqual(json.loads(project.amp("get", "latest/all", "all").out), ["world 2", "world 4", "world 6"])
        project.remove()


if __name__ == "__main__":
    unittest.main()

"""amp resume: after an interruption, a failure, a change; and many at once."""

import json
import subprocess
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness import SLOW, AmpTest, Project, Result, wait_until

WITNESS = 'echo "$AMP_STEP/$AMP_INDEX $AMP_ATTEMPT" >> $LEDGER\n'
STEPS = f"""
[flow]
name = "Steps"

[params]
factor = 2

[step.first]
run = '''
{WITNESS}
amp put value 10
'''

[step.second]
needs = "first"
run = '''
{WITNESS}
sh second.sh {{{{ first.value }}}} {{{{ params.factor }}}}
'''

[step.third]
needs = "second"
run = '''
{WITNESS}
'''
"""


class Resume(AmpTest):
    def failed_run(self, script: str = "exit 1\n") -> Project:
        project = self.project({"flow.toml": STEPS, "second.sh": script})
        self.assert_code(1, project.amp("run"))
        self.assertEqual(project.ledger_lines(), ["first/_ 1", "second/_ 1"])
        return project

    def run_ids(self, project: Project) -> list[str]:
        return [run["run"] for run in project.runs()]

    def test_nothing_changed(self) -> None:
        project = self.failed_run('[ -e "$LEDGER.fixed" ]\n')
        (project.top / "ledger.fixed").touch()
        self.run_ok(project, "resume", "latest")
        self.assertEqual(project.ledger_lines(), ["first/_ 1", "second/_ 1", "second/_ 2", "third/_ 1"])
        self.assertEqual(len(self.run_ids(project)), 1)
        self.assertEqual(set(project.states().values()), {"succeeded"})

    def test_a_run_that_succeeded_has_nothing_left_to_do(self) -> None:
        project = self.project({"flow.toml": STEPS, "second.sh": "true\n"})
        self.run_ok(project, "run")
        self.run_ok(project, "resume", "latest")
        self.assertEqual(project.ledger_lines(), ["first/_ 1", "second/_ 1", "third/_ 1"])

    def test_changed_code_makes_a_new_run_that_reuses(self) -> None:
        project = self.failed_run()
        project.write("second.sh", "exit 0\n")
        result = self.run_ok(project, "resume", "latest")
        self.assertIn("second", result.err)
        old, new = reversed(self.run_ids(project))
        self.assertEqual(project.json("show", new)["origin"], old)
        self.assertEqual(project.states(new), {"first/_": "cached", "second/_": "succeeded", "third/_": "succeeded"})
        self.assertEqual(project.ledger_lines(), ["first/_ 1", "second/_ 1", "second/_ 1", "third/_ 1"])

    def test_changed_parameters_rerun_what_uses_them(self) -> None:
        project = self.project({"flow.toml": STEPS, "second.sh": "true\n"})
        self.run_ok(project, "run")
        self.run_ok(project, "resume", "latest", "-p", "factor=3")
        self.assertEqual(project.states(), {"first/_": "cached", "second/_": "succeeded", "third/_": "succeeded"})

    def test_a_run_that_is_not_there(self) -> None:
        self.assert_code(7, self.project(STEPS).amp("resume", "latest"))


class AtOnce(AmpTest):
    def test_many_resumes_of_one_run(self) -> None:
        """One drives, the others say that the run is busy; nothing runs twice."""
        flow = f'[flow]\nname = "B"\n[step.one]\nforeach = "range(6)"\nrun = """\n{WITNESS}sleep 0.4\n"""\n'
        for count in (2, 16):
            project = self.project(flow)
            driver = project.start("run")
            wait_until(lambda project=project: project.ledger_lines(), 20, "the first task runs")
            driver.kill()
            driver.wait()
            with ThreadPoolExecutor(count) as pool:
                results: list[Result] = list(
                    pool.map(lambda _, project=project: project.amp("resume", "latest", seconds=120), range(count))
                )
            codes = sorted(result.code for result in results)
            # Who comes when the run has ended finds nothing to do: also 0.
            self.assertIn(0, codes)
            self.assertLessEqual(set(codes), {0, 75}, "\n".join(map(str, results)))
            starts = project.ledger_lines()
            self.assertEqual(sorted(starts), [f"one/{i} 1" for i in range(6)])
            self.assertEqual(set(project.states().values()), {"succeeded"})
            self.assert_no_orphans(project)

    def test_many_resumes_with_the_same_change(self) -> None:
        """What they ask for is a new run: one makes it, the others say which it is; nothing runs twice."""
        flow = f'[flow]\nname = "C"\n[params]\nk = 1\n[step.one]\nforeach = "range(4)"\nrun = """\n{WITNESS}sleep 0.4\n'
        flow += 'test {{ params.k }} != 1\n"""\n'
        project = self.project(flow)
        self.assert_code(1, project.amp("run"))
        origin = project.runs()[0]["run"]
        before = len(project.ledger_lines())
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda _: project.amp("resume", origin, "--k", "3", seconds=120), range(8)))
        self.assertEqual(sorted(result.code for result in results), [0] + [75] * 7, "\n".join(map(str, results)))
        self.assertEqual(sorted(project.ledger_lines()[before:]), [f"one/{i} 1" for i in range(4)])
        self.assert_code(0, project.amp("resume", origin, "--k", "4"))

    def test_sixteen_runs_in_one_store(self) -> None:
        flow = '[flow]\nname = "M"\n[params]\nn = 0\n[step.one]\nforeach = "range(3)"\n'
        flow += f'run = """\n{WITNESS}echo run {{{{ params.n }}}}\n"""\n'
        project = self.project(flow)
        drivers = [project.start("run", "-p", f"n={n}") for n in range(16)]
        codes = [driver.wait(timeout=120 * SLOW) for driver in drivers]
        self.assertEqual(codes, [0] * 16, project.output())
        runs = project.runs()
        self.assertEqual(len({run["run"] for run in runs}), 16)
        self.assertEqual({run["params"]["n"] for run in runs}, set(range(16)))
        self.assertEqual({run["state"] for run in runs}, {"succeeded"})
        self.assertEqual(len(project.ledger_lines()), 48)
        self.assert_no_orphans(project)

    def small_disk(self, project: Project, size: str) -> Path:
        small = project.top / "small"
        small.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", small], capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("may not mount a small file system")
        self.addCleanup(subprocess.run, ["umount", "-l", small], check=False)
        return small

    def test_a_store_that_gets_full_during_a_run(self) -> None:
        """What finished is recorded, the run ends with 10, and goes on when there is room again."""
        project = self.project('[flow]\nname = "F"\n[step.one]\nrun = "true"\n')
        small = self.small_disk(project, "6m")
        flow = f"""
[flow]
name = "Filled"
max_workers = 1

[step.first]
run = '''
{WITNESS}
echo done > $AMP_OUT/kept
'''

[step.second]
needs = "first"
run = '''
{WITNESS}
[ -e $LEDGER.room ] || head -c 9000000 /dev/zero > {small}/filler || true
head -c 300000 /dev/urandom > $AMP_OUT/data
'''

[step.third]
needs = "second"
run = '''
{WITNESS}
'''
"""
        (small / "flow.toml").write_text(flow)
        (small / ".ampignore").write_text("filler\n")
        result = project.amp("run", cwd=small)
        self.assert_code(10, result)
        self.assertIn("the store is full", result.err)
        shown = project.amp("show", "latest", "--json", cwd=small)
        self.assert_code(0, shown)
        states = {task["task"]: task["state"] for task in json.loads(shown.out)["tasks"]}
        self.assertEqual(states["first/_"], "succeeded")
        self.assertNotIn(states.get("third/_"), ("succeeded", "running"))
        self.assert_code(10, project.amp("resume", "latest", cwd=small))
        (small / "filler").unlink()
        (project.top / "ledger.room").touch()
        self.assert_code(0, project.amp("resume", "latest", cwd=small))
        self.assertEqual([line for line in project.ledger_lines() if line.startswith("first")], ["first/_ 1"])
        self.assertIn("third/_ 1", project.ledger_lines())

    def test_a_project_on_a_full_disk_says_so(self) -> None:
        """Exit 10, and nothing succeeds without being recorded."""
        project = self.project('[flow]\nname = "F"\n[step.one]\nrun = "true"\n')
        small = self.small_disk(project, "64k")
        (small / "flow.toml").write_text('[flow]\nname = "F"\n[step.one]\nrun = "head -c 200000 /dev/urandom > $AMP_OUT/data"\n')
        result = project.amp("run", cwd=small)
        self.assert_code(10, result)
        self.assertIn("No space left", result.err)


if __name__ == "__main__":
    unittest.main()

"""amp replay: one task of a run again, in front of the user, and nothing of it in the run."""

import hashlib
import json
import os
import signal
import unittest
from pathlib import Path

from harness import AmpTest, Project, wait_until

FLOW = """
[flow]
name = "Train"

[params]
lr = 0.1

[step.prepare]
cwd = "task"
run = "echo data > set.txt; amp put n 7; amp put set @set.txt"

[step.each]
needs = "prepare"
foreach = "['a', 'b']"
outputs = { model = { path = "model", type = "file" } }
run = "sh each.sh {{ item }} {{ params.lr }} {{ prepare.n }} {{ prepare.set }} {{ outputs.model }}"

[step.after]
needs = "each"
run = "echo after"
"""
SCRIPT = "echo $1 $2 $3; cat $4; echo $AMP_PARAM_LR $AMP_ATTEMPT; echo weights > $5; echo bad >&2; [ $1 = a ] || exit 3\n"
PRINTED = "b 0.1 7\ndata\n0.1 1\nbad\n"


def content(folder: Path) -> dict[str, str]:
    """Every file below it, by the hash of its bytes."""
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file() and not p.is_symlink()}


class Replay(AmpTest):
    def failed_run(self) -> Project:
        project = self.project({"flow.toml": FLOW, "each.sh": SCRIPT})
        self.assert_code(1, project.amp("run"))
        wait_until(lambda: not project.keepers(), 10, "the keeper has written its last")
        return project

    def test_a_failed_task_fails_the_same_way(self) -> None:
        project = self.failed_run()
        self.assertEqual(self.run_ok(project, "logs", "latest/each/1").out, PRINTED)
        project.write("each.sh", "echo changed since\n")  # the run's own code counts
        before = content(project.folder / ".amp")
        folder = project.folder / "again"
        result = project.amp("replay", "latest/each/1", "--keep", str(folder))
        self.assert_code(1, result)
        self.assertEqual(result.out, PRINTED)
        self.assertIn("exit status 3", result.err)
        self.assertIn(str(folder), result.err)
        self.assertEqual((folder / "task/out/model").read_text(), "weights\n")
        self.assertEqual((folder / "code/each.sh").read_text(), SCRIPT)
        self.assertEqual(content(project.folder / ".amp"), before)
        self.assert_no_orphans(project)

    def test_its_exit_code_is_none_of_ours(self) -> None:
        """A task's 3 does not mean that a flow is invalid; who wants the task's own asks for it."""
        project = self.failed_run()
        result = project.amp("replay", "latest/each/1", "--json")
        self.assert_code(1, result)
        self.assertEqual(json.loads(result.out)["exit"], 3)
        self.assert_code(3, project.amp("replay", "latest/each/1", "--exit-code=task"))
        self.assert_code(0, project.amp("replay", "latest/each/0", "--exit-code", "task"))
        self.assert_code(2, project.amp("replay", "latest/each/0", "--exit-code=tusk"))

    def test_a_run_exits_as_its_task(self) -> None:
        project = self.project({"flow.toml": FLOW, "each.sh": SCRIPT})
        result = project.amp("run", "--exit-code=task", "--json")
        self.assert_code(3, result)
        self.assertEqual(json.loads(result.out)["exit_code"], 3)
        self.assert_code(1, project.amp("resume"))
        self.assert_code(2, project.amp("run", "--exit-code=task", "--detach"))

    def test_one_that_succeeds(self) -> None:
        project = self.failed_run()
        found = project.json("replay", "latest/each/0", "--keep", str(project.folder / "again"))
        self.assertEqual((found["exit"], found["cause"], found["task"], found["missing_outputs"]), (0, "none", "each/0", []))

    def test_the_folder_is_told_and_must_be_empty(self) -> None:
        project = self.failed_run()
        result = project.amp("replay", "latest/each/0", env={"AMP_SCRATCH": str(project.folder)})
        self.assert_code(0, result)
        (folder,) = project.folder.glob("amp-replay-*")
        self.assertIn(f"{folder}/task/out", result.err)
        self.assert_code(2, project.amp("replay", "latest/each/0", "--keep", str(folder)))

    def test_a_shell_in_its_place(self) -> None:
        project = self.failed_run()
        script = '#!/bin/sh\necho "$PWD|$AMP_ITEM|$AMP_PARAM_LR|$AMP_TASK"\nls "$AMP_IN"\n'
        shell = project.write("shell.sh", script + 'read line; echo "heard $line"\nexit 5\n')
        os.chmod(shell, 0o755)
        folder = project.folder / "again"
        arguments = ("replay", "latest/each/1", "--shell", "--keep", str(folder))
        result = project.amp(*arguments, env={"SHELL": str(shell)}, stdin=b"hello\n")
        self.assert_code(1, result)
        run = project.runs()[0]["run"]
        lines = result.out.splitlines()
        self.assertEqual(lines[0], f'{folder}/code|"b"|0.1|{run}/each/1')
        self.assertIn("set", lines)
        self.assertEqual(lines[-1], "heard hello")

    def test_what_never_ran(self) -> None:
        project = self.failed_run()
        result = project.amp("replay", "latest/after/1")
        self.assert_code(7, result)
        self.assertIn("never ran", result.err)
        self.assertIn("each/1", result.err)
        self.assert_code(7, project.amp("replay", "latest/each/9"))
        self.assert_code(7, project.amp("replay", "latest/eech"))
        self.assert_code(7, project.amp("replay", "latest/each/1", "--attempt", "4"))
        self.assert_code(2, project.amp("replay", "latest/each"))
        self.assert_code(2, project.amp("replay", "latest"))

    def test_interrupting_it_ends_all_its_processes(self) -> None:
        project = self.project('[flow]\nname = "X"\n[step.one]\nrun = "sleep 600 & echo up; wait"\n')
        run = project.start("run")
        wait_until(lambda: "up" in project.amp("logs", "latest/one").out, 20, "the task to be up")
        self.run_ok(project, "cancel")
        run.wait(20)
        folder = project.folder / "again"
        replay = project.start("replay", "latest/one", "--keep", str(folder))
        wait_until(lambda: any("600" in words for words in project.processes().values()), 20, "the task to be up")
        replay.send_signal(signal.SIGINT)
        self.assertEqual(replay.wait(20), 130)
        self.assert_no_orphans(project)

    def test_empty_folders_of_the_code_are_there(self) -> None:
        project = self.project({"flow.toml": '[flow]\nname = "X"\n[step.one]\nrun = "ls -d results/deep"\n'})
        (project.folder / "results/deep").mkdir(parents=True)
        self.run_ok(project, "run")
        self.assert_code(0, project.amp("replay", "latest/one", "--keep", str(project.folder / "again")))
        self.run_ok(project, "checkout", "latest", str(project.folder / "then"))
        self.assertTrue((project.folder / "then/results/deep").is_dir())


if __name__ == "__main__":
    unittest.main()

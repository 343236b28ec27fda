"""`amp task exec`: one attempt where no keeper is. A ledger outside of amp, and a lock that no two tasks can have, judge it."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path
from typing import Any

from harness import AMP, SLOW, AmpTest, Project, Result, decode, kill_quietly, wait_until

KILLS = int(os.environ.get("AMP_KILLS", "40"))
SEED = int(os.environ.get("AMP_KILL_SEED", str(time.time_ns() % 1_000_000)))
KILL_AT = AMP.parent / "kill_at"
MEMORY = Path("/sys/fs/cgroup/memory")
HOG = "import sys; data = bytearray(400 << 20); sys.exit(len(data) == 0)"
SUPERSEDED, BAD_SPEC, FAILED = 211, 212, 213

FLOW = '[flow]\nname = "X"\n[step.first]\nrun = "true"\n'
# Two of these at once would be seen: the lock falls with the last process of the task.
ALONE = """exec 9>"$LEDGER.lock"; flock -n 9 || echo overlap >> "$LEDGER"
echo start >> "$LEDGER"; echo working
"""


class Exec:
    """A store with a run, and specs of attempts of a task in it that its driver knows nothing of."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.run = project.amp("run", "-q").out.strip()
        self.store = project.folder / ".amp"

    def spec(self, script: str, attempt: int = 1, task: str = "remote/_", outer: Any = None, **more: Any) -> Path:
        spec = {"task": task, "attempt": attempt, "token": f"{task}#{attempt}", "argv": ["sh", "-c", script], **more}
        document = {"schema": 1, "store": str(self.store), "run": self.run, "epoch": 1, "spec": spec, **(outer or {})}
        path = self.project.top / f"spec-{task.replace('/', '-')}-{attempt}.json"
        path.write_text(json.dumps(document))
        return path

    def exec(self, spec: Path, **options: Any) -> Result:
        return self.project.amp("task", "exec", str(spec), **options)

    def start(self, spec: Path, **options: Any) -> "subprocess.Popen[bytes]":
        return self.project.start("task", "exec", str(spec), **options)

    def folder(self, attempt: int = 1, task: str = "remote/_") -> Path:
        return self.store / "runs" / self.run / "tasks" / task / str(attempt)

    def result(self, attempt: int = 1, task: str = "remote/_") -> dict[str, Any]:
        return json.loads((self.folder(attempt, task) / "result.json").read_text())["result"]

    def commit(self, task: str = "remote/_") -> dict[str, Any] | None:
        path = self.folder(1, task).parent / "commit"
        return json.loads(path.read_text()) if path.exists() else None

    def log(self, attempt: int = 1) -> str:
        folder = self.folder(attempt) / "log"
        return "".join(decode(path.read_bytes()) for path in sorted(folder.iterdir())) if folder.exists() else ""


class ExecTest(AmpTest):
    def exec_project(self, files: dict[str, str | bytes] | None = None) -> Exec:
        project = self.project({"flow.toml": FLOW, **(files or {})})
        self.addCleanup(self.assert_no_orphans, project)
        return Exec(project)

    def do(self, place: Exec, code: int, script: str, **more: Any) -> Result:
        result = place.exec(place.spec(script, **more))
        self.assert_code(code, result)
        return result


class Plain(ExecTest):
    def test_a_task_that_succeeds(self) -> None:
        place = self.exec_project()
        script = """amp put score 0.5; amp metric loss=1 loss2=2; amp note well; echo data > "$AMP_OUT/file"
            echo to stdout; echo to stderr >&2; amp spawn flow.toml; amp checkpoint; true"""
        result = self.do(place, 0, script, checkpoint_s=60, cwd=str(place.project.folder))
        self.assertIn("to stdout\nto stderr\n", result.out)
        self.assertIn("'amp spawn' cannot be done here", result.out)
        self.assertIn("'amp checkpoint' cannot be done here", result.out)
        record = place.commit()
        self.assertEqual(record, json.loads((place.folder() / "result.json").read_text()))
        ended = record["result"]
        self.assertEqual((ended["cause"], ended["exit"], ended["attempt"]), ("none", 0, 1))
        self.assertEqual(ended["artifacts"]["score"]["value"], 0.5)
        self.assertEqual(ended["artifacts"]["file"]["kind"], "file")
        self.assertEqual(ended["report"]["metrics"]["loss"]["last"], 1)
        self.assertEqual((record["by"]["host"], record["by"]["execution"]), (os.uname().nodename, 1))
        self.assertIn("to stdout", place.log())
        self.assertEqual([piece["pack"].split("/")[-2] for piece in ended["log"]], ["log"] * len(ended["log"]))
        self.assert_code(0, place.project.amp("fsck"))
        self.assert_code(0, place.project.amp("gc", "--grace", "0s"))
        self.assert_code(0, place.project.amp("fsck"))
        sha256 = ended["artifacts"]["file"]["sha256"]
        self.assertTrue(list((place.store / "objects" / sha256[:2]).glob(sha256[2:] + "*")), "gc keeps what a commit names")

    def test_the_spec_may_come_through_standard_input_and_nothing_is_printed(self) -> None:
        place = self.exec_project()
        spec = place.spec("echo hello; exit 4")
        result = place.project.amp("task", "exec", "-", "-q", stdin=spec.read_bytes())
        self.assert_code(4, result)
        self.assertEqual(result.out, "")
        self.assertIn("hello", place.log())

    def test_how_tasks_fail(self) -> None:
        place = self.exec_project()
        cases = (
            ("exit 3", 3, "user", {}),
            ("exit 75", 75, "infra", {}),
            ("kill -9 $$", 137, "user", {}),
            ("true", 1, "user", {"outputs": [{"name": "model", "path": "model"}]}),
            ("sleep 60", 143, "timeout", {"timeout_s": 0.2}),
            ("trap 'exit 0' TERM; sleep 60 & wait", 143, "timeout", {"timeout_s": 0.2}),
            ("", 127, "user", {"argv": ["no-such-program"]}),
            ("true", FAILED, "infra", {"gang": {"nodes": 2, "tasks_per_node": 1}}),
        )
        for number, (script, code, cause, more) in enumerate(cases, 1):
            with self.subTest(script=script, more=more):
                self.do(place, code, script, attempt=number, **more)
                self.assertEqual(place.result(number)["cause"], cause)
        self.assertIsNone(place.commit(), "a failure commits nothing")
        self.assert_code(SUPERSEDED, place.exec(place.spec("true", attempt=1)))
        self.do(place, 0, "true", attempt=99)
        self.assertIn("attempt 99", self.do(place, SUPERSEDED, "true", attempt=100).err)
        self.assertEqual(place.commit()["result"]["attempt"], 99)

    def test_what_a_task_leaves_running_is_ended(self) -> None:
        place = self.exec_project()
        self.do(place, 0, "setsid sleep 600 & (sleep 601 &) ; echo done")

    def test_what_others_that_were_killed_have_left_is_removed(self) -> None:
        place = self.exec_project()
        scratch = place.project.top / "scratch"
        ours = scratch / f"amp-{os.getuid()}"
        left = ours / f"{place.run}-exec-0123456789abcdef"
        (left / "task-1" / "out").mkdir(parents=True)
        os.chmod(ours, 0o700)
        os.utime(left, (0, 0))
        young = ours / f"{place.run}-exec-young"
        young.mkdir()
        self.assert_code(0, place.exec(place.spec("true"), env={"AMP_SCRATCH": str(scratch)}))
        self.assertFalse(left.exists())
        self.assertTrue(young.exists())

    def test_a_gang_of_one_node(self) -> None:
        place = self.exec_project()
        gang = {"nodes": 1, "tasks_per_node": 3}
        self.do(place, 0, 'echo "rank $AMP_RANK of $AMP_WORLD_SIZE" >> "$LEDGER"', gang=gang)
        self.assertEqual(sorted(place.project.ledger_lines()), [f"rank {i} of 3" for i in range(3)])
        self.assertEqual(len(place.result()["ranks"]), 3)

    def test_secrets_come_by_the_environment_and_are_masked(self) -> None:
        place = self.exec_project()
        secrets = [["TOKEN", "env:TOKEN"]]
        result = place.exec(place.spec('echo "it is $TOKEN"', secrets=secrets), env={"TOKEN": "correct-horse"})
        self.assert_code(0, result)
        self.assertEqual(result.out, "it is ***TOKEN***\n")
        self.assertNotIn("correct-horse", place.log())
        result = place.exec(place.spec("true", attempt=2, task="other/_", secrets=secrets))
        self.assert_code(FAILED, result)
        self.assertIn("the secret 'TOKEN' was not given", result.err)

    def test_the_log_is_there_while_the_task_runs(self) -> None:
        place = self.exec_project()
        os.mkfifo(place.project.top / "gate")
        process = place.start(place.spec(f"echo early; read line < {place.project.top}/gate; echo late"))
        wait_until(lambda: "early" in place.log(), 20, "the log of a task that runs")
        self.assertNotIn("late", place.log())
        self.assertIn(place.run, place.project.json("fsck")["driven"], "its log is being written")
        (place.project.top / "gate").write_text("go\n")
        self.assertEqual(process.wait(timeout=20 * SLOW), 0, place.project.output())
        self.assertIn("late", place.log())

    def test_who_reads_nothing_stops_nothing(self) -> None:
        """Standard output is a pipe that is full: it is given up, and the log has it all."""
        place = self.exec_project()
        reader, writer = os.pipe()
        process = place.start(place.spec("head -c 3000000 /dev/zero | tr '\\0' x; echo end"), stdout=writer)
        os.close(writer)
        self.assertEqual(process.wait(timeout=30 * SLOW), 0, place.project.output())
        os.close(reader)
        self.assertEqual(place.result()["log_bytes"], 3000004)


class Code(ExecTest):
    def code_spec(self, place: Exec, script: str, **more: Any) -> Path:
        record = json.loads((place.store / "runs" / place.run / "run.json").read_text())
        code = {"manifest": record["code"]["hash"], "root": str(place.project.folder)}
        return place.spec(script, outer={"code": code}, **more)

    def test_it_is_laid_from_the_store_and_is_the_tasks_own(self) -> None:
        place = self.exec_project({"sub/helper.sh": "echo helped > made; cat data", "sub/data": "then\n"})
        place.project.write("sub/data", "now\n")  # the run has another one
        folder = str(place.project.folder / "sub")
        for attempt in (1, 2):
            spec = self.code_spec(place, "sh helper.sh && echo mine > data && ls ../flow.toml && exit 1", cwd=folder,
                                  attempt=attempt)
            result = place.exec(spec)
            self.assert_code(1, result)
            self.assertEqual(result.out, "then\n../flow.toml\n")
        self.assertFalse((place.project.folder / "sub/made").exists())

    def test_damage_is_no_code(self) -> None:
        place = self.exec_project({"data": "then\n" * 1000})
        for path in (place.store / "objects").rglob("*"):
            if path.is_file():
                path.chmod(0o600)
                path.write_bytes(path.read_bytes()[:-1] + b"?")
        result = place.exec(self.code_spec(place, "echo ran >> $LEDGER", cwd=str(place.project.folder)))
        self.assert_code(FAILED, result)
        self.assertEqual(place.result()["cause"], "infra")
        self.assertEqual(place.project.ledger_lines(), [])

    def test_cache_folders_outlive_the_attempt(self) -> None:
        place = self.exec_project()
        for attempt, expected in ((1, ""), (2, "1\n")):
            script = "cat cached/by 2>/dev/null; echo $AMP_ATTEMPT > cached/by; exit 5"
            result = place.exec(self.code_spec(place, script, cwd=str(place.project.folder), attempt=attempt,
                                               cache_dirs=[["key", "cached"]]))
            self.assert_code(5, result)
            self.assertEqual(result.out, expected)


class Refused(ExecTest):
    def test_specs_that_cannot_be_obeyed(self) -> None:
        place = self.exec_project()
        newer = place.spec("echo ran >> $LEDGER", outer={"schema": 2})
        result = place.exec(newer)
        self.assert_code(BAD_SPEC, result)
        self.assertIn("written by a newer amp (schema 2, and this one knows 1)", result.err)
        for text in (b"", b"{}", b"[1]", b'{"schema":1', newer.read_bytes()[:-20]):
            self.assert_code(BAD_SPEC, place.project.amp("task", "exec", "-", stdin=text))
        self.assert_code(7, place.project.amp("task", "exec", "missing.json"))
        self.assert_code(2, place.project.amp("task", "do", "-"))
        self.assertEqual(place.project.ledger_lines(), [])

    def test_a_store_that_is_not_there_is_not_made(self) -> None:
        place = self.exec_project()
        result = place.exec(place.spec("true", outer={"store": str(place.project.top / "nowhere")}))
        self.assert_code(FAILED, result)
        self.assertFalse((place.project.top / "nowhere").exists())
        self.assert_code(FAILED, place.exec(place.spec("true", outer={"run": "261120-081530-k3fx"})))

    def test_a_damaged_input(self) -> None:
        place = self.exec_project()
        place.project.write("in", b"x" * 100)
        self.do(place, 0, "cp in $AMP_OUT/data", cwd=str(place.project.folder), task="source/_")
        artifact = place.commit("source/_")["result"]["artifacts"]["data"]
        inputs = [{"path": "source/data", "artifact": artifact}]
        self.do(place, 0, 'test "$(wc -c < $AMP_IN/source/data)" = 100', task="good/_", inputs=inputs)
        (path,) = (place.store / "objects" / artifact["sha256"][:2]).glob(artifact["sha256"][2:] + "*")
        path.unlink()
        for cached in (place.project.top / f"amp-{os.getuid()}" / "cache").rglob(artifact["sha256"][2:]):
            cached.unlink()
        result = self.do(place, FAILED, "echo ran >> $LEDGER", inputs=inputs)
        self.assertIn("its inputs cannot be laid", result.err)
        self.assertEqual((place.result()["cause"], place.project.ledger_lines()), ("infra", []))

    @unittest.skipUnless(os.geteuid() == 0, "SKIPPED, NOT TESTED: only root can mount file systems")
    def test_a_read_only_store(self) -> None:
        place = self.exec_project()
        spec = place.spec("echo ran >> $LEDGER")
        store = str(place.store)
        script = f"mount --bind {store} {store} && mount -o remount,bind,ro {store} && exec {AMP} task exec {spec}"
        done = subprocess.run(["unshare", "-m", "sh", "-c", script], env=place.project.environment, capture_output=True,
                              timeout=60 * SLOW, check=False)
        self.assertEqual(done.returncode, FAILED, decode(done.stderr))
        self.assertIn("Read-only file system", decode(done.stderr))
        self.assertEqual(place.project.ledger_lines(), [])


class Twice(ExecTest):
    def test_sixteen_at_once(self) -> None:
        place = self.exec_project()
        spec = place.spec(ALONE + "sleep 0.3; echo end >> $LEDGER")
        running = [place.start(spec) for _ in range(16)]
        codes = sorted(process.wait(timeout=60 * SLOW) for process in running)
        self.assertEqual(codes, [0] + [SUPERSEDED] * 15, place.project.output())
        self.assertEqual(place.project.ledger_lines(), ["start", "end"])

    def test_two_attempts_at_once_of_which_one_counts(self) -> None:
        place = self.exec_project()
        os.mkfifo(place.project.top / "gate")
        slow = place.start(place.spec(f"read line < {place.project.top}/gate; echo slow > $AMP_OUT/who"))
        wait_until(lambda: (place.folder() / "claim").exists(), 20, "the first attempt")
        self.do(place, 0, "echo quick > $AMP_OUT/who", attempt=2)
        (place.project.top / "gate").write_text("go\n")
        self.assertEqual(slow.wait(timeout=20 * SLOW), SUPERSEDED, place.project.output())
        self.assertEqual(place.commit()["result"]["attempt"], 2)
        self.assertFalse((place.folder(1) / "result.json").exists(), "the loser shows nothing")

    def test_a_requeue_after_a_kill(self) -> None:
        place = self.exec_project()
        spec = place.spec(ALONE + 'test -e "$LEDGER.2" || { (sleep 600); sleep 600; }')
        first = place.start(spec)
        wait_until(lambda: place.project.ledger_lines() and "working" in place.log(), 20, "the task")
        self.assert_code(SUPERSEDED, place.exec(spec))
        first.kill()
        first.wait()
        self.assertFalse((place.folder() / "result.json").exists())
        (place.project.top / "ledger.2").touch()
        self.assert_code(0, place.exec(spec))
        self.assertEqual(place.project.ledger_lines(), ["start", "start"])
        self.assertEqual(place.commit()["by"]["execution"], 2)
        self.assertIn("begun again", place.log())
        self.assertEqual(len(list((place.folder() / "log").iterdir())), 2, "each has written a file of its own")

    @unittest.skipUnless(KILL_AT.exists(), "kill_at is not built beside the binary")
    def test_killed_anywhere_and_done_again(self) -> None:
        chance = random.Random(SEED)
        script = ALONE + 'sleep 0.02; amp put value 7; echo "$AMP_CHECKPOINT" > "$AMP_CHECKPOINT/x"; echo end >> "$LEDGER"'

        def traced(place: Exec, call: int) -> tuple[int, int, bool]:
            report = place.project.top / "report"
            spec = place.spec(script, checkpoint_s=0.01, outputs=[{"name": "value", "path": "value.json", "type": "json"}])
            command = [KILL_AT, "command", str(call), report, AMP, "task", "exec", spec]
            with (place.project.top / "output").open("ab") as output:
                code = subprocess.run(command, cwd=place.project.folder, env=place.project.environment, stdout=output,
                                      stderr=output, timeout=60 * SLOW, check=False).returncode
            calls, killed = report.read_text().split()
            return code, int(calls), killed == "1"

        place = self.exec_project()
        code, calls, _ = traced(place, 0)
        self.assertEqual(code, 0, place.project.output())
        hits = 0
        for number in range(KILLS):
            call = 1 + int((number + chance.random()) * calls / KILLS)
            story = f"seed {SEED}: killed at system call {call} of {calls}"
            place = self.exec_project()
            code, _, hit = traced(place, call)
            hits += hit
            self.assertIn(code, (0, 137, -9), f"{story}: {place.project.output()}")
            committed = place.commit() is not None
            again = place.exec(place.spec(script, checkpoint_s=0.01))
            self.assertEqual(again.code, SUPERSEDED if committed else 0, f"{story}: {again}")
            lines = place.project.ledger_lines()
            self.assertNotIn("overlap", lines, story)
            self.assertLessEqual(lines.count("start"), 1 if committed else 2, story)
            self.assertEqual(place.commit()["result"]["artifacts"]["value"]["value"], 7, story)
            self.assertEqual(place.result(), place.commit()["result"], story)
            self.assertEqual(lines[-1], "end", story)
            place.project.remove()
        self.assertGreaterEqual(hits, KILLS * 0.7, "too many of the kill points were never reached")


class Preempted(ExecTest):
    SCRIPT = """cat "$AMP_CHECKPOINT/state" 2>/dev/null
trap 'echo "saved by $AMP_ATTEMPT" > "$AMP_CHECKPOINT/state"; echo bye; exit 0' TERM
echo ready >> "$LEDGER"; sleep 600 & wait"""

    def interrupted(self, place: Exec, number: int, script: str, **more: Any) -> tuple[int, float]:
        process = place.start(place.spec(script, **more))
        wait_until(place.project.ledger_lines, 20, "the task")
        began = time.monotonic()
        process.send_signal(number)
        return process.wait(timeout=30 * SLOW), time.monotonic() - began

    def test_the_notice_of_a_scheduler(self) -> None:
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP):
            with self.subTest(signal=number):
                place = self.exec_project()
                code, _ = self.interrupted(place, number, self.SCRIPT, checkpoint_s=600, grace_s=20)
                self.assertEqual(code, 143, place.project.output())
                self.assertEqual(place.result()["cause"], "preempted")
                self.assertIn(f"got {number.name[3:]}", place.result()["message"])
                self.assertIn("bye", place.log())
                self.assertIsNone(place.commit())
                result = place.exec(place.spec('cat "$AMP_CHECKPOINT/state"', attempt=2, checkpoint_s=600))
                self.assertEqual((result.code, result.out), (0, "saved by 1\n"))

    def test_a_task_that_does_not_listen_is_killed_within_the_grace(self) -> None:
        place = self.exec_project()
        script = """trap '' TERM; echo here > "$AMP_CHECKPOINT/state"; echo ready >> "$LEDGER"; while :; do sleep 1; done"""
        code, seconds = self.interrupted(place, signal.SIGTERM, script, checkpoint_s=600, grace_s=2)
        self.assertEqual(code, 137, place.project.output())
        self.assertEqual(place.result()["cause"], "preempted")
        self.assertGreater(seconds, 1)
        self.assertLess(seconds, 2 * SLOW)
        self.assertEqual(len(list((place.store / "runs" / place.run / "checkpoints").rglob("*.json"))), 1)

    def test_what_is_cancelled_says_so(self) -> None:
        place = self.exec_project()
        code, _ = self.interrupted(place, signal.SIGTERM, self.SCRIPT, checkpoint_s=600, outer={"term": "cancelled"})
        self.assertEqual((code, place.result()["cause"]), (143, "cancelled"))
        place = self.exec_project()
        place.folder().mkdir(parents=True)
        (place.folder() / "cancel").write_text('{"schema":1}')
        code, _ = self.interrupted(place, signal.SIGTERM, self.SCRIPT, checkpoint_s=600)
        self.assertEqual((code, place.result()["cause"]), (143, "cancelled"))
        place = self.exec_project()
        code, _ = self.interrupted(place, signal.SIGINT, self.SCRIPT, checkpoint_s=600)
        self.assertEqual((code, place.result()["cause"]), (143, "cancelled"))

    def test_a_notice_to_all_processes_of_a_job(self) -> None:
        """The task dies of it before the task runner has heard of anything."""
        for _ in range(5):
            place = self.exec_project()
            process = place.start(place.spec('echo $$ >> "$LEDGER"; exec sleep 600'))
            (pid,) = wait_until(place.project.ledger_lines, 20, "the task")
            process.send_signal(signal.SIGSTOP)  # however slow we are, it hears of both at once
            os.kill(int(pid), signal.SIGTERM)
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGCONT)
            self.assertEqual(process.wait(timeout=30 * SLOW), 143, place.project.output())
            self.assertEqual(place.result()["cause"], "preempted")

    def test_a_checkpoint_outlives_a_kill(self) -> None:
        place = self.exec_project()
        spec = place.spec('cat "$AMP_CHECKPOINT/n" 2>/dev/null && exit 0; echo 1 > "$AMP_CHECKPOINT/n"; sleep 600',
                          checkpoint_s=0.1)
        process = place.start(spec)
        saves = place.store / "runs" / place.run / "checkpoints"
        wait_until(lambda: saves.exists() and list(saves.rglob("*.json")), 20, "a save while it runs")
        process.kill()
        process.wait()
        result = place.exec(spec)
        self.assertEqual((result.code, result.out), (0, "1\n"), str(result))


class OutOfMemory(ExecTest):
    """With the kernel's own OOM killer, in a memory cgroup of our own."""

    def limited(self, script: str) -> tuple[int, dict[str, Any]]:
        group = MEMORY / f"amp-exec-{os.getpid()}-{self._testMethodName}"
        try:
            group.mkdir()
            self.addCleanup(group.rmdir)
            (group / "memory.limit_in_bytes").write_text(str(200 << 20))
        except OSError as error:
            self.skipTest(f"SKIPPED, NOT TESTED: no memory cgroup (v1) can be made: {error}")
        if "oom_kill " not in (group / "memory.oom_control").read_text():
            self.skipTest("SKIPPED, NOT TESTED: this kernel does not count its OOM kills in a memory cgroup (v1)")
        place = self.exec_project({"hog.py": HOG})
        process = place.start(place.spec(script, cwd=str(place.project.folder)),
                              preexec_fn=lambda: (group / "cgroup.procs").write_text(str(os.getpid())))
        code = process.wait(timeout=60 * SLOW)
        self.assertNotIn("oom_kill 0", (group / "memory.oom_control").read_text(), "the test itself is wrong")
        return code, place.result()

    def test_of_the_task_itself(self) -> None:
        code, result = self.limited(f"exec {sys.executable} hog.py")
        self.assertEqual((code, result["cause"], result["signal"]), (137, "oom", 9), result)

    def test_of_a_child_of_it(self) -> None:
        code, result = self.limited(f"{sys.executable} hog.py; exit $?")
        self.assertEqual((code, result["cause"], result["exit"]), (137, "oom", 137), result)

    def test_of_a_child_whose_parent_says_it_otherwise(self) -> None:
        """The group is this task's alone, so that it was no other's process that the kernel killed."""
        code, result = self.limited(f"{sys.executable} hog.py || exit 3")
        self.assertEqual((code, result["cause"], result["exit"]), (3, "oom", 3), result)


if __name__ == "__main__":
    unittest.main()

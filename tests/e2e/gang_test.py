"""Gangs: ranks that meet, fail and end as one; and GPUs that no two runs share."""

import json
import os
import re
import signal
import time
import unittest
from pathlib import Path

from harness import SLOW, AmpTest, Project, has_ended, kill_quietly, wait_until

MEET = """import os, socket
rank, world = int(os.environ["AMP_RANK"]), int(os.environ["AMP_WORLD_SIZE"])
place = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
if rank == 0:
    with socket.create_server(place) as server:
        seen = sorted(server.accept()[0].makefile().readline().strip() for _ in range(world - 1))
    print("met", *seen)
else:
    while True:
        try:
            with socket.create_connection(place) as peer:
                peer.sendall(f"{rank}\\n".encode())
            break
        except ConnectionRefusedError:
            pass
"""


def flow(body: str, **keys: str) -> str:
    lines = "".join(f"{key} = {value}\n" for key, value in {"nodes": "4", "resources": "{ cpu = 0.1 }", **keys}.items())
    return f"[flow]\nname = 'G'\n[step.train]\nrun = '''{body}'''\n{lines}"


class Together(AmpTest):
    def test_four_ranks_meet(self) -> None:
        project = self.project({"flow.toml": flow("python3 meet.py"), "meet.py": MEET})
        self.run_ok(project, "run")
        self.assertEqual(project.amp("logs", "latest/train").out, "[0] met 1 2 3\n")
        self.assertEqual(project.amp("logs", "latest/train", "--rank", "0").out, "met 1 2 3\n")
        self.assertEqual(project.amp("logs", "latest/train", "--rank", "1").out, "")
        self.assert_code(7, project.amp("logs", "latest/train", "--rank", "4"))
        self.assert_no_orphans(project)

    def test_what_each_rank_has(self) -> None:
        body = """
            test "$AMP_OUT" -ef "$AMP_TASK_DIR/rank-$AMP_RANK/out"
            echo "rank $AMP_RANK of $AMP_WORLD_SIZE, $AMP_LOCAL_RANK on $AMP_NODE_RANK of $AMP_NODES: $RANK $LOCAL_WORLD_SIZE"
            amp put who $AMP_RANK; echo $AMP_RANK > {{ outputs.file }}"""
        project = self.project(flow(body, nodes="2", tasks_per_node="2", launcher="'torchrun'", outputs="{ file = 'f.txt' }"))
        told = self.run_ok(project, "run").err
        self.assertIn("$AMP_OUT is not kept: the outputs of rank 0 are the task's", told)
        lines = sorted(project.amp("logs", "latest/train").out.splitlines())
        self.assertEqual(lines, [f"[{r}] rank {r} of 4, {r % 2} on {r // 2} of 2: {r} 2" for r in range(4)])
        self.assertEqual(project.amp("get", "latest/train", "who").out.strip(), "0")
        self.assertEqual(project.amp("get", "latest/train", "file").out.strip(), "0")
        records = [json.loads(line) for line in project.amp("logs", "latest", "--json").out.splitlines()]
        self.assertEqual({record.get("rank") for record in records}, {0, 1, 2, 3})
        self.assertTrue(project.json("fsck")["sound"])

    def test_a_gang_of_one(self) -> None:
        project = self.project(flow('echo "$AMP_RANK $AMP_WORLD_SIZE $MASTER_ADDR"', nodes="1"))
        self.run_ok(project, "run")
        self.assertEqual(project.amp("logs", "latest/train").out, "0 1 127.0.0.1\n")

    def test_logs_are_followed_live(self) -> None:
        project = self.project(flow("echo here; while ! test -e go; do sleep 0.05; done"))
        driver = project.start("run")
        wait_until(lambda: project.states().get("train/_") == "running" if project.runs() else False, 20, "it runs")
        wait_until(lambda: len(project.amp("logs", "latest/train").out.splitlines()) == 4, 20, "what all have printed")
        follower = project.start("logs", "-f", "latest/train")
        time.sleep(0.2)
        project.write("go", "")
        self.assertEqual(driver.wait(timeout=20 * SLOW), 0)
        self.assertEqual(follower.wait(timeout=20 * SLOW), 0)
        for rank in range(4):
            self.assertIn(f"[{rank}] here\n", project.output())

    def test_foreach_and_retries(self) -> None:
        """Each attempt is a gang of its own, with all of its ranks."""
        body = "echo $AMP_INDEX.$AMP_ATTEMPT.$AMP_RANK >> $LEDGER; test $AMP_ATTEMPT = 2 || test $AMP_RANK != 1"
        project = self.project(flow(body, nodes="2", foreach="'[1, 2]'", retry="1"))
        self.run_ok(project, "run")
        expected = {f"{index}.{attempt}.{rank}" for index in (0, 1) for attempt in (1, 2) for rank in (0, 1)}
        self.assertEqual(set(project.ledger_lines()) | {"0.1.0", "1.1.0"}, expected)

    def test_validation(self) -> None:
        result = self.project(flow("true", nodes="100000", resources="{ cpu = 0 }")).amp("validate")
        self.assertIn("AMP1607", result.err + result.out)
        both = "[flow]\nname = 'G'\n[step.a]\nflow = 'b.toml'\nnodes = 2\n"
        project = self.project({"flow.toml": both, "b.toml": "[flow]\nname = 'B'\n[step.b]\nrun = 'true'\n"})
        result = project.amp("validate")
        self.assertIn("which has no nodes and ranks of its own", result.err + result.out)


class Failing(AmpTest):
    STUBBORN = "trap '' TERM; (setsid sh -c \"trap '' TERM; sleep 300\" &) ; "

    def test_the_first_to_fail_gives_the_cause(self) -> None:
        body = "test $AMP_RANK != 2 || { echo broken; exit 3; }; exec sleep 300"
        project = self.project(flow(body))
        began = time.monotonic()
        result = project.amp("run")
        self.assert_code(1, result)
        self.assertLess(time.monotonic() - began, 20 * SLOW)
        self.assertIn("rank 2: exit status 3", result.err)
        self.assertIn("broken", result.err)
        attempt = project.tasks()["train/_"]["attempts"][-1]
        self.assertEqual((attempt["cause"], attempt["exit"], attempt["failed_rank"]), ("user", 3, 2))
        self.assertEqual([rank["signal"] for rank in attempt["ranks"]], [15, 15, None, 15])
        shown = project.amp("show", "latest").out
        self.assertIn("ranks: 0, 1, 3 killed by", shown)
        self.assertIn("--rank 2", shown)
        self.assert_no_orphans(project)

    def test_the_first_is_told_from_those_that_followed(self) -> None:
        """Also when the keeper hears of all of them at once."""
        body = "echo up >> $LEDGER; until test -e $LEDGER.$AMP_RANK; do sleep 0.02; done; exit $((AMP_RANK + 1))"
        project = self.project(flow(body))
        driver = project.start("run")
        wait_until(lambda: len(project.ledger_lines()) == 4, 20, "all ranks run")
        keeper = project.keepers()[0]
        ranks = self.children(keeper)
        self.assertEqual(len(ranks), 4)
        os.kill(keeper, signal.SIGSTOP)
        for left, rank in ((3, 2), (2, 0), (1, 3), (0, 1)):
            (project.top / f"ledger.{rank}").touch()
            wait_until(lambda: sum(not has_ended(pid) for pid in ranks) == left, 20, f"rank {rank} has ended")
        os.kill(keeper, signal.SIGCONT)
        self.assertEqual(driver.wait(timeout=20 * SLOW), 1)
        attempt = project.tasks()["train/_"]["attempts"][-1]
        self.assertEqual((attempt["failed_rank"], attempt["exit"]), (2, 3))

    def children(self, parent: int) -> list[int]:
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                    found.append(int(stat.parent.name))
            except OSError:
                continue  # ended meanwhile
        return found

    def test_resume_does_it_again_as_one(self) -> None:
        body = "echo $AMP_ATTEMPT.$AMP_RANK >> $LEDGER; test -e $LEDGER.fixed || test $AMP_RANK != 1 || exit 3"
        project = self.project(flow(body))
        self.assert_code(1, project.amp("run"))
        (project.top / "ledger.fixed").touch()
        self.run_ok(project, "resume", "latest")
        self.assertEqual({line for line in project.ledger_lines() if line.startswith("2.")}, {f"2.{r}" for r in range(4)})

    def test_no_rank_outlives_its_gang(self) -> None:
        """Neither one that ignores TERM, nor what left its session and parent."""
        first = "while test $(wc -l < $LEDGER) -lt 4; do sleep 0.05; done; exit 4"
        body = f"{self.STUBBORN} echo up >> $LEDGER; if test $AMP_RANK = 0; then {first}; fi; sleep 300 & wait; wait"
        project = self.project(flow(body, timeout="'60s'"))
        driver = project.start("run")
        self.assertEqual(driver.wait(timeout=50 * SLOW), 1, project.output())
        self.assertIn("rank 0: exit status 4", project.output())
        self.assert_no_orphans(project)

    def test_timeout(self) -> None:
        project = self.project(flow("test $AMP_RANK != 0 || exit 0; exec sleep 300", timeout="'1s'"))
        self.assert_code(1, project.amp("run"))
        attempt = project.tasks()["train/_"]["attempts"][-1]
        self.assertEqual((attempt["cause"], attempt["message"]), ("timeout", "timeout after 1 s"))
        self.assert_no_orphans(project)

    def test_cancel(self) -> None:
        project = self.project(flow("echo up >> $LEDGER; exec sleep 300"))
        driver = project.start("run")
        wait_until(lambda: len(project.ledger_lines()) == 4, 20, "all ranks run")
        self.run_ok(project, "cancel", "latest")
        self.assertNotEqual(driver.wait(timeout=20 * SLOW), 0)
        self.assertEqual(project.states()["train/_"], "cancelled")
        self.assert_no_orphans(project)

    def test_the_keeper_dies(self) -> None:
        """With all ranks; another keeper starts them all again."""
        project = self.project(flow(self.STUBBORN + "echo $AMP_ATTEMPT.$AMP_RANK >> $LEDGER; test $AMP_ATTEMPT = 2 || sleep 300"))
        driver = project.start("run")
        wait_until(lambda: len(project.ledger_lines()) == 4, 20, "all ranks run")
        for pid in project.keepers():
            kill_quietly(pid)
        self.assertEqual(driver.wait(timeout=40 * SLOW), 0, project.output())
        self.assertEqual(sorted(project.ledger_lines()), sorted(f"{a}.{r}" for a in (1, 2) for r in range(4)))
        self.assert_no_orphans(project)

    def test_the_driver_dies(self) -> None:
        """The gang goes on, and who resumes adopts it whole."""
        project = self.project(flow("echo $AMP_ATTEMPT.$AMP_RANK >> $LEDGER; while ! test -e $LEDGER.go; do sleep 0.05; done"))
        driver = project.start("run")
        wait_until(lambda: len(project.ledger_lines()) == 4, 20, "all ranks run")
        driver.send_signal(signal.SIGKILL)
        driver.wait()
        second = project.start("resume", "latest")
        wait_until(lambda: len(project.keepers()) == 1, 20, "the keeper lives")
        (project.top / "ledger.go").touch()
        self.assertEqual(second.wait(timeout=30 * SLOW), 0, project.output())
        self.assertEqual(sorted(project.ledger_lines()), [f"1.{r}" for r in range(4)])
        self.assert_no_orphans(project)


class Launchers(AmpTest):
    """With stand-ins for the frameworks' own programs."""

    RAY = """#!/bin/sh
echo "ray $*" >> $LEDGER
case "$*" in *--head*) setsid sh -c 'sleep 300' >/dev/null 2>&1 & ;; *--block*) exec sleep 300 ;; esac
"""
    MPIRUN = """#!/bin/sh
test "$1" = -np; world=$2; shift 2
for rank in $(seq 0 $((world - 1))); do OMPI_COMM_WORLD_RANK=$rank "$@" & pids="$pids $!"; done
for pid in $pids; do wait $pid || exit $?; done
"""

    def with_tool(self, name: str, text: str, flow_text: str) -> tuple[Project, dict[str, str]]:
        project = self.project({"flow.toml": flow_text, f"bin/{name}": text})
        (project.folder / "bin" / name).chmod(0o755)
        return project, {"PATH": f"{project.folder}/bin:{os.environ['PATH']}"}

    def test_ray(self) -> None:
        body = "while test $(wc -l < $LEDGER) -lt 3; do sleep 0.05; done; echo $AMP_RANK $AMP_WORLD_SIZE"
        project, env = self.with_tool("ray", self.RAY, flow(body, nodes="3", launcher="'ray'"))
        result = self.run_ok(project, "run", env=env)
        self.assertNotIn("left running", result.err)
        self.assertEqual(project.amp("logs", "latest/train", "--rank", "0").out, "0 3\n")
        starts = project.ledger_lines()
        self.assertEqual(sum("--head" in line for line in starts), 1)
        self.assertEqual(sum("--address=127.0.0.1:" in line for line in starts), 2)
        self.assert_no_orphans(project)

    def test_mpi(self) -> None:
        body = 'echo "$AMP_RANK/$AMP_WORLD_SIZE $AMP_NODE_RANK.$AMP_LOCAL_RANK"; echo $AMP_RANK > $AMP_OUT/who.json'
        project, env = self.with_tool("mpirun", self.MPIRUN, flow(body, nodes="2", tasks_per_node="2", launcher="'mpi'"))
        self.run_ok(project, "run", env=env)
        lines = sorted(project.amp("logs", "latest/train").out.splitlines())
        self.assertEqual(lines, ["0/4 0.0", "1/4 0.1", "2/4 1.0", "3/4 1.1"])
        self.assertEqual(project.amp("get", "latest/train", "who").out.strip(), "0")


class Gpus(AmpTest):
    """With GPUs that are there only by name: two runs see the same list."""

    def setUp(self) -> None:
        self.names = [f"e2e-{os.getpid()}-{self._testMethodName}-{i}" for i in range(4)]
        self.env = {"CUDA_VISIBLE_DEVICES": ",".join(self.names)}

    def seen(self, project: Project) -> list[str]:
        return sorted(re.sub(r"^\[\d+\] ", "", line) for line in project.amp("logs", "latest").out.splitlines())

    def test_cuda_counts_as_amp_does(self) -> None:
        body = flow("echo order=${CUDA_DEVICE_ORDER-}", nodes="1", resources="{ cpu = 0.1, gpu = 1 }")
        project = self.project(body)
        for given, seen in ((None, "PCI_BUS_ID"), ("FASTEST_FIRST", "FASTEST_FIRST")):
            self.run_ok(project, "run", env={**self.env, "CUDA_DEVICE_ORDER": given})
            self.assertIn(f"order={seen}", project.amp("logs", "latest").out)
        project = self.project(flow("echo order=${CUDA_DEVICE_ORDER-}", nodes="1"))
        self.run_ok(project, "run", env={**self.env, "CUDA_DEVICE_ORDER": None})
        self.assertEqual(self.seen(project), ["order="])

    def test_each_rank_sees_its_share(self) -> None:
        body = "echo $CUDA_VISIBLE_DEVICES $NVIDIA_VISIBLE_DEVICES"
        project = self.project(flow(body, nodes="2", resources="{ cpu = 0.1, gpu = 2 }", tasks_per_node="2"))
        self.run_ok(project, "run", env=self.env)
        self.assertEqual(self.seen(project), [f"{name} {name}" for name in self.names])
        project = self.project(flow(body, nodes="2", resources="{ cpu = 0.1, gpu = 2 }", launcher="'torchrun'"))
        self.run_ok(project, "run", env=self.env)
        pairs = [",".join(self.names[:2]), ",".join(self.names[2:])]
        self.assertEqual(self.seen(project), [f"{pair} {pair}" for pair in pairs for _ in (1, 2)])

    def test_many_runs_at_once_never_share_one(self) -> None:
        body = "mkdir $HELD/$CUDA_VISIBLE_DEVICES; sleep 0.05; rmdir $HELD/$CUDA_VISIBLE_DEVICES; echo done >> $LEDGER"
        text = flow(body, nodes="1", resources="{ cpu = 0.1, gpu = 1 }", foreach="'range(2)'")
        project = self.project(text)
        held = project.top / "held"
        held.mkdir()
        env = {**self.env, "HELD": str(held)}
        drivers = [project.start("run", env=env) for _ in range(16)]
        for driver in drivers:
            self.assertEqual(driver.wait(timeout=100 * SLOW), 0, project.output())
        self.assertEqual(len(project.ledger_lines()), 32)

    def test_a_claim_dies_with_its_keeper(self) -> None:
        body = "echo up >> $LEDGER; exec sleep 300"
        project = self.project(flow(body, nodes="1", resources="{ cpu = 0.1, gpu = 4 }"))
        driver = project.start("run", env=self.env)
        wait_until(project.ledger_lines, 20, "the task runs")
        driver.send_signal(signal.SIGKILL)
        driver.wait()
        for pid in project.keepers():
            kill_quietly(pid)
        other = self.project(flow("true", nodes="1", resources="{ cpu = 0.1, gpu = 4 }"))
        self.run_ok(other, "run", env=self.env, seconds=20)

    def test_a_run_within_a_task_has_the_gpus_of_the_task(self) -> None:
        inner = flow("echo $CUDA_VISIBLE_DEVICES >> $LEDGER", nodes="1", resources="{ cpu = 0.1, gpu = 1 }")
        outer = flow('cd inner && "$AMP" run', nodes="1", resources="{ cpu = 0.1, gpu = 1 }")
        project = self.project({"flow.toml": outer, "inner/flow.toml": inner, "inner/amp.toml": ""})
        self.run_ok(project, "run", env={**self.env, "AMP": os.environ.get("AMP_BINARY", "amp")}, seconds=30)
        self.assertEqual(project.ledger_lines(), [self.names[0]])


class Fit(AmpTest):
    def test_requests_are_cut_and_said(self) -> None:
        text = flow("echo $AMP_WORLD_SIZE", nodes="4", resources="{ cpu = 1000, gpu = 2, memory = '100Ti' }")
        project = self.project(text)
        env = {"CUDA_VISIBLE_DEVICES": f"fit-{os.getpid()}-0,fit-{os.getpid()}-1"}
        refused = project.amp("run", env=env)
        self.assert_code(3, refused)
        for part in ("AMP1601", "AMP1602", "AMP1603", "--fit"):
            self.assertIn(part, refused.err)
        result = self.run_ok(project, "run", "--fit", env=env)
        cut = "step 'train' gets 2 of 4 nodes, since this machine has no more (--fit)"
        self.assertIn(cut, result.err)
        self.assertEqual(result.err.count("2 of 4 nodes"), 1)
        self.assertIn("1 of 2 gpu on each of 2 nodes", result.err)
        self.assertEqual(sorted(project.amp("logs", "latest").out.splitlines()), ["[0] 2", "[1] 2"])
        self.assertIn(cut, next((project.folder / ".amp" / "runs").glob("*/run.json")).read_text())

    def test_what_depends_on_an_item(self) -> None:
        text = "[flow]\nname = 'F'\n[step.a]\nrun = 'true'\nforeach = '[1000, 2000]'\nresources = { cpu = '{{ item }}' }\n"
        project = self.project(text)
        self.assertNotEqual(project.amp("run").code, 0)
        self.assertIn("of 2000 cpu", self.run_ok(project, "run", "--fit").err)


if __name__ == "__main__":
    unittest.main()

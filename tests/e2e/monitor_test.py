"""What amp samples of tasks while they run, and how it ends those that hang."""

import os
import subprocess
import unittest
from typing import Any

from harness import AMP, SLOW, AmpTest, Project, decode, wait_until
from task_exec_test import Exec

QUICK = 'monitor = { interval = "0.2s" }'
WAIT = "while ! test -e {0}; do sleep 0.02; done"
HOLD = """import os, sys, time
data = bytearray(int(sys.argv[1]) << 20)
while not os.path.exists(sys.argv[2]):
    time.sleep(0.02)
"""
BURN = """import sys, time
until = time.process_time() + float(sys.argv[1])
while time.process_time() < until:
    pass
"""
FILES: dict[str, str | bytes] = {"hold.py": HOLD, "burn.py": BURN}


def flow(run: str, *keys: str) -> str:
    return "\n".join(["[flow]", 'name = "Sampled"', "[step.one]", f"run = '''{run}'''", *keys, ""])


class MonitorTest(AmpTest):
    def sampled(self, run: str, *keys: str) -> Project:
        return self.project({**FILES, "flow.toml": flow(run, *(keys or (QUICK,)))})

    def metrics(self, project: Project, task: str = "one/_") -> dict[str, Any]:
        """By the names behind system/."""
        report = project.tasks()[task]["report"] or {"metrics": {}}
        return {name[7:]: metric for name, metric in report["metrics"].items() if name.startswith("system/")}

    def wait_for_memory(self, project: Project, mebibytes: int, task: str = "one/_") -> None:
        """It is seen while the task runs, and not only then: whatever holds it may take its time to get there."""
        last = lambda: self.metrics(project, task).get("memory", {}).get("last", 0)  # noqa: E731
        wait_until(lambda: last() > mebibytes << 20, 30, f"{mebibytes} MiB are seen")
        self.assertLess(last(), (mebibytes + 60) << 20)

    def run_while_sampled(self, project: Project, mebibytes: int, *options: str) -> None:
        amp = project.start("run", *options)
        wait_until(project.runs, 20, "the run is there")
        self.wait_for_memory(project, mebibytes)
        project.write("go", "")
        self.assertEqual(amp.wait(60), 0, project.output())
        self.assert_no_orphans(project)

    def assert_near_what_the_kernel_says(self, project: Project) -> None:
        """Samples leave out what comes behind the last one; the machine may be busy with others."""
        (attempt,) = project.tasks()["one/_"]["attempts"]
        points = [float(line.split(",")[4]) for line in self.points(project, "system/cpu")]
        self.assertGreater(len(points), 2)
        sampled = sum(points) * 0.2
        self.assertGreater(sampled, attempt["cpu_s"] * 0.5)
        self.assertLess(sampled, attempt["cpu_s"] * 1.5)
        self.assertLess(max(points), 2.2)

    def points(self, project: Project, name: str) -> list[str]:
        return self.run_ok(project, "metrics", "latest", "--name", name, "--csv").out.splitlines()[1:]


class Tasks(MonitorTest):
    def test_one_that_burns_a_processor(self) -> None:
        project = self.sampled("exec python3 burn.py 2")
        self.run_ok(project, "run")
        self.assert_near_what_the_kernel_says(project)

    def test_one_that_burns_it_in_processes_that_end(self) -> None:
        project = self.sampled("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do python3 burn.py 0.1 & wait; done")
        self.run_ok(project, "run")
        self.assert_near_what_the_kernel_says(project)

    def test_one_that_holds_memory(self) -> None:
        self.run_while_sampled(self.sampled("python3 hold.py 200 go"), 200)

    def test_one_whose_daemon_holds_it(self) -> None:
        project = self.sampled(f"(setsid python3 hold.py 200 go &) ; {WAIT.format('go')}; sleep 0.2")
        self.run_while_sampled(project, 200)

    def test_a_gang_is_one_task(self) -> None:
        self.run_while_sampled(self.sampled("python3 hold.py 100 go", QUICK, "nodes = 2", "resources = { cpu = 0.1 }"), 200)

    def test_one_that_writes(self) -> None:
        project = self.sampled("dd if=/dev/zero of=big bs=1M count=20 conv=fsync 2>&1; sleep 1")
        self.run_ok(project, "run")
        written = self.metrics(project)["write"]
        if written["max"] == 0 and "write_bytes: 0" in self.run_ok(self.wrote_there(), "logs", "latest/one").out:
            self.skipTest("this kernel does not count what is written here")
        self.assertGreaterEqual(written["last"], 20 << 20)
        self.assertEqual(written["max"], written["last"], "it is counted from the beginning")

    def wrote_there(self) -> Project:
        project = self.project(flow("dd if=/dev/zero of=big bs=1M count=1 conv=fsync 2>&1; cat /proc/$$/io"))
        self.run_ok(project, "run")
        return project

    def test_what_is_short_or_not_to_be_sampled_has_no_samples(self) -> None:
        for keys in (("",), ("monitor = false",), ("monitor = { hang = '1h' }",)):
            project = self.sampled("sleep 0.7", *keys)
            self.run_ok(project, "run")
            self.assertIsNone(project.tasks()["one/_"]["report"], keys)
        self.assertIn("interval", self.sampled("true", 'monitor = { interval = "10ms" }').amp("validate").err)

    def test_where_there_is_no_keeper(self) -> None:
        place = Exec(self.project({"flow.toml": flow("true"), **FILES}))
        spec = place.spec("sleep 1", monitor={"interval_s": 0.2, "gpu": True, "neuron": True, "hang_s": 0})
        self.assert_code(0, place.exec(spec))
        metrics = place.result()["report"]["metrics"]
        self.assertGreater(metrics["system/memory"]["last"], 100_000)
        self.assertIn("system/cpu", metrics)


class Telling(MonitorTest):
    def test_what_is_shown(self) -> None:
        project = self.sampled("amp metric loss=0.5; sleep 1")
        self.run_ok(project, "run")
        shown = self.run_ok(project, "show", "latest").out
        self.assertRegex(shown, r"\none\n  loss 0.5\n  used: cpu \d\.\d \(peak \d\.\d\), memory \d+\.\d MiB")
        self.assertNotIn("system/", shown)
        self.assertNotIn("system/", self.run_ok(project, "metrics", "latest").out)
        self.assertIn("system/memory", self.run_ok(project, "metrics", "latest", "--system").out)
        self.assertNotIn("system/", self.run_ok(project, "metrics", "latest", "--csv").out)
        self.assertIn("system/cpu", self.run_ok(project, "metrics", "latest", "--system", "--csv").out)
        self.assertGreater(len(self.points(project, "system/cpu")), 1)
        self.run_ok(project, "run")
        self.assertNotIn("system/", self.run_ok(project, "compare", "--csv").out)
        self.assertIn("one.system/cpu", self.run_ok(project, "compare", "--csv", "--system").out)
        self.assertNotIn("system/", self.run_ok(project, "diff", project.runs()[1]["run"], "latest").out)
        self.assertTrue(project.json("fsck")["sound"])

    def test_those_who_told_nothing_take_a_line_each(self) -> None:
        project = self.sampled("sleep 1", QUICK, 'foreach = "range(12)"', "resources = { cpu = 0.1 }")
        self.run_ok(project, "run", "--max-workers", "12")
        shown = self.run_ok(project, "show", "latest").out
        self.assertEqual(shown.count("  used: cpu "), 10)
        self.assertRegex(shown, r"and 2 more tasks: amp metrics \S+ --system\n")
        self.assertIn("amp metrics --system", self.run_ok(project, "metrics", "latest").err)

    def test_a_task_cannot_tell_them(self) -> None:
        library = "import amp\ntry:\n    amp.metric('system/cpu', 1)\nexcept ValueError:\n    amp.metric('refused', 1)\n"
        run = "amp metric system/cpu=1 && exit 1; python3 library.py; "
        run += """echo '{"metric":"system/memory","value":1e15}' >> $AMP_TASK_DIR/report"""
        project = self.sampled(run, "")
        project.write("library.py", library)
        self.run_ok(project, "run")
        self.assertEqual(list(project.tasks()["one/_"]["report"]["metrics"]), ["refused"])
        log = self.run_ok(project, "logs", "latest/one").out
        self.assertIn("names that begin with system/ are amp's own", log)
        self.assertIn("1 of 2 lines of $AMP_TASK_DIR/report were left out", log)


class Hang(MonitorTest):
    def attempts(self, project: Project) -> list[dict[str, Any]]:
        self.assert_no_orphans(project)
        return project.tasks()["one/_"]["attempts"]

    def test_a_silent_task_is_ended_and_tried_again(self) -> None:
        script = "trap 'echo ended >> $LEDGER; exit 3' TERM; echo begun; sleep 100 & wait"
        project = self.sampled(script, 'monitor = { hang = "0.5s" }', "retry = 1")
        self.assert_code(1, project.amp("run"))
        attempts = self.attempts(project)
        self.assertEqual([attempt["cause"] for attempt in attempts], ["timeout", "timeout"])
        self.assertEqual(attempts[0]["message"], "no output and no progress for 0.5s")
        self.assertEqual(project.ledger_lines(), ["ended", "ended"])

    def test_one_that_ignores_term_is_killed(self) -> None:
        place = Exec(self.project({"flow.toml": flow("true")}))
        monitor = {"interval_s": 0, "gpu": True, "neuron": True, "hang_s": 0.3}
        spec = place.spec("trap '' TERM; while :; do sleep 0.1; done", monitor=monitor, grace_s=0.3)
        self.assertNotEqual(place.exec(spec).code, 0)
        result = place.result()
        self.assertEqual((result["cause"], result["signal"]), ("timeout", 9))

    def test_whoever_prints_or_tells_something_does_not_hang(self) -> None:
        beat = "for i in 1 2 3 4 5 6 7 8; do sleep 0.4; {}; done"
        telling = "echo '{\"progress\":0.5}' >> $AMP_TASK_DIR/report"
        for action in ("printf .", "printf . >&2", telling):
            project = self.sampled(beat.format(action), 'monitor = { hang = "2s" }')
            self.run_ok(project, "run")

    def test_while_it_waits_for_what_it_spawned_it_does_not_hang(self) -> None:
        project = self.sampled("amp spawn child.toml --wait", 'monitor = { hang = "1s" }')
        project.write("child.toml", '[flow]\nname = "Child"\n[step.long]\nrun = "sleep 3"\n')
        self.run_ok(project, "run")


class Gpus(MonitorTest):
    """A program that behaves as nvidia-smi does stands in PATH."""

    FLOW = flow("sleep 1.5", QUICK, 'foreach = "range(2)"', "resources = { cpu = 0.1, gpu = 1 }")

    def with_tool(self, script: str) -> Project:
        project = self.project({"flow.toml": self.FLOW, "bin/nvidia-smi": f"#!/bin/sh\necho asked >> $LEDGER\n{script}\n"})
        os.chmod(project.folder / "bin/nvidia-smi", 0o755)
        project.environment["PATH"] = f"{project.folder}/bin:{project.environment['PATH']}"
        project.environment["CUDA_VISIBLE_DEVICES"] = "4,5"
        return project

    def test_each_task_has_its_own_and_all_are_asked_for_at_once(self) -> None:
        answer = "for i in 0 1 2 3 4 5; do echo \"$i, GPU-$i, $((i * 10)), $((i * 1000))\"; done"
        project = self.with_tool(answer)
        self.run_ok(project, "run")
        seen = []
        most = 0
        for task in ("one/0", "one/1"):
            metrics = {name: metric for name, metric in self.metrics(project, task).items() if name.startswith("gpu/")}
            self.assertEqual(set(metrics), {"gpu/0/utilization", "gpu/0/memory"})
            most = max(most, metrics["gpu/0/memory"]["count"])
            seen.append((metrics["gpu/0/utilization"]["last"], metrics["gpu/0/memory"]["last"] / (1 << 20)))
        self.assertEqual(sorted(seen), [(40, 4000), (50, 5000)])
        self.assertLess(len(project.ledger_lines()), most * 1.5 + 2)
        self.assertRegex(self.run_ok(project, "show", "latest").out, r"gpu 0 40 %")

    def test_a_tool_that_is_in_trouble_harms_nobody_and_is_told_once(self) -> None:
        for script in ("echo NVIDIA-SMI has failed; exit 9", "head -c 3000000 /dev/urandom", "echo; exec 1>&- 2>&-; sleep 1000"):
            project = self.with_tool(script)
            result = self.run_ok(project, "run")
            self.assertEqual(result.err.count("GPUs are not sampled: nvidia-smi has no answer"), 1, result)
            self.assertEqual(project.ledger_lines(), ["asked"])
            self.assertIn("cpu", self.metrics(project, "one/0"))
            self.assert_no_orphans(project)

    def test_a_tool_that_hangs_holds_up_nothing(self) -> None:
        project = self.with_tool("sleep 1000")
        self.run_ok(project, "run", seconds=30)
        self.assertEqual(project.ledger_lines(), ["asked"])
        self.assertGreater(self.metrics(project, "one/0")["cpu"]["count"], 2)
        self.assert_no_orphans(project)


class Neurons(MonitorTest):
    @unittest.skipUnless(os.geteuid() == 0, "SKIPPED, NOT TESTED: only root can mount file systems")
    def test_the_processes_of_a_task_have_theirs(self) -> None:
        """In a /dev of our own, with a program that behaves as neuron-monitor does."""
        counters = '"neuroncore_counters":{"neuroncores_in_use":{"0":{"neuroncore_utilization":62.5}}}'
        memory = '"memory_used":{"neuron_runtime_used_bytes":{"neuron_device":5000}}'
        report = f'{{"neuron_runtime_data":[{{"pid":%s,"report":{{{counters},{memory}}}}}]}}'
        tool = f"#!/bin/sh\nwhile sleep 0.1; do printf '{report}\\n' $(cat $LEDGER.pid); done\n"
        run = "(echo $BASHPID > $LEDGER.pid; exec sleep 2); true"
        project = self.project({"flow.toml": flow(run, QUICK), "bin/neuron-monitor": tool})
        os.chmod(project.folder / "bin/neuron-monitor", 0o755)
        project.environment["PATH"] = f"{project.folder}/bin:{project.environment['PATH']}"
        inside = "d=$(mktemp -d) && mount -t tmpfs none $d && cp -a /dev/null /dev/zero /dev/urandom /dev/tty $d && "
        inside += f"touch $d/neuron0 && mount --move $d /dev || exit 99; exec {AMP} run"
        done = subprocess.run(["unshare", "-m", "sh", "-c", inside], cwd=project.folder, env=project.environment,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=60 * SLOW, check=False)
        if done.returncode == 99:
            self.skipTest(f"SKIPPED, NOT TESTED: no mounts here: {decode(done.stderr)}")
        self.assertEqual(done.returncode, 0, done)
        metrics = self.metrics(project)
        self.assertEqual(metrics["neuron/0/utilization"]["last"], 62.5)
        self.assertEqual(metrics["neuron/memory"]["last"], 5000)
        self.assert_no_orphans(project)


if __name__ == "__main__":
    unittest.main()

"""Two machines and one store, machines that die or sleep, clocks that jump: rows 36, 39 and 44 of tests/README.md.

A machine is a set of namespaces (network, processes, host name) of its own; the store's folder is the same for all.
"""

import hashlib
import json
import os
import signal
import subprocess
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from faults import EXPECTED, FaultTest, decode, need_root
from harness import AMP, SLOW, Project, Result, has_ended, kill_quietly, wait_until
from judge import judge

NAPPING = '\nsleep "$(cat "$LEDGER.nap" 2>/dev/null || echo 0.3)"\n'


class Machine:
    def __init__(self, name: str) -> None:
        self.name = name
        self.first = 0  # of its processes, as this machine counts them
        inside = f"hostname {name} && mount --make-rprivate / && echo ready && exec sleep 1000"
        self.holder = subprocess.Popen(
            ["unshare", "-n", "-p", "-u", "--fork", "--mount-proc", "--kill-child", "sh", "-c", inside], stdout=subprocess.PIPE
        )
        assert self.holder.stdout is not None
        if self.holder.stdout.readline() != b"ready\n":
            self.die()
            raise unittest.SkipTest("SKIPPED, NOT TESTED: no namespaces can be made here")
        children = Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children").read_text().split()
        self.first = int(children[0])

    def die(self) -> None:
        """As when the power fails: all its processes are gone at once."""
        self.holder.kill()
        self.holder.wait()
        wait_until(lambda: has_ended(self.first), 10, "all that ran there is gone")
        if self.holder.stdout:
            self.holder.stdout.close()

    def start(self, project: Project, *arguments: str) -> subprocess.Popen[bytes]:
        enter = ["nsenter", "-t", str(self.first), "-n", "-p", "-u", "-m", "sh", "-c", 'cd "$0" && exec "$@"', project.folder]
        return subprocess.Popen(
            [*enter, AMP, *arguments],
            env=project.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def amp(self, project: Project, *arguments: str) -> Result:
        return ended(self.start(project, *arguments))


def ended(process: subprocess.Popen[bytes]) -> Result:
    out, err = process.communicate(timeout=60 * SLOW)
    return Result(process.returncode, decode(out), decode(err))


def seal(record: dict) -> str:
    """As core/store/sealed.hpp says."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return text[:-1] + ',"~sha256":"' + hashlib.sha256(text.encode()).hexdigest() + '"}'


class HostsTest(FaultTest):
    def setUp(self) -> None:
        need_root()

    def machine(self, name: str) -> Machine:
        machine = Machine(name)
        self.addCleanup(machine.die)
        return machine

    def napping_project(self) -> Project:
        project = self.fault_project()
        project.write("task.sh", (project.folder / "task.sh").read_text().replace('echo "$me end"', NAPPING + 'echo "$me end"'))
        return project

    def nap(self, project: Project, seconds: float) -> None:
        (project.top / "ledger.nap").write_text(str(seconds))

    def pids(self, project: Project, *first_words: str) -> list[int]:
        """Of the processes of amp, by their second argument: run, resume, keeper."""
        return [pid for pid, words in project.processes().items() if words[1:2] and words[1] in first_words]

    def lease(self, project: Project) -> Path:
        return next((project.folder / ".amp/runs").glob("*/lease"))

    def let_lease_end(self, project: Project, at: float) -> None:
        """Writes into the lease that it ends at a time: as though that much had passed, or as another clock would have it."""
        path = self.lease(project)
        record = json.loads(path.read_text())
        del record["~sha256"]
        self.assertEqual(seal(record), path.read_text(), "the test knows how a lease is sealed")
        record["until"] = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at))
        path.write_text(seal(record))

    def assert_judged(self, project: Project) -> None:
        self.assertEqual(judge(project.ledger_lines(), [], project.tasks(), EXPECTED), [])


class TwoMachines(HostsTest):
    def started_on_alpha(self, nap: float) -> tuple[Project, Machine, Machine, subprocess.Popen[bytes]]:
        """The first task of a run sleeps there; beta has the same store."""
        project = self.napping_project()
        self.nap(project, nap)
        alpha, beta = self.machine("alpha"), self.machine("beta")
        driver = alpha.start(project, "run")
        wait_until(project.ledger_lines, 20, "the first task runs")
        return project, alpha, beta, driver

    def test_many_resume_at_once(self) -> None:
        """One drives; the others say who does; nothing is done twice."""
        for count in (2, 16):
            project = self.napping_project()
            machines = [self.machine("alpha"), self.machine("beta")]
            driver = machines[0].start(project, "run")
            wait_until(project.ledger_lines, 20, "the first task runs")
            for pid in self.pids(project, "run"):
                os.kill(pid, signal.SIGTERM)
            self.assertEqual(ended(driver).code, 143)
            with ThreadPoolExecutor(count) as pool:
                results = list(pool.map(lambda n, p=project, m=machines: m[n % 2].amp(p, "resume", "latest"), range(count)))
            told = "\n".join(map(str, results))
            self.assertIn(0, [result.code for result in results], told)
            for result in results:
                self.assertIn(result.code, (0, 75), told)
                if result.code == 75:
                    who = "driven by pid .* on '(alpha|beta)'|taken over|are taking run|still run on"
                    self.assertRegex(result.err, who, told)
            self.assertEqual(set(project.states().values()), {"succeeded"}, told)
            self.assert_judged(project)
            for machine in machines:
                machine.die()

    def test_a_machine_that_died(self) -> None:
        """Its lease is waited out, or taken over when told; its tasks have died with it and are done again."""
        project, alpha, beta, driver = self.started_on_alpha(nap=60)
        alpha.die()
        ended(driver)
        self.nap(project, 0)
        refused = beta.amp(project, "resume", "latest")
        self.assert_code(75, refused)
        self.assertRegex(refused.err, r"driven by pid \d+ of 'tester' on 'alpha', until .*--take-over|on 'alpha', until")
        self.let_lease_end(project, time.time() - 1)
        self.assert_code(0, beta.amp(project, "resume", "latest"))
        self.assert_judged(project)

    def test_a_clock_that_was_a_day_ahead(self) -> None:
        """The lease of the dead machine would stand for a day: it says until when, and --take-over goes on."""
        project, alpha, beta, driver = self.started_on_alpha(nap=60)
        alpha.die()
        ended(driver)
        self.nap(project, 0)
        tomorrow = time.time() + 86400
        self.let_lease_end(project, tomorrow)
        refused = beta.amp(project, "resume", "latest")
        self.assert_code(75, refused)
        self.assertIn(time.strftime("until %Y-%m-%dT%H:%M", time.gmtime(tomorrow)), refused.err)
        self.assert_code(0, beta.amp(project, "resume", "latest", "--take-over"))
        self.assert_judged(project)

    def test_tasks_that_still_run_elsewhere(self) -> None:
        """The driver is gone, its keeper is not: nobody starts the tasks a second time on another machine."""
        project, alpha, beta, driver = self.started_on_alpha(nap=2)
        for pid in self.pids(project, "run"):
            kill_quietly(pid)
        ended(driver)
        refused = beta.amp(project, "resume", "latest", "--take-over")
        self.assert_code(75, refused)
        self.assertIn("still run on alpha", refused.err)
        self.assert_code(0, alpha.amp(project, "resume", "latest", "--take-over"))
        self.assert_judged(project)

    def test_a_driver_that_sleeps_beyond_its_lease(self) -> None:
        """It wakes up when another machine has taken over: it writes nothing, starts nothing, and says who drives."""
        project, _, beta, driver = self.started_on_alpha(nap=1)
        sleeping = self.pids(project, "run")
        for pid in sleeping:
            os.kill(pid, signal.SIGSTOP)
        keepers = self.pids(project, "keeper")
        for pid in keepers:
            kill_quietly(pid)
        wait_until(lambda: all(map(has_ended, keepers)), 10, "the keeper is gone")
        self.let_lease_end(project, time.time() - 1)
        second = beta.start(project, "resume", "latest")
        wait_until(lambda: sum("start" in line for line in project.ledger_lines()) >= 2, 20, "the second attempt runs")
        for pid in (*sleeping, driver.pid):  # nsenter stops with its child
            os.kill(pid, signal.SIGCONT)
        woken = ended(driver)
        self.assert_code(75, woken)
        self.assertIn("'beta'", woken.err)
        self.nap(project, 0)
        self.assert_code(0, ended(second))
        self.assert_judged(project)
        self.assertEqual(project.amp("fsck").code, 0)


class Time(HostsTest):
    def test_all_sleep_for_a_while(self) -> None:
        """As a lid that is closed: orchestrator, keeper and tasks stop, and go on."""
        project = self.napping_project()
        driver = project.start("run")
        wait_until(project.ledger_lines, 20, "the first task runs")
        asleep = list(project.processes())
        for pid in asleep:
            kill_quietly(pid, signal.SIGSTOP)
        time.sleep(1.5)
        for pid in asleep:
            kill_quietly(pid, signal.SIGCONT)
        self.assertEqual(driver.wait(timeout=30 * SLOW), 0, project.output())
        self.assert_judged(project)

    def test_another_time_since_the_start_of_the_machine(self) -> None:
        """A keeper whose clocks stand 100,000 s apart from its next driver's: what runs is found, and not done again."""
        project = self.napping_project()
        self.nap(project, 1.5)
        apart = ["unshare", "--time", "--boottime", "100000", "--monotonic", "100000", "--fork", "--kill-child"]
        if subprocess.run([*apart, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("SKIPPED, NOT TESTED: no time namespaces here")
        driver = subprocess.Popen(
            [*apart, AMP, "run"],
            cwd=project.folder,
            env=project.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(project.ledger_lines, 20, "the first task runs")
        for pid in self.pids(project, "run"):
            kill_quietly(pid)
        driver.wait()
        self.run_ok(project, "resume", "latest")
        self.assertEqual(len([line for line in project.ledger_lines() if "first/_" in line]), 2)
        self.assert_judged(project)

    def test_the_numbers_of_processes_come_again(self) -> None:
        """A machine of a hundred processes: their numbers are used again and again, and nobody takes one for another."""
        churn = "for i in $(seq 60); do true & wait; done; test $AMP_ATTEMPT -gt 1 || kill -9 $$"
        flow = f'[flow]\nname = "Pids"\n[step.one]\nforeach = "range(6)"\nrun = "{churn}"\n'
        project = self.project(flow + 'retry = { times = 1, delay = "10ms" }\n')
        small = self.machine("small")
        limit = subprocess.run(
            ["nsenter", "-t", str(small.first), "-p", "-m", "sh", "-c", "echo 400 > /proc/sys/kernel/pid_max"],
            capture_output=True,
            check=False,
        )
        if limit.returncode != 0:
            self.skipTest("SKIPPED, NOT TESTED: this kernel has one pid_max for all")
        self.assert_code(0, small.amp(project, "run"))
        self.assertEqual({task["attempt"] for task in project.tasks().values()}, {2})


if __name__ == "__main__":
    unittest.main()

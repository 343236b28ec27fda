"""Connections that break, machines that vanish, processes that are killed: nothing is lost, nothing is done twice."""

import os
import random
import sys
import time
from pathlib import Path

from harness import kill_quietly, wait_until
from machines import FarProject, MachineTest, call

HERE = Path(__file__).resolve().parent
# The ledger lies outside of amp and of both machines' stores: each task writes a line when it starts and when it ends.
MARK = 'printf "%s %s %s {what}\\n" "$AMP_TOKEN" "$AMP_STEP/$AMP_INDEX" "$AMP_ATTEMPT" >> "$LEDGER"'
WORKING = f"""
[flow]
name = "Working"
[step.make]
foreach = "range(12)"
run = '''{MARK.format(what="start")}; head -c 200000 /dev/urandom > $AMP_OUT/data
  sleep 0.05; echo made; {MARK.format(what="end")}'''
outputs = {{ data = "data" }}
env = {{ LEDGER = "LEDGER_FILE" }}
[step.use]
needs = "make"
run = '''{MARK.format(what="start")}; cat {{{{ make.data }}}} | wc -c; echo used; {MARK.format(what="end")}'''
env = {{ LEDGER = "LEDGER_FILE" }}
[step.end]
needs = "use"
join = true
run = "echo all"
"""
HELD = f"""
[flow]
name = "Held"
[step.one]
foreach = "range(3)"
resources = {{ cpu = 0.5 }}
run = '''{MARK.format(what="start")}; until test -e $HOME/go; do sleep 0.05; done; echo done; {MARK.format(what="end")}'''
env = {{ LEDGER = "LEDGER_FILE" }}
[step.after]
needs = "one"
run = '''{MARK.format(what="start")}; {MARK.format(what="end")}'''
env = {{ LEDGER = "LEDGER_FILE" }}
"""


class Faults(MachineTest):
    def flow(self, text: str) -> FarProject:
        project = self.project(text)
        project.write("flow.toml", text.replace("LEDGER_FILE", str(project.ledger)))
        go = self.machines.home() / "go"
        go.unlink(missing_ok=True)
        return project

    def let_go(self) -> None:
        (self.machines.home() / "go").touch()

    def started(self, project: FarProject) -> int:
        return sum(line.endswith(" start") for line in project.ledger_lines())

    def until_started(self, project: FarProject) -> None:
        try:
            wait_until(lambda: self.started(project) == 3, 60, "three run")
        except AssertionError as error:
            raise AssertionError(f"{error}: {project.output()}") from None

    def judge(self, project: FarProject, tasks: int) -> None:
        """Each task has run once, and to its end."""
        lines = [line.split() for line in project.ledger_lines()]
        for what in ("start", "end"):
            names = sorted(words[1] for words in lines if words[3] == what)
            self.assertEqual(len(names), len(set(names)), f"twice: {names}")
            self.assertEqual(len(names), tasks, what)
        self.assertEqual({state for state in project.states().values()}, {"succeeded"}, project.output())

    def test_connections_cut_at_many_bytes(self) -> None:
        seed = int(os.environ.get("AMP_SEED", random.randrange(1 << 30)))
        print(f"AMP_SEED={seed}")
        chance = random.Random(seed)
        warm = self.flow(WORKING)
        self.run_ok(warm, "run", "--on", "box")
        self.judge(warm, 24)
        for _ in range(int(os.environ.get("AMP_CUTS", "3"))):
            project = self.flow(WORKING)
            plan = project.top / "plan"
            cuts = [f"{way} {int(2 ** chance.uniform(9, 21))}" for way in chance.choices(("in", "out"), k=8)]
            plan.write_text("".join(f"{cut}\n" for cut in ["out 3000", *cuts]))
            programs = project.top / "bin"
            programs.mkdir()
            (programs / "ssh").write_text(
                f"#!/bin/sh\nexec {sys.executable} {HERE}/cutting_ssh.py {plan} "
                f'/usr/bin/ssh -F {self.machines.top}/config "$@"\n')
            (programs / "ssh").chmod(0o755)
            path = f"{programs}:{project.environment['PATH']}"
            result = project.amp("run", "--on", "box", env={"PATH": path}, seconds=300)
            self.assertEqual(result.code, 0, f"cuts {cuts}: {result}")
            self.judge(project, 24)
            self.run_ok(project, "fsck")
            print(f"survived {9 - len(plan.read_text().splitlines())} cuts")

    def test_a_link_that_is_down_for_a_while(self) -> None:
        project = self.flow(HELD)
        run = project.start("run", "--on", "box")
        self.until_started(project)
        self.machines.link(False)
        self.let_go()
        time.sleep(5)
        self.machines.link(True)
        call("ip", "-n", self.machines.names["laptop"], "link", "show")
        self.assertEqual(run.wait(120), 0, project.output())
        self.judge(project, 6)

    def test_an_sshd_that_is_away_for_a_while(self) -> None:
        project = self.flow(HELD)
        run = project.start("run", "--on", "box")
        self.until_started(project)
        self.machines.stop_sshd(22)
        wait_until(lambda: "no contact with box since" in project.output(), 30, "the outage is told")
        self.let_go()
        time.sleep(2)
        self.assertIsNone(run.poll())
        self.machines.sshd("box", 22)
        self.assertEqual(run.wait(120), 0, project.output())
        self.assertEqual(project.output().count("no contact with box since"), 1, project.output())
        self.assertIn("contact with box again", project.output())
        self.judge(project, 6)

    def test_a_place_that_is_held_while_nobody_can_be_reached(self) -> None:
        """The task fails while there is no contact; and its place is freed while there is none again."""
        place, more = self.machines.home() / "place", self.machines.home() / "more"
        for sign in (place, more):
            sign.unlink(missing_ok=True)
        project = self.flow(f'''
[flow]
name = "Held"
[step.one]
run = """echo $AMP_TASK_DIR > {place}.new; mv {place}.new {place}
  until test -e $HOME/go; do sleep 0.05; done; echo half > $AMP_TASK_DIR/rest; exit 3"""
[step.two]
run = "until test -e $HOME/more; do sleep 0.05; done"
''')
        run = project.start("run", "--on", "box", "--keep-going", "--hold-on-fail", "30m")
        wait_until(place.exists, 60, "it runs")
        self.machines.stop_sshd(22)
        wait_until(lambda: "no contact with box since" in project.output(), 30, "the outage is told")
        self.let_go()
        folder = Path(place.read_text().strip())
        wait_until((folder / "rest").exists, 20, "it fails")
        time.sleep(1)
        self.machines.sshd("box", 22)
        wait_until(lambda: "the place of one is held until" in project.output(), 60, "it is held")
        self.assertEqual((folder / "rest").read_text(), "half\n")
        self.assertTrue(project.tasks()["one/_"]["held_until"])
        self.assertIsNone(run.poll())

        self.machines.stop_sshd(22)
        wait_until(lambda: project.output().count("no contact with box since") == 2, 30, "the outage is told")
        self.run_ok(project, "shell", "one", "--release")
        wait_until(lambda: "is free again" in project.output(), 20, "it is freed")
        self.assertTrue((folder / "rest").exists())
        self.machines.sshd("box", 22)
        wait_until(lambda: not (folder / "rest").exists(), 60, "it is freed there")  # the next task may have the folder
        more.touch()
        self.assertEqual(run.wait(60), 1, project.output())
        self.assertEqual(project.states(), {"one/_": "failed", "two/_": "succeeded"})

    def test_the_orchestrator_is_killed_and_the_next_goes_on(self) -> None:
        project = self.flow(HELD)
        run = project.start("run", "--on", "box")
        self.until_started(project)
        run.kill()
        run.wait()
        wait_until(lambda: not self.machines.processes("agent"), 30, "its agent has ended")
        self.assertEqual(len(self.machines.processes("keeper")), 1)
        self.let_go()
        wait_until(lambda: sum(line.endswith(" end") for line in project.ledger_lines()) == 3, 30, "they have ended")
        self.run_ok(project, "resume")
        self.judge(project, 6)
        self.assertEqual(project.amp("logs", "latest/one/1").out, "done\n")

    def test_while_they_run_the_next_adopts_them(self) -> None:
        project = self.flow(HELD)
        run = project.start("run", "--on", "box")
        self.until_started(project)
        run.kill()
        run.wait()
        again = project.start("resume")
        wait_until(lambda: self.machines.processes("agent"), 60, "there is an agent again")
        self.let_go()
        self.assertEqual(again.wait(60), 0, project.output())
        self.judge(project, 6)

    def test_the_orchestrator_is_killed_while_it_notes_what_runs_there(self) -> None:
        project = self.flow(HELD)
        run = project.start("run", "--on", "box")
        self.until_started(project)
        wait_until(lambda: "running" in project.states().values(), 20, "it is seen")
        run.kill()
        run.wait()
        (notes,) = project.folder.glob(".amp/runs/*/starts/*")
        whole = notes.read_bytes()
        notes.write_bytes(whole[:-7])
        self.assertNotIn("running", self.run_ok(project, "show", "latest").out)
        again = project.start("resume")
        wait_until(lambda: list(project.states().values()).count("running") == 3, 60, "the next notes them anew")
        self.assertIn("3 running", self.run_ok(project, "show", "latest").out)
        self.let_go()
        self.assertEqual(again.wait(60), 0, project.output())
        self.judge(project, 6)
        self.assertEqual(notes.read_bytes(), whole[:-7])
        self.run_ok(project, "fsck")

    def test_an_agent_is_killed(self) -> None:
        project = self.flow(HELD)
        run = project.start("run", "--on", "box")
        self.until_started(project)
        for pid in self.machines.processes("agent"):
            kill_quietly(pid)
        self.let_go()
        self.assertEqual(run.wait(60), 0, project.output())
        self.judge(project, 6)

    def test_the_keeper_there_is_killed(self) -> None:
        project = self.flow(HELD.replace('run = \'\'\'', 'retry = { times = 2, on = ["lost"], delay = "10ms" }\nrun = \'\'\''))
        run = project.start("run", "--on", "box")
        self.until_started(project)
        for pid in self.machines.processes("keeper"):
            kill_quietly(pid)
        self.let_go()
        self.assertEqual(run.wait(60), 0, project.output())
        self.assertEqual({state for state in project.states().values()}, {"succeeded"})
        self.assertEqual(self.started(project), 3 + 6)

    def test_a_host_key_that_changes_in_the_middle_is_refused(self) -> None:
        project = self.flow(HELD)
        run = project.start("run", "--on", "box")
        self.until_started(project)
        known = self.machines.top / "known_hosts"
        right = known.read_text()
        other = (self.machines.top / "id.pub").read_text().split()[1]
        line = next(line for line in right.splitlines() if line.startswith("box "))
        known.write_text(right.replace(line, f"box ssh-ed25519 {other}"))
        try:
            for pid in self.machines.processes("agent"):
                kill_quietly(pid)
            wait_until(lambda: "no contact with box since" in project.output(), 30, "the outage is told")
            time.sleep(4)
            self.assertFalse(self.machines.processes("agent"))
            self.assertIsNone(run.poll())
        finally:
            known.write_text(right)
        self.let_go()
        self.assertEqual(run.wait(120), 0, project.output())
        self.judge(project, 6)

    def test_a_full_disk_there(self) -> None:
        root = self.machines.home() / "small"
        self.machines.mount(root, "size=24m")
        project = self.project({
            "flow.toml": """
[flow]
name = "Full"
[params]
file = { type = "file", default = "big.bin" }
[step.one]
run = "wc -c < {{ params.file }}"
""",
            "big.bin": os.urandom(40 << 20), ".ampignore": "big.bin\n",
            "amp.toml": f'[profile.box]\nbackend = "ssh"\nhost = "box"\nroot = "{root}"\n'})
        result = project.amp("run", "--on", "box")
        self.assertEqual(result.code, 5, str(result))
        self.assertIn("cannot be sent to box", result.err + result.out)
        self.assertIn("No space left", result.err + result.out)

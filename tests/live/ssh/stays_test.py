"""Outputs larger than `keep_above` stay on the other machine: used there, brought home for who asks, missed when gone."""

import hashlib
import signal
import sys
import time
from pathlib import Path

from harness import wait_until
from machines import FarProject, MachineTest

HERE = Path(__file__).resolve().parent
SIZE = 20_000_000
PROFILES = "".join(f'[profile.{host}]\nbackend = "ssh"\nhost = "{host}"\nmax_workers = 4\nkeep_above = "1M"\n'
                   for host in ("box", "csh"))
MAKE = f"""
[step.make]
on = "box"
run = '''
  until test -e $HOME/go; do sleep 0.05; done
  echo made >> $HOME/made
  head -c {SIZE} /dev/urandom > {{{{ outputs.model }}}}; sha256sum < {{{{ outputs.model }}}}
  mkdir -p {{{{ outputs.tree }}}}/deep; head -c 2000000 /dev/urandom > {{{{ outputs.tree }}}}/deep/big
  echo small > {{{{ outputs.tree }}}}/small; echo small > {{{{ outputs.note }}}}'''
outputs = {{ model = "model.bin", note = "note.txt", tree = {{ path = "tree", type = "dir" }} }}
"""
USE = """
[step.use]
on = "box"
needs = "make"
run = "sha256sum < {{ make.model }}; cat {{ make.tree }}/small; wc -c < {{ make.tree }}/deep/big"
"""
FLOW = f'[flow]\nname = "Stay"\n{MAKE}{USE}'
HOME = """
[step.home]
needs = "make"
run = "sha256sum < {{ make.model }}; wc -c < {{ make.tree }}/deep/big"
[step.quick]
run = "echo quick"
"""


class Stays(MachineTest):
    def setUp(self) -> None:
        self.go = self.machines.home() / "go"
        self.go.touch()
        self.made = self.machines.home() / "made"
        self.made.unlink(missing_ok=True)

    def stay(self, flow: str) -> FarProject:
        return self.project({"flow.toml": flow, "amp.toml": PROFILES})

    def digest(self, project: FarProject, task: str = "make") -> str:
        return project.amp("logs", f"latest/{task}").out.split()[0]

    def objects(self, project: FarProject) -> int:
        """Bytes of all objects here."""
        return sum(path.stat().st_size for path in (project.folder / ".amp/objects").rglob("*") if path.is_file())

    def notes(self, project: FarProject) -> list[str]:
        folder = project.folder / ".amp/far"
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

    def there(self, sha256: str) -> Path:
        return self.machines.root() / "store/objects" / sha256[:2] / sha256[2:]

    def test_used_there_without_moving_and_gotten_by_who_asks(self) -> None:
        project = self.stay(FLOW)
        began = time.monotonic()
        self.run_ok(project, "run")
        print(f"20 MB that stay: {time.monotonic() - began:.2f} s")
        digest = self.digest(project)
        self.assertEqual(self.digest(project, "use"), digest)
        self.assertIn("small\n2000000", project.amp("logs", "latest/use").out)
        self.assertLess(self.objects(project), 100_000)
        self.assertEqual(len(self.notes(project)), 2)
        self.assertEqual(project.amp("get", "latest/make", "note").out, "small\n")
        self.run_ok(project, "fsck")
        self.run_ok(project, "gc")
        self.assertEqual(len(self.notes(project)), 2)

        table = project.amp("artifacts").out
        self.assertEqual(table.count("on box"), 2, table)
        listed = {entry["name"]: entry for entry in project.json("artifacts")["artifacts"]}
        self.assertEqual({name: entry["elsewhere"] for name, entry in listed.items()},
                         {"model": "box", "tree": "box", "note": None})
        for command in (["show"], ["show", "latest/make"], ["diff", "latest", "latest"], ["compare", "latest", "latest"]):
            self.run_ok(project, *command)

        got = self.run_ok(project, "get", "latest/make", "model", "-o", "model.bin")
        self.assertIn("stayed on box", got.err)
        self.assertEqual(hashlib.sha256((project.folder / "model.bin").read_bytes()).hexdigest(), digest)
        self.assertEqual(self.notes(project), [listed["tree"]["sha256"]])
        self.run_ok(project, "get", "latest/make", "tree", "-o", "tree")
        self.assertEqual((project.folder / "tree/deep/big").stat().st_size, 2_000_000)
        self.assertEqual(self.notes(project), [])
        self.assertNotIn("on box", project.amp("artifacts").out)
        self.run_ok(project, "fsck")

    def test_a_step_here_and_one_on_another_machine_get_it(self) -> None:
        other = HOME.replace("step.home", "step.other").split("[step.quick]", maxsplit=1)[0] + 'on = "csh"\n'
        project = self.stay(FLOW + HOME + other)
        self.run_ok(project, "run")
        self.assertEqual(set(project.states().values()), {"succeeded"})
        digest = self.digest(project)
        self.assertEqual([self.digest(project, step) for step in ("use", "home", "other")], [digest] * 3)
        self.assertEqual(self.notes(project), [])
        self.assertGreater(self.objects(project), SIZE)
        self.run_ok(project, "fsck")

    def test_another_run_replay_and_shell_get_it(self) -> None:
        project = self.stay(FLOW)
        self.run_ok(project, "run")
        digest = self.digest(project)
        self.run_ok(project, "replay", "latest/use", "--keep", "again")
        self.assertIn(digest, project.amp("replay", "latest/use", "--keep", "once-more").out)
        project = self.stay(FLOW)
        self.run_ok(project, "run")
        digest = self.digest(project)
        project.write("flow.toml", FLOW + HOME)
        self.run_ok(project, "resume")  # a new run, which takes over what `make` has made
        self.assertEqual(project.states()["make/_"], "cached")
        self.assertEqual(self.digest(project, "home"), digest)
        self.assertEqual(self.made.read_text(), "made\n" * 2)

    def test_a_driver_that_dies_while_it_is_made(self) -> None:
        self.go.unlink()
        project = self.stay(FLOW + HOME)
        run = project.start("run")
        wait_until(lambda: project.runs() and project.states().get("make/_") == "running", 60, "it runs")
        run.send_signal(signal.SIGKILL)
        run.wait()
        self.go.touch()
        wait_until(self.made.exists, 20, "it goes on")
        self.run_ok(project, "resume")
        self.assertEqual(set(project.states().values()), {"succeeded"})
        self.assertEqual(self.made.read_text(), "made\n")
        self.assertEqual(self.digest(project, "home"), self.digest(project))
        self.run_ok(project, "fsck")

    def test_a_driver_that_dies_while_it_comes(self) -> None:
        project = self.stay(FLOW + HOME.replace('needs = "make"', 'needs = "use"'))
        run = project.start("run")
        wait_until(lambda: project.runs() and project.states().get("use/_") == "succeeded", 60, "it comes")
        run.send_signal(signal.SIGKILL)
        run.wait()
        self.run_ok(project, "resume")
        self.assertEqual(set(project.states().values()), {"succeeded"})
        self.assertEqual(self.digest(project, "home"), self.digest(project))
        self.assertEqual(self.made.read_text(), "made\n")
        self.run_ok(project, "fsck")

    def test_what_is_gone_there_is_told_and_made_again(self) -> None:
        project = self.stay(FLOW)
        self.run_ok(project, "run")
        digest = self.digest(project)
        self.there(digest).unlink()
        result = project.amp("get", "latest/make", "model", "-o", "model.bin")
        self.assertEqual(result.code, 7, str(result))
        self.assertIn("stayed on box and is there no more", result.err)
        self.assertIn("`amp resume` makes it again", result.err)
        self.assertFalse((project.folder / "model.bin").exists())
        self.run_ok(project, "resume")
        self.assertEqual(set(project.states().values()), {"succeeded"})
        self.assertEqual(self.made.read_text(), "made\n" * 2)
        self.assertNotEqual(self.digest(project), digest)

        # The same, when a step finds out.
        self.there(self.digest(project)).unlink()
        project.write("flow.toml", FLOW + HOME)
        result = project.amp("resume")
        self.assertNotEqual(result.code, 0, str(result))
        self.assertIn("its input 'make/model' is nowhere any more", result.err)
        self.assertEqual(project.states()["quick/_"], "succeeded")
        self.run_ok(project, "resume")
        self.assertEqual(set(project.states().values()) - {"cached"}, {"succeeded"})
        self.assertEqual(self.digest(project, "home"), self.digest(project))

    def test_a_step_there_finds_out_that_it_is_gone(self) -> None:
        project = self.stay(FLOW.split("[step.use]", maxsplit=1)[0])
        self.run_ok(project, "run")
        self.there(self.digest(project)).unlink()
        project.write("flow.toml", FLOW)
        result = project.amp("resume")
        self.assertNotEqual(result.code, 0, str(result))
        self.assertIn("its input 'make/model' stayed on box and is there no more", result.err)
        self.assertIn("failed: infra: its input 'make/model' is nowhere any more; `amp resume` makes it again", result.err)
        self.run_ok(project, "resume")
        self.assertEqual(self.digest(project, "use"), self.digest(project))

    def cutting(self, project: FarProject, plan: str) -> str:
        """A PATH whose ssh breaks as planned."""
        programs = project.top / "bin"
        programs.mkdir(exist_ok=True)
        (project.top / "plan").write_text(plan)
        (programs / "ssh").write_text(
            f"#!/bin/sh\nexec {sys.executable} {HERE}/cutting_ssh.py {project.top}/plan "
            f'/usr/bin/ssh -F {self.machines.top}/config "$@"\n')
        (programs / "ssh").chmod(0o755)
        return f"{programs}:{project.environment['PATH']}"

    def test_a_line_that_is_cut_while_it_comes(self) -> None:
        project = self.stay(FLOW)
        self.run_ok(project, "run")
        path = self.cutting(project, "out 500000\nout 9000000\n")
        self.run_ok(project, "get", "latest/make", "model", "-o", "model.bin", env={"PATH": path})
        self.assertEqual((project.top / "plan").read_text(), "")
        digest = hashlib.sha256((project.folder / "model.bin").read_bytes()).hexdigest()
        self.assertEqual(digest, self.digest(project))
        # Again and again: it gives up, and says so.
        path = self.cutting(project, "out 5000\n" * 20)
        result = project.amp("get", "latest/make", "tree", "-o", "tree", env={"PATH": path})
        self.assertEqual(result.code, 5, str(result))
        self.assertIn("it stayed on box, and: ", result.err)
        self.assertEqual(len(self.notes(project)), 1)
        # A run waits for longer, and what else there is to do is done meanwhile.
        project.write("flow.toml", FLOW + HOME)
        path = self.cutting(project, "out 400000000\n" + "out 5000\n" * 3)
        self.run_ok(project, "resume", env={"PATH": path})
        self.assertEqual(set(project.states().values()) - {"cached"}, {"succeeded"})

    def test_settings_are_checked_and_shown(self) -> None:
        project = self.stay(FLOW)
        project.write("amp.toml", PROFILES.replace('"1M"', '"much"'))
        result = project.amp("validate")
        self.assertEqual(result.code, 3, str(result))
        self.assertIn("keep_above", result.err + result.out)
        project.write("amp.toml", '[profile.box]\nbackend = "local"\nkeep_above = "1G"\n')
        result = project.amp("validate")
        self.assertIn("`keep_above` is for the backend ssh", result.err + result.out)

    def test_who_cannot_be_reached_is_named(self) -> None:
        project = self.stay(FLOW)
        self.run_ok(project, "run")
        self.machines.stop_sshd(22)
        self.addCleanup(self.machines.sshd, "box", 22)
        result = project.amp("get", "latest/make", "model", "-o", "model.bin")
        self.assertEqual(result.code, 5, str(result))
        self.assertIn("it stayed on box, and: ", result.err)
        self.assertFalse((project.folder / "model.bin").exists())

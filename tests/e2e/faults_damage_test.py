"""Bytes that have changed on the disk: rows 3, 37 and 38 of tests/README.md. Whoever reads never gets wrong ones.

AMP_FAULT_BYTES: how many bytes of each file are flipped, spread over it (default 6; 0: every one).
"""

import os
import shutil
import subprocess
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path

from faults import TOTAL, FaultTest
from harness import Project, wait_until

BYTES = int(os.environ.get("AMP_FAULT_BYTES", "6"))
# Nothing depends on these: they are made again, or tell nothing that the user asked for.
CACHES = ("index", "cache", "gc", "quarantine", ".locks", "reserve", ".gitignore")
FLOW = """
[flow]
name = "Damage"

[step.make]
run = '''
seq 3000 > {{ outputs.data }}
head -c 5000 /dev/urandom > {{ outputs.raw }}
echo made
amp put answer 42
amp put long "$(seq 2000)"
'''
outputs = { data = "data.txt", raw = "raw.bin" }

[step.use]
needs = "make"
run = '''
cat {{ make.data }} {{ make.raw }} | cksum
echo used {{ make.answer }}
amp put sum "$(cat {{ make.data }} {{ make.raw }} | cksum)"
'''
"""
READS = (
    ("get", "latest/make", "data"),
    ("get", "latest/make", "raw"),
    ("get", "latest/make", "answer"),
    ("get", "latest/make", "long"),
    ("get", "latest/use", "sum"),
    ("logs", "latest/make"),
    ("logs", "latest/use"),
    ("show", "latest", "--json"),
)


class Damage(FaultTest):
    def made(self) -> Project:
        project = self.project(FLOW)
        self.run_ok(project, "run", "--tag", "kept")
        return project

    def files(self, project: Project, *folders: str) -> Iterator[Path]:
        store = project.folder / ".amp"
        for path in sorted(store.rglob("*")):
            first = path.relative_to(store).parts[0]
            if path.is_file() and first not in CACHES and (not folders or first in folders) and path.stat().st_size:
                yield path

    def read_all(self, project: Project) -> list[str | None]:
        """What each read gives; None: it says that it cannot."""
        answers: list[str | None] = []
        for command in READS:
            result = project.amp(*command)
            self.assertIn(result.code, (0, 2, 3, 5, 6, 7), f"{command}: {result}")
            if result.code != 0:
                self.assertRegex(result.err, "error: ", command)
            answers.append(result.out if result.code == 0 else None)
        return answers

    def assert_never_wrong(self, project: Project, right: list[str | None], what: str) -> int:
        """How many reads said that they cannot. An end whose object is cut short counts as not written, with its log."""
        refused = 0
        answers = self.read_all(project)
        unwritten = answers[-1] is not None and '"succeeded"' not in answers[-1].split('"attempts"')[0]
        for command, answer, expected in zip(READS, answers, right, strict=True):
            if answer is None or (unwritten and command[0] == "logs" and answer == ""):
                refused += 1
            elif command[0] != "show":
                self.assertEqual(answer, expected, f"{what}: amp {' '.join(command)}")
        return refused

    def damaged(self, path: Path, change: Callable[[bytes], bytes]) -> bytes:
        content = path.read_bytes()
        os.chmod(path, 0o600)
        path.write_bytes(change(content))
        return content

    def test_a_flipped_byte_is_never_served(self) -> None:
        project = self.made()
        right = self.read_all(project)
        self.assertNotIn(None, right)
        refused = 0
        for path in self.files(project):
            size = path.stat().st_size
            for at in range(0, size, 1 if BYTES == 0 else max(1, size // BYTES)):
                what = f"byte {at} of {path.relative_to(project.folder)} flipped"
                content = self.damaged(path, lambda old, at=at: old[:at] + bytes([old[at] ^ 0x24]) + old[at + 1 :])
                refused += self.assert_never_wrong(project, right, what)
                path.write_bytes(content)
        self.assertGreater(refused, 20, "the flipped bytes were none that are read")
        self.assertEqual(self.read_all(project), right)

    def test_a_cut_file_is_never_served(self) -> None:
        """As a power cut leaves files that were not synced: empty, short by one, or with zeros for bytes."""
        project = self.made()
        right = self.read_all(project)
        cuts: dict[str, Callable[[bytes], bytes]] = {
            "empty": lambda old: b"",
            "one byte": lambda old: old[:1],
            "all but one": lambda old: old[:-1],
            "zeros": lambda old: bytes(len(old)),
        }
        for path in self.files(project):
            for name, cut in cuts.items():
                content = self.damaged(path, cut)
                self.assert_never_wrong(project, right, f"{path.relative_to(project.folder)}: {name}")
                path.write_bytes(content)
        self.assertEqual(self.read_all(project), right)

    def test_a_task_never_gets_wrong_bytes(self) -> None:
        """An object is damaged between the task that made it and the one that reads it: that one fails, and says why."""
        gate = '[step.gate]\nneeds = "make"\nrun = "test -e $LEDGER.go"\n'
        use = '[step.use]\nretry = { times = 0, delay = "10ms" }\nneeds = "gate"'
        flow = FLOW.replace('[step.use]\nneeds = "make"', gate + use)
        for number, cut in enumerate((lambda old: b"", lambda old: old[:-1], lambda old: old[:-9] + b"wrong" + old[-4:])):
            project = self.project(flow)
            self.assert_code(1, project.amp("run"))
            (project.top / "ledger.go").touch()
            made = project.tasks()["make/_"]["attempts"][-1]["artifacts"]
            digests = {made[name]["sha256"] for name in ("data", "raw")}
            for path in self.files(project, "objects"):
                if path.parent.name + path.name.removesuffix(".zst") in digests:
                    self.damaged(path, cut)
            result = project.amp("resume", "latest")
            if number == 2:  # as long as it should be: who reads it sees that it is wrong
                self.assert_code(5, result)
                self.assertEqual(project.states()["use/_"], "failed")
                self.assertNotEqual(project.amp("fsck").code, 0, "it is found")
                self.assertEqual(project.amp("fsck", "--repair").code, 0)
                result = project.amp("resume", "latest")
            self.assert_code(0, result)
            self.assertEqual(set(project.states().values()), {"succeeded"}, f"cut {number}")
            read = b"".join(self.bytes_of(project, name) for name in ("data", "raw"))
            expected = subprocess.run(["cksum"], input=read, stdout=subprocess.PIPE, check=True).stdout.decode()
            self.assertEqual(project.amp("get", "latest/use", "sum").out.strip(), expected.strip(), f"cut {number}")
            project.amp("fsck", "--repair")  # what attempt 1 made is of no use any more
            self.assertEqual(project.amp("fsck").code, 0, f"cut {number}")
            self.assertEqual(set(project.states().values()), {"succeeded"}, f"cut {number}")

    def bytes_of(self, project: Project, name: str) -> bytes:
        place = project.top / "got"
        place.unlink(missing_ok=True)
        self.run_ok(project, "get", "latest/make", name, "-o", str(place))
        return place.read_bytes()

    def test_an_interrupted_run_over_torn_logs(self) -> None:
        """A driver and its keeper are killed, and the ends of their logs are torn: nothing that is whole is lost."""
        for cut in (1, 3, 30, 100):
            project = self.fault_project()
            project.write("task.sh", (project.folder / "task.sh").read_text() + 'test -n "$GO" || sleep 60\n')
            driver = project.start("run")
            wait_until(lambda project=project: project.ledger_lines(), 20, "a task runs")
            project.kill_all()
            driver.wait()
            for name in ("journal", "keeper", "packs"):
                for path in (project.folder / ".amp/runs").rglob(f"{name}/*"):
                    content = path.read_bytes()
                    path.write_bytes(content[: len(content) - min(cut, len(content) // 4)] + b"\0" * (cut % 2))
            project.environment["GO"] = "1"
            # Not judged: a start that was torn off was written for nobody, and its number is used again.
            self.run_ok(project, "resume", "latest")
            self.assertEqual(set(project.states().values()), {"succeeded"}, f"{cut} bytes torn off")
            self.assertEqual(project.amp("get", "latest/total", "value").out.strip(), TOTAL)
            self.assertEqual(project.amp("fsck").code, 0, f"{cut} bytes torn off")

    def test_a_store_restored_without_its_objects(self) -> None:
        """Each object is missing: it is told, and with repair made again."""
        project = self.made()
        right = self.read_all(project)
        whole = project.top / "whole"
        store = project.folder / ".amp"
        shutil.copytree(store, whole, symlinks=True)
        for path in list(self.files(project, "objects")):
            path.unlink()
            self.assert_never_wrong(project, right, f"{path.relative_to(project.folder)} is missing")
            shutil.rmtree(store)
            shutil.copytree(whole, store, symlinks=True)

    def test_what_a_repair_has_told_is_damage_no_more(self) -> None:
        """Tasks that count as not done are told of until they are done again; what is lost after that is damage anew."""
        project = self.made()
        for _ in range(2):
            digest = project.tasks()["make/_"]["attempts"][-1]["artifacts"]["raw"]["sha256"]
            (path,) = (project.folder / ".amp/objects" / digest[:2]).glob(digest[2:] + "*")
            self.damaged(path, lambda old: old[:-1] + bytes([old[-1] ^ 1]))
            self.assert_code(6, project.amp("fsck"))
            self.assertTrue(project.json("fsck", "--repair")["sound"])
            for repair in ((), ("--repair",), ()):
                found = project.json("fsck", *repair)
                self.assertEqual([f["severity"] for f in found["findings"]], ["note"])
                self.assertIn("counts as not done", found["findings"][0]["means"])
            self.run_ok(project, "resume", "latest")
            self.assertEqual(set(project.states().values()), {"succeeded"})
            self.assert_no_orphans(project)
            self.assertEqual(project.json("fsck")["findings"], [])


if __name__ == "__main__":
    unittest.main()

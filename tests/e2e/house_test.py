"""Keeping house: fsck, gc, rm, doctor, and the index of runs, with the built binary over real stores."""

import hashlib
import json
import os
import shutil
import time
from pathlib import Path

from harness import AmpTest, Project, kill_quietly, wait_until

FLOW = """
[flow]
name = "House"

[step.make]
run = "printf '%9000s' x > {{ outputs.data }}; echo made; amp put answer 42; amp put long \\"$(printf '%5000s' y)\\""
outputs = { data = "data.bin" }

[step.use]
needs = "make"
run = "test -s {{ make.data }} && echo used {{ make.answer }}"
"""

CACHES = ("index/", "cache/", "gc/", "quarantine/")


def age(path: Path, days: float = 30) -> None:
    then = time.time() - days * 86400
    os.utime(path, (then, then), follow_symlinks=False)


class HouseTest(AmpTest):
    def made(self, flow: str = FLOW) -> Project:
        project = self.project(flow)
        self.run_ok(project, "run")
        return project

    def store_files(self, project: Project) -> list[Path]:
        store = project.folder / ".amp"
        return sorted(
            path
            for path in store.rglob("*")
            if path.is_file() and not path.relative_to(store).parts[0].startswith((".", "reserve")) and path.name[0] not in "~."
        )

    def findings(self, project: Project, *options: str) -> dict:
        result = project.amp("fsck", *options, "--json")
        self.assertIn(result.code, (0, 6), str(result))
        return json.loads(result.out)

    def told(self, project: Project) -> str:
        """What the store says, as a person reads it."""
        shown = project.json("show", "latest")
        answer = project.json("get", "latest/make", "answer")
        return json.dumps([shown, answer, project.amp("logs", "latest").out], sort_keys=True)


class Fsck(HouseTest):
    def test_a_sound_store(self) -> None:
        project = self.made()
        report = self.findings(project)
        self.assertEqual((report["findings"], report["sound"]), ([], True))
        self.assertEqual(report["runs"], 1)
        self.assertGreater(report["objects"], 0)
        self.run_ok(project, "fsck", "latest")
        self.assertEqual(self.findings(project, "--repair")["findings"], [])

    def check_mended(self, project: Project, what: str) -> None:
        repaired = self.findings(project, "--repair")
        unrepaired = [f for f in repaired["findings"] if f["severity"] == "damage" and not f["repaired"]]
        for finding in unrepaired:
            self.assertIn("code", finding["what"], f"{what}: {finding}")
        if project.runs():
            self.assert_code(0, project.amp("resume"))
            self.assertEqual(set(project.states().values()), {"succeeded"}, what)
            again = [f for f in self.findings(project)["findings"] if f["severity"] == "damage" and "code" not in f["what"]]
            self.assertEqual(again, [], what)

    def test_each_flipped_byte_is_found_or_harmless(self) -> None:
        project = self.made()
        before = self.told(project)
        store = project.folder / ".amp"
        whole = project.top / "whole"
        shutil.copytree(store, whole, symlinks=True)
        mended = 0
        for path in self.store_files(project):
            name = str(path.relative_to(store))
            if name.startswith(CACHES):
                continue
            content = path.read_bytes()
            for at in range(0, len(content), max(1, len(content) // 8)):
                what = f"byte {at} of {name}"
                path.write_bytes(content[:at] + bytes([content[at] ^ 0x11]) + content[at + 1 :])
                report = self.findings(project)
                if not report["findings"]:
                    self.assertEqual(self.told(project), before, what)
                elif mended < 40 or "journal" in name:
                    mended += 1
                    self.check_mended(project, what)
                    shutil.rmtree(store)
                    shutil.copytree(whole, store, symlinks=True)
                path.write_bytes(content)
        self.assertGreater(mended, 10)

    def test_a_missing_file_and_a_cut_are_found_and_mended(self) -> None:
        project = self.made()
        store = project.folder / ".amp"
        whole = project.top / "whole"
        shutil.copytree(store, whole, symlinks=True)
        for path in self.store_files(project):
            name = str(path.relative_to(store))
            if name.startswith(CACHES) or "/tags/" in name or "/keeper/" in name or path.stat().st_size == 0:
                continue
            for how in ("missing", "cut"):
                with self.subTest(file=name, how=how):
                    if how == "missing":
                        path.unlink()
                    else:
                        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
                    report = self.findings(project)
                    if not name.endswith("summary.json") or how == "cut":
                        self.assertTrue(report["findings"])
                    self.check_mended(project, f"{name} {how}")
                    shutil.rmtree(store)
                    shutil.copytree(whole, store, symlinks=True)

    def test_strays_are_moved_away_and_kept(self) -> None:
        project = self.made()
        for name in ("stray", "objects/zz/x", "runs/nonsense", "runs/261120-081530-k3fx2/y"):
            project.write(f".amp/{name}", "mine")
        report = self.findings(project)
        self.assertEqual(len(report["findings"]), 4)
        self.assertFalse(report["sound"])
        report = self.findings(project, "--repair")
        self.assertTrue(report["sound"])
        self.assertEqual((project.folder / ".amp" / report["quarantine"] / "objects/zz/x").read_text(), "mine")
        self.assertEqual(self.findings(project)["findings"], [])

    def test_a_run_that_is_driven_is_passed_over(self) -> None:
        project = self.project('[flow]\nname = "W"\n[step.a]\nrun = "sleep 60"\n')
        driver = project.start("run")
        wait_until(lambda: project.keepers(), 10, "a keeper")
        report = self.findings(project, "--repair")
        self.assertEqual(len(report["driven"]), 1)
        self.assertTrue(report["sound"])
        driver.kill()
        driver.wait()
        project.kill_all()
        report = self.findings(project)
        self.assertTrue(report["sound"])
        self.assertIn("died", "".join(f["what"] for f in report["findings"]))
        self.findings(project, "--repair")
        self.assertEqual([f for f in self.findings(project)["findings"] if f["what"].startswith("its driver")], [])

    def test_a_lost_object_is_made_again(self) -> None:
        project = self.made()
        digest = project.tasks()["make/_"]["attempts"][-1]["artifacts"]["data"]["sha256"]
        found = list((project.folder / ".amp/objects" / digest[:2]).glob(digest[2:] + "*"))
        self.assertEqual(len(found), 1)
        os.chmod(found[0], 0o600)
        found[0].write_bytes(b"nonsense")
        report = self.findings(project)
        self.assertFalse(report["sound"])
        self.findings(project, "--repair")
        self.assertEqual(project.runs()[0]["state"], "interrupted")
        self.run_ok(project, "resume")
        self.assertTrue(self.findings(project)["sound"])
        self.run_ok(project, "get", "latest/make", "data", "-o", "out")


class Gc(HouseTest):
    def objects(self, project: Project) -> list[Path]:
        return [path for path in (project.folder / ".amp/objects").rglob("*") if path.is_file()]

    def garbage(self, project: Project, text: str) -> Path:
        digest = hashlib.sha256(text.encode()).hexdigest()
        path = project.write(f".amp/objects/{digest[:2]}/{digest[2:]}", text)
        age(path)
        return path

    def test_garbage_goes_and_the_rest_stays(self) -> None:
        project = self.made()
        before = len(self.objects(project))
        garbage = self.garbage(project, "garbage")
        temporary = project.write(".amp/objects/ab/~1-2", "half")
        age(temporary)
        report = project.json("gc", "--dry-run")
        self.assertEqual(report["waiting"]["objects"], 1)
        self.assertEqual(report["temporary_files"], 1)
        self.assertTrue(temporary.exists())
        self.run_ok(project, "gc")
        self.assertTrue(garbage.exists())
        self.assertFalse(temporary.exists())
        self.assertEqual(project.json("gc", "--grace", "0s")["removed"]["objects"], 1)
        self.assertEqual(len(self.objects(project)), before)
        self.assertTrue(self.findings(project)["sound"])

    def test_runs_go_when_told_with_what_only_they_named(self) -> None:
        project = self.made()
        self.run_ok(project, "run", "--tag", "keep")
        self.run_ok(project, "run")
        report = project.json("gc", "--keep-last", "1")
        self.assertEqual(len(report["removed_runs"]), 1)
        self.assertEqual([run["why"] for run in report["kept_runs"]], ["it is tagged: keep"])
        self.assertEqual(len(project.runs()), 2)
        tagged = project.runs()[1]["run"]
        self.assert_code(2, project.amp("rm", tagged))
        self.run_ok(project, "rm", tagged, "latest", "--force")
        self.assertEqual(project.runs(), [])
        project.json("gc", "--grace", "0s")
        self.assertEqual(self.objects(project), [])
        self.run_ok(project, "run")
        self.assertTrue(self.findings(project)["sound"])

    def test_what_another_run_took_over_outlives_the_one_that_made_it(self) -> None:
        flow = "[flow]\nname = 'T'\n[params]\nx = 1\n[step.a]\nrun = 'seq 3000 | tr \\\\n , | amp put big -'\n"
        flow += "[step.b]\nneeds = 'a'\nrun = 'test {{ params.x }} = 2'\n"
        project = self.project(flow)
        self.assert_code(1, project.amp("run"))
        first = project.runs()[0]["run"]
        self.run_ok(project, "resume", "-p", "x=2")
        self.run_ok(project, "rm", first)
        self.assertIn("2999,3000", self.run_ok(project, "get", "latest/a", "big").out)
        self.run_ok(project, "fsck")

    def test_a_run_at_work_stays(self) -> None:
        project = self.project('[flow]\nname = "W"\n[step.a]\nrun = "sleep 60"\n')
        driver = project.start("run")
        wait_until(lambda: project.keepers(), 10, "a keeper")
        self.assertEqual(project.json("gc", "--keep-last", "0")["removed_runs"], [])
        self.assert_listed(75, project, "rm", "latest", "--force")
        kill_quietly(driver.pid)
        driver.wait()

    def test_without_a_store(self) -> None:
        project = self.project({})
        for command in (("gc",), ("rm", "latest"), ("fsck",), ("cancel",), ("tag", "list", "latest")):
            self.assert_listed(7, project, *command)

    def assert_listed(self, code: int, project: Project, *command: str) -> None:
        """It exits with this code, and its help says that it may."""
        self.assert_code(code, project.amp(*command))
        listed = self.run_ok(project, "help", command[0]).out.split("Exit codes: ")[1].split(" (")[0]
        self.assertIn(str(code), listed.split(", "))

    def test_killed_at_any_moment_it_harms_nothing(self) -> None:
        project = self.made()
        self.run_ok(project, "run")
        for n in range(1, 60, 4):
            self.garbage(project, f"garbage {n}")
            process = project.start("gc", "--grace", "0s")
            time.sleep(n / 10000)
            process.kill()
            process.wait()
            self.assertTrue(self.findings(project)["sound"])
        self.run_ok(project, "gc", "--grace", "0s")
        self.assertEqual(project.states(), {"make/_": "succeeded", "use/_": "succeeded"})


class Doctor(HouseTest):
    def health(self, project: Project, name: str, **options) -> str:
        result = project.amp("doctor", "--json", **options)
        checks = {check["check"]: check for check in json.loads(result.out)["checks"]}
        self.assertEqual(result.code, 5 if any(c["health"] == "failure" for c in checks.values()) else 0)
        return checks[name]["health"]

    def test_all_is_well_here(self) -> None:
        project = self.made()
        result = self.run_ok(project, "doctor")
        self.assertNotIn("failure", result.out)

    def test_what_is_wrong_is_found(self) -> None:
        project = self.made()
        project.write("amp.toml", "nonsense = [")
        self.assertEqual(self.health(project, "settings"), "failure")
        (project.folder / "amp.toml").unlink()
        os.chmod(project.folder / ".amp", 0o777)
        self.assertEqual(self.health(project, "rights"), "warning")
        os.chmod(project.folder / ".amp", 0o700)
        self.assertEqual(self.health(project, "rights"), "good")
        self.assertEqual(self.health(project, "scratch", env={"AMP_SCRATCH": "/nowhere"}), "failure")
        self.assertEqual(self.health(project, "shell", env={"PATH": "/nowhere"}), "failure")
        self.assertEqual(self.health(project, "git", env={"PATH": "/nowhere"}), "warning")
        project.write("flow.toml", FLOW.replace("[step.use]", '[step.use]\nresources = { memory = "900T" }'))
        self.assertEqual(self.health(project, "memory"), "failure")
        project.write(".amp/store.json", "{}")
        self.assertEqual(self.health(project, "store"), "failure")

    def test_leftovers_of_dead_drivers(self) -> None:
        project = self.project('[flow]\nname = "W"\n[step.a]\nrun = "sleep 60"\n')
        driver = project.start("run")
        wait_until(lambda: project.keepers(), 10, "a keeper")
        run = wait_until(lambda: project.runs(), 10, "a run")[0]["run"]
        self.assertEqual(self.health(project, "leases"), "good")
        driver.kill()
        driver.wait()
        project.kill_all()
        self.assertEqual(self.health(project, "leases"), "warning")
        leftover = project.start("logs", "-f", env={"AMP_TOKEN": "x", "AMP_RUN": run})
        leftover.kill()
        leftover.wait()


class Index(HouseTest):
    def test_listing_goes_through_the_index_and_does_without(self) -> None:
        project = self.made()
        self.run_ok(project, "run", "--tag", "two")
        listed = project.runs()
        index = project.folder / ".amp/index/runs"
        self.assertTrue(index.exists())
        self.assertEqual(project.runs(), listed)
        self.run_ok(project, "tag", "add", "latest", "three")
        self.assertEqual(project.runs()[0]["tags"], ["three", "two"])
        shutil.rmtree(index.parent)
        self.assertEqual(project.runs()[1], listed[1])
        index.write_bytes(index.read_bytes()[:-5])
        self.assertEqual(project.runs()[1], listed[1])

    def test_marks_of_runs_that_are_gone_do_not_stay(self) -> None:
        project = self.made()
        self.run_ok(project, "run")
        for run in project.runs():
            self.run_ok(project, "rm", run["run"])
        marks = list((project.folder / ".amp/index/changed").iterdir())
        self.assertTrue(marks)
        for mark in marks:
            age(mark, 1)
        self.assertEqual(project.runs(), [])
        self.assertEqual(list((project.folder / ".amp/index").glob("changed/*")), [])

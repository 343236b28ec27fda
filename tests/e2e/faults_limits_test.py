"""Machines that are poor: few descriptors, processes, memory, names; rows 7, 8, 42, 46, 52 and 53 of tests/README.md."""

import json
import os
import shutil
import signal
import subprocess
import sys
import unittest
from collections.abc import Callable
from pathlib import Path

from faults import AMP, FaultTest, MountTest, decode
from harness import SLOW, Project, Result, wait_until

CGROUPS = Path("/sys/fs/cgroup")


class LimitTest(FaultTest):
    def limited(
        self, project: Project, limits: list[str], *arguments: str, into: Path | None = None, patience: float = 60
    ) -> Result:
        """amp under the limits of prlimit(1), or in a control group; interrupted when it waits for longer than `patience`."""
        join: Callable[[], object] | None = None
        if into is not None:
            join = lambda: (into / "cgroup.procs").write_text(str(os.getpid()))  # noqa: E731
        process = subprocess.Popen(
            [*(["prlimit", *limits] if limits else []), str(AMP), *arguments],
            cwd=project.folder,
            env=project.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=join,
        )
        try:
            out, err = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60 * SLOW)
        return Result(process.returncode, decode(out), decode(err))

    def group(self, kind: str, name: str, value: str) -> Path:
        """A control group (v1) of the test's own."""
        group = CGROUPS / kind / f"amp-e2e-{os.getpid()}-{self._testMethodName}"
        try:
            group.mkdir()
            self.addCleanup(self.remove_group, group)
            (group / name).write_text(value)
        except OSError as error:
            self.skipTest(f"SKIPPED, NOT TESTED: no {kind} group (v1) can be made: {error}")
        return group

    def remove_group(self, group: Path) -> None:
        wait_until(lambda: not (group / "cgroup.procs").read_text().split(), 10, "the group is empty")
        group.rmdir()

    def assert_fails_well(self, result: Result, story: str) -> None:
        """127: the dynamic loader of a test binary has not come as far as ours. 130: it waited for better times."""
        self.assertIn(result.code, (0, 5, 127, 130), f"{story}: {result}")
        self.assertNotIn("terminate called", result.err, story)


class Poor(LimitTest):
    def test_few_descriptors(self) -> None:
        codes = set()
        for count in (4, 8, 12, 14, 16, 20, 24, 32, 64):
            project = self.fault_project()
            result = self.limited(project, [f"--nofile={count}"], "run", patience=1.5)
            codes.add(result.code)
            self.assert_fails_well(result, f"{count} descriptors")
            self.assert_no_orphans(project, 40)
            self.finish(project, f"{count} descriptors")
            project.remove()
        self.assertIn(0, codes)

    def test_few_processes(self) -> None:
        """What cannot be started waits or fails as infrastructure; the run can be resumed."""
        for count in (2, 5):
            project = self.fault_project()
            group = self.group("pids", "pids.max", str(count))
            result = self.limited(project, [], "run", into=group, patience=1.5)
            self.assertNotIn(result.code, (70, 139, -6, -11), f"{count} processes: {result}")
            self.assertNotIn("terminate called", result.err)
            self.assert_no_orphans(project, 40)
            if result.code in (0, 5, 130):
                self.finish(project, f"{count} processes")
            else:  # a shell of the task's own that could not fork: a failure of the task
                self.run_ok(project, "resume", "latest")
            project.remove()
            self.doCleanups()

    def test_little_address_space(self) -> None:
        for mib in (48, 64, 96, 128, 192, 256, 512):
            project = self.fault_project()
            result = self.limited(project, [f"--as={mib << 20}"], "run")
            self.assert_fails_well(result, f"{mib} MiB of address space")
            self.assert_no_orphans(project, 40)
            self.finish(project, f"{mib} MiB of address space")
            project.remove()

    def test_files_of_limited_size(self) -> None:
        """RLIMIT_FSIZE brings SIGXFSZ, which would kill who does not look out."""
        for kib in (0, 4, 16, 64, 1024):
            project = self.fault_project()
            result = self.limited(project, [f"--fsize={kib << 10}"], "run")
            self.assertIn(result.code, (0, 1, 5, 10), f"files of {kib} KiB: {result}")
            self.assert_no_orphans(project, 40)
            if result.code != 1:
                self.finish(project, f"files of {kib} KiB")
            project.remove()


class Memory(LimitTest):
    def test_the_orchestrator_is_killed_for_want_of_memory(self) -> None:
        """The kernel kills it alone; its keeper and the tasks go on, and nothing is done twice."""
        project = self.fault_project()
        project.write(
            "task.sh", (project.folder / "task.sh").read_text().replace('echo "$me end"', 'sleep 0.5; echo "$me end"')
        )
        group = self.group("memory", "memory.limit_in_bytes", str(64 << 20))
        driver = project.start("run")
        wait_until(project.ledger_lines, 20, "the first task runs")
        (group / "cgroup.procs").write_text(str(driver.pid))
        try:
            (group / "memory.limit_in_bytes").write_text("4096")
            (group / "memory.swappiness").write_text("0")
        except OSError:
            pass  # what it holds already was moved with it
        try:
            code = driver.wait(timeout=5 * SLOW)
        except subprocess.TimeoutExpired:
            driver.kill()  # it needed no page more
            code = driver.wait()
        self.assertIn(code, (0, -9), project.output())
        self.finish(project, "out of memory")

    def test_a_flood_needs_no_memory(self) -> None:
        """300 MB of output through 64 MiB for amp, the task and all their files in the kernel's cache."""
        script = "(yes 'a line of a log' || true) | head -c 300000000; head -c 70000000 /dev/zero | tr '\\0' x"
        flow = f'[flow]\nname = "Flood"\n[step.one]\nrun = {json.dumps(script)}\n'
        project = self.project(flow)
        group = self.group("memory", "memory.limit_in_bytes", str(64 << 20))
        result = self.limited(project, [], "run", "-q", into=group)
        self.assert_code(0, result)
        self.assertEqual(project.tasks()["one/_"]["attempts"][-1]["log_bytes"], 370_000_000)


class Places(MountTest):
    def test_a_scratch_folder_that_executes_nothing(self) -> None:
        """Nothing of ours is executed there, and no script of the user's has to lie there."""
        project = self.fault_project()
        place = self.small_disk(project.top / "noexec", "size=16m,noexec")
        project.environment.update(TMPDIR=str(place), AMP_SCRATCH=str(place))
        self.finish(project, "noexec")

    def test_names_of_255_bytes(self) -> None:
        name = "n" * 251 + ".txt"
        flow = f'[flow]\nname = "N"\n[step.one]\nrun = "echo hi > $AMP_OUT/{name}"\noutputs = {{ data = "{name}" }}\n'
        project = self.project(flow + '[step.two]\nneeds = "one"\nrun = "cat {{ one.data }}"\n')
        project.write("c" * 255, "code with a long name")
        self.run_ok(project, "run")
        self.assertEqual(project.amp("logs", "latest/two").out, "hi\n")
        too_long = self.project(flow.replace(name, "n" + name))
        result = too_long.amp("run")
        self.assertIn(result.code, (1, 3), str(result))
        self.assertNotIn("internal error", result.err)

    def test_paths_of_4096_bytes(self) -> None:
        """A project whose path is as long as paths can be, and one beyond what can be named: never more than an error."""
        codes = []
        for parts in (8, 14, 15, 16, 17):
            project = self.fault_project()
            descriptor = os.open(project.folder, os.O_RDONLY)
            for _ in range(parts):  # no single path reaches the end
                os.mkdir("d" * 250, dir_fd=descriptor)
                below = os.open("d" * 250, os.O_RDONLY, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = below
            for file in ("flow.toml", "task.sh"):
                with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, dir_fd=descriptor), "w") as stream:
                    stream.write((project.folder / file).read_text())
            command = ["sh", "-c", 'exec "$0" run', str(AMP)]
            done = subprocess.run(
                command,
                preexec_fn=lambda fd=descriptor: os.fchdir(fd),
                env=project.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=60 * SLOW,
                check=False,
            )
            os.close(descriptor)
            codes.append(done.returncode)
            self.assertIn(done.returncode, (0, 1, 2, 3, 5, 7, 10), f"{parts} parts: {decode(done.stderr)}")
            self.assertNotIn(b"terminate called", done.stderr)
            self.assert_no_orphans(project)
            subprocess.run(["rm", "-rf", str(project.folder)], check=False)
        self.assertEqual(codes[0], 0, "2,000 bytes are nothing special")

    def test_an_empty_root(self) -> None:
        """A root folder with the binary and nothing else: no /etc, no users, no shell; only a run needs /proc."""
        if os.geteuid() != 0:
            self.skipTest("SKIPPED, NOT TESTED: only root can change its root folder")
        project = self.project('[flow]\nname = "E"\n[step.one]\nrun = ["/amp", "--version"]\n')
        root = project.top / "root"
        shutil.copytree(project.folder, root / "project")
        listed = subprocess.run(["ldd", str(AMP)], capture_output=True, text=True, check=False).stdout
        for word in listed.split():
            if word.startswith("/") and Path(word).exists():
                place = root / word[1:]
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(word, place)
        shutil.copy(AMP, root / "amp")

        def enter() -> None:
            os.chroot(root)
            os.chdir("/project")

        def inside(*arguments: str) -> Result:
            done = subprocess.run(
                ["/amp", *arguments],
                env={"AMP_E2E": project.environment["AMP_E2E"]},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                preexec_fn=enter,
                timeout=60 * SLOW,
                check=False,
            )
            return Result(done.returncode, decode(done.stdout), decode(done.stderr))

        self.assert_code(0, inside("--version"))
        self.assert_code(0, inside("validate"))
        without = inside("run")
        self.assert_code(5, without)
        self.assertIn("no task could start", without.err)
        for folder in ("proc", "dev", "tmp"):
            (root / folder).mkdir(exist_ok=True)
        self.mount(root / "proc", "-t", "proc", "proc")
        self.mount(root / "dev", "--bind", "/dev")
        self.assert_code(0, inside("resume", "latest"))
        self.assertIn('"succeeded"', inside("show", "latest", "--json").out)
        for folder in ("proc", "dev"):
            subprocess.run(["umount", "-l", str(root / folder)], check=False)


NASTY = {
    "umask": "os.umask(0o777)",
    "descriptors": "kept = [os.open('/dev/null', 0) for _ in range(900)]",
    "session": "os.fork() or os.setsid()",
    "chroot": "os.chroot('.')",
    "folder gone": "folder = tempfile.mkdtemp(); os.chdir(folder); os.rmdir(folder)",
    "rights": "os.setresuid(65534, 65534, 65534)",
    "priority": "os.nice(19)",
    "limits": "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3)); resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))",
    "closed": "os.closerange(0, 1000)",
    "deaf": "[signal.signal(n, signal.SIG_IGN) for n in range(1, 32) if n not in (9, 17, 19)]",
    "stopped parent": "os.kill(os.getppid(), signal.SIGCONT)",
}


class NastyTasks(FaultTest):
    def test_what_a_task_does_to_itself_is_its_own_affair(self) -> None:
        """The next task of the same keeper finds all as it should be."""
        for name, code in NASTY.items():
            if name in ("chroot", "rights") and os.geteuid() != 0:
                continue
            script = f"import os, resource, signal, tempfile\n{code}\nos._exit(0)\n"
            flow = f'[flow]\nname = "Nasty"\n[step.one]\nrun = {json.dumps([sys.executable, "nasty.py"])}\n'
            flow += (
                '[step.two]\nneeds = "one"\nrun = "umask; ulimit -n; echo data > $AMP_OUT/data"\noutputs = { data = "data" }\n'
            )
            project = self.project({"flow.toml": flow, "nasty.py": script})
            self.assertEqual(project.amp("run").code, 0, f"{name}: {project.amp('logs', 'latest/one')}")
            said = project.amp("logs", "latest/two").out.split()
            self.assertNotEqual(said[0], "0777", name)
            self.assertNotEqual(said[1], "3", name)
            self.assertEqual(project.amp("get", "latest/two", "data").code, 0, name)
            self.assert_no_orphans(project)
            project.remove()


if __name__ == "__main__":
    unittest.main()

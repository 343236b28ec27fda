"""Tasks in containers of docker: all that holds for others holds for them."""

import os
import signal
import subprocess
import time
import unittest
from pathlib import Path

from contained import BARE, FLOW, IMAGE, IS_STATIC, ContainedTest, make_images
from engines import Docker, start_docker
from harness import AMP, kill_quietly, wait_until

ENGINE: Docker
CANARY = "canary-3f9c1e77-" + "x" * 20


def setUpModule() -> None:
    global ENGINE
    ENGINE = start_docker()
    unittest.addModuleCleanup(ENGINE.stop)
    make_images(ENGINE)


class DockerTest(ContainedTest):
    @property
    def engine(self) -> Docker:
        return ENGINE


class Same(DockerTest):
    """With a container and without it the same is recorded."""

    STEPS = """
[params]
rate = 0.5
words = ["a b", "c\\"d", "é"]
[step.prints]
run = "i=0; while test $i -lt 200; do echo out $i; echo err $i >&2; i=$((i+1)); done"
[step.makes]
run = '''
echo made > {{ outputs.file }}
printf '%s' "$AMP_PARAM_RATE $AMP_STEP $AMP_INDEX $AMP_ATTEMPT" > "$AMP_OUT/told"
amp put number 42
amp metric loss=0.25 --step 3
amp note from within
amp progress 0.5
'''
params = "*"
outputs = { file = "f.txt" }
[step.reads]
needs = "makes"
inputs = ["makes.number"]
run = ["sh", "-c", "cat \\"$1\\"; amp get number", "sh", "{{ makes.file }}"]
env = { GIVEN = "{{ params.words[1] }}" }
[step.items]
foreach = "params.words"
run = "printf '%s' {{ item }} > $AMP_OUT/word"
[step.fails]
run = "echo before; exit 3"
catch = true
[step.dies]
run = "kill -9 $$"
catch = true
[step.missing]
run = ["no-such-program"]
catch = true
[step.no_output]
run = "true"
outputs = { never = "never" }
catch = true
[step.in_its_own]
cwd = "task"
run = "test \\"$PWD\\" = \\"$AMP_TASK_DIR\\"; echo here > ./file; ls"
"""

    def seen(self, flow: str) -> dict:
        project = self.contained(self.STEPS, flow=flow)
        self.run_ok(project, "run")
        tasks = {}
        for name, task in project.tasks().items():
            kept = {"state": task["state"], **{key: task["attempts"][-1][key] for key in ("cause", "exit", "signal", "message")}}
            tasks[name] = (kept, self.log(project, f"latest/{name}"))
        artifacts = [
            {key: artifact[key] for key in ("step", "index", "name", "kind", "sha256", "size_bytes") if key in artifact}
            for artifact in project.json("artifacts", "latest")["artifacts"]
        ]
        metrics = self.run_ok(project, "metrics", "--csv").out.splitlines()
        return {"tasks": tasks, "artifacts": artifacts, "metrics": len(metrics)}

    def test_records_logs_and_outputs(self) -> None:
        contained = self.seen(FLOW)
        plain = self.seen(FLOW.replace("container = true", "container = false"))
        self.assertEqual(contained, plain)
        self.assertEqual(contained["tasks"]["prints/_"][1].count("\n"), 400)
        self.assertEqual(self.engine.containers(), [])

    def test_usage_is_that_of_the_command(self) -> None:
        project = self.run_in('[step.one]\nrun = "i=0; while test $i -lt 300000; do i=$((i+1)); done"\n')
        task = self.task(project)
        self.assertGreater(task["cpu_s"], 0.05)
        self.assertGreater(task["max_rss_bytes"], 100_000)

    def test_it_is_sampled_while_it_runs(self) -> None:
        grow = "s=x; i=0; while test $i -lt 25; do s=$s$s; i=$((i+1)); done"
        burn = "i=0; while test $i -lt 2000000; do i=$((i+1)); done"
        project = self.run_in(f'[step.one]\nrun = "{grow}; {burn}"\nmonitor = {{ interval = "0.2s" }}\n')
        task = self.task(project)
        metrics = task["report"]["metrics"]
        self.assertGreaterEqual(metrics["system/memory"]["max"], 32 << 20)
        self.assertLess(metrics["system/memory"]["max"], 200 << 20)
        points = self.run_ok(project, "metrics", "latest", "--name", "system/cpu", "--csv").out.splitlines()[1:]
        sampled = sum(float(point.split(",")[4]) for point in points) * 0.2
        self.assertGreater(sampled, task["cpu_s"] * 0.5)
        self.assertLess(sampled, task["cpu_s"] * 1.5 + 0.5)

    def test_what_it_leaves_running_is_ended(self) -> None:
        project = self.contained('[step.one]\nrun = "sleep 1000 & echo started"\n')
        began = time.monotonic()
        result = self.run_ok(project, "run")
        self.assertLess(time.monotonic() - began, 30)
        self.assertIn("what it had left running was ended", result.err)
        self.assertEqual(self.engine.containers(), [])

    def test_retry_cache_and_checkpoint(self) -> None:
        steps = """
[step.one]
run = "cat $AMP_CHECKPOINT/n || true; echo $AMP_ATTEMPT > $AMP_CHECKPOINT/n; test $AMP_ATTEMPT = 2; echo made > $AMP_OUT/x"
checkpoint = true
retry = 1
cache = true
"""
        project = self.run_in(steps)
        self.assertEqual(self.task(project)["attempt"], 2)
        self.assertEqual(self.log(project), "1\n")
        self.run_ok(project, "run")
        self.assertEqual(project.states(), {"one/_": "cached"})

    def test_it_spawns(self) -> None:
        project = self.contained('[step.one]\nrun = "amp spawn child.toml --wait"\n')
        project.write("child.toml", '[flow]\nname = "Child"\n[step.a]\nrun = ["true"]\n')
        self.run_ok(project, "run")
        self.assertEqual(sorted(run["flow"] for run in project.runs("--all")), ["Child", "Contained"])


class Bytes(DockerTest):
    def test_every_byte_of_a_variable(self) -> None:
        every = bytes(range(1, 256))
        project = self.contained(
            '[step.one]\nrun = "printf %s \\"$S\\" > $AMP_OUT/s"\nsecrets = { S = "file:../every" }\n', )
        (project.top / "every").write_bytes(every)
        self.run_ok(project, "run")
        result = subprocess.run(
            [AMP, "get", "latest/one", "s", "-o", "-"],
            cwd=project.folder,
            env=project.environment,
            capture_output=True,
            check=True,
        )
        self.assertEqual(result.stdout, every)

    def test_folders_with_odd_names(self) -> None:
        project = self.contained('[step.one]\nrun = "echo made > ./here"\noutputs = { here = "./here" }\n')
        odd = project.top / 'a, "b"=c d'
        project.folder.rename(odd)
        project.folder = odd
        self.run_ok(project, "run")
        self.assertEqual((odd / "here").read_text(), "made\n")


class Secrets(DockerTest):
    def test_no_argument_and_no_engine_knows_them(self) -> None:
        project = self.contained(
            '[step.one]\nrun = "test -n \\"$TOKEN\\"; touch begun; sleep 1000"\nsecrets = { TOKEN = "env:CANARY" }\n'
            'env = { PLAIN = "%s-plain" }\n' % CANARY
        )
        with self.started(project, "run", env={"CANARY": CANARY}) as amp:
            wait_until((project.folder / "begun").exists, 20, "it runs")
            name = self.wait_for_container()
            self.assertNotIn(CANARY, self.engine.ok("inspect", name))
            for arguments in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    if f"{CANARY}-plain" not in (text := arguments.read_bytes().decode(errors="replace")):
                        self.assertNotIn(CANARY, text)
                except OSError:
                    pass  # ended meanwhile
            left = [path for path in project.top.rglob("order") if path.is_file()]
            self.assertEqual(left, [])
            amp.send_signal(signal.SIGINT)
            amp.wait(30)
        self.assertEqual(self.engine.containers(), [])
        self.assertNotIn(CANARY.encode(), b"".join(path.read_bytes() for path in project.folder.rglob("keeper/*")))


class Limits(DockerTest):
    def test_memory(self) -> None:
        project = self.run_in('[step.one]\nrun = "tail /dev/zero"\nresources = { memory = "32Mi" }\n', code=1)
        task = self.task(project)
        self.assertEqual(task["cause"], "oom", task)
        self.assertIn("out of memory", task["message"])

    def test_memory_of_a_child_of_the_command(self) -> None:
        project = self.run_in(
            '[step.one]\nrun = "tail /dev/zero || exit 137"\nresources = { memory = "32Mi" }\nretry = { times = 1, on = ["oom"], '
            "grow = { memory = 2.0 } }\n",
            code=1,
        )
        self.assertEqual((self.task(project)["cause"], self.task(project)["attempt"]), ("oom", 2))

    def test_processors(self) -> None:
        show = "cat /sys/fs/cgroup/cpu.max || cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us"
        project = self.run_in(f'[step.one]\nrun = "{show}"\nresources = {{ cpu = 0.5 }}\n')
        self.assertEqual([word for word in self.log(project).split() if word.isdigit()], ["50000", "100000"])


class User(DockerTest):
    def test_files_belong_to_the_caller(self) -> None:
        project = self.contained(
            '[step.one]\nrun = "id -u; echo made > ./here; echo $HOME; touch $HOME/x; echo $USER"\n'
            'outputs = { here = "./here" }\n'
        )
        self.engine.socket.chmod(0o666)
        self.engine.folder.chmod(0o755)
        for path in (project.top, *project.top.rglob("*")):
            os.chown(path, 54321, 54321)
        done = subprocess.run(
            [AMP, "run"],
            cwd=project.folder,
            env=project.environment,
            user=54321,
            group=54321,
            extra_groups=[],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((project.folder / "here").stat().st_uid, 54321)
        uid, home, user = self.log(project).split()
        self.assertEqual((uid, user), ("54321", "tester"))
        self.assertTrue(home.startswith(str(project.top)), home)  # its own folder, since / is not for it

    def test_the_image_has_its_own_environment(self) -> None:
        project = self.contained('[step.one]\nrun = "env"\n')
        project.environment["LD_PRELOAD_CANARY"] = "outside"
        self.run_ok(project, "run")
        printed = self.log(project)
        self.assertNotIn("outside", printed)
        self.assertRegex(printed, r"(?m)^PATH=/\.amp/bin:/usr/local/sbin:")


class Ends(DockerTest):
    def test_it_hears_term_and_has_its_grace(self) -> None:
        project = self.run_in(
            """[step.one]\ntimeout = 6\nrun = "trap 'echo heard; exit 3' TERM; echo ready; while true; do sleep 0.1; done"\n""",
            code=1,
        )
        self.assertEqual([line for line in self.log(project).split() if line != "Terminated"], ["ready", "heard"])
        self.assertEqual(self.task(project)["cause"], "timeout")

    def test_it_is_killed_when_it_does_not_heed(self) -> None:
        began = time.monotonic()
        project = self.run_in("""[step.one]\ntimeout = 1\nrun = "trap '' TERM; sleep 1000 & wait; sleep 1000"\n""", code=1)
        self.assertLess(time.monotonic() - began, 40)
        self.assertEqual(self.task(project)["cause"], "timeout")

    def test_cancel(self) -> None:
        project = self.contained('[step.one]\nrun = "touch begun; sleep 1000"\n')
        with self.started(project, "run") as amp:
            wait_until((project.folder / "begun").exists, 20, "it runs")
            self.run_ok(project, "cancel", "latest")
            self.assertEqual(amp.wait(30), 9)
        self.assertEqual(project.states(), {"one/_": "cancelled"})
        self.assertEqual(self.engine.containers(), [])

    def test_cancel_before_it_has_begun(self) -> None:
        """At any moment of the start: the client, the engine, amp inside."""
        for pause in (0.05, 0.1, 0.15, 0.2, 0.25, 0.3):
            project = self.contained('[step.one]\nrun = "sleep 1000"\n')
            with self.started(project, "run") as amp:
                wait_until(project.runs, 20, "there is a run")
                time.sleep(pause)
                self.run_ok(project, "cancel", "latest")
                self.assertEqual(amp.wait(30), 9)
            self.assertEqual(self.engine.containers(), [], pause)

    def test_a_killed_keeper_leaves_no_container(self) -> None:
        project = self.contained('[step.one]\nrun = "test -e again || { touch begun; sleep 1000; }"\n')
        with self.started(project, "run", "--no-input") as amp:
            wait_until((project.folder / "begun").exists, 20, "it runs")
            name = self.wait_for_container()
            project.write("again", "")
            (keeper,) = project.keepers()
            kill_quietly(keeper, signal.SIGKILL)
            wait_until(lambda: name not in self.running(), 5, "its container has ended")
            self.assertEqual(amp.wait(60), 0)  # the driver has another keeper do it
        self.assertEqual(self.task(project)["attempt"], 2)
        self.assertEqual(self.engine.containers(), [])

    def test_nobody_is_left_to_see_to_it(self) -> None:
        project = self.contained('[step.one]\nrun = "test -e again || { touch begun; sleep 1000; }"\n')
        with self.started(project, "run") as amp:
            wait_until((project.folder / "begun").exists, 20, "it runs")
            for pid in (amp.pid, *project.keepers()):
                kill_quietly(pid, signal.SIGKILL)
            amp.wait()
        self.wait_for_none()
        project.write("again", "")
        self.run_ok(project, "resume")
        self.assertEqual(project.states(), {"one/_": "succeeded"})
        self.assertEqual(self.engine.containers(), [])

    def test_a_container_killed_from_outside(self) -> None:
        project = self.contained('[step.one]\nrun = "touch begun; sleep 1000"\n')
        with self.started(project, "run") as amp:
            wait_until((project.folder / "begun").exists, 20, "it runs")
            self.engine.ok("kill", self.wait_for_container())
            self.assertEqual(amp.wait(30), 1)
        self.assertIn("signal 9", self.task(project)["message"])
        self.assertEqual(self.engine.containers(), [])

    def test_a_client_killed_from_outside(self) -> None:
        project = self.contained('[step.one]\nrun = "touch begun; sleep 1000"\n')
        with self.started(project, "run") as amp:
            wait_until((project.folder / "begun").exists, 20, "it runs")
            self.wait_for_container()
            (client,) = [pid for pid, words in project.processes().items() if words[1:2] == ["run"] and "docker" in words[0]]
            kill_quietly(client, signal.SIGKILL)
            wait_until(lambda: not self.running(), 20, "its container has ended")
            amp.send_signal(signal.SIGINT)
            amp.wait(30)
        self.assertEqual(self.engine.containers(), [])


class Gangs(DockerTest):
    STEP = """
[step.one]
nodes = 1
tasks_per_node = 2
run = '''
if test $AMP_RANK = 0; then echo hello | nc -l -p $MASTER_PORT; else
  until nc $MASTER_ADDR $MASTER_PORT > $AMP_OUT/heard; do sleep 0.1; done; cat $AMP_OUT/heard; fi
echo rank $AMP_RANK of $AMP_WORLD_SIZE
%s
'''
"""

    def test_ranks_meet(self) -> None:
        project = self.run_in(self.STEP % "")
        self.assertEqual(self.log(project, "latest/one/_").count("of 2"), 2)
        self.assertIn("hello", self.run_ok(project, "logs", "latest/one", "--rank", "1").out)

    def test_the_first_to_fail_ends_all(self) -> None:
        project = self.run_in(
            '[step.one]\ntasks_per_node = 2\nrun = "test $AMP_RANK = 0 || exit 7; sleep 1000"\n', code=1
        )
        self.assertEqual(self.task(project)["exit"], 7)
        self.assertIn("rank 1", self.task(project)["message"])


class Images(DockerTest):
    def test_a_run_says_which_image_it_has(self) -> None:
        project = self.contained('[params]\ntag = "1"\n[step.one]\nimage = "amp-test/busybox:{{ params.tag }}"\nrun = "true"\n')
        result = self.run_ok(project, "run")
        identity = self.engine.ok("image", "inspect", "--format", "{{.Id}}", IMAGE).strip()
        self.assertIn(identity, result.err)
        record = next(project.folder.glob(".amp/runs/*/run.json")).read_text()
        self.assertIn(identity, record)

    def test_another_image_under_the_same_name_is_another_definition(self) -> None:
        self.engine.ok("tag", IMAGE, "amp-test/moves:1")
        project = self.contained('[step.one]\nimage = "amp-test/moves:1"\nrun = "echo made"\ncache = true\n')
        self.run_ok(project, "run")
        self.run_ok(project, "run")
        self.assertEqual(project.states(), {"one/_": "cached"})
        self.engine.ok("tag", BARE, "amp-test/moves:1")
        self.assert_code(1, project.amp("run"))  # it has no shell

    def test_an_image_that_is_not_there_is_told_before_anything_starts(self) -> None:
        project = self.contained(
            '[step.zero]\ncontainer = false\nrun = "touch ran"\n[step.one]\nimage = "localhost:1/no:1"\nrun = "true"\n'
        )
        result = project.amp("run")
        self.assert_code(5, result)
        self.assertRegex(result.err, r"the image 'localhost:1/no:1' cannot be had: .*refused")
        self.assertFalse((project.folder / "ran").exists())
        self.assertEqual(project.runs(), [])

    def test_an_image_that_only_a_task_knows(self) -> None:
        project = self.run_in(
            '[step.one]\nforeach = "[\'busybox:1\', \'no:1\']"\nimage = "localhost:1/{{ item }}"\nrun = "true"\ncatch = true\n'
        )
        self.assertEqual(self.task(project, "one/1")["cause"], "image")
        self.assertIn("localhost:1/no:1", self.task(project, "one/1")["message"])

    def test_an_image_without_a_shell(self) -> None:
        project = self.run_in(f'[step.one]\nimage = "{BARE}"\nshell = ["bash", "-c"]\nrun = "true"\n', code=1)
        self.assertIn("program 'bash' not found in PATH", self.task(project)["message"])
        self.assertIn('shell = ["sh", "-eu", "-c"]', self.task(project)["message"])

    def test_an_image_with_one_program(self) -> None:
        project = self.run_in(f'[step.one]\nimage = "{BARE}"\nrun = ["/busybox", "echo", "alone"]\n')
        self.assertEqual(self.log(project), "alone\n")

    @unittest.skipIf(IS_STATIC, "this amp runs in any image")
    def test_an_image_without_the_libraries_of_amp(self) -> None:
        project = self.run_in('[step.one]\nimage = "amp-test/nothing:1"\nrun = ["/busybox", "true"]\n', code=5)
        self.assertEqual(self.task(project)["cause"], "image")
        self.assertIn("linked dynamically", self.task(project)["message"])

    @unittest.skipUnless(IS_STATIC, "this amp needs its libraries")
    def test_an_image_with_nothing_but_the_program(self) -> None:
        project = self.run_in('[step.one]\nimage = "amp-test/nothing:1"\nrun = ["/busybox", "echo", "alone"]\n')
        self.assertEqual(self.log(project), "alone\n")


class Choice(DockerTest):
    def test_all_that_have_an_image(self) -> None:
        """--container, also when it goes on."""
        flow = FLOW.replace("container = true\n", "")
        project = self.contained('[step.one]\nrun = "test -d /.amp; test -e ok"\n', flow=flow)
        self.assert_code(1, project.amp("run"))
        self.assertEqual(self.log(project), "")
        self.assert_code(1, project.amp("run", "--container"))
        project.write("ok", "")
        self.run_ok(project, "resume", "latest")

    def test_without_a_container_the_image_is_none_of_it(self) -> None:
        flow = FLOW.replace("container = true\n", "")
        project = self.contained('[step.one]\nimage = "localhost:1/no:1"\nrun = "test ! -d /.amp"\n', flow=flow)
        self.run_ok(project, "run")

    def test_no_engine(self) -> None:
        project = self.contained('[step.one]\nrun = "touch ran"\n')
        project.environment["DOCKER_HOST"] = f"unix://{project.top}/nobody"
        project.environment["AMP_CONTAINER_ENGINE"] = "docker"
        result = project.amp("run")
        self.assert_code(5, result)
        self.assertIn("no container engine answers: docker: Cannot connect to the Docker daemon", result.err)
        self.assertEqual(project.runs(), [])
        project.environment["AMP_CONTAINER_ENGINE"] = "dokker"
        self.assert_code(2, project.amp("run"))

    def test_doctor_names_it(self) -> None:
        project = self.contained('[step.one]\nrun = "true"\n')
        self.assertRegex(project.amp("doctor").out, r"docker \d+\.\d+")

    def test_a_daemon_that_goes_away(self) -> None:
        engine = start_docker()
        self.addCleanup(engine.stop)
        make_images(engine)
        project = self.contained(
            '[step.one]\nrun = "true"\n[step.two]\nneeds = "one"\nwait = { file = "on" }\nrun = "true"\nretry = 0\n'
        )
        project.environment.update(engine.environment)
        with self.started(project, "run") as amp:
            wait_until(lambda: project.runs() and project.states().get("one/_") == "succeeded", 20, "one has ended")
            engine.end()
            project.write("on", "")
            wait_until(lambda: "does not answer" in str(self.task(project, "two/_")), 60, "it is told")
            amp.send_signal(signal.SIGINT)
            amp.wait(60)


class Pace(DockerTest):
    def test_what_amp_adds_to_a_container(self) -> None:
        """Told, and held loosely: the engine itself takes a quarter of a second."""
        self.engine.ok("run", "--rm", "--network", "host", IMAGE, "true")
        began = time.monotonic()
        for _ in range(10):
            self.engine.ok("run", "--rm", "--network", "host", IMAGE, "true")
        plain = (time.monotonic() - began) / 10
        project = self.contained('[step.one]\nforeach = "range(10)"\nlimit = 1\nrun = ["true"]\n')
        began = time.monotonic()
        self.run_ok(project, "run")
        ours = (time.monotonic() - began) / 10
        print(f"a task in a container: {ours * 1000:.0f} ms; docker run --rm: {plain * 1000:.0f} ms")
        self.assertLess(ours, 3 * plain + 0.3)


if __name__ == "__main__":
    unittest.main()

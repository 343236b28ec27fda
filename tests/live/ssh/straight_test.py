"""Flows on another machine, when nothing goes wrong but the flows themselves."""

import hashlib
import os
import pwd
import time
from pathlib import Path

from harness import Result, decode, wait_until
from machines import FarProject, MachineTest

FLOW = """
[flow]
name = "Far"
[params]
greeting = "hello"
words = { type = "file", default = "words.txt" }
[step.prepare]
run = "cat {{ params.words }} lib/more.txt > {{ outputs.data }}; echo {{ params.greeting }} from $(id -un)"
outputs = { data = "data.txt" }
[step.train]
needs = "prepare"
foreach = "range(3)"
run = "./count.sh {{ prepare.data }} {{ item }} > {{ outputs.score }}"
outputs = { score = { path = "score.json", type = "json" } }
[step.report]
needs = "train"
join = true
run = '''
  echo {{ train.*.score }}; mkdir -p {{ outputs.all }}/deep/empty
  cp count.sh {{ outputs.all }}/deep; ln -s deep/count.sh {{ outputs.all }}/link'''
outputs = { all = { path = "all", type = "dir" } }
[step.read]
needs = "report"
run = "find {{ report.all }}/ | wc -l; {{ report.all }}/link {{ prepare.data }} 40"
"""
FILES: dict[str, str | bytes] = {
    "flow.toml": FLOW,
    "words.txt": "one\ntwo\n",
    "lib/more.txt": "three\n",
    "count.sh": "#!/bin/sh\necho $(($(wc -l < $1) + $2))\n",
}
SHOW = """printf %s "$1" > $AMP_OUT/argument; printf %s "$WORD" > $AMP_OUT/variable
printf %s "$TOKEN" | wc -c; echo "$TOKEN"; sleep 1
"""
CANARY = "c4n4ry-of-the-far-machine"


class Straight(MachineTest):
    def hello(self, profile: str) -> tuple[FarProject, Result]:
        project = self.project(FILES)
        (project.folder / "count.sh").chmod(0o755)
        return project, self.run_ok(project, "run", "--on", profile)

    def check_hello(self, project: FarProject, user: str) -> None:
        self.assertEqual(set(project.states().values()), {"succeeded"})
        self.assertEqual(project.amp("logs", "latest/prepare").out.split()[-3:], ["hello", "from", self.machines.user[user]])
        self.assertIn("[3,4,5]", project.amp("logs", "latest/report").out.replace(" ", ""))
        self.assertEqual(project.amp("logs", "latest/read").out.split()[-2:], ["5", "43"])

    def test_code_inputs_outputs_and_folders_through_a_bastion(self) -> None:
        project, _ = self.hello("box")
        self.check_hello(project, "sh")
        self.run_ok(project, "fsck")
        code = sorted((self.machines.root() / "code").iterdir())
        began = time.monotonic()
        self.run_ok(project, "run", "--on", "box")  # all is there
        print(f"a warm run of six tasks: {time.monotonic() - began:.2f} s")
        self.assertEqual(sorted((self.machines.root() / "code").iterdir()), code)
        self.assertEqual(len(list((self.machines.root() / "bin").iterdir())), 1)

    def test_what_nothing_has_used_for_30_days_goes(self) -> None:
        project, _ = self.hello("box")
        root = self.machines.root()
        code = next(path for path in (root / "code").iterdir() if not path.name.startswith("."))
        old = root / "bin" / ("0" * 64)
        old.mkdir()
        objects = [path for path in (root / "store/objects").rglob("*") if path.is_file()]
        month = time.time() - 31 * 86400
        for path in (code, old, root / "store/gc/begun", *objects):
            os.utime(path, (month, month))
        (project.folder / "lib/more.txt").write_text("three \n")  # all else of the code is as it was
        self.run_ok(project, "run", "--on", "box")
        self.check_hello(project, "sh")
        self.assertFalse(old.exists())
        self.assertEqual(len(list((root / "bin").glob("*/amp"))), 1)
        self.assertFalse(code.exists())
        old_text = hashlib.sha256(b"three\n").hexdigest()
        self.assertEqual(list((root / "store/objects" / old_text[:2]).glob(f"{old_text[2:]}*")), [])

    def test_code_that_cannot_be_shipped_is_told(self) -> None:
        project = self.project({**FILES, "model.bin": b"m" * 2000})
        result = project.amp("run", "--on", "box", "--set", "code.max_file=1K", "--until", "prepare")
        self.assertNotEqual(result.code, 0, str(result))
        shown = project.amp("show", "latest/prepare")
        self.assertIn("'model.bin' is too large or could not be read", shown.out + shown.err)
        self.assertIn("[code] max_file", shown.out + shown.err)

    def test_steps_of_one_flow_in_two_places(self) -> None:
        """What one place made is there in the other, and each place has its own steps alone."""
        split = FLOW.replace('run = "./count.sh', 'on = "box"\nrun = "id -un; ./count.sh')
        project = self.project({**FILES, "flow.toml": split})
        (project.folder / "count.sh").chmod(0o755)
        self.run_ok(project, "run")
        self.assertEqual(set(project.states().values()), {"succeeded"})
        far, here = self.machines.user["sh"], pwd.getpwuid(os.getuid()).pw_name
        self.assertEqual(project.amp("logs", "latest/prepare").out.split()[-1], here)
        self.assertEqual([project.amp("logs", f"latest/train/{i}").out.split()[-1] for i in range(3)], [far] * 3)
        self.assertIn("[3,4,5]", project.amp("logs", "latest/report").out.replace(" ", ""))
        self.run_ok(project, "fsck")

    def test_who_looks_on_sees_what_runs_there(self) -> None:
        go = self.machines.home() / "go"
        flow = f"[flow]\nname = \"Slow\"\n[step.wait]\nrun = 'echo waiting; until [ -e {go} ]; do sleep 0.05; done'\n"
        project = self.project(flow + '[step.after]\nneeds = "wait"\nrun = "true"\n')
        self.run_ok(project, "run", "--on", "box", "--detach")
        wait_until(lambda: project.states().get("wait/_") == "running", 60, "it is seen to run")
        self.assertIn("running", project.amp("show").out)
        attached = project.start("attach")
        wait_until(lambda: "1 running" in project.output(), 20, "attach tells of it")
        go.touch()
        self.assertEqual(attached.wait(), 0)
        self.assertEqual(project.states(), {"wait/_": "succeeded", "after/_": "succeeded"})
        self.run_ok(project, "fsck")

    def test_login_shells_banners_and_noisy_profiles(self) -> None:
        home = self.machines.home()
        noise = "echo 'Welcome to the box!'; printf '\\001\\377no line feed'; echo noise >&2\n"
        (home / ".bashrc").write_text(noise)
        (home / ".cshrc").touch()
        csh = self.machines.home("csh") / ".cshrc"
        csh.write_text("echo 'csh says hello'\n")
        fish = self.machines.home("fish") / ".config" / "fish" / "config.fish"
        fish.parent.mkdir(parents=True)
        fish.write_text("echo 'fish says hello'\n")
        self.machines.own(self.machines.home("fish"), "fish")
        banner = self.machines.top / "banner"
        banner.write_text("*** Authorised use only! ***\n" * 20)
        self.machines.sshd("box", 22, f"Banner {banner}")
        self.addCleanup((home / ".bashrc").unlink)
        self.addCleanup(self.machines.sshd, "box", 22)
        for profile, user in (("box", "sh"), ("csh", "csh"), ("fish", "fish")):
            with self.subTest(profile):
                project, _ = self.hello(profile)
                self.check_hello(project, user)

    def test_one_session_is_enough(self) -> None:
        self.machines.sshd("box", 2201, "MaxSessions 1")
        project = self.project("""
[flow]
name = "Many"
[step.one]
foreach = "range(200)"
run = "echo {{ item }} > {{ outputs.n }}; echo {{ item }}"
outputs = { n = "n.txt" }
""")
        began = time.monotonic()
        self.run_ok(project, "run", "--on", "one")
        print(f"200 tasks with a file each over one connection: {time.monotonic() - began:.2f} s")
        self.assertEqual(list(project.states().values()), ["succeeded"] * 200)
        self.assertEqual(self.machines.sshd_log(port=2201).count("Accepted publickey"), 1)
        self.assertEqual(project.amp("logs", "latest/one/77").out, "77\n")

    def test_large_files_both_ways(self) -> None:
        big = os.urandom(50 << 20)
        project = self.project({
            "flow.toml": """
[flow]
name = "Large"
[params]
file = { type = "file", default = "big.bin" }
[step.copy]
run = "sha256sum < {{ params.file }}; cp {{ params.file }} {{ outputs.copy }}; head -c 50000000 /dev/zero > {{ outputs.zeros }}"
outputs = { copy = "copy.bin", zeros = "zeros.bin" }
[step.again]
needs = "copy"
run = "sha256sum < {{ copy.copy }}; wc -c < {{ copy.zeros }}"
""",
            "big.bin": big,
            ".ampignore": "big.bin\n"})
        began = time.monotonic()
        self.run_ok(project, "run", "--on", "box")
        print(f"50 MB both ways: {time.monotonic() - began:.2f} s")
        digest = hashlib.sha256(big).hexdigest()
        self.assertIn(digest, project.amp("logs", "latest/copy").out)
        self.assertIn(digest, project.amp("logs", "latest/again").out)
        self.assertIn("50000000", project.amp("logs", "latest/again").out)
        self.run_ok(project, "fsck")

    def test_what_is_printed_is_seen_at_once(self) -> None:
        project = self.project("""
[flow]
name = "Talking"
[step.talk]
run = "touch $HOME/talks; while ! test -e $HOME/stop; do date +%s.%N; sleep 0.3; done"
""")
        stop = self.machines.home() / "stop"
        run = project.start("run", "--on", "box")
        wait_until(lambda: (self.machines.home() / "talks").exists(), 60, "the task runs")
        path = project.top / "followed"
        with path.open("wb") as output:
            follower = project.start("logs", "-f", "latest/talk", stdout=output)
        delays: list[float] = []
        seen = 0
        deadline = time.monotonic() + 60
        while len(delays) < 12 and time.monotonic() < deadline:
            lines = path.read_text().split("\n")[:-1]
            if len(lines) > seen:
                if seen:
                    delays.append(time.time() - float(lines[-1].split()[-1]))
                seen = len(lines)
            time.sleep(0.002)
        stop.touch()
        self.assertEqual(run.wait(60), 0, project.output())
        follower.wait(30)
        median = sorted(delays)[len(delays) // 2]
        print(f"a line was seen after {median * 1000:.0f} ms (median), {max(delays) * 1000:.0f} ms at most")
        self.assertLess(median, 0.2)
        stop.unlink()

    def test_failures_retries_timeouts_and_cancel(self) -> None:
        project = self.project("""
[flow]
name = "Failing"
keep_going = true
[step.flaky]
run = "echo attempt $AMP_ATTEMPT; test $AMP_ATTEMPT = 2"
retry = { times = 2, delay = "10ms" }
[step.slow]
run = "exec sleep 1000"
timeout = "1s"
[step.missing]
run = "true"
outputs = { x = "x.txt" }
""")
        self.assertEqual(project.amp("run", "--on", "box").code, 1)
        tasks = project.tasks()
        self.assertEqual(tasks["flaky/_"]["state"], "succeeded")
        self.assertEqual(tasks["flaky/_"]["attempt"], 2)
        self.assertEqual(tasks["slow/_"]["state"], "failed")
        self.assertIn("timeout", str(tasks["slow/_"]))
        self.assertIn("'x' is missing", str(tasks["missing/_"]))
        held = self.project("""
[flow]
name = "Held"
[step.one]
foreach = "range(6)"
resources = { cpu = 0.5 }
run = "echo $AMP_TOKEN >> $HOME/begun; exec sleep 1000"
""")
        run = held.start("run", "--on", "box")
        begun = self.machines.home() / "begun"
        wait_until(lambda: begun.exists() and len(begun.read_text().splitlines()) == 4, 60, "four run")
        self.run_ok(held, "cancel", "latest")
        self.assertEqual(run.wait(60), 9, held.output())
        self.assertEqual(set(held.states().values()), {"cancelled"})
        wait_until(lambda: not self.machines.processes("agent"), 20, "the agent has ended")

    def test_every_byte_and_no_secret(self) -> None:
        text = "'\"\\$(x)`!\n\t%s é *?~ ; & | < > # \x01\x7f"
        project = self.project({"show.sh": SHOW, "flow.toml": """
[flow]
name = "Bytes"
[params]
text = "x"
[step.show]
run = ["sh", "show.sh", "{{ params.text }}"]
env = { WORD = "{{ params.text }}" }
secrets = ["TOKEN"]
outputs = { argument = "argument", variable = "variable" }
"""})
        run = project.start("run", "--on", "box", "--text", text, env={"TOKEN": CANARY})
        words: set[bytes] = set()
        while run.poll() is None:
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    words.add(path.read_bytes())
                except OSError:
                    continue
            time.sleep(0.02)
        self.assertEqual(run.returncode, 0, project.output())
        self.assertFalse([word for word in words if CANARY.encode() in word])
        artifacts = project.json("artifacts", "latest")["artifacts"]
        for artifact in artifacts:
            self.assertEqual(artifact["sha256"], hashlib.sha256(text.encode()).hexdigest(), artifact)
        self.assertIn(str(len(CANARY)), project.amp("logs", "latest/show").out)
        for top in (self.machines.home(), project.folder):
            for path in top.rglob("*"):
                if path.is_file():
                    self.assertNotIn(CANARY.encode(), path.read_bytes(), path)
        self.assertNotIn(CANARY, self.machines.sshd_log())
        self.assertNotIn(CANARY, project.output())

    def test_a_root_where_nothing_may_be_executed(self) -> None:
        root = self.machines.home() / "noexec"
        self.machines.mount(root, "noexec")
        project = self.project({**FILES, "amp.toml": f'[profile.box]\nbackend = "ssh"\nhost = "box"\nroot = "{root}"\n'})
        (project.folder / "count.sh").chmod(0o755)
        result = project.amp("run", "--on", "box", "--until", "prepare")
        self.assertEqual(result.code, 0, str(result))
        self.assertRegex(result.err, r"programs cannot be executed below \S+noexec on box: amp lies in /dev/shm/amp-\d+")
        self.assertFalse(list(root.glob("bin/*/amp")))

    def test_first_contact_that_fails_says_why(self) -> None:
        project = self.project(FILES)
        cases = (("nobody", 4, "Permission denied"), ("closed", 5, "refused"))
        for profile, code, words in cases:
            result = project.amp("run", "--on", profile)
            self.assertEqual(result.code, code, str(result))
            self.assertIn(words, result.err)
            self.assertIn("help: ", result.err)
        known = self.machines.top / "known_hosts"
        right = known.read_text()
        self.addCleanup(known.write_text, right)
        other = decode((self.machines.top / "id.pub").read_bytes()).split()[1]
        line = next(line for line in right.splitlines() if line.startswith("box "))
        known.write_text(right.replace(line, f"box ssh-ed25519 {other}"))
        result = project.amp("run", "--on", "box")
        self.assertEqual(result.code, 4, str(result))
        self.assertIn("host key", result.err)

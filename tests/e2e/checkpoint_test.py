"""$AMP_CHECKPOINT outlives attempts, keepers and drivers; cache_dirs outlive runs."""

import signal
import time

from harness import AmpTest, Project, kill_quietly, wait_until

# Counts to 40, and goes on from where its checkpoint says; each count stands in the ledger.
COUNT = """
set -eu
n=$(cat "$AMP_CHECKPOINT/n" 2>/dev/null || echo 0)
echo "begin $n" >> "$LEDGER"
while [ "$n" -lt 40 ]; do
    n=$((n + 1))
    echo "$n" > "$AMP_CHECKPOINT/n.new"
    mv "$AMP_CHECKPOINT/n.new" "$AMP_CHECKPOINT/n"
    echo "$n" >> "$LEDGER"
    sleep 0.05
    if [ "$n" = "${FAIL_AT:-none}" ] && [ "$AMP_ATTEMPT" = 1 ]; then exit 3; fi
done
amp put n "$n"
"""
FLOW = """
[flow]
name = "Count"

[step.count]
run = "sh count.sh"
checkpoint = { interval = "0.1s" }
retry = 1
"""


class Checkpoints(AmpTest):
    def counter(self, flow: str = FLOW) -> Project:
        return self.project({"flow.toml": flow, "count.sh": COUNT})

    def counted(self, project: Project) -> int:
        return len([line for line in project.ledger_lines() if not line.startswith("begin")])

    def begins(self, project: Project) -> list[int]:
        return [int(line.split()[1]) for line in project.ledger_lines() if line.startswith("begin")]

    def saves(self, project: Project) -> list[str]:
        return sorted(path.name for path in (project.folder / ".amp").glob("runs/*/checkpoints/*/*.json"))

    def test_the_next_attempt_goes_on(self) -> None:
        project = self.counter()
        self.run_ok(project, "run", env={"FAIL_AT": "10"})
        self.assertEqual(self.begins(project), [0, 10])
        self.assertEqual(self.counted(project), 40)
        self.assertEqual(self.saves(project), [], "they are dropped after success")
        self.run_ok(project, "fsck")

    def test_a_killed_keeper(self) -> None:
        project = self.counter()
        driver = project.start("run")
        wait_until(lambda: self.saves(project) and self.counted(project) > 20, 20, "it has saved something")
        before = self.counted(project)
        (keeper,) = project.keepers()
        kill_quietly(keeper)
        self.assertEqual(driver.wait(30), 0, project.output())
        begins = self.begins(project)
        self.assertEqual(begins[0], 0)
        self.assertEqual(len(begins), 2)
        self.assertGreater(begins[1], before - 12, "what was saved at most some intervals before is laid back")
        self.assertEqual(project.amp("get", "latest/count", "n").out.strip(), "40")
        self.assertEqual(self.saves(project), [])

    def test_a_killed_driver_and_keeper(self) -> None:
        project = self.counter()
        driver = project.start("run")
        wait_until(lambda: self.saves(project) and self.counted(project) > 15, 20, "it has saved something")
        kill_quietly(driver.pid)
        for keeper in project.keepers():
            kill_quietly(keeper)
        driver.wait()
        self.assertLessEqual(len(self.saves(project)), 3)
        self.run_ok(project, "gc", "--grace", "0")
        self.run_ok(project, "resume")
        begins = self.begins(project)
        self.assertGreater(begins[-1], 5)
        self.assertLess(self.counted(project), 60)

    def test_an_interrupted_run_saves_at_the_end_of_its_tasks(self) -> None:
        project = self.counter(FLOW.replace("0.1s", "1h"))
        driver = project.start("run")
        wait_until(lambda: self.counted(project) > 10, 20, "it works")
        driver.send_signal(signal.SIGINT)
        driver.wait(20)
        self.assertEqual(len(self.saves(project)), 1)
        done = self.counted(project)
        self.run_ok(project, "resume")
        self.assertIn(self.begins(project)[-1], (done, done - 1))

    def test_amp_checkpoint_saves_now(self) -> None:
        flow = """
[flow]
name = "Now"
[step.a]
checkpoint = { interval = "1h" }
run = '''
if [ "$AMP_ATTEMPT" = 1 ]; then
    mkdir "$AMP_CHECKPOINT/deep" "$AMP_CHECKPOINT/empty"
    echo one > "$AMP_CHECKPOINT/deep/file"
    ln -s deep/file "$AMP_CHECKPOINT/link"
    chmod 755 "$AMP_CHECKPOINT/deep/file"
    amp checkpoint
    echo saved >> "$LEDGER"
    sleep 60
fi
test -x "$AMP_CHECKPOINT/deep/file" -a -d "$AMP_CHECKPOINT/empty"
echo two >> "$AMP_CHECKPOINT/deep/file"
cat "$AMP_CHECKPOINT/link"
'''
"""
        project = self.project(flow)
        driver = project.start("run")
        wait_until(lambda: project.ledger_lines(), 20, "it is saved")
        self.assertEqual(len(self.saves(project)), 1)
        for keeper in project.keepers():
            kill_quietly(keeper)
        self.assertEqual(driver.wait(30), 0, project.output())
        self.assertEqual(self.run_ok(project, "logs", "latest/a").out, "one\ntwo\n")

    def test_a_run_that_goes_on_with_mended_code_takes_it_over(self) -> None:
        project = self.counter(FLOW.replace("retry = 1", ""))
        project.write("count.sh", COUNT + "exit 3\n")
        self.assert_code(1, project.amp("run"))
        self.assertEqual(self.counted(project), 40)
        project.write("count.sh", COUNT)
        self.run_ok(project, "resume")
        self.assertEqual(self.begins(project), [0, 40])
        self.assertEqual(len(project.runs()), 2)

    def test_another_definition_begins_anew(self) -> None:
        flow = FLOW.replace("retry = 1", 'env = { X = "{{ params.x }}" }\n') + "\n[params]\nx = 1\n"
        project = self.counter(flow)
        project.write("count.sh", COUNT + "test $X = 2\n")
        self.assert_code(1, project.amp("run"))
        self.run_ok(project, "resume", "--x", "2")
        self.assertEqual(self.begins(project), [0, 0])

    def test_rounds_share_one(self) -> None:
        project = self.project(
            """
[flow]
name = "Rounds"
[step.a]
checkpoint = true
repeat = { until = "a.n == 3", max = 5 }
run = '''
echo x >> "$AMP_CHECKPOINT/x"
amp put n "$(wc -l < "$AMP_CHECKPOINT/x")"
'''
"""
        )
        self.run_ok(project, "run")
        self.assertEqual(project.tasks()["a/_@3"]["state"] if "a/_@3" in project.tasks() else "", "succeeded")
        self.assertEqual(self.saves(project), [])

    def test_steps_without_one_have_none(self) -> None:
        project = self.project(
            '[flow]\nname = "None"\n[step.a]\nrun = \'echo "${AMP_CHECKPOINT-unset}"; amp checkpoint\'\n'
        )
        self.assert_code(1, project.amp("run", env={"AMP_CHECKPOINT": "/tmp"}))
        logs = self.run_ok(project, "logs", "latest/a").out
        self.assertIn("unset\n", logs)
        self.assertIn("AMP_CHECKPOINT is not set", logs)

    def test_cache_folders_outlive_runs(self) -> None:
        flow = """
[flow]
name = "Folders"
[step.a]
cwd = "task"
cache_dirs = { compiled = "build/cache" }
run = 'echo x >> build/cache/runs; wc -l < build/cache/runs'
[step.b]
cache_dirs = ["~/models"]
run = 'test -d "$HOME/models"'
"""
        project = self.project(flow)
        for count in ("1", "2"):
            self.run_ok(project, "run")
            self.assertEqual(self.run_ok(project, "logs", "latest/a").out.strip(), count)
            time.sleep(0.01)

"""Tasks that behave badly: each ends as it should, harms nobody, and leaves nothing behind."""

import unittest

from harness import AmpTest, Project, wait_until


def flow_of(script: str, more: str = "") -> str:
    return f"[flow]\nname = \"Nasty\"\n[step.one]\nrun = '''\n{script}\n'''\n{more}\n"


class Nasty(AmpTest):
    def ran(self, script: str, code: int, more: str = "", seconds: float = 60) -> Project:
        project = self.project(flow_of(script, more))
        self.assert_code(code, project.amp("run", seconds=seconds))
        self.assert_no_orphans(project)
        return project

    def attempt(self, project: Project) -> dict:
        return project.tasks()["one/_"]["attempts"][-1]

    def test_a_command_that_does_not_exist(self) -> None:
        project = self.project('[flow]\nname = "N"\n[step.one]\nrun = ["no-such-program-anywhere", "x"]\n')
        result = project.amp("run")
        self.assert_code(1, result)
        self.assertIn("no-such-program-anywhere", result.err)

    def test_a_command_that_is_no_program(self) -> None:
        project = self.project({"flow.toml": '[flow]\nname = "N"\n[step.one]\nrun = ["./data"]\n', "data": b"\x00\x01"})
        self.assert_code(1, project.amp("run"))
        (project.folder / "data").chmod(0o755)
        self.assert_code(1, project.amp("run"))

    def test_it_closes_its_streams(self) -> None:
        project = self.ran("exec 0<&- 1>&- 2>&-; sleep 0.3; exit 4", 1)
        self.assertEqual(self.attempt(project)["exit"], 4)

    def test_it_kills_itself(self) -> None:
        project = self.ran("kill -SEGV $$", 1)
        self.assertEqual(self.attempt(project)["signal"], 11)

    def test_it_kills_its_process_group(self) -> None:
        project = self.ran("kill -KILL 0", 1)
        self.assertEqual(self.attempt(project)["signal"], 9)

    def test_it_kills_the_group_of_its_parent(self) -> None:
        """The keeper leads a group of its own; even then the run ends as a failure or goes on, and nothing is left."""
        script = "[ $AMP_ATTEMPT -gt 1 ] && exit 0; kill -KILL -- -$(ps -o pgid= -p $PPID | tr -d ' '); sleep 5"
        project = self.project(flow_of(script))
        result = project.amp("run")
        self.assertIn(result.code, (0, 1, 5), str(result))
        self.assert_no_orphans(project)
        if result.code:
            self.run_ok(project, "resume", "latest")

    def test_it_prints_without_end(self) -> None:
        """200 MB of lines: head and tail are kept, memory stays bounded, and the run goes on."""
        project = self.ran("yes 'a line of output, again and again' | head -c 200000000 || true; echo the end", 0, seconds=120)
        attempt = self.attempt(project)
        self.assertEqual(attempt["log_bytes"], 200_000_008)
        self.assertGreater(attempt["log_dropped_bytes"], 0)
        logs = self.run_ok(project, "logs", "latest/one").out
        self.assertLess(len(logs), 40_000_000)
        self.assertTrue(logs.startswith("a line of output"), logs[:100])
        self.assertIn("the end", logs[-200:])

    def test_it_prints_one_endless_line(self) -> None:
        project = self.ran("head -c 100000000 /dev/zero | tr '\\0' x", 0, seconds=120)
        self.assertEqual(self.attempt(project)["log_bytes"], 100_000_000)

    def test_it_prints_junk(self) -> None:
        project = self.ran("head -c 100000 /dev/urandom; printf '\\xff\\xfe\\x00'", 0)
        self.assertEqual(self.attempt(project)["log_bytes"], 100_003)
        self.run_ok(project, "show", "latest")
        self.run_ok(project, "logs", "latest/one", "--json")

    def test_it_prints_half_a_line_and_waits(self) -> None:
        project = self.project(flow_of("printf half; sleep 2; echo ' whole'"))
        driver = project.start("run")
        found = wait_until(lambda: "half" in project.amp("logs", "latest/one").out, 10, "the half line is there")
        self.assertTrue(found)
        self.assertIsNone(driver.poll(), "it is read while the task runs")
        self.assertEqual(driver.wait(timeout=20), 0)
        self.assertIn("half whole", project.amp("logs", "latest/one").out)

    def test_it_deletes_its_folders(self) -> None:
        self.ran('rm -rf "$AMP_OUT" "$AMP_TASK_DIR"; exit 0', 0)
        self.ran("mkdir gone; cd gone; rmdir ../gone; exit 0", 0)

    def test_it_leaves_a_grandchild_that_ignores_term(self) -> None:
        script = "(trap '' TERM HUP INT; echo deaf >> $LEDGER; sleep 300) & while [ ! -s $LEDGER ]; do sleep 0.01; done; exit 0"
        project = self.project(flow_of(script))
        project.amp("run", seconds=60)
        self.assert_no_orphans(project, 20)

    def test_it_leaves_a_double_forked_daemon(self) -> None:
        script = "(setsid sh -c 'trap \"\" TERM; echo daemon >> $LEDGER; exec sleep 300' &)\n"
        script += "while [ ! -s $LEDGER ]; do sleep 0.01; done; exit 0"
        project = self.project(flow_of(script))
        project.amp("run", seconds=60)
        self.assert_no_orphans(project, 20)

    def test_it_ignores_the_timeout(self) -> None:
        project = self.project(flow_of("trap '' TERM; while true; do sleep 0.1; done", 'timeout = "300ms"'))
        self.assert_code(1, project.amp("run", seconds=60))
        self.assertEqual(self.attempt(project)["cause"], "timeout")
        self.assert_no_orphans(project)

    def test_it_stops_itself(self) -> None:
        project = self.ran("kill -STOP $$", 1, more='timeout = "500ms"')
        self.assertEqual(self.attempt(project)["cause"], "timeout")

    def test_it_holds_its_output_open(self) -> None:
        """A background child that keeps the pipe does not keep the task."""
        project = self.project(flow_of("sleep 100 & echo started; exit 0"))
        project.amp("run", seconds=30)
        self.assertEqual(project.states(), {"one/_": "succeeded"})
        self.assert_no_orphans(project, 20)

    def test_a_very_long_command_line(self) -> None:
        long = "x" * 100_000
        project = self.project(f'[flow]\nname = "L"\n[step.one]\nrun = ["sh", "-c", "test ${{#1}} = 100000", "sh", "{long}"]\n')
        self.run_ok(project, "run")

    def test_exit_codes_mean_something(self) -> None:
        project = self.ran("exit 202", 1, more="retry = 3")
        self.assertEqual([attempt["cause"] for attempt in project.tasks()["one/_"]["attempts"]], ["user"])
        project = self.ran("[ $AMP_ATTEMPT -gt 1 ] || exit 75", 0, more='retry = { times = 0, delay = "10ms" }')
        self.assertEqual([attempt["cause"] for attempt in project.tasks()["one/_"]["attempts"]], ["infra", "none"])


if __name__ == "__main__":
    unittest.main()

"""The judge of the kill tests can fail: made-up ledgers, one fault each."""

import unittest

from judge import Snapshot, judge

GOOD = ["t1 a/_ 1 start", "t1 a/_ 1 end", "t2 b/0 1 start", "t3 b/1 1 start", "t3 b/1 1 end", "t4 b/0 2 start", "t4 b/0 2 end"]
EXPECTED = {"a/_", "b/0", "b/1"}


def task(*attempts: int, state: str = "succeeded") -> dict:
    return {"state": state, "attempt": max(attempts, default=0), "attempts": [{"attempt": number} for number in attempts]}


TASKS = {"a/_": task(1), "b/0": task(1, 2), "b/1": task(1)}


class Judge(unittest.TestCase):
    def assert_finds(self, words: str, lines: list[str], snapshots: tuple[Snapshot, ...] = (), tasks: dict | None = None) -> None:
        findings = judge(lines, list(snapshots), TASKS if tasks is None else tasks, EXPECTED)
        self.assertTrue(any(words in finding for finding in findings), findings)

    def test_nothing_against_a_good_run(self) -> None:
        snapshots = [Snapshot(5, frozenset({"a/_", "b/1"})), Snapshot(0, frozenset())]
        self.assertEqual(judge(GOOD, snapshots, TASKS, EXPECTED), [])

    def test_a_task_that_amp_does_not_know(self) -> None:
        self.assert_finds("lost: amp does not know b/1", GOOD, tasks={"a/_": task(1), "b/0": task(1, 2)})

    def test_a_task_that_did_not_succeed(self) -> None:
        self.assert_finds("lost: a/_ is failed", GOOD, tasks={**TASKS, "a/_": task(1, state="failed")})

    def test_a_success_that_the_ledger_has_not_seen(self) -> None:
        self.assert_finds("no end of", [line for line in GOOD if line != "t1 a/_ 1 end"])

    def test_a_task_that_is_not_in_the_flow(self) -> None:
        self.assert_finds("invented", GOOD, tasks={**TASKS, "c/_": task(1)})

    def test_a_finished_task_that_starts_again(self) -> None:
        lines = [*GOOD, "t5 a/_ 2 start", "t5 a/_ 2 end"]
        tasks = {**TASKS, "a/_": task(1, 2)}
        self.assert_finds("twice: a/_ was started", lines, (Snapshot(3, frozenset({"a/_"})),), tasks)

    def test_a_restart_before_the_success_was_recorded_is_fine(self) -> None:
        lines = [*GOOD, "t5 a/_ 2 start", "t5 a/_ 2 end"]
        self.assertEqual(judge(lines, [Snapshot(3, frozenset())], {**TASKS, "a/_": task(1, 2)}, EXPECTED), [])

    def test_two_attempts_at_once(self) -> None:
        self.assert_finds("overlap: attempt 1 of b/0", [*GOOD[:6], "t2 b/0 1 end", "t4 b/0 2 end"])

    def test_attempts_in_the_wrong_order(self) -> None:
        self.assert_finds("order: b/0", [*GOOD, "t6 b/0 1 start"])

    def test_a_token_of_two_attempts(self) -> None:
        self.assert_finds("token: t1", [*GOOD[:5], "t1 b/0 2 start", "t1 b/0 2 end"])

    def test_an_attempt_that_starts_twice(self) -> None:
        self.assert_finds("second start", [GOOD[0], *GOOD])

    def test_an_end_without_a_start(self) -> None:
        self.assert_finds("ended before it started", GOOD[1:])

    def test_an_attempt_that_amp_does_not_know(self) -> None:
        self.assert_finds("unaccounted: amp does not know of attempt 1 of b/0", GOOD, tasks={**TASKS, "b/0": task(2)})

    def test_a_line_that_is_none(self) -> None:
        with self.assertRaises(ValueError):
            judge(["t1 a/_ 1 sta"], [], TASKS, EXPECTED)


if __name__ == "__main__":
    unittest.main()

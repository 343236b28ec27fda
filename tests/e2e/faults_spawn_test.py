"""Who asks for a run of his own gets a definite answer, though its keeper dies meanwhile: row 1 of tests/README.md.

AMP_FAULT_POINTS: at how many calls of the keeper that read (default 3; 0: at every one). AMP_FAULT_SEED repeats a choice.
"""

import os
import random
import time
import unittest

from faults import FaultTest
from harness import Project

POINTS = int(os.environ.get("AMP_FAULT_POINTS", "3"))
SEED = int(os.environ.get("AMP_FAULT_SEED", str(time.time_ns() % 1_000_000)))
FLOW = """
[flow]
name = "Asks"
[step.ask]
run = ["sh", "ask.sh"]
retry = { times = 2, on = ["lost"], delay = "10ms" }
"""
ASK = """
timeout 60 amp spawn bad.toml --wait
code=$?
echo "$AMP_ATTEMPT $code" >> "$LEDGER"
exit $code
"""
BAD = "[flow]\nname = 'Bad'\n[step.one]\nneeds = 'nothing'\nrun = 'true'\n"


class Refused(FaultTest):
    def asking(self) -> Project:
        return self.project({"flow.toml": FLOW, "ask.sh": ASK, "bad.toml": BAD})

    def kill_each(self, calls: str, points: int) -> None:
        """The keeper dies just before a call: before it asks, before it is answered, or before it says so."""
        sound = self.inject(self.asking(), "keeper", calls, "KILL", "0", "run")
        self.assert_code(1, sound.result)
        self.assertGreater(sound.calls, 3)
        chance = random.Random(f"{SEED} {self.id()}")
        numbers = range(1, sound.calls + 1)
        for number in numbers if points in (0, sound.calls) else sorted(chance.sample(numbers, min(points, sound.calls))):
            story = f"AMP_FAULT_SEED={SEED}: the keeper is killed at {calls} number {number} of {sound.calls}"
            project = self.asking()
            killed = self.inject(project, "keeper", calls, "KILL", str(number), "run")
            self.assertEqual(killed.result.code, 1, f"{story}: {killed.result}")
            self.assertEqual(project.ledger_lines()[-1].split()[1], "3", f"{story}: {project.ledger_lines()}")
            self.assertEqual(project.states(), {"ask/_": "failed"}, story)
            self.assertEqual(project.tasks()["ask/_"]["attempts"][-1]["cause"], "user", story)
            self.assertIn("bad.toml", project.amp("logs", "latest/ask").out, story)
            self.assertEqual(len(project.runs()), 1, story)
            self.assert_no_orphans(project)
            project.remove()

    def test_the_keeper_dies_before_it_says_something(self) -> None:
        self.kill_each("sendto", 0)

    def test_the_keeper_dies_before_it_hears_something(self) -> None:
        self.kill_each("read", POINTS)


if __name__ == "__main__":
    unittest.main()

"""Results that a run takes over from another one are put into the store anew: rows 4 and 5 of tests/README.md."""

import json
import unittest

from faults import FaultTest

FLOW = """
[flow]
name = "Taken"
[step.make]
foreach = "range(2)"
run = '''printf '"%06000d"' $AMP_INDEX > {{ outputs.x }}; echo made >> $LEDGER'''
outputs = { x = { path = "x.json", type = "json" } }
[step.use]
needs = "make"
join = true
run = "echo used >> $LEDGER"
"""


class TakenOver(FaultTest):
    def fail_each(self, calls: str, error: str, code: int) -> None:
        project = self.project(FLOW)
        self.run_ok(project, "run")
        origin = project.runs()[0]["run"]
        arguments = ("run", "--only", "use", "--origin", origin)
        objects = project.folder / ".amp" / "objects"

        at_first = set(objects.rglob("*"))

        def forget() -> None:
            for path in set(objects.rglob("*")) - at_first:
                if path.is_file():
                    path.unlink()

        sound = self.inject(project, "command", calls, error, "0", *arguments)
        self.assert_code(0, sound.result)
        self.assertGreaterEqual(sound.calls, 2)
        begun = 0
        for number in range(1, sound.calls + 1):
            story = f"{error} for {calls} number {number} of {sound.calls}"
            forget()
            runs = len(project.runs())
            failed = self.inject(project, "command", calls, error, str(number), *arguments)
            self.assertEqual(failed.result.code, code, f"{story}: {failed.result}")
            if len(project.runs()) == runs:
                continue  # before there was a run
            begun += 1
            self.assertEqual(project.json("show", "latest")["state"], "interrupted", story)
            for name, task in project.tasks().items():
                if task["state"] == "cached" and name.startswith("make/"):
                    wanted = self.run_ok(project, "get", f"latest/{name}", "x").out
                    self.assertEqual(len(json.loads(wanted)), 6000, story)
            before = project.ledger_lines()
            self.run_ok(project, "resume", "latest")
            self.assertEqual(project.ledger_lines(), [*before, "used"], story)
            self.run_ok(project, "fsck")
        self.assertGreaterEqual(begun, 2)

    def test_no_room_for_them(self) -> None:
        self.fail_each("write,writev@/objects/", "ENOSPC", 10)

    def test_they_cannot_be_synced(self) -> None:
        self.fail_each("fsync,fdatasync@/objects/", "EIO", 5)


if __name__ == "__main__":
    unittest.main()

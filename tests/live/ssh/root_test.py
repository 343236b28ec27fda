"""The folder of amp on another machine: whatever it is, what lies in it is the user's alone."""

import shutil
import stat
import unittest
from pathlib import Path

from machines import FarProject, MachineTest, call

FLOW = "[flow]\nname = 'Rooted'\n[step.one]\nrun = 'cat more.txt; id -un'\n"


class Root(MachineTest):
    def rooted(self, mode: int, owner: str) -> tuple[FarProject, Path]:
        root = self.machines.top / f"root-{self._testMethodName}-{mode:o}-{owner}"
        self.addCleanup(shutil.rmtree, root, ignore_errors=True)
        root.mkdir()
        call("chown", owner, root)
        root.chmod(mode)
        toml = f'[profile.box]\nbackend = "ssh"\nhost = "box"\nroot = "{root}"\n'
        return self.project({"flow.toml": FLOW, "more.txt": "more\n", "amp.toml": toml}), root

    def test_a_wide_one_of_the_user_or_of_somebody_else(self) -> None:
        user = self.machines.user["sh"]
        for mode, owner in ((0o755, user), (0o777, user), (0o2775, user), (0o1777, "root"), (0o777, self.machines.user["csh"])):
            with self.subTest(mode=oct(mode), owner=owner):
                project, root = self.rooted(mode, owner)
                for _ in range(2):
                    self.run_ok(project, "run", "--on", "box")
                self.assertEqual(project.amp("logs", "latest/one").out, f"more\n{user}\n")
                self.assertEqual(stat.S_IMODE(root.stat().st_mode), mode)
                names = sorted(path.name for path in root.iterdir())
                self.assertEqual(names, ["bin", "code", "environments", "store"])
                for name in names:
                    self.assertEqual(stat.S_IMODE((root / name).stat().st_mode) & 0o777, 0o700, name)
                    self.assertEqual((root / name).owner(), user)

    def test_what_somebody_else_has_laid_there_is_not_used(self) -> None:
        other = self.machines.user["csh"]
        project, root = self.rooted(0o1777, "root")
        self.run_ok(project, "run", "--on", "box")
        (program,) = (root / "bin").glob("*/amp")
        evil, size = root / "evil", program.stat().st_size
        program.unlink()
        program.write_bytes(f"#!/bin/sh\ntouch {evil}\n".encode().ljust(size, b"#"))
        call("chown", "-R", other, root / "bin")
        (root / "bin").chmod(0o755)
        self.run_ok(project, "run", "--on", "box")
        self.assertFalse(evil.exists())
        for name in ("store", "code", "environments"):
            with self.subTest(name):
                call("chown", other, root / name)
                refused = project.amp("run", "--on", "box")
                self.assertEqual(refused.code, 5, str(refused))
                self.assertIn(f"others may write in '{root}/{name}', which must be ours alone", refused.err)
                call("chown", self.machines.user["sh"], root / name)
        self.run_ok(project, "run", "--on", "box")


if __name__ == "__main__":
    unittest.main()

"""The static executable alone: what it is made of, and that it needs nothing around it."""

import os
import re
import shutil
import unittest

from common import AMP, CHROOT, FLOW, PackageTest, run

LIMIT_BYTES = 15_000_000


class Elf(PackageTest):
    def setUp(self) -> None:
        super().setUp()
        self.segments = self.ok("readelf", "--wide", "--program-headers", AMP)
        self.dynamic = self.ok("readelf", "--wide", "--dynamic", AMP)
        self.header = self.ok("readelf", "--wide", "--file-header", AMP)

    def test_its_size(self) -> None:
        self.assertLessEqual(AMP.stat().st_size, LIMIT_BYTES)

    def test_it_needs_no_library_and_no_loader(self) -> None:
        self.assertNotIn("INTERP", self.segments)
        for word in ("(NEEDED)", "(RPATH)", "(RUNPATH)"):
            self.assertNotIn(word, self.dynamic)

    def test_it_lies_at_a_random_address(self) -> None:
        self.assertRegex(self.header, r"Type:\s+DYN")
        self.assertRegex(self.dynamic, r"\(FLAGS_1\).*PIE")

    def test_what_is_relocated_is_read_only_afterwards(self) -> None:
        self.assertIn("GNU_RELRO", self.segments)
        self.assertRegex(self.dynamic, r"\(FLAGS(_1)?\).*(BIND_)?NOW")

    def test_nothing_is_writable_and_executable(self) -> None:
        kinds = re.findall(r"^\s+(\S+)\s+0x\S+ 0x\S+ 0x\S+ 0x\S+ 0x\S+ ([RWE ]{3})", self.segments, re.MULTILINE)
        self.assertIn("GNU_STACK", [kind for kind, _ in kinds])
        for kind, flags in kinds:
            self.assertFalse("W" in flags and "E" in flags, f"{kind} {flags}")
            self.assertFalse(kind == "GNU_STACK" and "E" in flags, "the stack may be executed")

    def test_smashed_stacks_and_buffers_are_noticed(self) -> None:
        """Symbols are stripped; the map of the link has what is in it."""
        linked = (AMP.parent / "amp.map").read_text(errors="replace")
        self.assertRegex(linked, r"\b__stack_chk_fail\b")
        self.assertRegex(linked, r"\b__(read|memcpy|vsnprintf|fdelt|snprintf|readlink|poll|recv)_chk\b")

    def test_names_are_stripped(self) -> None:
        self.assertNotIn(".symtab", self.ok("readelf", "--wide", "--sections", AMP))

    def test_it_does_not_say_where_it_was_built(self) -> None:
        program = AMP.read_bytes()
        self.assertNotIn(str(AMP.parent.parent.parent).encode() + b"/", program)
        self.assertNotIn(b"../deps/", program, "as ccache calls it")


class Alone(PackageTest):
    def runs(self, *prefix: object, **options: object) -> None:
        """`--version`, `validate`, and a run whose step is the program itself."""
        self.assertRegex(self.ok(*prefix, "--version", **options), r"\Aamp \d+\.\d+\.\d+ \(\S+\)\n")
        self.ok(*prefix, "validate", **options)
        self.ok(*prefix, "run", **options)
        self.assertIn('"succeeded"', self.ok(*prefix, "show", "latest", "--json", **options))

    def test_in_an_empty_root(self) -> None:
        """Only the program, its project and the folders that every Linux gives a process: /proc, /dev, /tmp."""
        self.need_root()
        root = self.folder / "root"
        for name in ("proc", "dev", "tmp"):
            (root / name).mkdir(parents=True)
        shutil.copy(AMP, root / "amp")
        (root / "flow.toml").write_text(FLOW % "/amp")
        (root / "amp.toml").touch()
        mounts = f'mount -t proc proc {root}/proc && mount --rbind /dev {root}/dev && exec env -i {CHROOT} {root} /amp "$@"'
        self.runs("unshare", "-m", "sh", "-c", mounts, "sh")

    def test_with_nothing_at_all(self) -> None:
        """Not even /proc: all but starting tasks."""
        self.need_root()
        root = self.folder / "root"
        root.mkdir()
        shutil.copy(AMP, root / "amp")
        (root / "flow.toml").write_text(FLOW % "/amp")
        self.assertRegex(self.ok("env", "-i", CHROOT, root, "/amp", "--version"), r"\Aamp ")
        self.ok("env", "-i", CHROOT, root, "/amp", "validate")

    def test_as_a_user_that_no_file_knows(self) -> None:
        self.need_root()
        shutil.copy(AMP, self.folder / "amp")
        project = self.project(str(self.folder / "amp"))
        os.chown(project, 54321, 54321)
        someone = ("setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", self.folder / "amp")
        self.runs(*someone, cwd=project, env={"PATH": os.environ["PATH"]})

    def test_without_a_home(self) -> None:
        project = self.project(str(AMP))
        self.runs(AMP, cwd=project, env={"PATH": os.environ["PATH"]})
        self.assertEqual(sorted(path.name for path in project.iterdir()), [".amp", "flow.toml"])

    def test_where_only_tmp_can_be_written(self) -> None:
        """The project lies there too; everything else is read-only, as in a locked-down container."""
        self.need_root()
        project = self.project(str(AMP))
        script = (
            'mount --make-rprivate / && mount --bind /tmp /tmp && mount -o remount,bind,ro / && cd "$1" && shift && exec "$@"'
        )
        self.assertNotEqual(
            run("unshare", "-m", "sh", "-c", script, "sh", self.folder, "touch", "/etc/x").returncode, 0, "the root is writable"
        )
        self.runs("unshare", "-m", "sh", "-c", script, "sh", project, AMP, env={"PATH": os.environ["PATH"], "HOME": "/root"})


if __name__ == "__main__":
    unittest.main()

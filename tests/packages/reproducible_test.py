"""The same packages, byte for byte, whoever makes them, where and when."""

import hashlib
import os
import shutil
import sys
import unittest

from common import AMP, BUILD, ROOT, PackageTest

MADE = ("amp-*.whl", "amp-flow_*.deb", "amp-*-linux-x86_64.tar.zst", "amp-*-image.tar", "SHA256SUMS")
SAMPLE = (("core/base", "hash"), ("core/base", "ids"), ("core/package", "compression"), ("cli", "table"))


class Reproducible(PackageTest):
    def test_packages_made_again_are_the_same(self) -> None:
        """In another folder, with another umask, another time zone and locale, from files that are newer."""
        again = self.folder / "again"
        command = f'umask 077 && exec "{sys.executable}" "{ROOT}/packaging/build.py" --build "{BUILD}" --out "{again}"'
        for path in (ROOT / "README.md", AMP):
            os.utime(path)
        self.ok("sh", "-c", command, env={**os.environ, "TZ": "Asia/Kolkata", "LC_ALL": "C", "HOME": "/nowhere"}, timeout=600)
        for pattern in MADE:
            with self.subTest(pattern):
                first, (second,) = self.only(pattern), again.glob(pattern)
                self.assertEqual(first.name, second.name)
                self.assertEqual(
                    hashlib.sha256(first.read_bytes()).hexdigest(), hashlib.sha256(second.read_bytes()).hexdigest()
                )

    def test_objects_compiled_in_another_folder_are_the_same(self) -> None:
        """Some small ones, in a clone elsewhere and without the compiler's cache."""
        objects = [f"CMakeFiles/{box.replace('/', '_')}.dir/{box}/{name}.cpp.o" for box, name in SAMPLE]
        clone = self.clone()
        self.ok("sh", "-c", f"cmake --preset static && ninja -C build/static {' '.join(objects)}", **clone)
        for name in objects:
            there = clone["cwd"] / "build/static" / name
            self.assertEqual(there.read_bytes(), (BUILD / name).read_bytes(), name)

    def test_the_executable_built_in_another_folder_is_the_same(self) -> None:
        """All of it: minutes. Asked for by `./dev package --twice`."""
        if os.environ.get("AMP_TWICE") != "1":
            self.skipTest("SKIPPED, NOT TESTED: takes minutes; ./dev package --twice")
        clone = self.clone()
        self.ok("sh", "-c", "umask 077 && cmake --preset static && cmake --build build/static --target amp", **clone)
        self.assertEqual((clone["cwd"] / "build/static/amp").read_bytes(), AMP.read_bytes())

    def clone(self) -> dict:
        """Where and how to compile what is committed."""
        self.assertNotIn("-dirty", self.ok(AMP, "--version"), "a clone has only what is committed")
        place = self.folder / "another place"
        self.ok("git", "clone", "-q", "--no-local", ROOT, place)
        shutil.copytree(BUILD.parent / "deps", place / "build" / "deps")
        return {"cwd": place, "env": {**os.environ, "CCACHE_DISABLE": "1"}, "timeout": 3600}


if __name__ == "__main__":
    unittest.main()

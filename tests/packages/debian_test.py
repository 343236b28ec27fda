"""The Debian package, and what `cmake --install` lays down."""

import gzip
import os
import shutil
import unittest
from pathlib import Path

from common import AMP, BUILD, CHROOT, PACKAGES, PackageTest, run

# Debian's own packages have a maintainer who can be written to.
SUPPRESSED = "bogus-mail-host,bogus-mail-host-in-debian-changelog"

PAGES = ("share/man/man1/amp.1", "share/man/man5/amp-flow.5")
COMPLETIONS = (
    "share/bash-completion/completions/amp",
    "share/zsh/vendor-completions/_amp",
    "share/fish/vendor_completions.d/amp.fish",
)


def assert_pages_and_completions(test: unittest.TestCase, prefix: Path, packed: str = "") -> None:
    """@param packed: what Debian adds to the name of a page that it has compressed."""
    for name in (*(page + packed for page in PAGES), *COMPLETIONS):
        test.assertTrue((prefix / name).is_file() and (prefix / name).stat().st_size > 0, name)


class Debian(PackageTest):
    def setUp(self) -> None:
        super().setUp()
        self.package = self.only("amp-flow_*_amd64.deb")

    def field(self, name: str) -> str:
        return self.ok("dpkg-deb", "--field", self.package, name).strip()

    def test_its_control_file(self) -> None:
        self.assertEqual(self.field("Package"), "amp-flow")
        self.assertEqual(self.field("Architecture"), "amd64")
        self.assertEqual(self.field("Section"), "science")
        self.assertEqual(self.field("Depends"), "", "it is static")
        self.assertEqual(self.field("Recommends"), "ca-certificates, git")
        self.assertEqual("amp " + self.field("Version"), " ".join(self.ok(AMP, "--version").split()[:2]))

    def test_its_files(self) -> None:
        self.ok("dpkg-deb", "--extract", self.package, self.folder / "root")
        root = self.folder / "root"
        self.assertEqual((root / "usr/bin/amp").read_bytes(), AMP.read_bytes())
        for name in ("copyright", "THIRD-PARTY-LICENSES", "changelog.gz", "amp.spdx.json", "README.md"):
            self.assertTrue((root / "usr/share/doc/amp-flow" / name).is_file(), name)
        assert_pages_and_completions(self, root / "usr", packed=".gz")
        self.assertRegex((root / "usr/share/doc/amp-flow/copyright").read_text(), r"openssl 3\S*: Apache-2\.0\n")
        self.assertIn("amp-flow (", gzip.decompress((root / "usr/share/doc/amp-flow/changelog.gz").read_bytes()).decode())
        self.assert_modes(self.modes_below(root))
        for line in self.ok("dpkg-deb", "--contents", self.package).splitlines():
            self.assertEqual(line.split()[1], "root/root", line)

    def test_it_is_installed_used_and_purged(self) -> None:
        self.need_root()
        root = self.folder / "root"
        (root / "var/lib/dpkg/updates").mkdir(parents=True)
        (root / "var/lib/dpkg/info").mkdir()
        (root / "var/lib/dpkg/status").touch()
        dpkg = ("dpkg", f"--root={root}", "--force-script-chrootless", "--log=/dev/null")
        self.ok(*dpkg, "--install", self.package)
        self.assertRegex(self.ok("env", "-i", CHROOT, root, "/usr/bin/amp", "--version"), r"\Aamp \d")
        self.ok(*dpkg, "--purge", "amp-flow")
        self.assertFalse((root / "usr").exists(), "something is left")

    def test_lintian_has_nothing_to_say(self) -> None:
        if shutil.which("lintian") is None:
            self.skipTest("SKIPPED, NOT TESTED: there is no lintian")
        done = run("lintian", "--allow-root", "--fail-on=error,warning", f"--suppress-tags={SUPPRESSED}", self.package)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)


class Installed(PackageTest):
    def test_a_prefix(self) -> None:
        self.ok("cmake", "--install", BUILD, "--prefix", self.folder / "to")
        self.check(self.folder / "to")

    def test_below_destdir_whatever_the_umask(self) -> None:
        self.ok(
            "sh",
            "-c",
            'umask 077 && exec cmake --install "$0" --prefix /opt/amp',
            BUILD,
            env={**os.environ, "DESTDIR": str(self.folder)},
        )
        self.check(self.folder / "opt/amp")
        self.assert_modes(
            {name: mode for name, mode in self.modes_below(self.folder / "opt/amp").items() if os.path.isfile(name)}
        )

    def check(self, prefix: Path) -> None:
        self.assertEqual((prefix / "bin/amp").read_bytes(), AMP.read_bytes())
        self.assertTrue((prefix / "share/doc/amp/README.md").is_file())
        self.assertTrue((prefix / "share/doc/amp/examples/ngram/flow.toml").is_file())
        assert_pages_and_completions(self, prefix)
        made = {path.name for kind in ("man", "completions") for path in (BUILD / kind).iterdir() if path.is_file()}
        installed = {path.name for path in (prefix / "share").rglob("*") if path.is_file()}
        self.assertEqual(sorted(made - installed), [])


class Tarball(PackageTest):
    def test_unpacked_it_works(self) -> None:
        archive = self.only("amp-*-linux-x86_64.tar.zst")
        self.ok("tar", "--zstd", "-C", self.folder, "-xf", archive)
        (top,) = self.folder.iterdir()
        self.assertEqual(top.name, archive.name.removesuffix(".tar.zst"))
        self.assertRegex(self.ok(top / "bin/amp", "--version"), r"\Aamp \d")
        for name in ("THIRD-PARTY-LICENSES", "amp.spdx.json"):
            self.assertTrue((top / "share/doc/amp" / name).is_file())
        assert_pages_and_completions(self, top)

    def test_the_sums(self) -> None:
        self.ok("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=PACKAGES)
        self.assertEqual(len((PACKAGES / "SHA256SUMS").read_text().splitlines()), len(list(PACKAGES.iterdir())) - 1)


if __name__ == "__main__":
    unittest.main()

"""What goes with the packages: the licences, and the bill of materials."""

import hashlib
import json
import re
import unittest

from common import AMP, BUILD, PackageTest

KNOWN = {
    "OpenSSL": "openssl",
    "zstd": "libzstd",
    "yaml-cpp": "yaml-cpp",
    "fmt": "fmtlib",
    "toml++": "tomlplusplus",
    "Boost": "boost1.81",
}
KNOWN |= {"CLI11": "cli11", "glibc": "glibc", "libstdc++": "gcc-12"}


class Documents(PackageTest):
    def setUp(self) -> None:
        super().setUp()
        self.licences = (BUILD / "licences" / "THIRD-PARTY-LICENSES").read_text()
        self.bill = json.loads((BUILD / "licences" / "amp.spdx.json").read_text())
        self.packages = {package["name"]: package for package in self.bill["packages"]}
        self.said = json.loads(self.ok(AMP, "version", "--json"))

    def test_every_library_that_amp_names_is_in_both(self) -> None:
        self.assertEqual(set(self.said["libraries"]), set(KNOWN))
        for library, version in self.said["libraries"].items():
            package = self.packages[KNOWN[library]]
            self.assertIn(version, package["versionInfo"], library)
            self.assertIn(f"\n{package['name']} {package['versionInfo']}: {package['licenseDeclared']}\n", self.licences)

    def test_every_archive_of_the_link_is_in_the_bill(self) -> None:
        linked = (BUILD / "amp.map").read_text(errors="replace")
        archives = set(re.findall(r"([^/\s]+\.a)\(", linked)) - {path.name for path in BUILD.glob("*.a")}
        self.assertIn("libcrypto.a", archives)
        self.assertEqual(archives - {file["fileName"].removeprefix("./") for file in self.bill["files"]}, set())

    def test_the_program_is_the_one_that_is_meant(self) -> None:
        (checksum,) = self.packages["amp"]["checksums"]
        self.assertEqual(checksum["checksumValue"], hashlib.sha256(AMP.read_bytes()).hexdigest())

    def test_its_form(self) -> None:
        """What SPDX 2.3 asks of a document; references lead somewhere."""
        self.assertEqual(self.bill["spdxVersion"], "SPDX-2.3")
        self.assertRegex(self.bill["creationInfo"]["created"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
        named = ["SPDXRef-DOCUMENT"] + [part["SPDXID"] for part in (*self.bill["packages"], *self.bill["files"])]
        self.assertEqual(len(named), len(set(named)))
        for relation in self.bill["relationships"]:
            self.assertIn(relation["spdxElementId"], named)
            self.assertIn(relation["relatedSpdxElement"], named)
        for package in self.bill["packages"]:
            for key in (
                "SPDXID",
                "name",
                "versionInfo",
                "downloadLocation",
                "licenseConcluded",
                "licenseDeclared",
                "copyrightText",
            ):
                self.assertTrue(package[key], f"{package['name']}: {key}")
        for file in self.bill["files"]:
            self.assertEqual({entry["algorithm"] for entry in file["checksums"]}, {"SHA1", "SHA256"})

    def test_the_texts_of_the_licences_are_there(self) -> None:
        for text in (
            "Apache License",
            "GNU LESSER GENERAL PUBLIC LICENSE",
            "GCC RUNTIME LIBRARY EXCEPTION",
            "Boost Software License",
            "./dev static",
        ):
            self.assertIn(text, self.licences)


if __name__ == "__main__":
    unittest.main()

"""The image: its archive, and in a real engine (dockerd in a network namespace of its own, ended by its number)."""

import hashlib
import json
import os
import shutil
import tarfile
import unittest

from common import AMP, PackageTest
from engines import Docker, start_docker


class Archive(PackageTest):
    def test_every_blob_has_its_hash_and_every_list_names_them(self) -> None:
        with tarfile.open(self.only("amp-*-image.tar")) as archive:
            content = {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}
        blobs = {name: blob for name, blob in content.items() if name.startswith("blobs/sha256/")}
        for name, blob in blobs.items():
            self.assertEqual(name.rpartition("/")[2], hashlib.sha256(blob).hexdigest())
        (manifest,) = json.loads(content["index.json"])["manifests"]
        layers = json.loads(blobs["blobs/" + manifest["digest"].replace(":", "/")])
        for part in (layers["config"], *layers["layers"]):
            self.assertEqual(len(blobs["blobs/" + part["digest"].replace(":", "/")]), part["size"])
        (saved,) = json.loads(content["manifest.json"])
        self.assertIn(saved["Config"], blobs)
        self.assertEqual(len(saved["Layers"]), len(layers["layers"]))


class InAnEngine(PackageTest):
    engine: Docker

    @classmethod
    def setUpClass(cls) -> None:
        cls.engine = start_docker()
        cls.addClassCleanup(cls.engine.stop)

    def docker(self, *arguments: object) -> str:
        return self.ok("docker", *arguments, env={**os.environ, **self.engine.environment})

    def load(self) -> str:
        self.assertIn("Loaded image: amp:", self.docker("load", "-i", self.only("amp-*-image.tar")))
        return "amp:" + self.ok(AMP, "--version").split()[1]

    def container(self, *options: object) -> tuple:
        return ("run", "--rm", "--network=none", *options)

    def test_it_says_its_version(self) -> None:
        self.assertEqual(self.docker(*self.container(self.load(), "--version")), self.ok(AMP, "--version"))

    def test_it_runs_a_flow(self) -> None:
        """As an unknown user, with a root that cannot be written, without any other program."""
        name, project = self.load(), self.project()
        os.chown(project, 54321, 54321)
        for more in (
            (),
            ("--user", "54321:54321", "--read-only", "--tmpfs", "/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges"),
        ):
            amp = self.container(*more, "-v", f"{project}:/work", name)
            self.docker(*amp, "validate")
            self.docker(*amp, "run")
            self.assertIn('"succeeded"', self.docker(*amp, "show", "latest", "--json"))
            shutil.rmtree(project / ".amp")

    def test_its_program_goes_into_other_images(self) -> None:
        """FROM scratch, COPY --from: what people do with it."""
        name = self.load()
        (self.folder / "Dockerfile").write_text(f'FROM scratch\nCOPY --from={name} /amp /bin/amp\nENTRYPOINT ["/bin/amp"]\n')
        environment = {**os.environ, **self.engine.environment, "DOCKER_BUILDKIT": "0"}
        self.ok("docker", "build", "--network=none", "-t", "other", self.folder, env=environment)
        self.assertRegex(self.docker(*self.container("other", "--version")), r"\Aamp \d")


if __name__ == "__main__":
    unittest.main()

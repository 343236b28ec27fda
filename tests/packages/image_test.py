"""The image: its archive, and in a real engine (dockerd in a network namespace of its own, ended by its number)."""

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
import unittest
from pathlib import Path

from common import AMP, PackageTest, run


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


class Engine:
    """dockerd with a folder and a network namespace of its own."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="amp-docker-"))
        self.environment = {**os.environ, "DOCKER_HOST": f"unix://{self.folder}/socket"}
        (self.folder / "config.json").write_text("{}")
        places = ["--data-root", self.folder / "data", "--exec-root", self.folder / "exec", "--pidfile", self.folder / "pid"]
        network = ["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"]
        command = [
            "unshare",
            "--net",
            "dockerd",
            "--config-file",
            self.folder / "config.json",
            *places,
            *network,
            "-H",
            f"unix://{self.folder}/socket",
        ]
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def is_up(self) -> bool:
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            if run("docker", "version", env=self.environment).returncode == 0:
                return True
            time.sleep(0.2)
        return False

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for line in Path("/proc/self/mounts").read_text().splitlines():
            place = line.split()[1]
            if place.startswith(f"{self.folder}/"):
                subprocess.run(["umount", "-l", place], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


class InAnEngine(PackageTest):
    engine: Engine

    @classmethod
    def setUpClass(cls) -> None:
        for program in ("dockerd", "docker"):
            if shutil.which(program) is None:
                raise unittest.SkipTest(f"SKIPPED, NOT TESTED: there is no {program}")
        if os.geteuid() != 0:
            raise unittest.SkipTest("SKIPPED, NOT TESTED: only root can start a container engine")
        cls.engine = Engine()
        cls.addClassCleanup(cls.engine.stop)
        if not cls.engine.is_up():
            raise unittest.SkipTest(
                "SKIPPED, NOT TESTED: dockerd does not start here: " + (cls.engine.folder / "log").read_text()[-300:]
            )

    def docker(self, *arguments: object) -> str:
        return self.ok("docker", *arguments, env=self.engine.environment)

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
        environment = {**self.engine.environment, "DOCKER_BUILDKIT": "0"}
        self.ok("docker", "build", "--network=none", "-t", "other", self.folder, env=environment)
        self.assertRegex(self.docker(*self.container("other", "--version")), r"\Aamp \d")


if __name__ == "__main__":
    unittest.main()

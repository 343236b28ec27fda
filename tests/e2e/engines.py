"""Container engines that tests start for themselves: dockerd in a network namespace of its own, ended by its number; podman with
its images in a folder of its own. None of them touches the machine's network."""

import os
import re
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

BUSYBOX = Path("/bin/busybox")  # of busybox-static
PODMAN_SETTINGS = """[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


def call(*command: object, **options: object) -> subprocess.CompletedProcess:
    settings = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "check": False, "timeout": 120, **options}
    return subprocess.run([str(word) for word in command], **settings)


def need(*programs: str) -> None:
    """Skips, loudly, where a program is missing or we are not root."""
    for program in programs:
        if shutil.which(program) is None:
            raise unittest.SkipTest(f"SKIPPED, NOT TESTED: there is no {program}")
    if os.geteuid() != 0:
        raise unittest.SkipTest("SKIPPED, NOT TESTED: only root can start a container engine")


def libraries_of(program: Path) -> list[Path]:
    """What a program that is linked dynamically needs to start; nothing for a static one."""
    printed = call("ldd", program).stdout
    return [Path(path) for path in re.findall(r"(/\S+) \(0x", printed)]


def make_root(folder: Path, programs: dict[str, Path], applets: tuple[str, ...] = (), libraries: tuple[Path, ...] = ()) -> Path:
    """A root folder: these programs, /bin/busybox under the names of applets, and what dynamic programs need."""
    for name in ("bin", "proc", "sys", "dev", "tmp", "etc"):
        (folder / name).mkdir(parents=True)
    (folder / "tmp").chmod(0o1777)
    for name, program in programs.items():
        shutil.copy(program, folder / name)
    for applet in applets:
        (folder / "bin" / applet).symlink_to("/bin/busybox")
    for library in libraries:
        place = folder / str(library).lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library.resolve(), place)
    return folder


class Engine:
    """What docker and podman have in common."""

    name = ""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"amp-{self.name}-"))
        self.environment: dict[str, str] = {}

    def __call__(self, *arguments: object, **options: object) -> subprocess.CompletedProcess:
        return call(self.name, *arguments, env={**os.environ, **self.environment}, **options)

    def ok(self, *arguments: object, **options: object) -> str:
        done = self(*arguments, **options)
        if done.returncode != 0:
            raise AssertionError(f"{self.name} {arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def make_image(self, name: str, root: Path) -> None:
        archive = self.folder / "image.tar"
        call("tar", "-C", root, "-cf", archive, ".")
        self.ok("import", archive, name)
        archive.unlink()

    def containers(self) -> list[str]:
        """All that there are, also those that have ended."""
        return self.ok("ps", "--all", "--format", "{{.Names}}").split()

    def stop(self) -> None:
        for line in Path("/proc/self/mounts").read_text().splitlines():
            place = line.split()[1]
            if place.startswith(f"{self.folder}/"):
                subprocess.run(["umount", "-l", place], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


class Docker(Engine):
    """dockerd with a folder and a network namespace of its own."""

    name = "docker"

    def __init__(self) -> None:
        super().__init__()
        self.socket = self.folder / "socket"
        self.environment = {"DOCKER_HOST": f"unix://{self.socket}"}
        (self.folder / "config.json").write_text("{}")
        places = ["--data-root", self.folder / "data", "--exec-root", self.folder / "exec", "--pidfile", self.folder / "pid"]
        network = ["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"]
        daemon = ["dockerd", "--config-file", self.folder / "config.json", *places, *network, "-H", f"unix://{self.socket}"]
        with open(self.folder / "log", "wb") as log:
            # Ranks of a gang meet at the loopback of the namespace.
            command = ["unshare", "--net", "sh", "-c", 'busybox ip link set lo up; exec "$@"', "sh", *daemon]
            self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def is_up(self) -> bool:
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            if self("version").returncode == 0:
                return True
            time.sleep(0.1)
        return False

    def end(self) -> None:
        """The daemon alone."""
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def stop(self) -> None:
        self.end()
        super().stop()


class Podman(Engine):
    name = "podman"

    def __init__(self) -> None:
        super().__init__()
        (self.folder / "containers.conf").write_text(PODMAN_SETTINGS)
        (self.folder / "storage.conf").write_text(
            f'[storage]\ndriver = "overlay"\ngraphroot = "{self.folder}/data"\nrunroot = "{self.folder}/run"\n'
        )
        self.environment = {
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
        }

    def is_up(self) -> bool:
        return self("info").returncode == 0


def start_docker() -> Docker:
    """@raises unittest.SkipTest where it cannot be started"""
    need("dockerd", "docker")
    engine = Docker()
    if not engine.is_up():
        log = (engine.folder / "log").read_text()[-300:]
        engine.stop()
        raise unittest.SkipTest(f"SKIPPED, NOT TESTED: dockerd does not start here: {log}")
    return engine

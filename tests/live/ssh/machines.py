"""Machines in network namespaces: a laptop, a bastion, and a box that is reached through it alone.

    laptop ──10.88.1.0/24── bastion ──10.88.2.0/24── box

Real sshd's, users with different login shells, and amp run in the laptop's namespace. The root namespace has no route to
any of them. They share the disk of this machine, but each user's home is its own.
"""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any

from harness import AMP, Project, Result, decode, kill_quietly, wait_until

SHELLS = {"sh": "/bin/bash", "csh": "/usr/bin/tcsh", "fish": "/usr/bin/fish"}
NEEDED = {
    "/usr/sbin/sshd": "openssh-server", "/usr/bin/ssh": "openssh-client", "/usr/bin/tcsh": "tcsh", "/usr/bin/fish": "fish",
    "/usr/sbin/ip": "iproute2"}
_numbers = itertools.count(1)


def call(*arguments: str | Path, check: bool = True, **options: Any) -> str:
    words = [str(word) for word in arguments]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{arguments}: {decode(done.stdout)}")
    return decode(done.stdout)


def why_not() -> str:
    """Why there can be no such machines here; empty: there can."""
    if os.geteuid() != 0:
        return "network namespaces and sshd need root"
    missing = [package for path, package in NEEDED.items() if not Path(path).exists()]
    if missing:
        return f"not installed: {', '.join(missing)}"
    probe = f"ampprobe{os.getpid()}"
    try:
        call("ip", "netns", "add", probe)
        call("ip", "netns", "del", probe)
    except (AssertionError, OSError) as error:
        return f"network namespaces are not possible: {error}"
    return ""


class Machines:
    def __init__(self) -> None:
        self.top = Path(tempfile.mkdtemp(prefix="amp-live-ssh-"))
        self.top.chmod(0o755)
        tag = f"{os.getpid() % 100000}x{next(_numbers)}"
        self.user = {kind: f"amp{tag}{kind}" for kind in SHELLS}  # other tests of this kind may go on beside us
        self.names = {name: f"amp{tag}{name[:3]}" for name in ("laptop", "bastion", "box")}
        self.daemons: dict[tuple[str, int], subprocess.Popen[bytes]] = {}
        self.mounts: list[Path] = []
        self.users: list[str] = []
        self.port = 22
        self._make_net()
        self._make_users()
        self._make_keys()
        self.sshd("bastion", 22, "AllowTcpForwarding yes")
        self.sshd("box", 22)

    # ---- making

    def _make_net(self) -> None:
        for name in self.names.values():
            call("ip", "netns", "add", name)
            call("ip", "-n", name, "link", "set", "lo", "up")
        laptop, bastion, box = self.names.values()
        for one, other, net in ((laptop, bastion, "10.88.1"), (bastion, box, "10.88.2")):
            left, right = f"to{other[-3:]}", f"to{one[-3:]}"
            call("ip", "link", "add", left, "netns", one, "type", "veth", "peer", "name", right, "netns", other)
            for namespace, device, address in ((one, left, f"{net}.2"), (other, right, f"{net}.1")):
                call("ip", "-n", namespace, "addr", "add", f"{address}/24", "dev", device)
                call("ip", "-n", namespace, "link", "set", device, "up")

    def _make_users(self) -> None:
        for kind, shell in SHELLS.items():
            name = self.user[kind]
            home = self.home(kind)
            home.parent.mkdir(exist_ok=True, mode=0o755)
            call("useradd", "-M", "-d", home, "-s", shell, name)
            call("usermod", "-p", "*", name)
            self.users.append(name)
            home.mkdir(mode=0o700)
            (home / ".ssh").mkdir(mode=0o700)
            self.own(home, kind)

    def own(self, path: Path, kind: str = "sh") -> None:
        call("chown", "-R", f"{self.user[kind]}:", path)

    def _make_keys(self) -> None:
        Path("/run/sshd").mkdir(exist_ok=True)
        for name in ("hostkey", "id"):
            call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.top / name)
        for kind in SHELLS:
            keys = self.home(kind) / ".ssh" / "authorized_keys"
            shutil.copy(self.top / "id.pub", keys)
            keys.chmod(0o600)
            self.own(keys, kind)
        key = " ".join((self.top / "hostkey.pub").read_text().split()[:2])
        (self.top / "known_hosts").write_text(f"bastion {key}\nbox {key}\n")
        common = f"""IdentityFile {self.top}/id
  IdentitiesOnly yes
  UserKnownHostsFile {self.top}/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes"""
        hosts = f"Host bastion\n  HostName 10.88.1.1\n  HostKeyAlias bastion\n  User {self.user['sh']}\n  {common}\n"
        for alias, user, port in (("box", self.user["sh"], 22), ("csh", self.user["csh"], 22), ("fish", self.user["fish"], 22),
                                  ("one", self.user["sh"], 2201),
                                  ("nobody", "nobodyhere", 22), ("closed", self.user["sh"], 2299)):
            hosts += (f"Host {alias}\n  HostName 10.88.2.1\n  Port {port}\n  HostKeyAlias box\n  User {user}\n"
                      f"  ProxyJump bastion\n  {common}\n")
        (self.top / "config").write_text(hosts)
        programs = self.top / "bin"
        programs.mkdir()
        (programs / "ssh").write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {self.top}/config "$@"\n')
        (programs / "ssh").chmod(0o755)

    def sshd(self, machine: str, port: int, *lines: str) -> None:
        """Starts one; a running one of that port is ended first, with its connections."""
        self.stop_sshd(port, machine)
        config = self.top / f"sshd-{machine}-{port}"
        log = self.top / f"sshd-{machine}-{port}.log"
        config.write_text("\n".join((
            f"Port {port}", f"HostKey {self.top}/hostkey", "AuthenticationMethods publickey", "PasswordAuthentication no",
            "KbdInteractiveAuthentication no", "UsePAM no", "UseDNS no", "PrintMotd no", "StrictModes no", "PidFile none",
            "LogLevel VERBOSE", *lines, "")))
        with log.open("ab") as output:
            daemon = subprocess.Popen(
                [*self.inside(machine), "/usr/sbin/sshd", "-D", "-e", "-f", str(config)], stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True)
        self.daemons[(machine, port)] = daemon
        wait_until(lambda: f"port {port}." in log.read_text().splitlines()[-1] if log.read_text() else False, 10, "sshd listens")

    def stop_sshd(self, port: int, machine: str = "box") -> None:
        daemon = self.daemons.pop((machine, port), None)
        if daemon is not None:
            family = [str(daemon.pid)]
            for pid in family:  # two a connection
                below = call("ps", "-o", "pid=,comm=", "--ppid", pid, check=False).splitlines()
                family += [line.split()[0] for line in below if line.split()[1:] == ["sshd"]]
            for pid in family:
                kill_quietly(int(pid))
            daemon.wait()

    def sshd_log(self, machine: str = "box", port: int = 22) -> str:
        return (self.top / f"sshd-{machine}-{port}.log").read_text()

    # ---- using

    def inside(self, machine: str) -> list[str]:
        return ["nsenter", f"--net=/run/netns/{self.names[machine]}"]

    def home(self, kind: str = "sh") -> Path:
        return self.top / "homes" / kind

    def root(self, kind: str = "sh") -> Path:
        return self.home(kind) / ".cache" / "amp"

    def link(self, up: bool) -> None:
        """Between the laptop and the bastion."""
        laptop = self.names["laptop"]
        call("ip", "-n", laptop, "link", "set", f"to{self.names['bastion'][-3:]}", "up" if up else "down")

    def mount(self, path: Path, options: str, kind: str = "sh") -> None:
        """A file system of its own in memory."""
        path.mkdir(parents=True, exist_ok=True)
        call("mount", "-t", "tmpfs", "-o", options, "tmpfs", path)
        self.mounts.append(path)
        self.own(path, kind)

    def processes(self, word: str, machine: str = "box") -> list[int]:
        """Of amp, on one machine: `keeper`, `agent`."""
        pids = []
        for pid in call("ip", "netns", "pids", self.names[machine]).split():
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if len(words) > 1 and words[1] == word.encode() and words[0].endswith(b"amp"):
                pids.append(int(pid))
        return pids

    def remove(self) -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            listed = " ".join(call("ip", "netns", "pids", name, check=False) for name in self.names.values())
            pids = [int(pid) for pid in listed.split() if pid.isdigit()]
            if not pids:
                break
            for pid in pids:
                kill_quietly(pid)
            time.sleep(0.02)
        for daemon in self.daemons.values():
            daemon.wait()
        for path in reversed(self.mounts):
            call("umount", "-l", path, check=False)
        for name in self.names.values():
            call("ip", "netns", "del", name, check=False)
        for user in self.users:
            uid = pwd.getpwnam(user).pw_uid
            for folder in (Path(f"/tmp/amp-{uid}"), Path(f"/dev/shm/amp-{uid}")):
                shutil.rmtree(folder, ignore_errors=True)
            call("userdel", user, check=False)
        shutil.rmtree(self.top, ignore_errors=True)


class FarProject(Project):
    """A project on the laptop, with a profile for each host."""

    def __init__(self, machines: Machines, files: dict[str, str | bytes]) -> None:
        super().__init__(files)
        self.machines = machines
        self.prefix = machines.inside("laptop")
        self.environment["PATH"] = f"{machines.top}/bin:{self.environment['PATH']}"
        self.top.chmod(0o755)
        self.ledger.chmod(0o666)
        if "amp.toml" not in files:
            self.write("amp.toml", "".join(f'[profile.{host}]\nbackend = "ssh"\nhost = "{host}"\nmax_workers = 4\n'
                                           for host in ("box", "csh", "fish", "one", "nobody", "closed")))

    def amp(self, *arguments: str | bytes, stdin: bytes | None = None, env: dict[str, str | None] | None = None,
            cwd: Path | None = None, seconds: float = 120) -> Result:
        done = subprocess.run([*self.prefix, AMP, *arguments], cwd=cwd or self.folder,
                              env=self.environment_with(env), input=stdin, stdin=subprocess.DEVNULL if stdin is None else None,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=seconds, check=False)
        return Result(done.returncode, decode(done.stdout), decode(done.stderr))

    def start(self, *arguments: str, env: dict[str, str | None] | None = None, **options: Any) -> subprocess.Popen[bytes]:
        with (self.top / "output").open("ab") as output:
            settings = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output, **options}
            return subprocess.Popen([*self.prefix, str(AMP), *arguments], cwd=self.folder,
                                    env=self.environment_with(env), **settings)


class MachineTest(unittest.TestCase):
    """Tests of one class share the machines; each has a project of its own."""

    maxDiff = None
    machines: Machines

    @classmethod
    def setUpClass(cls) -> None:
        if why := why_not():
            raise unittest.SkipTest(why)
        cls.machines = Machines()
        cls.addClassCleanup(cls.machines.remove)

    def project(self, files: dict[str, str | bytes] | str) -> FarProject:
        project = FarProject(self.machines, {"flow.toml": files} if isinstance(files, str) else files)
        self.addCleanup(project.remove)
        return project

    def run_ok(self, project: FarProject, *arguments: str, **options: Any) -> Result:
        result = project.amp(*arguments, **options)
        self.assertEqual(result.code, 0, f"amp {' '.join(map(str, arguments))}: {result}")
        return result

"""Calls to the kernel that fail once, or from some time on: rows 4 to 7 of tests/README.md.

AMP_FAULT_POINTS: how many calls of each kind are tried, spread over the run (default 3; 0: every one).
AMP_FAULT_SEED repeats a choice.
"""

import os
import random
import time
import unittest

from faults import FaultTest, Injected

POINTS = int(os.environ.get("AMP_FAULT_POINTS", "3"))
SEED = int(os.environ.get("AMP_FAULT_SEED", str(time.time_ns() % 1_000_000)))

SYNC = "fsync,fdatasync,syncfs"
WRITE = "write,writev,pwrite64@/.amp"
OPEN = "openat@/.amp"
NAME = "rename,renameat,renameat2,link,linkat"
FOLDER = "mkdir,mkdirat"
FORK = "fork,vfork,clone,clone3"
DESCRIPTOR = "pipe2,socket,eventfd2,timerfd_create,signalfd4,epoll_create1,dup,dup3"


class OneCall(FaultTest):
    """The N-th call of a kind fails: amp goes on, or says so and ends; then the run goes on to the same result."""

    def setUp(self) -> None:
        self.random = random.Random(f"{SEED} {self.id()}")

    def points(self, calls: int) -> list[int]:
        if POINTS == 0 or POINTS >= calls:
            return list(range(1, calls + 1))
        return [1 + int((number + self.random.random()) * calls / POINTS) for number in range(POINTS)]

    def fail_each(self, process: str, calls: str, action: str, *codes: int) -> None:
        """@param codes what amp may end with when it cannot go on"""
        reference = self.fault_project()
        sound = self.inject(reference, process, calls, action, "0", "run")
        self.assert_code(0, sound.result)
        self.assertGreater(sound.calls, 0, f"{process} makes no {calls}")
        for number in self.points(sound.calls):
            story = f"AMP_FAULT_SEED={SEED}: {action} for {calls} number {number} of {sound.calls} of the {process}"
            project = self.fault_project()
            failed = self.inject(project, process, calls, action, str(number), "run")
            self.check_end(failed, codes, story)
            self.finish(project, story)
            self.assert_no_orphans(project)
            project.remove()

    def check_end(self, failed: Injected, codes: tuple[int, ...], story: str) -> None:
        self.assertIn(failed.result.code, (0, *codes), f"{story}: {failed.result}")
        self.assertNotIn("terminate called", failed.result.err, story)
        if failed.result.code != 0:
            self.assertRegex(failed.result.err, "error: ", story)

    def test_a_sync_of_the_orchestrator(self) -> None:
        self.fail_each("command", SYNC, "EIO", 5)

    def test_a_sync_of_the_keeper(self) -> None:
        """It stores and records nothing more, and another keeper goes on: the run does not end."""
        self.fail_each("keeper", SYNC, "EIO")

    def test_a_write_of_the_orchestrator(self) -> None:
        self.fail_each("command", WRITE, "EIO", 5)

    def test_a_write_of_the_keeper(self) -> None:
        self.fail_each("keeper", WRITE, "EIO", 5)

    def test_no_room_for_a_write_of_the_orchestrator(self) -> None:
        self.fail_each("command", WRITE, "ENOSPC", 10)

    def test_no_room_for_a_write_of_the_keeper(self) -> None:
        self.fail_each("keeper", WRITE, "ENOSPC", 10)

    def test_a_file_that_does_not_open(self) -> None:
        self.fail_each("command", OPEN, "EIO", 5)
        self.fail_each("keeper", OPEN, "EMFILE", 5)

    def test_a_name_that_is_not_given(self) -> None:
        self.fail_each("command", NAME, "ENOSPC", 10)
        self.fail_each("keeper", NAME, "EIO", 5)

    def test_a_folder_that_is_not_made(self) -> None:
        self.fail_each("command", FOLDER, "EDQUOT", 10)
        self.fail_each("keeper", FOLDER, "EDQUOT", 10)

    def test_a_process_that_is_not_started(self) -> None:
        self.fail_each("command", FORK, "EAGAIN", 5)
        self.fail_each("keeper", FORK, "EAGAIN", 5)

    def test_a_descriptor_that_is_not_there(self) -> None:
        self.fail_each("command", DESCRIPTOR, "EMFILE", 5)
        self.fail_each("keeper", DESCRIPTOR, "EMFILE", 5)

    def test_a_folder_that_cannot_be_read(self) -> None:
        """Not taken for an empty one where that would lose something."""
        self.fail_each("keeper", "getdents64", "EIO", 5)


class ManyCalls(FaultTest):
    """What may always happen makes no difference: calls that do a part, or are interrupted."""

    def unharmed(self, process: str, calls: str, action: str, when: str) -> None:
        story = f"{action} for {calls} of the {process}, {when}"
        project = self.fault_project()
        ran = self.inject(project, process, calls, action, when, "run")
        self.assertEqual(ran.result.code, 0, f"{story}: {ran.result}")
        self.assertGreater(ran.hits, 0, story)
        self.assertNotIn("note:", ran.result.err, story)
        self.assert_right(project, story)

    def test_short_writes_and_reads(self) -> None:
        for process in ("command", "keeper"):
            for calls in (WRITE, "read,pread64@/.amp", "read@pipe:", "sendto,write,recvfrom,read@socket:"):
                self.unharmed(process, calls, "short", "1+")

    def test_interrupted_calls(self) -> None:
        for process in ("command", "keeper"):
            for calls in (
                WRITE,
                "read,pread64@/.amp",
                OPEN,
                "read@pipe:",
                "fcntl,flock@/.amp",
                "sendto,write,recvfrom,read,sendmsg,recvmsg@socket:",
                "epoll_wait,ppoll,poll",
                "wait4",
            ):
                self.unharmed(process, calls, "EINTR", "1+2")


class FromThenOn(FaultTest):
    """From a call on all of its kind fail: the run ends and says why; then it goes on."""

    def broken(self, process: str, calls: str, action: str, codes: tuple[int, ...], first: tuple[int, ...]) -> None:
        for number in first:
            story = f"{action} for {calls} of the {process} from number {number} on"
            project = self.fault_project()
            failed = self.inject(project, process, calls, action, f"{number}+", "run")
            self.assertIn(failed.result.code, codes, f"{story}: {failed.result}")
            self.assertGreater(failed.hits, 0, story)
            self.finish(project, story)
            self.assert_no_orphans(project, 40)
            project.remove()

    def test_a_disk_that_is_gone(self) -> None:
        self.broken("command", f"{SYNC},{WRITE}", "EIO", (5,), (1, 20, 40))

    def test_a_disk_that_becomes_read_only(self) -> None:
        """As a file system does after an error of its disk."""
        changes = "write,pwrite64,openat,linkat,renameat,renameat2,mkdirat,unlinkat@/.amp"
        self.broken("command", changes, "EROFS", (10,), (60, 100))

    def test_a_machine_without_processes(self) -> None:
        self.broken("command", FORK, "EAGAIN", (5,), (1, 4, 5))

    def test_a_process_without_descriptors(self) -> None:
        self.broken("command", f"{OPEN},{DESCRIPTOR}".replace("@/.amp", ""), "EMFILE", (5, 127), (1, 40, 70))


if __name__ == "__main__":
    unittest.main()

"""An `ssh` that breaks: cutting_ssh.py PLAN REAL_SSH ARGUMENT…

PLAN is a file with a line for each connection to come, `in N` or `out N`: after N bytes in that direction (to or from the
other machine) it ends, and the connection with it. Without a line it goes on for ever. What it has used it takes off.
"""

import os
import selectors
import signal
import subprocess
import sys
from pathlib import Path


def take_line(plan: Path) -> tuple[str, int]:
    lines = plan.read_text().splitlines()
    if not lines:
        return "none", 0
    plan.write_text("".join(f"{line}\n" for line in lines[1:]))
    direction, _, count = lines[0].partition(" ")
    return direction, int(count)


def main() -> int:
    direction, left = take_line(Path(sys.argv[1]))
    ssh = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    assert ssh.stdin and ssh.stdout
    ways = {0: (ssh.stdin.fileno(), "in"), ssh.stdout.fileno(): (1, "out")}
    waiting = selectors.DefaultSelector()
    for source in ways:
        waiting.register(source, selectors.EVENT_READ)
    while True:
        for key, _ in waiting.select():
            target, way = ways[key.fd]
            data = os.read(key.fd, 65536)
            if not data and key.fd == 0:  # it says goodbye: what is on its way arrives
                waiting.unregister(0)
                ssh.stdin.close()
                continue
            cut = way == direction and len(data) >= left
            left -= len(data) if way == direction else 0
            sent = data[: left + len(data)] if cut else data
            while sent:
                try:
                    sent = sent[os.write(target, sent) :]
                except OSError:
                    data = b""
                    break
            if cut or not data:
                ssh.send_signal(signal.SIGKILL if cut else signal.SIGTERM)
                ssh.wait()
                return 255


if __name__ == "__main__":
    sys.exit(main())

"""A shell of the user's in a pseudo-terminal, in which words are typed and completed."""

import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
import unittest
from collections.abc import Callable
from fcntl import ioctl
from pathlib import Path

from harness import AMP, SLOW, Project, decode

TAB = "\t"
CLEAR = "\x15"  # C-u
SHOW = "\x18\x0c"  # C-x C-l, bound to print the line between << and >>
ESCAPES = re.compile(r"\x1b(\[[0-9;?<>=]*[a-zA-Z]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][A-Z0-9]|[=>78])")

BASH = r"""
PS1='$ '; bind 'set bell-style none'; bind 'set show-all-if-ambiguous on'; bind 'set page-completions off'
bind 'set completion-query-items 0'; bind 'set enable-bracketed-paste off'
bind -x '"\C-x\C-l": printf "<<%s>>" "$READLINE_LINE"'
source <(amp completion bash)
echo rea''dy
"""
ZSH = r"""
PS1='$ '; unsetopt zle_bracketed_paste 2>/dev/null; unset zle_bracketed_paste
setopt no_beep auto_list no_always_last_prompt; LISTMAX=9999
autoload -Uz compinit; compinit -u -D
show_line() { print -rn -- "<<$BUFFER>>" }; zle -N show_line; bindkey '^X^L' show_line; bindkey '^U' kill-whole-line
bindkey '^I' complete-word  # expand-or-complete would do what the user typed in $( )
source <(amp completion zsh)
echo rea''dy
"""
FISH = r"""
function fish_prompt; echo '$ '; end
bind \cx\cl 'echo -n "<<"(commandline | string collect)">>"'
bind \cu 'commandline ""'
amp completion fish | source
echo rea''dy
"""
START = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], BASH),
    "zsh": (["zsh", "-f", "-i"], ZSH),
    "fish": (["fish", "--no-config", "-i"], FISH),
}


class Shell:
    """@raises unittest.SkipTest when it is not installed"""

    def __init__(self, name: str, project: Project) -> None:
        if shutil.which(name) is None:
            raise unittest.SkipTest(f"SKIPPED, NOT TESTED: {name} is not installed (Debian: {name})")
        self.name = name
        arguments, script = START[name]
        tools = project.top / "tools"
        tools.mkdir(exist_ok=True)
        if not (tools / "amp").exists():
            (tools / "amp").symlink_to(AMP)
        rc = project.top / f"rc.{name}"
        rc.write_text(script)
        self.master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        environment = {**project.environment, "PATH": f"{tools}:{project.environment['PATH']}", "TERM": "xterm"}
        self.process = subprocess.Popen(
            arguments, cwd=project.folder, env=environment, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            preexec_fn=lambda: ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        self.seen = ""
        self.send(f" source {rc}\r")
        self.wait_for("ready", 20)

    def close(self) -> None:
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        os.close(self.master)

    def send(self, text: str) -> None:
        os.write(self.master, text.encode())

    def read(self, seconds: float) -> bool:
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        if b"\x1b[c" in data or b"\x1b[0c" in data:  # it asks what terminal this is
            os.write(self.master, b"\x1b[?1;2c")
        self.seen += ESCAPES.sub("", decode(data))
        return True

    def wait_for(self, pattern: str, seconds: float = 10) -> str:
        """What came up to the end of `pattern`, which is taken away."""
        deadline = time.monotonic() + seconds * SLOW
        while (found := re.search(pattern, self.seen, re.DOTALL)) is None:
            self.read(0.05)
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name} does not show {pattern!r}: {self.seen[-2000:]!r}")
        text, self.seen = self.seen[: found.end()], self.seen[found.end() :]
        return text

    def settle(self, seconds: float = 0.3) -> None:
        while self.read(seconds * SLOW):
            pass

    def listed(self, typed: str, enough: Callable[[str], bool]) -> str:
        """What is shown behind Tab, as soon as that is enough, or after some seconds."""
        self.seen = ""
        self.send(typed)
        self.settle(0.15)  # with keys that wait, zsh shows no list
        self.send(TAB)
        deadline = time.monotonic() + 10 * SLOW
        while not enough(self.seen) and time.monotonic() < deadline:
            self.read(0.1)
        shown = self.seen
        self.settle(0.1)
        self.send(CLEAR)
        return shown

    def completed(self, typed: str) -> tuple[str, str]:
        """The line after Tab, and what was shown meanwhile."""
        self.seen = ""
        self.send(typed + TAB + SHOW)
        shown = self.wait_for("<<.*?>>")
        line = re.findall(r"<<(.*?)>>", shown, re.DOTALL)[-1]
        self.send(CLEAR)
        return line, shown.partition("<<")[0]

#!/usr/bin/env python3
"""The picture of the README: docs/picture.py --amp BINARY [--out docs/terminal.svg]

Runs a small flow in a terminal of 100 columns (tmux), waits until there is something to see, and writes what stands on the
screen, with its colours, as SVG. By hand, when what a run looks like has changed.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

FLOW = """
[flow]
name = "Speech"
[params]
languages = ["de", "en", "fr", "it"]
[defaults]
resources = { cpu = 0.1 }
[step.fetch]
foreach = "params.languages"
as = "language"
run = "sleep 0.2"
[step.clean]
needs = "fetch"
run = "sleep 0.$RANDOM"
[step.merge]
needs = "clean"
join = true
run = "sleep 0.3"
[step.train]
needs = "merge"
foreach = "range(24)"
priority = 1
retry = { times = 1, delay = "50ms" }
run = '''
for epoch in 1 2 3 4 5; do
    amp progress $((epoch * 20))% "epoch $epoch of 5"
    sleep 1.$((AMP_INDEX * 7 % 10))
    if [ $AMP_INDEX.$AMP_ATTEMPT.$epoch = 2.1.2 ]; then echo "epoch 2: loss is nan" >&2; exit 3; fi
done
'''
[step.evaluate]
needs = "train"
run = "sleep 2.5"
[step.report]
needs = "evaluate"
join = true
run = "true"
"""
COLUMNS, ROWS = 100, 40
CELL_W, CELL_H, MARGIN, SIZE = 8.43, 19, 18, 14
BACKGROUND, INK, FAINT = "#1b1e24", "#d7dae0", "#7d8590"
COLOURS = {31: "#f47067", 32: "#6bc46d", 33: "#daaa3f", 34: "#6cb6ff", 35: "#dcbdfb", 36: "#56b6c2"}
SGR = re.compile(r"\x1b\[([0-9;]*)m")


@dataclass(frozen=True)
class Look:
    colour: int = 39
    bold: bool = False
    faint: bool = False

    def after(self, codes: str) -> "Look":
        look = self
        for code in (int(part or 0) for part in codes.split(";")):
            if code == 0:
                look = Look()
            elif code == 1:
                look = replace(look, bold=True)
            elif code == 2:
                look = replace(look, faint=True)
            elif code == 22:
                look = replace(look, bold=False, faint=False)
            elif 30 <= code <= 39:
                look = replace(look, colour=code)
        return look

    def attributes(self) -> str:
        fill = COLOURS.get(self.colour) or (FAINT if self.faint else INK)
        out = "" if fill == INK else f' fill="{fill}"'
        return out + (' font-weight="bold"' if self.bold else "")


def capture(amp: Path) -> list[str]:
    """The lines of the screen while a run goes on, with their colours."""
    folder = Path(tempfile.mkdtemp(prefix="amp-picture-"))
    (folder / "flow.toml").write_text(FLOW)
    os.symlink(amp, folder / "amp")
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(folder), "LANG": "C.UTF-8", "TERM": "screen-256color"}

    def tmux(*arguments: str) -> str:
        command = ["tmux", "-S", str(folder / "tmux"), "-f", "/dev/null", *arguments]
        return subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout

    try:
        shell = ["env", "PS1=$ ", "bash", "--norc", "--noprofile"]
        tmux("new-session", "-d", "-s", "t", "-x", str(COLUMNS), "-y", str(ROWS), *shell)
        tmux("send-keys", "-t", "t", f"cd {folder}; clear", "Enter")
        time.sleep(0.5)
        tmux("send-keys", "-t", "t", "amp run --max-workers 6", "Enter")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            lines = tmux("capture-pane", "-p", "-e", "-t", "t").splitlines()
            plain = SGR.sub("", "\n".join(lines))
            if "attempt 2" in plain and re.search(r"evaluate +\S+ +[2-9]/24", plain) and plain.count("epoch") > 4:
                while lines and not SGR.sub("", lines[-1]).strip():
                    lines.pop()
                return lines
            time.sleep(0.2)
        sys.exit("picture: nothing to be seen within a minute")
    finally:
        subprocess.run(["tmux", "-S", str(folder / "tmux"), "send-keys", "-t", "t", "C-c"], check=False)
        time.sleep(1)
        subprocess.run(["tmux", "-S", str(folder / "tmux"), "kill-server"], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def spans(lines: list[str]) -> list[list[tuple[Look, str]]]:
    """Each line as pieces of one look. What is set at the end of a line holds on the next."""
    look = Look()
    out = []
    for line in lines:
        pieces = []
        at = 0
        for found in [*SGR.finditer(line), None]:
            text = line[at : found.start() if found else None]
            if text:
                pieces.append((look, text))
            if found:
                look = look.after(found[1])
                at = found.end()
        out.append(pieces)
    return out


def text_svg(look: Look, text: str, column: int, y: float) -> list[str]:
    """Words and bars; a bar is a line, which no font draws with gaps."""
    out = []
    for part in re.finditer(r"━+|─+|[^━─\s](?:[^━─\s]| (?! ))*", text):
        x = MARGIN + (column + part.start()) * CELL_W
        width = len(part[0]) * CELL_W
        if part[0][0] in "━─":
            heavy = part[0][0] == "━"
            colour = COLOURS.get(look.colour, FAINT if look.faint else INK) if heavy else "#3d444d"
            out.append(f'<rect x="{x:.1f}" y="{y - 6:.1f}" width="{width:.1f}" height="3" fill="{colour}"/>')
        else:
            out.append(f'<text x="{x:.1f}" y="{y:.1f}" textLength="{width:.1f}"{look.attributes()}>{escape(part[0])}</text>')
    return out


def svg(lines: list[str]) -> str:
    width = 2 * MARGIN + COLUMNS * CELL_W
    top = MARGIN + 26
    height = top + len(lines) * CELL_H + MARGIN - 6
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}"'
        f' width="{width:.0f}" height="{height:.0f}" role="img" aria-label="amp run at a terminal" xml:space="preserve">',
        f'<rect width="100%" height="100%" rx="10" fill="{BACKGROUND}"/>',
        *(f'<circle cx="{MARGIN + 4 + 20 * i}" cy="{MARGIN}" r="6" fill="#3d444d"/>' for i in range(3)),
        '<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,DejaVu Sans Mono,monospace"'
        f' font-size="{SIZE}" fill="{INK}">',
    ]
    for row, pieces in enumerate(spans(lines)):
        column = 0
        for look, text in pieces:
            out += text_svg(look, text, column, top + (row + 0.75) * CELL_H)
            column += len(text)
    return "\n".join([*out, "</g>", "</svg>", ""])


def main() -> None:
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--amp", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=here / "terminal.svg")
    options = parser.parse_args()
    picture = svg(capture(options.amp.resolve()))
    if len(picture) > 60_000:
        sys.exit(f"picture: {len(picture)} bytes are too many")
    options.out.write_text(picture)
    print(f"{options.out}: {len(picture)} bytes")


if __name__ == "__main__":
    main()

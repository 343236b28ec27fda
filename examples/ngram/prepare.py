"""Gathers the licence texts that every Debian carries: prepare.py SIZE TRAIN HELD_OUT

Paragraphs (not scraps, not tables) are reduced to a small alphabet, and each is used once however many packages repeat it.
One in sixteen is held out. The same machine always gives the same two files.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import ledger
from model import ALPHABET

OUTSIDE_ALPHABET = re.compile(f"[^{re.escape(ALPHABET)}]+|\n")


def paragraphs() -> Iterator[str]:
    files = sorted(Path("/usr/share/common-licenses").iterdir()) + sorted(Path("/usr/share/doc").glob("*/copyright"))
    for file in files:
        if file.is_file():
            for block in re.split(r"\n[\s.]*\n", file.read_text(errors="replace")):
                yield " ".join(OUTSIDE_ALPHABET.sub(" ", block.lower()).split())


def gather(size: int) -> tuple[list[str], list[str]]:
    """Texts to learn from, of `size` characters together at most, and texts to be judged by."""
    train: list[str] = []
    held_out: list[str] = []
    seen: set[str] = set()
    for text in paragraphs():
        if not 40 <= len(text) <= 5000 or text in seen:
            continue
        seen.add(text)
        (held_out if len(seen) % 16 == 0 else train).append(text)
        size -= len(text) + 1
        if size <= 0:
            break
    return train, held_out


def main() -> None:
    train, held_out = gather(int(sys.argv[1]))
    for path, texts in ((sys.argv[2], train), (sys.argv[3], held_out)):
        Path(path).write_text("\n".join(texts) + "\n")
        print(f"{path}: {len(texts)} paragraphs, {sum(map(len, texts))} characters")


if __name__ == "__main__":
    with ledger.entry():
        main()

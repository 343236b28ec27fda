"""Computes the chosen model once more, another way, and compares: check.py BEST TRAIN HELD_OUT DIRECT

No tables of counts here, and nothing from model.py but the alphabet: the windows of the text are sorted, and a count is how
many of them begin alike, found by bisection.
"""

import json
import math
import sys
from bisect import bisect_left
from functools import cache
from pathlib import Path

import ledger
from model import ALPHABET

AFTER_ALL = "\uffff"  # sorts behind every character of the alphabet


def bits_per_character(train: str, held_out: str, order: int, smoothing: float) -> float:
    windows = [train[i - order : i][::-1] for i in range(order, len(train) + 1)]  # reversed: the newest character first
    ends = sorted(windows)
    histories = sorted(window[1:] for window in windows)

    def begin_with(prefix: str, sorted_windows: list[str]) -> int:
        return bisect_left(sorted_windows, prefix + AFTER_ALL) - bisect_left(sorted_windows, prefix)

    @cache
    def probability(newest_first: str) -> float:
        """Of the first character, given those behind it."""
        if not newest_first:
            return 1 / len(ALPHABET)
        shorter = probability(newest_first[:-1]) if len(newest_first) > 1 else 1 / len(ALPHABET)
        seen = begin_with(newest_first[1:], histories)
        return (begin_with(newest_first, ends) + smoothing * shorter) / (seen + smoothing)

    total = sum(math.log2(probability(held_out[max(0, i - order) : i][::-1])) for i in range(1, len(held_out) + 1))
    return -total / len(held_out)


def main() -> None:
    best = json.loads(sys.argv[1])
    train, held_out = (Path(path).read_text() for path in sys.argv[2:4])
    direct = bits_per_character(train, held_out, best["order"], best["smoothing"])
    print(f"the flow says {best['bits']:.9f} bits per character, the direct computation {direct:.9f}")
    if not math.isclose(direct, best["bits"], rel_tol=1e-9):
        sys.exit("they differ")
    Path(sys.argv[4]).write_text(json.dumps({**best, "direct_bits": direct}))


if __name__ == "__main__":
    with ledger.entry():
        main()

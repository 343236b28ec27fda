"""Picks the best of some scores: pick.py SCORES BEST ALL

SCORES is JSON, a list of scores or of such lists: both joins of the flow call this.
"""

import json
import sys
from pathlib import Path

import ledger


def main() -> None:
    given, best_path, all_path = sys.argv[1:]
    scores = [score for entry in json.loads(given) for score in (entry if isinstance(entry, list) else [entry])]
    best = min(scores, key=lambda score: score["bits"])
    print(f"best of {len(scores)}: order {best['order']}, smoothing {best['smoothing']}, {best['bits']:.4f} bits per character")
    Path(best_path).write_text(json.dumps(best))
    Path(all_path).write_text(json.dumps(scores))


if __name__ == "__main__":
    with ledger.entry():
        main()

"""Judges one model by text it has not seen: evaluate.py COUNTS SMOOTHING HELD_OUT SCORE"""

import json
import sys
from pathlib import Path

import ledger
from model import Model


def main() -> None:
    counts, smoothing, held_out, score = sys.argv[1:]
    model = Model(json.loads(Path(counts).read_text()), float(smoothing))
    bits = model.bits_per_character(Path(held_out).read_text())
    print(f"order {model.order}, smoothing {smoothing}: {bits:.4f} bits per character")
    Path(score).write_text(json.dumps({"order": model.order, "smoothing": model.smoothing, "bits": bits}))


if __name__ == "__main__":
    with ledger.entry():
        main()

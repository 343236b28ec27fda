"""Counts the n-grams of one order: count.py ORDER TRAIN COUNTS"""

import json
import sys
from pathlib import Path

import ledger
from model import count_ngrams


def main() -> None:
    order, train, counts = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    ngrams = count_ngrams(train.read_text(), order)
    counts.write_text(json.dumps(ngrams))
    print(f"order {order}: {len(ngrams)} different n-grams")


if __name__ == "__main__":
    with ledger.entry():
        main()

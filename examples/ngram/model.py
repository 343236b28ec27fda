"""A character n-gram model with Dirichlet smoothing.

The probability of a character after a history is estimated from how often each character followed the last n-1 characters
of the history in the text learnt from, mixed with the estimate from one character less, and so on down to a uniform guess:

    p(c | h) = (count(h c) + s · p(c | shorter h)) / (count(h) + s)

The smoothing s says how many observations the shorter history is worth.
"""

import math
from collections import Counter

ALPHABET = " abcdefghijklmnopqrstuvwxyz0123456789.,;:'()-\n"

Counts = dict[str, int]


def count_ngrams(text: str, order: int) -> Counts:
    """How often each sequence of `order` characters occurs."""
    return Counter(map("".join, zip(*(text[start:] for start in range(order)))))


class Model:
    def __init__(self, counts: Counts, smoothing: float) -> None:
        self.order = len(next(iter(counts)))
        self.smoothing = smoothing
        self.grams: Counts = {}  # sequences of every length up to the order
        self.histories: Counts = {}  # the same without their last character
        while counts and next(iter(counts)):
            self.grams.update(counts)
            shorter: Counter[str] = Counter()
            for gram, count in counts.items():
                self.histories[gram[:-1]] = self.histories.get(gram[:-1], 0) + count
                shorter[gram[1:]] += count
            counts = shorter

    def probability(self, history: str, character: str) -> float:
        """`history` may be longer or shorter than the model looks back."""
        estimate = 1 / len(ALPHABET)
        for length in range(min(self.order - 1, len(history)) + 1):
            context = history[len(history) - length :]
            seen = self.histories.get(context)
            if seen is None:  # then no longer history was seen either
                break
            count = self.grams.get(context + character, 0)
            estimate = (count + self.smoothing * estimate) / (seen + self.smoothing)
        return estimate

    def bits_per_character(self, text: str) -> float:
        """The mean surprise of each character of `text` after what stands before it."""
        back = self.order - 1
        total = sum(math.log2(self.probability(text[max(0, i - back) : i], text[i])) for i in range(len(text)))
        return -total / len(text)

"""Python that is hard to read, for python_trees_test: each snippet is a file of its own."""

import random
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "data" / "python"


def snippets(name: str) -> list[str]:
    """Of tests/data/python: `snippets`, `newer` (for Python 3.13), `wrong` (what CPython refuses, and so must amp)."""
    return (DATA / f"{name}.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n===\n")


def generated(seed: int, count: int) -> list[str]:
    """Expressions and blocks nested at random."""
    rng = random.Random(seed)
    symbols = "+ - * / // % @ ** << >> & | ^ and or < == in".split()
    binary = [*symbols, "not in", "is not"]

    def expression(depth: int) -> str:
        if depth == 0:
            return rng.choice(["a", "b.c", "1", "2.5", "'s'", "None", "f'{x}'", "...", "d[0]", "()", "[]"])
        one = lambda: expression(depth - 1)  # noqa: E731
        return rng.choice(
            [
                lambda: f"{one()} {rng.choice(binary)} {one()}",
                lambda: f"({one()})",
                lambda: f"({one()}, {one()})",
                lambda: f"[{one()}, *({one()})]",
                lambda: f"{{({one()}): {one()}, **({one()})}}",
                lambda: f"-({one()})" if rng.random() < 0.5 else f"not {one()}",
                lambda: f"({one()}) if {one()} else ({one()})",
                lambda: f"(lambda x, *y, z=({one()}): {one()})",
                lambda: f"f({one()}, k=({one()}), *({one()}))",
                lambda: f"({one()})[{one()}:({one()})]",
                lambda: f"[{one()} for x in ({one()}) if ({one()})]",
                lambda: f"(w := {one()})",
                lambda: f"({one()}).attr",
            ]
        )()

    def block(depth: int, indent: str) -> list[str]:
        lines = []
        for _ in range(rng.randint(1, 3)):
            if depth == 0 or rng.random() < 0.4:
                lines.append(indent + rng.choice(["x = ", "x, y = ", "x += ", "return ", "assert ", ""]) + f"({expression(2)})")
                continue
            inner = block(depth - 1, indent + rng.choice(["  ", "    ", "\t"]))
            head = rng.choice(["if {}:", "while {}:", "for x in {}:", "with {} as w:", "def f(a={}):", "class A({}):", "try:"])
            lines += [indent + head.format(f"({expression(1)})"), *inner]
            if head == "try:":
                lines += [indent + "finally:", *block(0, indent + " ")]
            elif head.startswith(("if", "while", "for")) and rng.random() < 0.5:
                lines += [indent + "else:", *block(0, indent + " ")]
            if rng.random() < 0.3:
                lines.append(rng.choice(["", "# c", indent + "  # c", "\f"]))
        return lines

    return [rng.choice(["\n", "\r\n"]).join(block(3, "")) + rng.choice(["", "\n"]) for _ in range(count)]

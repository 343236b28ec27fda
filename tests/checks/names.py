"""No name stands for two types: the linker would take the functions of one for the other's, without a word."""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OPENED = re.compile(r"^(?:inline )?namespace\s*([\w:]*)\s*\{")
CLOSED = re.compile(r"^\}\s*// namespace")
# Types that stand in a namespace, indented or not as clang-format has them: at the line's beginning, defined, of a plain name.
TYPE = re.compile(r"^(?:struct|class|union|enum(?: class)?)\s+(\w+)(?:\s+final)?\s*(?::[^:].*)?\{")


def types_in(text: str) -> Iterable[str]:
    """The qualified names of the types that a file defines for all to see."""
    inside: list[str] = []
    for line in text.splitlines():
        if opened := OPENED.match(line):
            inside.append(opened.group(1))
        elif CLOSED.match(line) and inside:
            inside.pop()
        elif (found := TYPE.match(line)) and "" not in inside:
            yield "::".join([*inside, found.group(1)])


def check(texts: dict[str, str] | None = None) -> list[str]:
    """@param texts path → content; None: the house's own files"""
    if texts is None:
        paths = [path for folder in ("core", "backends", "cli", "tests") for path in (ROOT / folder).rglob("*.[ch]pp")]
        texts = {str(path.relative_to(ROOT)): path.read_text() for path in paths}
    places = defaultdict(set)
    for path, text in texts.items():
        for name in types_in(text):
            places[name].add(path)
    return [
        f"{name} is defined in {', '.join(sorted(files))}"
        for name, files in sorted(places.items())
        if any(linked_together(one, other) for one in files for other in files if one < other)
    ]


def linked_together(one: str, other: str) -> bool:
    """A folder of unit tests is a program: what it defines must differ from the house's, not from other programs'."""
    apart = one.startswith("tests/unit/") and other.startswith("tests/unit/")
    return not apart or one.rpartition("/")[0] == other.rpartition("/")[0]


if __name__ == "__main__":
    print("\n".join(check()))

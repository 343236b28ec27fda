"""The arrows of the house: which folder may include which, and where the heavy headers live.

The arrows are read from CMakeLists.txt (`amp_box(FOLDER USES …)`): what a box does not use, directly or through what it
uses, it may not include. A heavy header is included by its one home alone.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# header (prefix) → the only files that may include it
HOMES = {
    "CLI/": ("cli/parser.cpp", "cli/reference.cpp"),
    "toml++/": ("core/flow/toml_document.cpp",),
    "yaml-cpp/": ("core/flow/yaml_document.cpp",),
    "boost/json": ("core/base/json.cpp",),
    "boost/process": ("backends/system/boost_process.cpp",),
    "curl/": ("backends/system/curl_http.cpp",),
    "zstd.h": ("core/package/compression.cpp",),
    "openssl/": ("core/base/hash.cpp",),
}
BOX = re.compile(r"^amp_box\((\S+)(.*)\)", re.MULTILINE)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def read_arrows(cmake: str) -> dict[str, set[str]]:
    """Box → all boxes that it may include: itself, what it uses, and what those use."""
    direct: dict[str, set[str]] = {}
    for folder, rest in BOX.findall(cmake):
        words = rest.split()
        uses = words[words.index("USES") + 1 :] if "USES" in words else []
        direct[folder] = set(uses[: uses.index("LIBS")] if "LIBS" in uses else uses)
    reach: dict[str, set[str]] = {}

    def close(box: str, trail: tuple[str, ...] = ()) -> set[str]:
        if box in trail:
            raise SystemExit(f"CMakeLists.txt: the boxes go in a circle: {' → '.join((*trail, box))}")
        if box not in reach:
            reach[box] = {box}.union(*(close(used, (*trail, box)) for used in direct.get(box, ())))
        return reach[box]

    for box in direct:
        close(box)
    return reach


def box_of(path: str, boxes: dict[str, set[str]]) -> str | None:
    folder = path.rpartition("/")[0]
    return folder if folder in boxes else None


def findings_in(path: str, text: str, arrows: dict[str, set[str]]) -> list[str]:
    """Every include of the file `path` that is against the rules, as `path:line: why`."""
    findings = []
    source = box_of(path, arrows)
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match is None:
            continue
        bracket, header = match.groups()
        where = f"{path}:{number}"
        home = next((home for prefix, home in HOMES.items() if header.startswith(prefix)), None)
        if home is not None and path not in home:
            findings.append(f"{where}: <{header}> is at home in {' and '.join(home)} alone")
        if bracket != '"':
            continue
        if not (ROOT / header).exists() and not header.startswith("generated/"):
            findings.append(f'{where}: "{header}" is not a path from the root of the repository')
        target = box_of(header, arrows)
        if source and header.startswith("tests/"):
            findings.append(f"{where}: {source} includes a test header")
        if source and target and target not in arrows[source] and path != "cli/main.cpp":
            findings.append(f"{where}: {source} may not know {target} (CMakeLists.txt has the arrows)")
    return findings


def order_findings(path: str, text: str) -> list[str]:
    """Own header first, `#pragma once` in headers."""
    if path.endswith(".hpp"):
        return [] if "#pragma once" in text else [f"{path}:1: without #pragma once"]
    own = path.removesuffix(".cpp") + ".hpp"
    first = next((match.group(2) for line in text.splitlines() if (match := INCLUDE.match(line))), own)
    return [f'{path}:1: its own header "{own}" is not included first'] if (ROOT / own).exists() and first != own else []


def all_sources() -> list[str]:
    folders = ("core", "cli", "backends", "tests")
    return sorted(
        str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).rglob("*.[ch]pp") if path.is_file()
    )


def check() -> list[str]:
    arrows = read_arrows((ROOT / "CMakeLists.txt").read_text())
    findings = []
    for path in all_sources():
        text = (ROOT / path).read_text()
        findings += findings_in(path, text, arrows) + order_findings(path, text)
    return findings


if __name__ == "__main__":
    found = check()
    print("\n".join(found) or "includes: fine")
    sys.exit(1 if found else 0)

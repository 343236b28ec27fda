"""What is linked into the static executable, told by the linker's map and the compiler's lists of headers; and whose it is,
told by dpkg. From it come THIRD-PARTY-LICENSES and the bill of materials (SPDX 2.3).
"""

import datetime
import hashlib
import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

# Debian's source package → its licence as SPDX names it. What is linked in and not listed here ends the build: somebody
# has to look at its copyright file first.
LICENCES = {
    "boost1.81": "BSL-1.0",
    "cli11": "BSD-3-Clause",
    "fmtlib": "MIT",
    "gcc-12": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "glibc": "LGPL-2.1-or-later",
    "libzstd": "BSD-3-Clause",
    "linux": "GPL-2.0-only WITH Linux-syscall-note",
    "openssl": "Apache-2.0",
    "tomlplusplus": "MIT",
    "yaml-cpp": "MIT",
}
LONGEST_NOTICE = 500_000
HEAD = """\
What is linked into amp, and under which licences
=================================================

amp is one static executable. Besides its own code it holds code of the projects below, as Debian distributes them. For each
stands here Debian's copyright file, which covers the whole of the source package, also what is not linked in; of Boost,
which has one for ten thousand files, the holders of those that were used, and the licence. The texts that
these files refer to (/usr/share/common-licenses) stand at the end.

The GNU C Library is under the LGPL 2.1 or later. To link amp with another version of it, install that version's
static library (Debian: libc6-dev) and run `./dev static` in amp's sources at the commit that `amp --version` names.
libstdc++ and libgcc are under the GPL 3 with the GCC Runtime Library Exception, which lets them be part of a program
under any terms. From linux only headers were used, whose note exempts programs that call the kernel.
"""


@dataclass
class Part:
    """A source package of Debian of which something is in the executable."""

    source: str
    version: str
    archives: list[Path] = field(default_factory=list)
    headers: list[Path] = field(default_factory=list)
    binary_packages: set[str] = field(default_factory=set)


def linked_parts(build: Path, deps: Path) -> list[Part]:
    """`deps`: where cmake/static_deps.sh put what it built from Debian's sources."""
    archives = _archives(build / "amp.map", build)
    headers = {path for path in _headers(build) if not path.is_relative_to(build) and not path.is_relative_to(deps)}
    own = [path for path in archives if path.is_relative_to(deps)]
    owners = _owners(sorted({*archives, *headers} - set(own)))
    for path in own:
        owners[path] = f"{path.stem}-dev"  # libfmt.a was built from the sources of libfmt-dev
    parts: dict[str, Part] = {}
    sources = _sources(sorted(set(owners.values())))
    for path, package in sorted(owners.items()):
        source, version = sources[package]
        part = parts.setdefault(source, Part(source, version))
        part.binary_packages.add(package)
        (part.archives if path in archives else part.headers).append(path)
    unknown = sorted(set(parts) - set(LICENCES))
    if unknown:
        raise SystemExit(f"packaging/linked.py: under which licence is {', '.join(unknown)}? Add it to LICENCES.")
    return [parts[name] for name in sorted(parts)]


def licences_text(parts: list[Part]) -> str:
    text, common = HEAD, set()
    for part in parts:
        package = min(part.binary_packages)
        notice = Path(f"/usr/share/doc/{package}/copyright").read_text(encoding="utf-8", errors="replace")
        if len(notice) > LONGEST_NOTICE:
            notice = _notice_of_headers(part, notice)
        text += _title(f"{part.source} {part.version}: {LICENCES[part.source]}") + notice
        common.update(re.findall(r"/usr/share/common-licenses/([A-Za-z0-9.+-]*[A-Za-z0-9])", notice))
    for name in sorted(common):
        path = Path("/usr/share/common-licenses") / name
        if path.is_file() and not path.is_symlink():
            text += _title(f"/usr/share/common-licenses/{name}") + path.read_text(encoding="utf-8", errors="replace")
    return text


def _notice_of_headers(part: Part, notice: str) -> str:
    """Boost's file lists each of ten thousand: the holders of what was used, and the text of its licence."""
    holders = set()
    for path in part.headers:
        found = re.findall(
            r"^[ /*#]*(.*\bcopyright\b.*\d{4}.*)$", path.read_text(errors="replace"), re.IGNORECASE | re.MULTILINE
        )
        holders.update(line.strip() for line in found)
    text = re.search(rf"^License: {re.escape(LICENCES[part.source])}\n((?: .*\n)+)", notice, re.MULTILINE)
    if not holders or text is None:
        raise SystemExit(f"packaging/linked.py: no notice of {part.source} could be found")
    return "\n".join(sorted(holders)) + "\n\n" + text[1]


def bill_of_materials(parts: list[Part], program: bytes, version: str, commit: str, epoch: int) -> str:
    """An SPDX document: amp, each part, and the archives with their hashes."""
    created = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = hashlib.sha256(program).hexdigest()
    packages, files = [_package("amp", version, "NOASSERTION", {"checksums": [_sum("SHA256", program)]})], []
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Package-amp")]
    for part in parts:
        purl = f"pkg:deb/debian/{part.source}@{part.version}?arch=source"
        reference = {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}
        more = {"externalRefs": [reference], "supplier": "Organization: Debian", "comment": _used(part)}
        packages.append(_package(part.source, part.version, LICENCES[part.source], more))
        relations.append(("SPDXRef-Package-amp", "STATIC_LINK", _id("Package", part.source)))
        for path in part.archives:
            content = path.read_bytes()
            sums = [_sum("SHA1", content), _sum("SHA256", content)]
            files.append({"SPDXID": _id("File", path.name), "fileName": f"./{path.name}", "checksums": sums, **_unlooked()})
            relations.append((_id("File", path.name), "GENERATED_FROM", _id("Package", part.source)))
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"amp-{version}",
        "documentNamespace": f"https://spdx.org/spdxdocs/amp-{version}-{digest}",
        "creationInfo": {"created": created, "creators": ["Tool: amp packaging"], "comment": f"commit {commit or 'unknown'}"},
        "packages": packages,
        "files": files,
        "relationships": [{"spdxElementId": a, "relationshipType": kind, "relatedSpdxElement": b} for a, kind, b in relations],
    }
    return json.dumps(document, indent=1) + "\n"


def _archives(link_map: Path, build: Path) -> set[Path]:
    """The archives and start files of which the map has a section in the executable, but not amp's own."""
    found = set()
    for line in link_map.read_text(errors="replace").splitlines():
        match = re.match(r"^ *[0-9a-f]+ +[0-9a-f]+ +[0-9a-f]+ +\d+ +([^<(:]+\.(?:a|o))(?:\(|:\()", line)
        if match:
            found.add((build / match[1]).resolve())
    return {path for path in found if not path.is_relative_to(build) or path.is_relative_to(build.parent / "deps")}


def _headers(build: Path) -> set[Path]:
    """All headers that ninja knows an object of this folder to be made from, but not amp's own."""
    listing = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=True).stdout
    return {Path(line.strip()).resolve() for line in listing.splitlines() if line.startswith("    /usr/")}


def _owners(paths: list[Path]) -> dict[Path, str]:
    """Path → package, for what dpkg knows."""
    done = subprocess.run(["dpkg-query", "--search", *map(str, paths)], capture_output=True, text=True, check=False)
    owners = {}
    for line in done.stdout.splitlines():
        packages, _, name = line.partition(": ")
        owners[Path(name).resolve()] = packages.split(",")[0].split(":")[0]
    lost = [str(path) for path in paths if path not in owners]
    if lost:
        raise SystemExit(f"packaging/linked.py: no package owns {', '.join(lost[:5])}")
    return owners


def _sources(packages: list[str]) -> dict[str, tuple[str, str]]:
    form = "${Package}\\t${source:Package}\\t${source:Version}\\n"
    done = subprocess.run(
        ["dpkg-query", "--show", f"--showformat={form}", *packages], capture_output=True, text=True, check=True
    )
    return {name: (source, version) for name, source, version in (line.split("\t") for line in done.stdout.splitlines())}


def _title(text: str) -> str:
    return f"\n\n{'=' * 100}\n{text}\n{'=' * 100}\n\n"


def _used(part: Part) -> str:
    if part.archives:
        return "linked in: " + ", ".join(path.name for path in part.archives)
    return "headers of " + ", ".join(sorted(part.binary_packages))


def _package(name: str, version: str, licence: str, more: dict) -> dict:
    return {
        "SPDXID": _id("Package", name),
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": licence,
        "licenseDeclared": licence,
        "copyrightText": "NOASSERTION",
        **more,
    }


def _unlooked() -> dict:
    return {"licenseConcluded": "NOASSERTION", "copyrightText": "NOASSERTION"}


def _sum(algorithm: str, content: bytes) -> dict:
    return {"algorithm": algorithm, "checksumValue": hashlib.new(algorithm.lower(), content).hexdigest()}


def _id(kind: str, name: str) -> str:
    return f"SPDXRef-{kind}-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)

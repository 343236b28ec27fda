"""A wheel as those of other native tools: the executable as a script, and the Python package `amp` beside it.

Its tags are those of old systems with glibc and with musl: the executable is static and needs neither.
"""

import base64
import hashlib
import io
import time
import zipfile
from pathlib import Path

TAGS = ("manylinux_2_17_x86_64", "manylinux2014_x86_64", "musllinux_1_1_x86_64")
SUMMARY = "Flows of steps in any language that survive being killed"


def file_name(version: str) -> str:
    return f"amp-{version}-py3-none-{'.'.join(TAGS)}.whl"


def wheel(program: bytes, package: Path, documents: dict[str, bytes], readme: str, version: str, epoch: int) -> bytes:
    """`package`: the folder of the Python package; `documents`: licences, beside the metadata."""
    info = f"amp-{version}.dist-info"
    files = [(f"amp/{path.name}", path.read_bytes(), 0o644) for path in sorted(package.glob("*.py"))]
    files.append((f"amp-{version}.data/scripts/amp", program, 0o755))
    files += [(f"{info}/licenses/{name}", text, 0o644) for name, text in sorted(documents.items())]
    files.append((f"{info}/METADATA", _metadata(version, readme).encode(), 0o644))
    files.append((f"{info}/WHEEL", _wheel().encode(), 0o644))
    record = "".join(f"{name},{_hash(content)},{len(content)}\n" for name, content, _ in files) + f"{info}/RECORD,,\n"
    return _zip([*files, (f"{info}/RECORD", record.encode(), 0o644)], epoch)


def _metadata(version: str, readme: str) -> str:
    return (
        f"Metadata-Version: 2.1\nName: amp\nVersion: {version}\nSummary: {SUMMARY}\n"
        "Requires-Python: >=3.7\nDescription-Content-Type: text/markdown\n\n" + readme
    )


def _wheel() -> str:
    return "Wheel-Version: 1.0\nGenerator: amp packaging\nRoot-Is-Purelib: false\n" + "".join(
        f"Tag: py3-none-{tag}\n" for tag in TAGS
    )


def _hash(content: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _zip(files: list[tuple[str, bytes, int]], epoch: int) -> bytes:
    out = io.BytesIO()
    when = max(time.gmtime(epoch)[:6], (1980, 1, 1, 0, 0, 0))  # the first time that a zip file knows
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content, mode in files:
            entry = zipfile.ZipInfo(name, when)
            entry.create_system, entry.external_attr = 3, (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return out.getvalue()

"""Archives that depend on nothing but what is in them: names in order, one time, no owners, rights of two kinds."""

import io
import stat
import subprocess
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """One thing of an archive: a file with its bytes, a link with its target, or a folder with neither."""

    name: str
    content: bytes | None = None
    target: str | None = None
    mode: int = 0o644


def entries_of(folder: Path, prefix: str = "") -> list[Entry]:
    """All that is below the folder; of the rights only whether it may be executed."""
    found = []
    for path in sorted(folder.rglob("*"), key=lambda p: p.relative_to(folder).parts):
        name = prefix + path.relative_to(folder).as_posix()
        if path.is_symlink():
            found.append(Entry(name, target=path.readlink().as_posix(), mode=0o777))
        elif path.is_dir():
            found.append(Entry(name, mode=0o755))
        else:
            runs = path.stat().st_mode & stat.S_IXUSR
            found.append(Entry(name, path.read_bytes(), mode=0o755 if runs else 0o644))
    return found


def tar(entries: Iterable[Entry], epoch: int) -> bytes:
    """The entries in their order; folders first, where something lies in them."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for entry in entries:
            info = tarfile.TarInfo(entry.name)
            info.mtime, info.mode = epoch, entry.mode
            if entry.content is not None:
                info.size = len(entry.content)
            elif entry.target is not None:
                info.type, info.linkname = tarfile.SYMTYPE, entry.target
            else:
                info.type = tarfile.DIRTYPE
            archive.addfile(info, io.BytesIO(entry.content) if entry.content is not None else None)
    return out.getvalue()


def zstd(data: bytes) -> bytes:
    return subprocess.run(["zstd", "-q", "-19", "-T1", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout

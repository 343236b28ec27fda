"""Makes all packages of a static executable: build.py --build build/static --out build/packages

Nothing but the executable, the files of this clone and SOURCE_DATE_EPOCH (without it: the time of the commit) goes into them,
so that who builds them again gets the same bytes.
"""

import argparse
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import archive
import image
import linked
import wheel

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parent
DEBIAN_NAME = "amp-flow"
FALLBACK_EPOCH = 315532800  # 1980: where neither the variable nor git says


@dataclass(frozen=True)
class Release:
    build: Path
    out: Path
    program: bytes
    version: str
    commit: str
    epoch: int
    parts: list[linked.Part]
    documents: dict[str, bytes]


def epoch_of_source() -> int:
    told = os.environ.get("SOURCE_DATE_EPOCH")
    if told is not None:
        return int(told)
    if not (SOURCE / ".git").exists():
        return FALLBACK_EPOCH
    done = subprocess.run(["git", "-C", SOURCE, "log", "-1", "--format=%ct"], capture_output=True, text=True, check=False)
    return int(done.stdout) if done.returncode == 0 else FALLBACK_EPOCH


def read_release(build: Path, out: Path) -> Release:
    program = (build / "amp").read_bytes()
    said = json.loads(subprocess.run([build / "amp", "version", "--json"], capture_output=True, check=True).stdout)
    version, commit, epoch = said["version"], said["commit"] or "", epoch_of_source()
    if said["linkage"] != "static":
        sys.exit(f"{build}/amp is not the static executable: ./dev static")
    parts = linked.linked_parts(build, build.parent / "deps")
    documents = {
        "THIRD-PARTY-LICENSES": linked.licences_text(parts).encode(),
        "amp.spdx.json": linked.bill_of_materials(parts, program, version, commit, epoch).encode(),
    }
    return Release(build, out, program, version, commit, epoch, parts, documents)


def stage(release: Release, prefix: Path) -> None:
    """As `cmake --install` lays it down."""
    licences = release.build / "licences"
    licences.mkdir(exist_ok=True)
    for name, text in release.documents.items():
        (licences / name).write_bytes(text)
    shutil.rmtree(prefix, ignore_errors=True)
    subprocess.run(["cmake", "--install", release.build, "--prefix", prefix], stdout=subprocess.DEVNULL, check=True)


def tarball(release: Release) -> Path:
    name = f"amp-{release.version}-linux-x86_64"
    folder = release.out / "stage" / name
    stage(release, folder)
    entries = [archive.Entry(name, mode=0o755), *archive.entries_of(folder, f"{name}/")]
    path = release.out / f"{name}.tar.zst"
    path.write_bytes(archive.zstd(archive.tar(entries, release.epoch)))
    return path


def zipped(text: bytes) -> bytes:
    return gzip.compress(text, 9, mtime=0)


def finish_for_debian(release: Release, root: Path) -> None:
    """What Debian's policy wants beyond what is installed: names, compressed pages, a changelog."""
    doc = root / "usr" / "share" / "doc" / DEBIAN_NAME
    (doc.parent / "amp").rename(doc)
    for page in sorted((root / "usr" / "share").glob("man/man*/*.[0-9]")):
        page.with_name(page.name + ".gz").write_bytes(zipped(page.read_bytes()))
        page.unlink()
    when = subprocess.run(["date", "-u", "-R", f"--date=@{release.epoch}"], capture_output=True, text=True, check=True).stdout
    head = f"{DEBIAN_NAME} ({release.version}) stable; urgency=medium"
    changelog = f"{head}\n\n  * Commit {release.commit or 'unknown'}.\n\n -- The amp authors <amp@localhost>  {when}"
    (doc / "changelog.gz").write_bytes(zipped(changelog.encode()))
    listed = "".join(f"  {part.source} {part.version}: {linked.LICENCES[part.source]}\n" for part in release.parts)
    (doc / "copyright").write_text((HERE / "debian" / "copyright").read_text() + listed)
    overrides = root / "usr" / "share" / "lintian" / "overrides"
    overrides.mkdir(parents=True)
    shutil.copyfile(HERE / "debian" / "lintian-overrides", overrides / DEBIAN_NAME)
    for path in [root, *root.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
            os.utime(path, (release.epoch, release.epoch))


def debian_package(release: Release) -> Path:
    root = release.out / "stage" / "deb"
    shutil.rmtree(root, ignore_errors=True)
    stage(release, root / "usr")
    finish_for_debian(release, root)
    settings = {
        "CPACK_INSTALLED_DIRECTORIES": f"{root};/",
        "CPACK_INSTALL_CMAKE_PROJECTS": "",
        "CPACK_PACKAGING_INSTALL_PREFIX": "/",
    }
    command = ["cpack", "-G", "DEB", "--config", release.build / "CPackConfig.cmake", "-B", release.out / "stage" / "cpack"]
    command += [word for name, value in settings.items() for word in ("-D", f"{name}={value}")]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(release.epoch)}
    subprocess.run(command, env=environment, cwd=release.build, stdout=subprocess.DEVNULL, check=True)
    name = f"{DEBIAN_NAME}_{release.version}_amd64.deb"
    shutil.copyfile(release.out / "stage" / "cpack" / name, release.out / name)
    return release.out / name


def image_archive(release: Release) -> Path:
    path = release.out / f"amp-{release.version}-image.tar"
    path.write_bytes(image.image(release.program, release.documents, release.version, release.commit, release.epoch))
    return path


def python_wheel(release: Release) -> Path:
    path = release.out / wheel.file_name(release.version)
    readme = (SOURCE / "README.md").read_text(encoding="utf-8")
    content = wheel.wheel(release.program, SOURCE / "python" / "amp", release.documents, readme, release.version, release.epoch)
    path.write_bytes(content)
    return path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=SOURCE / "build" / "static")
    parser.add_argument("--out", type=Path, default=SOURCE / "build" / "packages")
    options = parser.parse_args()
    os.umask(0o022)  # CPack puts it into the package
    out = options.out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    (out / "stage").mkdir(parents=True)
    release = read_release(options.build.resolve(), out)
    made = [tarball(release), debian_package(release), image_archive(release), python_wheel(release)]
    shutil.rmtree(out / "stage")
    sums = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(made))
    (out / "SHA256SUMS").write_text(sums)
    print(sums, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())

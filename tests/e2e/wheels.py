"""Packages for tests of Python environments: made here, so that no registry is needed."""

import atexit
import base64
import functools
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path


def make_wheel(folder: Path, name: str, version: str) -> Path:
    """A package with a module that says its version, and a program."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VALUE = {version}\n\ndef main():\n    print('tool', VALUE)\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name}-tool = {name}:main\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text.encode())}\n"
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)  # of 1980: the same bytes each time
    return wheel


@functools.cache
def reaches_pypi() -> bool:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries", "0", "--dest"]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([*command, folder, "six"], capture_output=True, check=False, timeout=60)
        return done.returncode == 0


@functools.cache
def get_uv() -> str | None:
    """A folder with uv alone; None: it cannot be had."""
    top = Path(tempfile.mkdtemp(prefix="amp-uv-"))
    atexit.register(shutil.rmtree, top, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", top / "venv"], check=True)
    pip = [top / "venv/bin/pip", "install", "--quiet", "--retries", "0", "uv"]
    if subprocess.run(pip, capture_output=True, check=False, timeout=300).returncode != 0:
        return None
    (top / "bin").mkdir()
    (top / "bin/uv").symlink_to(top / "venv/bin/uv")
    return str(top / "bin")

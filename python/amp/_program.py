"""Where the executable is that was installed with this package (pip install amp)."""

import os
import shutil
import sys
import sysconfig


def _folders() -> list:
    """Where installers put scripts, by how this package was installed: into this Python, for this user, into a folder."""
    package = os.path.dirname(os.path.abspath(__file__))
    return [
        sysconfig.get_path("scripts"),
        sysconfig.get_path("scripts", vars={"base": sys.base_prefix}),
        sysconfig.get_path("scripts", "posix_user"),
        os.path.join(os.path.dirname(package), "bin"),  # pip install --target
        os.path.normpath(os.path.join(package, "..", "..", "..", "..", "bin")),  # pip install --prefix
    ]


def find_program() -> str:
    for folder in _folders():
        path = os.path.join(folder, "amp")
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    path = shutil.which("amp")
    if path is None:
        raise FileNotFoundError("there is no executable amp: neither beside this package nor in PATH")
    return path

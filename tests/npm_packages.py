"""Packages of npm that some tests set against ours: as their lock file pins them, in a folder beside this Python."""

import os
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

INSTALL_SECONDS_MAX = 180


class NpmAbsent(Exception):
    """There is no Node.js here, or its packages cannot be had: says which."""


def installed(folder: Path) -> Path:
    """A copy of *folder*, which has package.json and package-lock.json, with `node_modules`. Raises NpmAbsent.

    Made once for each state of its lock file; of several who make it at once the first one counts.
    """
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NpmAbsent("node and npm are not installed")
    lock = (folder / "package-lock.json").read_bytes()
    home = Path(sys.prefix) / "npm"
    there = home / f"{folder.name}-{sha256(lock).hexdigest()[:12]}"
    if not there.exists():
        home.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home) as draft:
            _install(folder, Path(draft, "made"))
            try:
                os.rename(Path(draft, "made"), there)
            except OSError:
                if not there.exists():
                    raise
    for file in folder.glob("*.mjs"):
        shutil.copy(file, there)
    return there


def _install(folder: Path, draft: Path) -> None:
    draft.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(folder / name, draft)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        subprocess.run(command, cwd=draft, check=True, capture_output=True, timeout=INSTALL_SECONDS_MAX)
    except (subprocess.SubprocessError, OSError) as error:
        raise NpmAbsent(f"npm ci of {folder.name} failed ({type(error).__name__})") from None

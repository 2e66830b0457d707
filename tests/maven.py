"""Java programs of the tests, which Maven downloads once."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "raymap-tests"


def unavailable(reason: str, what: str) -> None:
    """Skip, where a program cannot be had; but in CI its tests run."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and CI runs the tests of {what}")
    pytest.skip(f"{reason}, so {what} are not tested")


def jars(pom: Path, name: str, what: str) -> Path:
    """A folder with a program, ``name`` with its version, and what it needs. ``what`` is tested with it."""
    folder = _CACHE / name
    if shutil.which("java") is None:
        unavailable("there is no Java", what)
    if not any(folder.glob("*.jar")):
        _download(pom, folder, what)
    return folder


def _download(pom: Path, wanted: Path, what: str) -> None:
    if shutil.which("mvn") is None:
        unavailable("there is no Maven", what)
    wanted.parent.mkdir(parents=True, exist_ok=True)
    folder = wanted.with_name(f"{wanted.name}.{os.getpid()}")
    command = ["mvn", "-q", "-B", "-C", "-f", str(pom), "dependency:copy-dependencies"]
    ended = subprocess.run(
        [*command, f"-DoutputDirectory={folder}"],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    if ended.returncode:
        unavailable(f"Maven does not have {wanted.name}: {ended.stdout[-400:]}", what)
    try:
        folder.rename(wanted)
    except OSError:  # another worker was first
        shutil.rmtree(folder)

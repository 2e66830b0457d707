"""The wheel beside other projects: one name of its own, and no file that two projects have."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.conftest import ROOT, start_server, stop_server

pytestmark = [pytest.mark.server, pytest.mark.slow]

STRANGERS = {"lending": ("api", "collector"), "library": ("store", "ui", "examples")}
"""Projects with packages of names that are also ours."""
OURS = ("raymap", "_editable_impl_raymap", "__pycache__")
SPAWN = """
import sys
from multiprocessing import get_context

def module(name):
    return __import__(name, fromlist=["x"]).__file__

if __name__ == "__main__":
    from raymap.__main__ import put_packages_first
    put_packages_first()
    with get_context("spawn").Pool(1) as pool:
        print(pool.map(module, ["store.model"])[0])
"""


def run(*words: str | Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """A command that succeeds; more: environment variables."""
    environment = {
        **{key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        **more,
    }
    ended = subprocess.run(
        list(map(str, words)),
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended


PIP = (sys.executable, "-m", "pip", "--quiet")


@pytest.fixture(scope="module")
def backend(request: pytest.FixtureRequest) -> Path:
    """The build backend alone, once, in pytest's cache folder: a build in isolation would fetch Node.js
    as well. Without a package registry this fails: nothing here is skipped."""
    assert request.config.cache is not None
    folder = Path(request.config.cache.mkdir("hatchling"))
    if not (folder / "hatchling").is_dir():
        (wanted,) = (each for each in _requirements() if each.startswith("hatchling"))
        run(*PIP, "install", "--target", folder, wanted, cwd=ROOT)
    return folder


@pytest.fixture(scope="module")
def build(backend: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Wheels of this tree and of the strangers, by name. The console is in ours as it was built last."""
    sources = {"raymap": ROOT, **_strangers(tmp_path_factory.mktemp("strangers"))}
    wheels = tmp_path_factory.mktemp("wheels")
    options = ("--no-deps", "--no-build-isolation", "--wheel-dir", wheels)
    environment = {"PYTHONPATH": str(backend), "RAYMAP_SKIP_UI": "1"}
    run(*PIP, "wheel", *options, *sources.values(), cwd=ROOT, **environment)
    return {name: next(wheels.glob(f"{name}-*.whl")) for name in sources}


def _requirements() -> list[str]:
    wanted: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"][
        "requires"
    ]
    return wanted


def _strangers(folder: Path) -> dict[str, Path]:
    for name, packages in STRANGERS.items():
        for package in packages:
            (folder / name / package).mkdir(parents=True)
            text = f"def main() -> None:\n    print({name!r})\n"
            (folder / name / package / "__init__.py").write_text(text)
        (folder / name / "pyproject.toml").write_text(
            '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
            f'[project]\nname = "{name}"\nversion = "1"\n'
            f'[project.scripts]\n{name} = "{packages[0]}:main"\n'
            f"[tool.hatch.build.targets.wheel]\npackages = {json.dumps(packages)}\n"
        )
    return {name: folder / name for name in STRANGERS}


class Environment:
    """A virtual environment with what Raymap needs and nothing of this tree."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
        self.bin = folder / "venv" / "bin"
        (self.packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
        needed = folder / "needed"
        needed.mkdir()
        for each in Path(sysconfig.get_path("purelib")).iterdir():
            if not each.name.startswith(OURS):
                (needed / each.name).symlink_to(each)
        (self.packages / "needed.pth").write_text(f"{needed}\n")

    def pip(self, *words: str | Path) -> None:
        python = self.bin / "python"
        run(sys.executable, "-m", "pip", "--quiet", "--python", python, *words, cwd=self.folder)

    def says(self, *words: str | Path) -> str:
        return run(self.bin / words[0], *words[1:], cwd=self.folder).stdout.strip()

    def names(self) -> set[str]:
        """At the top level, besides metadata."""
        names = {each.name for each in self.packages.iterdir() if each.suffix != ".dist-info"}
        return names - {"needed.pth", "__pycache__"}


@pytest.fixture(scope="module", params=["first", "last"])
def together(
    request: pytest.FixtureRequest, build: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """Raymap installed before the strangers, or after them."""
    environment = Environment(tmp_path_factory.mktemp(f"raymap_{request.param}"))
    for name in sorted(build, key=lambda name: (name == "raymap") == (request.param == "last")):
        environment.pip("install", "--no-deps", build[name])
    return environment


def check_strangers(environment: Environment) -> None:
    """Their programs run, and an import of raymap changes nothing for them."""
    for name, packages in STRANGERS.items():
        assert environment.says(name) == name
        for package in packages:
            ours = "import raymap.__main__; " if "raymap" in environment.names() else ""
            code = f"{ours}import {package}; {package}.main()"
            assert environment.says("python", "-c", code) == name


def test_each_works(together: Environment) -> None:
    """The server with its console, its children, its plugins, a demo and a completion; the strangers' programs."""
    assert together.names() == {"raymap", *(each for some in STRANGERS.values() for each in some)}
    assert together.says("raymap", "version") == "0.1.0"
    assert "MCP" in together.says("raymap", "mcp", "--help"), "a plugin's command"
    template = (ROOT / "deploy" / "aws" / "raymap.yaml").read_text()
    assert together.says("raymap", "aws", "template") == template.strip()
    together.says(
        "python", "-c", "import raymap.xray_whitelist, sys; assert 'store' not in sys.modules"
    )
    server = start_server(
        together.folder / "data",
        *("--demo", "--workers", "2"),
        program=[str(together.bin / "raymap")],
        cwd=together.folder,
    )
    try:
        assert server.read("/healthz")
        assert b"/assets/index-" in server.read("/")
        assert server.read("/zipkin/config.json"), "a plugin's route"
        assert "shop-web" in {each["name"] for each in server.picture("shop-web")["nodes"]}
    finally:
        assert stop_server(server) == 0
    check_strangers(together)


def test_a_spawned_process_imports_the_same(together: Environment) -> None:
    program = together.folder / "spawning.py"
    program.write_text(SPAWN)
    found = together.says("python", program)
    assert found == str(together.packages / "raymap" / "_packages" / "store" / "model.py")


@pytest.mark.parametrize("leaving", ["raymap", "strangers"])
def test_what_is_uninstalled_leaves_the_others_whole(
    together: Environment, build: dict[str, Path], leaving: str
) -> None:
    """And is installed again for the next test."""
    left = ["raymap"] if leaving == "raymap" else list(STRANGERS)
    together.pip("uninstall", "--yes", *left)
    if leaving == "raymap":
        assert not (together.packages / "raymap").exists()
        check_strangers(together)
    else:
        assert together.names() == {"raymap"}
        together.says("raymap", "doctor", "--help")
        missing = [each for each in _recorded(together) if not each.exists()]
        assert not missing
    together.pip("install", "--no-deps", *(build[name] for name in left))


def test_a_source_distribution_makes_the_same_wheel(
    build: dict[str, Path], backend: Path, tmp_path: Path
) -> None:
    """But for the console, which is compiled anew; here it is left out."""
    environment = {"PYTHONPATH": str(backend), "RAYMAP_SKIP_UI": "1"}
    hatchling = (sys.executable, "-m", "hatchling", "build", "--target", "sdist")
    run(*hatchling, "--directory", tmp_path, cwd=ROOT, **environment)
    (sdist,) = tmp_path.glob("raymap-*.tar.gz")
    options = ("--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path)
    run(*PIP, "wheel", *options, sdist, cwd=tmp_path, **environment)
    (wheel,) = tmp_path.glob("raymap-*.whl")
    console = "raymap/_packages/ui/dist/"
    files = {name for name in ZipFile(build["raymap"]).namelist() if not name.startswith(console)}
    assert set(ZipFile(wheel).namelist()) == files


def _recorded(environment: Environment) -> list[Path]:
    (record,) = environment.packages.glob("raymap-*.dist-info/RECORD")
    names = [line.rsplit(",", 2)[0] for line in record.read_text().splitlines()]
    assert len(names) > 500
    return [environment.packages / name for name in names]

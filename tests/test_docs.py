"""The documentation agrees with the code: citations, links, commands, flags and metrics.

Pages that are written from the code: tests/docs/.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import typer.main

from raymap.cli import app
from tests.docs.commands import default
from tests.docs.metrics import exposed

REPOSITORY = Path(__file__).resolve().parents[1]
FORMAT = REPOSITORY / "docs" / "xray-format.md"
CODE = (".py", ".sql", ".ts", ".tsx", ".proto")

_HEADING = re.compile(r"^(#{1,6}) (.+?)\s*$", re.MULTILINE)
_CITATION = re.compile(r"§(\d+(?:\.\d+)*)(?:-(\d+(?:\.\d+)*))?")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
MOST_WORDS = 600
USERS = {"raymap_ro", "raymap_backup"}
"""Users of ClickHouse."""


def tracked(*suffixes: str) -> list[str]:
    """Files of the repository with one of these suffixes, as paths below its root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    names = listed.stdout.split("\0")
    return sorted(n for n in names if n.endswith(suffixes) and (REPOSITORY / n).is_file())


def text_of(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def sections() -> set[str]:
    """Section numbers of docs/xray-format.md."""
    titles = [title for _, title in _HEADING.findall(FORMAT.read_text(encoding="utf-8"))]
    numbers = [re.match(r"(\d+(?:\.\d+)*)\.? ", title) for title in titles]
    return {number[1] for number in numbers if number}


def anchors(markdown: str) -> set[str]:
    """Anchors of the headings, as GitHub derives them."""
    titles = [title for _, title in _HEADING.findall(_FENCE.sub("", markdown))]
    plain = [re.sub(r"[^\w\- ]", "", title.lower()) for title in titles]
    return {title.strip().replace(" ", "-") for title in plain}


def test_sections_are_numbered_in_order_and_unique() -> None:
    titles = [title for _, title in _HEADING.findall(FORMAT.read_text(encoding="utf-8"))]
    numbers = [
        tuple(map(int, m[1].split("."))) for t in titles if (m := re.match(r"([\d.]+\d|\d+)", t))
    ]
    assert numbers == sorted(set(numbers))
    assert len(numbers) > 40


def citing() -> list[str]:
    """Files with a §, but for those in which it is a sign to read like any other."""
    signs = ("tests/test_docs.py", "ui/src/filter/tokens.test.ts")
    return [name for name in tracked(*CODE) if "§" in text_of(name) and name not in signs]


@pytest.mark.parametrize("name", citing())
def test_citations_resolve(name: str) -> None:
    """Every § in the code is a section of docs/xray-format.md, which the file names."""
    text = text_of(name)
    cited = {number for pair in _CITATION.findall(text) for number in pair if number}
    assert cited, "a § without a number"
    assert cited <= sections()
    assert "docs/xray-format.md §" in text


def test_citations_of_the_documentation_resolve() -> None:
    own = {number for pair in _CITATION.findall(text_of("docs/xray-format.md")) for number in pair}
    assert own - {""} <= sections()


@pytest.mark.parametrize("name", tracked(".md"))
def test_relative_links_resolve(name: str) -> None:
    text = text_of(name)
    broken = []
    for link in _LINK.findall(_FENCE.sub("", text)):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = unquote(link).partition("#")
        path = (REPOSITORY / name).parent / target if target else REPOSITORY / name
        if not path.exists() or (
            anchor and anchor not in anchors(path.read_text(encoding="utf-8"))
        ):
            broken.append(link)
    assert broken == []


def documentation() -> list[str]:
    """Markdown that describes the present; history and changelog name what is gone."""
    gone = ("CHANGELOG.md", "docs/benchmarks/history.md")
    return [name for name in tracked(".md") if name not in gone]


_PATH = re.compile(r"`((?:\.ci/|\.github/)?[\w-]+/[\w./-]*)`")
_GENERATED = ("raymap-data/", "run/", "ui/dist/", "collector/_pb/", "raymap/v1/")


@pytest.mark.parametrize("name", documentation())
def test_paths_in_the_documentation_exist(name: str) -> None:
    """`store/model.py` is in the repository, seen from its root, from ui/ or from the document."""
    roots = (REPOSITORY, (REPOSITORY / name).parent)
    text = _FENCE.sub("", text_of(name))
    written = set(re.findall(r"^`([\w./-]+)`[^\n]*:$", text, re.MULTILINE))  # by the reader
    paths = [path.rstrip(".") for path in _PATH.findall(text) if path not in written]
    paths = [p for p in paths if p.endswith("/") or re.search(r"\.[a-z]+$", p)]
    gone = [p for p in paths if not any((root / p).exists() for root in roots)]
    assert [p for p in gone if not (p + "/").startswith(_GENERATED)] == []


def test_readme_is_short() -> None:
    assert len(text_of("README.md").split()) <= MOST_WORDS


def options_of(command: Any) -> set[str]:
    return {
        flag for p in command.params for flag in [*p.opts, *p.secondary_opts] if flag[:2] == "--"
    }


@pytest.mark.parametrize("name", ["README.md", "docs/operating.md", "docs/moving-from-xray.md"])
def test_commands_and_flags_exist(name: str) -> None:
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    lines = [line for line in text_of(name).splitlines() if "aws " not in line]
    named = {c for line in lines for c in re.findall(r"\braymap ([a-z]+)", line)} - {"ready"}
    assert named <= commands.keys()
    flags = {f for line in lines for f in re.findall(r"(?<![\w-])--[a-z][a-z-]*", line)}
    known = {"--help"}.union(*map(options_of, commands.values()))
    assert flags - known == set()


def test_flags_of_benches_exist() -> None:
    """bench/README.md names flags of the benches, and of `raymap serve` behind a bare ``--``."""
    sources = "".join(text_of(name) for name in tracked(".py") if name.startswith("bench/"))
    known = set(re.findall(r"add_argument\(\s*\"(--[a-z-]+)\"", sources)) | {"--workers"}
    lines = text_of("bench/README.md").splitlines()
    assert {f for line in lines for f in re.findall(r"(?<![\w-])--[a-z][a-z-]*", line)} <= known


def test_every_flag_of_the_long_running_commands_is_documented() -> None:
    """The table of docs/operating.md: flags, and which commands have them."""
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    row = re.compile(r"^\| `(--[a-z-]+)`[^|]* \| ([^|]*) \| ([^|]*) \|", re.MULTILINE)
    documented = {
        f: (value, where) for f, value, where in row.findall(text_of("docs/operating.md"))
    }
    running = [commands[name] for name in ("serve", "collect", "api", "clickhouse")]
    visible = {p.opts[0] for command in running for p in command.params if not p.hidden}
    assert documented.keys() == visible - {"--help"}
    for flag, (value, where) in documented.items():
        for command in re.findall(r"`([a-z]+)`", where):
            assert flag in options_of(commands[command]), (flag, command)
        actual = next(default(p) for each in running for p in each.params if flag in p.opts)
        assert value == actual.replace(".0`", "`") or not re.fullmatch("`.*`", actual), flag


@pytest.mark.parametrize("name", documentation())
def test_metrics_are_named_as_a_scrape_shows_them(name: str) -> None:
    """With labels that they have; docs/reference/metrics.md lists them all."""
    metrics = exposed()
    for metric, labels in re.findall(r"`(raymap_[a-z_]+)(?:\{([a-z,]+)\})?`", text_of(name)):
        if metric not in USERS:
            assert metric in metrics
            assert not labels or {*labels.split(",")} <= {*metrics[metric]._labelnames}, metric

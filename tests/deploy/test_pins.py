"""What is built elsewhere and runs in a release is named by its content, not by a name that can be moved."""

from __future__ import annotations

import re
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(
    r"^(\S+)==(\S+)(?: ; ([^\\]+?))?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE
)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_named_by_commit(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text())
    assert used
    for each in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each), each


def test_one_action_has_one_commit() -> None:
    used = {use for path in WORKFLOWS for use in re.findall(r"uses: (\S+)", path.read_text())}
    names = [use.partition("@")[0] for use in used]
    assert len(names) == len(set(names))


def test_hashed_versions_are_those_that_are_tested() -> None:
    """Every line has a hash; packages of other systems alone are not among the tested ones."""
    text = (ROOT / "requirements.txt").read_text()
    found = PINNED.findall(text)
    assert len(found) == len([line for line in text.splitlines() if line[:1] not in "# "])
    tested = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split())
    tested = {canonicalize_name(name): version for name, version in tested.items()}
    for name, version, marker, _ in found:
        assert tested.get(name, marker and version) == version, name


def test_everything_that_the_image_needs_is_hashed() -> None:
    """pyproject.toml's dependencies and theirs: run .ci/hashes after a change."""
    hashed = {name for name, *_ in PINNED.findall((ROOT / "requirements.txt").read_text())}
    needed: set[str] = set()
    waiting = [Requirement("raymap[embedded,kafka]")]
    while waiting:
        wanted = waiting.pop()
        for text in distribution(wanted.name).requires or ():
            each = Requirement(text)
            extras = wanted.extras or {""}
            if each.marker and not any(each.marker.evaluate({"extra": extra}) for extra in extras):
                continue
            if each.name not in needed:
                needed.add(each.name)
                waiting.append(each)
    assert {canonicalize_name(name) for name in needed} <= hashed
    assert {"chdb-core", "confluent-kafka"} <= needed


@pytest.mark.parametrize("name", ["Dockerfile", "chroot.sh"])
def test_the_image_is_installed_by_hash(name: str) -> None:
    text = (ROOT / "deploy" / "docker" / name).read_text()
    assert "--require-hashes --requirement requirements.txt" in text
    for line in re.findall(r"pip install .*", text):
        assert "--require-hashes" in line or "--no-deps" in line


def test_images_of_others_are_named_by_digest() -> None:
    """In the Dockerfile, by the default of its argument, and wherever a service is started."""
    text = (ROOT / "deploy" / "docker" / "Dockerfile").read_text()
    defaults = dict(re.findall(r"^ARG (\w+)=(\S+)$", text, re.MULTILINE))
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    used = [re.sub(r"\$\{(\w+)\}", lambda found: defaults[found[1]], base) for base in bases]
    for path in (ROOT / "deploy").rglob("*.y*ml"):
        used += re.findall(r"^ *image: (\w\S*[/:]\S+)$", path.read_text(), re.MULTILINE)
    assert len(used) >= 3
    for each in used:
        assert re.fullmatch(r"[\w/.-]+:[\w.-]+@sha256:[0-9a-f]{64}", each), each

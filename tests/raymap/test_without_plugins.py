"""Raymap without its plugins starts, takes segments and draws a map."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Server, start_server, stop_server
from tests.raymap.processes import eventually, finished_segment, raymap, status_of

BARE = '''"""A Python in which no plugin is installed, and `raymap.contrib` is missing."""

import importlib.metadata
import sys

found = importlib.metadata.entry_points
EMPTY = importlib.metadata.EntryPoints()


def entry_points(**params):
    return EMPTY if params.get("group") == "raymap.plugins" else found(**params)


class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == "raymap.contrib" or name.startswith("raymap.contrib."):
            raise ModuleNotFoundError(f"No module named {name!r}")


importlib.metadata.entry_points = entry_points
sys.meta_path.insert(0, Missing())
'''


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of processes without plugins."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "sitecustomize.py").write_text(BARE)
    return {"PYTHONPATH": str(folder)}


@pytest.fixture(scope="module")
def server(bare: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = start_server(tmp_path_factory.mktemp("core") / "data", environment=bare)
    yield running
    stop_server(running)


def _map(server: Server) -> Any:
    now = time.time()
    window = f"from={now - 300}&to={now}"
    with urllib.request.urlopen(f"{server.http}/api/map?{window}", timeout=60) as answer:
        return json.load(answer)


@pytest.mark.server
def test_a_map_is_drawn(server: Server) -> None:
    body = json.dumps({"TraceSegmentDocuments": [json.dumps(finished_segment("alone"))]}).encode()
    request = urllib.request.Request(f"{server.http}/TraceSegments", body, method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert json.load(answer) == {"UnprocessedTraceSegments": []}
    eventually(
        lambda: "alone" in {each["name"] for each in _map(server)["nodes"]}, "the segment's node"
    )


@pytest.mark.server
def test_what_plugins_answer_is_unknown(server: Server) -> None:
    assert status_of(server, "/zipkin/api/v2/services") == 404


def test_the_command_line_has_its_own_commands(bare: dict[str, str]) -> None:
    shown = raymap("--help", **bare)
    assert shown.returncode == 0, shown.stderr
    assert " serve " in shown.stdout

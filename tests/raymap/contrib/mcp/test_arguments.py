"""Arguments of tools: other names of the window, and none is dropped without a word."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import anyio
import pytest
from mcp.server.mcpserver.exceptions import ToolError

from raymap.contrib.mcp.client import Client
from raymap.contrib.mcp.server import build_server

MAP = {"from": 0.0, "to": 1.0, "nodes": [], "edges": [], "total_nodes": 0, "left_out": 0,
       "problems": [], "filtered": None, "incomplete": None}  # fmt: skip


class Recorder(Client):
    """Remembers the queries; every answer is an empty map."""

    queries: list[Mapping[str, Any]]

    def get(self, path: str, query: Mapping[str, object]) -> Any:
        self.queries.append(query)
        return MAP


@pytest.fixture
def recorder() -> Recorder:
    made = Recorder("http://127.0.0.1:9")
    object.__setattr__(made, "queries", [])
    return made


def called(client: Client, tool: str, **arguments: Any) -> Any:
    return anyio.run(build_server(client, "1").call_tool, tool, arguments)


def test_from_and_to_are_start_and_end(recorder: Recorder) -> None:
    """The HTTP API's names, which a model knows."""
    called(recorder, "service_map", **{"from": "1000", "to": "2000"})
    called(recorder, "service_map", start="1000", end="2000")
    first, second = recorder.queries
    assert first == second
    assert (first["from"], first["to"]) == (1000, 2000)


@pytest.mark.parametrize(
    ("tool", "arguments", "message"),
    [
        ("service_map", {"from": "1", "start": "1"}, "from and start are the same parameter"),
        ("find_traces", {"foo": 1}, "find_traces has no parameter 'foo'; it has filter, start,"),
        ("find_traces", {"filtr": "fault"}, "no parameter 'filtr'; did you mean filter?"),
        ("trace_outline", {"id": "1", "trace_id": "2"}, "no parameter 'id'; did you mean"),
        ("trace_outline", {"trace_id": "x", "from": "-1h"}, "no parameter 'from'; it has trace_id"),
    ],
)
def test_unknown_arguments_are_refused_by_name(
    recorder: Recorder, tool: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ToolError, match=re.escape(message)):
        called(recorder, tool, **arguments)
    assert recorder.queries == []


def test_schemas_allow_no_others(recorder: Recorder) -> None:
    tools = anyio.run(build_server(recorder, "1").list_tools)
    assert all(tool.input_schema["additionalProperties"] is False for tool in tools)

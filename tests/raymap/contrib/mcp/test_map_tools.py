"""What is said of a map besides its lines."""

from __future__ import annotations

from typing import Any

import pytest

from raymap.contrib.mcp.map_tools import _omitted

MAP: dict[str, Any] = {"left_out": 0, "problems": []}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, []),
        ({"incomplete": None}, []),
        (
            {"incomplete": {"minutes": 3, "since": 1.0}},
            ["Incomplete: 3 minutes still to be counted."],
        ),
        (
            {"left_out": 7},
            ["Beyond these the map has 7 healthy nodes with little traffic."],
        ),
    ],
)
def test_what_a_map_lacks(change: dict[str, Any], said: list[str]) -> None:
    assert _omitted({**MAP, **change}) == said

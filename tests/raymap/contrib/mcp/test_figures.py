"""Lines of nodes."""

from __future__ import annotations

from typing import Any

import pytest

from raymap.contrib.mcp.figures import labels, node_line

NODE: dict[str, Any] = {
    "type": "",
    "kind": "service",
    "state": "active",
    "root": True,
    "requests": 12,
    "p50_ms": 20.0,
    "p95_ms": 40.0,
}
LINE = "node shop [service], 12 requests, p50 20 ms, p95 40 ms, requests enter here"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"work": "requests", "background": None}, ""),
        (
            {"background": {"requests": 3, "p50_ms": 60_000.0, "p95_ms": 61_000.0}},
            ", background work apart: 3 units, p50 60000 ms, p95 61000 ms",
        ),
        (
            {"background": {"requests": 0, "p50_ms": None, "p95_ms": None}},
            ", background work apart: 0 units",
        ),
        ({"work": "background"}, ", these are background work: it has no requests"),
    ],
)
def test_background_work(change: dict[str, Any], said: str) -> None:
    assert node_line({**NODE, **change}, "shop") == LINE + said


def test_parts_of_a_node_differ_by_their_values() -> None:
    """What is not split, as on a server that knows no values, has its name alone."""
    parts = [
        {"id": f"n{i}", "name": "shop", "type": "", "value": v}
        for i, v in enumerate(("v1", "", None))
    ]
    plain = {"id": "n9", "name": "table", "type": ""}
    assert labels([*parts, plain]) == {
        "n0": "shop · v1", "n1": "shop · no value", "n2": "shop", "n9": "table",
    }  # fmt: skip

"""A trace says which service's clock is not its caller's."""

from __future__ import annotations

import json
from typing import Any

from api.console.trace_detail import trace_report
from store.model import Call, Document, NodeKey
from tests.builders import T0, call, segment, trace_of

SECOND = 1_000_000
SHOP, BANK, MAIL = (NodeKey("", name, "") for name in ("shop", "bank", "mail"))


def _named(node: NodeKey) -> bytes:
    return json.dumps({"name": node.name}).encode()


def called(id: int, name: str, begin: float, **change: Any) -> Call:
    """A call of a second."""
    start = T0 + round(begin * SECOND)
    node = NodeKey("", name, "remote")
    return call(id, node=node, start=start, end=start + SECOND, **change)


def answer(id: int, node: NodeKey, parent: int, begin: float) -> Document:
    """A request of half a second."""
    start = T0 + round(begin * SECOND)
    return segment(
        id, node=node, raw=_named(node), parent_id=parent, start=start, end=start + SECOND // 2
    )


def clocks(*documents: Document) -> list[tuple[str, str, float]]:
    found = trace_report(trace_of(*documents))["clocks"]
    return [(each["service"], each["row"], each["ahead_ms"]) for each in found]


def shop(*calls: Call) -> Document:
    return segment(1, node=SHOP, raw=_named(SHOP), end=T0 + 9 * SECOND, calls=calls)


def test_an_answer_outside_of_its_call_shows_another_clock() -> None:
    documents = [
        shop(called(2, "bank", 2), called(3, "bank", 4), called(4, "mail", 6)),
        answer(5, BANK, 2, 1.9),
        answer(6, BANK, 3, 3.5),
        answer(7, MAIL, 4, 7.2),
    ]
    assert clocks(*documents) == [
        ("bank", f"{6:016x}", -500.0),
        ("mail", f"{7:016x}", 200.0),
    ]


def test_within_the_call_or_nearly_so_clocks_agree() -> None:
    documents = [
        shop(called(2, "bank", 2), called(3, "mail", 4)),
        answer(5, BANK, 2, 2.4),
        answer(6, MAIL, 3, 3.995),
        answer(7, SHOP, 9, 0),
    ]
    assert clocks(*documents) == []

"""Rows of a trace, whatever its documents look like."""

from __future__ import annotations

from typing import Any

from api.console.timeline import states_of, timeline
from store.model import State, Trace
from store.units import calls_of
from tests.builders import TRACE, call, segment

START = 1_000_000_000


def unit(id: str, start: float = 1000.0, **more: Any) -> dict[str, Any]:
    return {"id": id, "name": id, "start_time": start, "end_time": start + 1, **more}


def test_children_come_by_their_start_below_their_parent() -> None:
    documents = [
        unit("a", subsegments=[unit("late", 1000.5), unit("early", 1000.2)]),
        unit("callee", 1000.3, parent_id="early"),
        unit("guess", 1000.5, parent_id="late", inferred=True),
    ]
    rows = timeline(documents, START, {})
    assert [(row["id"], row["depth"], row["kind"]) for row in rows] == [
        ("a", 0, "segment"),
        ("early", 1, "subsegment"),
        ("callee", 2, "segment"),
        ("late", 1, "subsegment"),
        ("guess", 2, "inferred"),
    ]
    assert [row["service"] for row in rows] == ["a", "a", "callee", "a", "guess"]
    assert rows[1]["start_ms"] == 200


def test_row_says_how_it_ended() -> None:
    (row,) = timeline(
        [
            unit(
                "a",
                error=True,
                fault=True,
                http={"response": {"status": 400}},
                cause={"exceptions": [{"type": "ConditionalCheckFailed"}]},
            )
        ],
        START,
        {},
    )
    assert (row["status"], row["code"]) == ("error", 400)
    assert row["exception"] == "ConditionalCheckFailed"


def test_odd_members_are_passed_over() -> None:
    """Unvalidated members of documents may have any type."""
    odd = unit(
        "a",
        http=[],
        cause="0123456789abcdef",
        namespace="local",
        subsegments=[1, {"name": None}, {"id": 5}],
    )
    rows = timeline([odd], START, {})
    assert len({row["id"] for row in rows}) == 3


def test_unknown_parent_is_no_parent() -> None:
    (row,) = timeline([unit("a", parent_id="gone")], START, {})
    assert (row["parent"], row["depth"]) == (None, 0)


def test_rows_have_the_colour_they_are_counted_with() -> None:
    """A throttled DynamoDB call is known by its exception, which its inferred segment lacks."""
    root = segment(0xA1, calls=(call(0xC1, state=State.THROTTLE),))
    calls = {owned.call.id: owned for owned in calls_of(root)}
    states = states_of(Trace(TRACE, {root.id: root}, calls, updated=0, revision=1))
    failed: dict[str, Any] = {"error": True, "http": {"response": {"status": 400}}}
    documents = [
        unit(f"{0xA1:016x}", subsegments=[unit(f"{0xC1:016x}", **failed)]),
        unit("guess", parent_id=f"{0xC1:016x}", inferred=True, **failed),
    ]
    rows = timeline(documents, START, states)
    assert [row["status"] for row in rows] == ["ok", "throttle", "throttle"]

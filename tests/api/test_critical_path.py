"""Where the time of a trace went: which rows it waited for, and what each service spent itself."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.critical_path import critical_path, time_by_service
from api.schemas.traces import TraceRow


def row(
    id: str, parent: str | None, start: float, took: float | None, depth: int | None = None
) -> Any:
    depth = int(parent is not None) if depth is None else depth
    own = {"id": id, "parent": parent, "depth": depth, "service": id}
    return own | {"start_ms": start, "duration_ms": took}


def words(rows: list[TraceRow]) -> list[str]:
    return [
        f"{piece['row'] or 'nothing'} {piece['from_ms']:g}-{piece['to_ms']:g}"
        for piece in critical_path(rows)
    ]


def test_calls_one_after_the_other_and_the_work_between() -> None:
    rows = [row("a", None, 0, 100), row("b", "a", 10, 30), row("c", "a", 50, 40)]
    assert words(rows) == ["a 0-10", "b 10-40", "a 40-50", "c 50-90", "a 90-100"]


def test_of_parallel_calls_the_one_that_was_waited_for() -> None:
    rows = [row("a", None, 0, 100), row("b", "a", 10, 80), row("c", "a", 10, 50), row("d", "a", 2, 7)]  # fmt: skip
    assert words(rows) == ["a 0-2", "d 2-9", "a 9-10", "b 10-90", "a 90-100"]


def test_what_outlasts_its_caller_was_not_waited_for_unless_the_trace_ends_with_it() -> None:
    rows = [row("a", None, 0, 50), row("sync", "a", 5, 15), row("async", "a", 30, 50), row("inner", "async", 40, 30, 2)]  # fmt: skip
    assert words(rows) == ["a 0-5", "sync 5-20", "a 20-30", "async 30-40", "inner 40-70", "async 70-80"]  # fmt: skip


def test_work_that_began_after_its_caller_had_ended_waited_in_between() -> None:
    rows = [row("a", None, 0, 50), row("queued", "a", 70, 20)]
    assert words(rows) == ["a 0-50", "nothing 50-70", "queued 70-90"]


def test_several_roots_follow_each_other() -> None:
    rows = [row("a", None, 0, 30), row("b", None, 40, 20), row("c", None, 20, 30)]
    assert words(rows) == ["a 0-20", "c 20-40", "b 40-60"]


def test_clocks_may_differ_by_a_little_in_both_directions() -> None:
    assert words([row("a", None, 0, 50), row("b", "a", -5, 55.6)]) == ["b -5-50.6"]


def test_one_in_progress_runs_until_the_end_of_what_is_known() -> None:
    assert words([row("a", None, 0, None), row("b", "a", 10, 20)]) == ["a 0-10", "b 10-30"]
    assert words([]) == []


def test_time_is_counted_for_the_service_that_spent_it() -> None:
    rows = [row("a", None, 0, 100), row("b", "a", 10, 50), row("c", "a", 40, 50)]
    assert time_by_service(rows, critical_path(rows)) == [
        {"service": "c", "rows": 1, "self_ms": 50, "path_ms": 50},
        {"service": "a", "rows": 1, "self_ms": 20, "path_ms": 50},
        {"service": "b", "rows": 1, "self_ms": 50, "path_ms": 0},
    ]


def test_a_cold_start_that_lies_before_its_invocation_is_counted_once() -> None:
    rows = [row("lambda", None, 0, 560), row("function", "lambda", 520, 35), row("init", "function", 10, 505, 2)]  # fmt: skip
    rows = [{**each, "service": "catalog"} for each in rows]
    (only,) = time_by_service(rows, critical_path(rows))
    assert (only["rows"], only["self_ms"]) == (3, 560)


@st.composite
def traces(draw: st.DrawFn) -> list[TraceRow]:
    """Calls within, beside and after their callers, some in progress, maybe below several roots."""
    rows: list[Any] = []
    for at in range(draw(st.integers(1, 25))):
        above = draw(st.sampled_from([None, *rows])) if rows else None
        begun, length = (above["start_ms"], above["duration_ms"] or 100) if above else (50, 100)
        start = begun + draw(st.integers(-5, 120)) * length / 100
        part = draw(st.none() | st.integers(0, 100))
        took = None if part is None else part * length / 100
        depth = above["depth"] + 1 if above else 0
        parent = above["id"] if above else None
        rows.append({**row(f"{at}", parent, start, took, depth), "service": f"{at % 4}"})
    return rows


@given(traces())
def test_the_pieces_add_up_to_the_duration_without_gap_or_overlap(rows: list[TraceRow]) -> None:
    path, known = critical_path(rows), {each["id"]: each for each in rows}
    first = min(each["start_ms"] for each in rows)
    last = max(each["start_ms"] + (each["duration_ms"] or 0) for each in rows)
    assert sum(each["to_ms"] - each["from_ms"] for each in path) == pytest.approx(
        last - first, abs=1.1
    )
    assert all(each["from_ms"] < each["to_ms"] for each in path)
    assert all(a["to_ms"] == b["from_ms"] for a, b in pairwise(path))
    for each in path:
        own = known.get(each["row"] or "")
        if own and own["duration_ms"] is not None:
            assert each["from_ms"] >= own["start_ms"] - 1.001
            assert each["to_ms"] <= own["start_ms"] + own["duration_ms"] + 1.001


@given(traces())
def test_no_service_has_more_time_than_the_trace(rows: list[TraceRow]) -> None:
    first = min(each["start_ms"] for each in rows)
    last = max(each["start_ms"] + (each["duration_ms"] or 0) for each in rows)
    times = time_by_service(rows, critical_path(rows))
    assert sum(each["rows"] for each in times) == len(rows)
    for each in times:
        assert 0 <= each["self_ms"] <= last - first + 0.001
    assert sum(each["path_ms"] for each in times) <= last - first + 0.1

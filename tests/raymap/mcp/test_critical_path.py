"""Where the time of a trace went: the cases of `ui/src/model/criticalPath.test.ts`, which the console has."""

from __future__ import annotations

from typing import Any

from raymap.mcp.critical_path import Piece, critical_path


def row(id: str, parent: str | None, start: float, took: float | None, depth: int = 1) -> Any:
    return {"id": id, "parent": parent, "depth": depth, "start_ms": start, "duration_ms": took}


def test_calls_one_after_the_other_and_the_work_between() -> None:
    rows = [row("a", None, 0, 100, 0), row("b", "a", 10, 30), row("c", "a", 50, 40)]
    assert critical_path(rows) == [
        Piece("a", 0, 10),
        Piece("b", 10, 40),
        Piece("a", 40, 50),
        Piece("c", 50, 90),
        Piece("a", 90, 100),
    ]


def test_of_parallel_calls_the_one_that_was_waited_for() -> None:
    rows = [row("a", None, 0, 100, 0), row("b", "a", 10, 80), row("c", "a", 10, 30)]
    assert critical_path(rows) == [Piece("a", 0, 10), Piece("b", 10, 90), Piece("a", 90, 100)]


def test_what_outlasts_its_caller_was_not_waited_for_unless_the_trace_ends_with_it() -> None:
    rows = [row("a", None, 0, 50, 0), row("b", "a", 60, 40)]
    assert critical_path(rows) == [Piece("a", 0, 50), Piece(None, 50, 60), Piece("b", 60, 100)]


def test_one_in_progress_runs_until_the_end_of_what_is_known() -> None:
    assert critical_path([row("a", None, 0, None, 0), row("b", "a", 10, 20)]) == [
        Piece("a", 0, 10),
        Piece("b", 10, 30),
    ]
    assert critical_path([]) == []

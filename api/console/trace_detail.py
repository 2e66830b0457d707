"""One trace with its timeline, its map and its documents."""

from __future__ import annotations

from collections.abc import Sequence

from api.console.map_json import render_picture
from api.console.params import require_trace, require_trace_id
from api.console.pins import pin_mark
from api.console.timeline import states_of, timeline, units_of, without_subsegments
from api.console.trace_json import head
from api.context import Context
from api.critical_path import critical_path, time_by_service
from api.graph.build import build_graph
from api.graph.clocks import clocks_of
from api.schemas.traces import ClockSkew, RawTrace, TraceDetail, TraceReport, TraceRow
from store.masks import count_masks
from store.model import TimeRange, Trace
from store.service_graph import build_service_graph
from store.summary import summarize
from store.times import MINUTE
from store.trace_documents import processed_documents

MAX_ROWS = 10_000
"""Rows of one trace; its map counts all of them."""


def trace_detail(context: Context, text: str) -> TraceDetail:
    """A trace with its timeline, map and documents; ApiError (404) when it is not stored."""
    id = require_trace_id(text)
    trace, pin = context.both(
        lambda: require_trace(context.store, text), lambda: context.store.pin_of(id)
    )
    return {
        **trace_report(trace),
        "pin": pin_mark(pin),
        "map": render_picture(
            build_graph(build_service_graph([trace], weighted=False)), _a_minute(trace)
        ),
    }


def trace_report(trace: Trace) -> TraceReport:
    """A trace with its timeline and documents: at most `MAX_ROWS` rows, and the documents of these."""
    summary = summarize(trace)
    documents = processed_documents(trace)
    every_row = timeline(documents, summary.start, states_of(trace))
    rows = every_row[:MAX_ROWS]
    shown = {row["id"] for row in rows}
    path = critical_path(rows)
    return {
        **head(summary),
        "w3c_id": trace.trace_id.hex(),
        "rows": rows,
        "left_out": len(every_row) - len(rows),
        "critical_path": path,
        "services": time_by_service(rows, path),
        "clocks": _clocks(trace, rows),
        "documents": {
            id: without_subsegments(unit.content)
            for id, unit in units_of(documents).items()
            if id in shown
        },
        "segments": len(documents),
        "masked": dict(sorted(count_masks(d.raw for d in trace.documents.values()).items())),
    }


def _clocks(trace: Trace, rows: Sequence[TraceRow]) -> list[ClockSkew]:
    services = {row["id"]: row["service"] for row in rows}
    answers = [
        (f"{each.answer.id:016x}", each.ahead)
        for each in clocks_of(trace)
        if each.answer is not None
    ]
    return [
        {"service": services[row], "row": row, "ahead_ms": ahead / 1000}
        for row, ahead in answers
        if row in services
    ]


def raw_trace(context: Context, text: str) -> RawTrace:
    """The processed documents of a trace, at most `MAX_ROWS`; ApiError (404) when it is not stored."""
    documents = processed_documents(require_trace(context.store, text))
    shown = documents[:MAX_ROWS]
    return {
        "raw": [{"Id": str(each["id"]), "Document": each} for each in shown],
        "left_out": len(documents) - len(shown),
    }


def _a_minute(trace: Trace) -> TimeRange:
    """A window in which rates per minute are counts."""
    start = min(document.start for document in trace.documents.values())
    return TimeRange(start, start + MINUTE)

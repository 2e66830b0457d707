"""Timeline rows of a trace: its processed documents, flattened depth first. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from api.console.charts import status_name
from api.schemas.traces import TraceRow
from store.model import State, Trace
from store.otel.stored_document import Json
from store.rules.classify import classify

RowKind = Literal["segment", "subsegment", "inferred"]


class Unit(NamedTuple):
    """A segment or subsegment, its parent, and the name of its owning segment."""

    id: str
    parent: str | None
    kind: RowKind
    content: Json
    service: str


def timeline(documents: Iterable[Json], start: int, states: Mapping[str, State]) -> list[TraceRow]:
    """Rows in depth-first order, children by start; times are relative to ``start`` (microseconds).

    ``states`` (see `states_of`) are the store's, so that rows agree with the map; local
    subsegments, which the map does not count, are classified here.
    """
    units = units_of(documents)
    children: dict[str | None, list[Unit]] = {}
    for unit in sorted(units.values(), key=lambda u: (_seconds(u, "start_time"), u.id)):
        parent = unit.parent if unit.parent in units else None
        children.setdefault(parent, []).append(unit)
    rows: list[TraceRow] = []
    waiting = set(units)
    # A cycle of parents has no root; each remaining unit becomes a root of its own.
    while waiting:
        tops = [unit for unit in children.get(None, ()) if unit.id in waiting]
        stack = [(unit, 0) for unit in reversed(tops or [units[min(waiting)]])]
        while stack:
            unit, depth = stack.pop()
            if unit.id not in waiting:
                continue
            waiting.discard(unit.id)
            parent = unit.parent if depth else None
            state = states.get((unit.parent or "") if unit.kind == "inferred" else unit.id)
            rows.append(_row(unit, parent, depth, start / 1_000_000, state))
            below = children.get(unit.id, ())
            stack += [(child, depth + 1) for child in reversed(below)]
    return rows


def units_of(documents: Iterable[Json]) -> dict[str, Unit]:
    """Everything in a trace by id; of several with one id the first."""
    units: dict[str, Unit] = {}
    for document in documents:
        for unit in _units(document):
            units.setdefault(unit.id, unit)
    return units


def _units(document: Json) -> Iterator[Unit]:
    service = str(document.get("name", ""))
    kind: RowKind = "segment"
    if document.get("inferred") is True:
        kind = "inferred"
    elif document.get("type") == "subsegment":
        kind = "subsegment"
    parent = document.get("parent_id")
    top = Unit(str(document["id"]), parent, kind, document, service)
    stack = [top]
    made = 0
    while stack:
        unit = stack.pop()
        yield unit
        for child in reversed(_children(unit.content)):
            made += 1
            id = child.get("id")
            id = id if isinstance(id, str) and id else f"{top.id}.{made}"
            stack.append(Unit(id, unit.id, "subsegment", child, service))


def _children(content: Json) -> list[Json]:
    children = content.get("subsegments")
    found = children if isinstance(children, list) else []
    return [child for child in found if isinstance(child, dict)]


def without_subsegments(content: Json) -> Json:
    """A document without its subsegments."""
    return {key: value for key, value in content.items() if key != "subsegments"}


def states_of(trace: Trace) -> dict[str, State]:
    """State of each segment and call of a trace, by its 16 hex digits."""
    states = {f"{document.id:016x}": document.state for document in trace.documents.values()}
    states.update((f"{id:016x}", owned.call.state) for id, owned in trace.calls.items())
    return states


def _row(unit: Unit, parent: str | None, depth: int, start: float, state: State | None) -> TraceRow:
    content = unit.content
    began, ended = _seconds(unit, "start_time"), _seconds(unit, "end_time")
    running = content.get("in_progress") is True or "end_time" not in content
    status = _status(content)
    return {
        "id": unit.id,
        "parent": parent,
        "depth": depth,
        "kind": unit.kind,
        "name": _text(content, "name") or "unknown",
        "type": _text(content, "origin"),
        "namespace": namespace if (namespace := _text(content, "namespace")) in CALLS else "",
        "service": unit.service,
        "start_ms": round((began - start) * 1000, 3),
        "duration_ms": None if running else round(max(0.0, ended - began) * 1000, 3),
        "status": status_name(_state(content, status, running) if state is None else state),
        "code": status or None,
        "exception": exception_of(content),
    }


CALLS = ("aws", "remote")


def _state(content: Json, status: int, running: bool) -> State:
    return classify(
        error=content.get("error") is True,
        throttle=content.get("throttle") is True,
        fault=content.get("fault") is True,
        status=status,
        in_progress=running,
        exception=exception_of(content),
        aws=content.get("namespace") == "aws",
    )


def _status(content: Json) -> int:
    http = content.get("http")
    response = http.get("response") if isinstance(http, dict) else None
    status = response.get("status") if isinstance(response, dict) else None
    return status if isinstance(status, int) and not isinstance(status, bool) else 0


def exception_of(content: Json) -> str:
    """The type of the first exception, or empty."""
    cause = content.get("cause")
    exceptions = cause.get("exceptions") if isinstance(cause, dict) else None
    for exception in exceptions if isinstance(exceptions, list) else ():
        if isinstance(exception, dict):
            return _text(exception, "type")
    return ""


def _text(content: dict[str, Any], key: str) -> str:
    value = content.get(key)
    return value if isinstance(value, str) else ""


def _seconds(unit: Unit, key: str) -> float:
    value = unit.content.get(key)
    return float(value) if isinstance(value, int | float) else 0.0

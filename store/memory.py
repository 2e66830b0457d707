"""The reference store in plain Python: slow and simple, the specification of every other store."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from store.config.memory import MemoryConfig
from store.cursor import decode_cursor, encode_cursor
from store.document_values import document_values, value_text
from store.errors import TraceNotFound
from store.facts import links_among
from store.filters.ast import Expression, Field, Value
from store.filters.evaluate import matches
from store.graph import ServiceGraph, Statistics
from store.graph_names import name_problems
from store.grouped_units import GroupedUnit, all_grouped
from store.memory_minutes import MemoryMinutes
from store.memory_records import (
    MemoryAlarms,
    MemoryDeclarations,
    MemoryDeployments,
    MemoryLogs,
    MemoryMetrics,
    MemoryProblems,
)
from store.memory_traces import MemoryTraces, is_sampled
from store.model import NodeKey, TimeRange, Trace
from store.pins import Pin
from store.protocol import CountedWindow
from store.query import (
    Axis,
    Backlog,
    Entities,
    EntryTime,
    Page,
    TimeBucket,
    TraceHit,
    TraceQuery,
    UnitPage,
    UnitQuery,
    ValueCount,
    VersionStatistics,
)
from store.rules.annotations import split_annotation_item
from store.rules.dimensions import Dimension
from store.rules.other_names import RECENT_MINUTES, names_in_excess
from store.service_graph import build_service_graph
from store.stats_query import AlikePart, StatsQuery
from store.times import MINUTE
from store.trace_id import format_trace_id, trace_time
from store.unit_filter import (
    entry_time,
    matching_units,
    reported_versions,
    unit_operations,
    unit_series,
    unit_trace,
    unit_versions,
)
from store.units import EdgeUnit, NodeUnit, Unit, all_units, with_other_names


class MemoryStore(
    MemoryTraces,
    MemoryConfig,
    MemoryLogs,
    MemoryMetrics,
    MemoryMinutes,
    MemoryAlarms,
    MemoryProblems,
    MemoryDeployments,
    MemoryDeclarations,
):
    """The store protocol on dictionaries. Method docstrings of `store.protocol` apply."""

    def __init__(self) -> None:
        MemoryTraces.__init__(self)
        MemoryConfig.__init__(self)
        MemoryLogs.__init__(self)
        MemoryMetrics.__init__(self)
        MemoryAlarms.__init__(self)
        MemoryProblems.__init__(self)
        MemoryDeployments.__init__(self)
        MemoryDeclarations.__init__(self)
        self._pins: dict[bytes, Pin] = {}

    def backlog(self, window: TimeRange, *, least: int = 0) -> Backlog | None:
        """Always None."""
        return None

    def min_step(self, window: TimeRange) -> int:
        """One microsecond."""
        return 1

    def get_traces(
        self, trace_ids: Sequence[bytes], *, raw: bool = False, links: bool = True
    ) -> dict[bytes, Trace]:
        """The sampled traces; raw documents and links are always filled."""
        found = {id: trace for id in trace_ids if (trace := self._sampled(id)) is not None}
        return {id: self._with_causes(trace) for id, trace in found.items()}

    def get_evaluable(
        self, trace_ids: Sequence[bytes], expression: Expression
    ) -> dict[bytes, Trace]:
        """Whole traces."""
        return self.get_traces(trace_ids)

    def find_traces(
        self, query: TraceQuery, *, limit: int, cursor: str | None = None, raw: bool = False
    ) -> Page:
        """Traces by time, newest first."""
        before = decode_cursor(cursor)
        candidates = sorted(
            (
                (time, id)
                for id, trace in self._traces.items()
                if is_sampled(trace)
                and (time := axis_time(trace, self._first_starts[id], query)) is not None
                and (before is None or (time, id) < before)
            ),
            reverse=True,
        )
        found: list[TraceHit] = []
        for scanned, (time, id) in enumerate(candidates, 1):
            if query.filter is None or matches(self._with_causes(self._traces[id]), query.filter):
                found.append(TraceHit(id, time))
            if len(found) == limit and scanned < len(candidates):
                return Page(found, scanned, encode_cursor(time, id))
        return Page(found, len(candidates), None)

    def count_traces(
        self,
        query: TraceQuery,
        *,
        cursor: str | None,
        until: str | None = None,
        max_seconds: float,
    ) -> int | None:
        """How many traces follow a page, up to another's end."""
        begun, last = time.monotonic(), decode_cursor(until)
        found = self.find_traces(query, limit=len(self._traces) + 1, cursor=cursor).found
        counted = sum(last is None or (each.time, each.trace_id) >= last for each in found)
        return counted if time.monotonic() - begun <= max_seconds else None

    def alike_traces(
        self, query: StatsQuery, *, rows: int, room: int, cursor: str | None
    ) -> AlikePart | None:
        """None: they are read."""
        return None

    def find_units(self, query: UnitQuery, *, limit: int, cursor: str | None = None) -> UnitPage:
        """Traces with matching units, the latest unit first."""
        before = decode_cursor(cursor)
        traces = [trace for trace in self._traces.values() if is_sampled(trace)]
        every = [
            unit_trace(trace, matching_units(self._with_causes(trace), query, self._traces.get))
            for trace in traces
        ]
        found = [
            each
            for each in every
            if each is not None and (before is None or (each.time, each.trace_id) < before)
        ]
        found.sort(key=lambda each: (each.time, each.trace_id), reverse=True)
        page = found[:limit]
        more = len(found) > limit
        return UnitPage(page, encode_cursor(page[-1].time, page[-1].trace_id) if more else None)

    def entry_times(self, trace_ids: Sequence[bytes]) -> dict[bytes, EntryTime]:
        """Of finished traces whose earliest segment has no parent."""
        times = {id: entry_time(trace) for id, trace in self.get_traces(trace_ids).items()}
        return {id: time for id, time in times.items() if time is not None}

    def annotation_keys(
        self, window: TimeRange, *, limit: int, prefix: str = ""
    ) -> list[ValueCount]:
        """Keys of annotations."""
        pairs = [
            (split_annotation_item(item)[0], document.trace_id)
            for document in self._started(window)
            for item in document.annotations
        ]
        return _by_traces([pair for pair in pairs if pair[0].startswith(prefix)], limit)

    def field_values(
        self, field: Field, window: TimeRange, *, prefix: str, limit: int
    ) -> list[ValueCount]:
        """Values of a field."""
        pairs = [
            (value, document.trace_id)
            for document in self._started(window)
            for value in document_values(document, field)
            if value_text(value).startswith(prefix)
        ]
        return _by_traces(pairs, limit)

    def has_traces(self) -> bool:
        """Whether any trace has been stored."""
        return bool(self._traces)

    def last_arrival(self) -> int:
        """The number of documents, with all of their copies, and of lines."""
        return sum(trace.revision for trace in self._traces.values()) + len(self._lines)

    def service_graph(
        self, window: TimeRange, *, settled_before: int | None = None
    ) -> ServiceGraph:
        """Built anew from all traces."""
        traces = self._traces.values()
        return build_service_graph(
            traces, window, self._traces.get, self._linked_to, settled_before=settled_before
        )

    def counted_window(
        self, window: TimeRange, *, settled_before: int | None = None
    ) -> CountedWindow:
        """The window itself."""
        graph = self.service_graph(window, settled_before=settled_before)
        return _Window(self, window, graph, settled_before)

    def counted_windows(
        self, windows: Sequence[TimeRange], *, settled_before: int | None = None
    ) -> list[CountedWindow]:
        """The windows themselves."""
        return [self.counted_window(each, settled_before=settled_before) for each in windows]

    def node_series(
        self, nodes: Collection[NodeKey], window: TimeRange, step: int
    ) -> list[TimeBucket]:
        """Statistics of nodes per step."""
        return unit_series(self._node_units(nodes, window), step)

    def entity_series(
        self,
        entities: Entities,
        window: TimeRange,
        step: int,
        *,
        settled_before: int | None = None,
    ) -> list[TimeBucket]:
        """Statistics of some nodes and edges per step."""
        units = (unit for unit in self._units(window) if entities.have(unit, settled_before))
        return unit_series(units, step)

    def filtered_units(self, window: TimeRange, filter: Expression) -> Iterator[tuple[bytes, Unit]]:
        """Every trace is examined."""
        found = self._satisfying(filter)
        linked_ids = links_among(found.values())
        for trace_id, trace in found.items():
            for unit in all_units(trace, found.get, linked_ids):
                if unit.start in window:
                    yield trace_id, unit

    def grouped_units(
        self, window: TimeRange, dimension: Dimension, filter: Expression | None = None
    ) -> Iterator[tuple[bytes, GroupedUnit]]:
        """Every trace is examined."""
        found = self._traces if filter is None else self._satisfying(filter)
        linked_ids = links_among(found.values())
        for trace_id, trace in found.items():
            for grouped in all_grouped(trace, dimension, found.get, linked_ids):
                if grouped.unit.start in window:
                    yield trace_id, grouped

    def _satisfying(self, filter: Expression) -> dict[bytes, Trace]:
        return {
            trace_id: trace
            for trace_id, trace in self._traces.items()
            if is_sampled(trace) and matches(self._with_causes(trace), filter)
        }

    def operation_statistics(
        self,
        nodes: Collection[NodeKey],
        window: TimeRange,
        *,
        background: bool = False,
        filter: Expression | None = None,
    ) -> dict[str, Statistics]:
        """Of the units of nodes."""
        units = (each for _, each in self.grouped_units(window, Dimension.OPERATION, filter))
        return unit_operations(units, nodes, background=background)

    def version_statistics(
        self,
        nodes: Collection[NodeKey],
        window: TimeRange,
        versions: Collection[str] | None = None,
        *,
        weighted: bool = True,
        within: Expression | None = None,
    ) -> dict[str, VersionStatistics]:
        """Of the units that are segments."""
        units: Iterable[Unit] = self._node_units(nodes, window)
        if within is not None:
            units = (
                unit
                for _, unit in self.filtered_units(window, within)
                if isinstance(unit, NodeUnit) and unit.node in nodes
            )
        return unit_versions(units, versions, weighted=weighted)

    def version_series(
        self, nodes: Collection[NodeKey], window: TimeRange, version: str, step: int
    ) -> list[TimeBucket]:
        """Of the units that are segments."""
        found = reported_versions(self._node_units(nodes, window))
        return unit_series([unit for unit, reported in found if reported == version], step)

    def pin(self, trace_id: bytes, note: str, at: int) -> Pin:
        """Remember a pin; nothing expires here."""
        if not self.get_traces([trace_id]):
            raise TraceNotFound(f"there is no trace {format_trace_id(trace_id)} here")
        known = self._pins.get(trace_id)
        made = Pin(trace_id, note, known.at if known else at)
        self._pins[trace_id] = made
        return made

    def unpin(self, trace_id: bytes, at: int) -> bool:
        """Remove a pin."""
        return self._pins.pop(trace_id, None) is not None

    def pins(self) -> list[Pin]:
        """All pins, latest first."""
        return sorted(self._pins.values(), key=lambda pin: (pin.at, pin.trace_id), reverse=True)

    def pin_of(self, trace_id: bytes) -> Pin | None:
        """The pin of one trace."""
        return self._pins.get(trace_id)

    def refresh_pins(self) -> int:
        """Zero: nothing is copied."""
        return 0

    def check(self) -> None:
        """Always available."""

    def problems(self) -> list[str]:
        """Names in excess."""
        now = time.time_ns() // 1000
        graph = self.service_graph(TimeRange(now - RECENT_MINUTES * MINUTE, now))
        return name_problems(graph.services.values(), graph.edges.values())

    def close(self) -> None:
        """No connections to close."""

    def _units(self, window: TimeRange) -> Iterator[NodeUnit | EdgeUnit]:
        excess = names_in_excess(self._traces.values())
        for trace in self._traces.values():
            units = all_units(trace, self._traces.get, self._linked_to)
            yield from (with_other_names(unit, excess) for unit in units if unit.start in window)

    def _node_units(self, nodes: Collection[NodeKey], window: TimeRange) -> Iterator[NodeUnit]:
        for unit in self._units(window):
            if isinstance(unit, NodeUnit) and unit.node in nodes:
                yield unit


class _Window(NamedTuple):
    """See `store.protocol.CountedWindow`."""

    store: MemoryStore
    window: TimeRange
    graph: ServiceGraph
    settled_before: int | None
    quick_step: int = 1

    @property
    def backlog(self) -> Backlog | None:
        """Of the store as it is now."""
        return self.store.backlog(self.window)

    def series(self, entities: Entities, step: int) -> list[TimeBucket]:
        """Of the store as it is now."""
        return self.store.entity_series(
            entities, self.window, step, settled_before=self.settled_before
        )


def axis_time(trace: Trace, first_start: int, query: TraceQuery) -> int | None:
    """The time by which a trace lies in the query's window; None if it does not."""
    window, documents = query.window, trace.documents.values()
    match query.axis:
        case Axis.TRACE_ID:
            times = [trace_time(trace.trace_id, first_start)]
        case Axis.EVENT:
            times = [trace.updated]
        case Axis.SERVICE:
            times = [d.end for d in documents if not d.independent and not d.in_progress]
    return max((time for time in times if time in window), default=None)


def _by_traces(pairs: Iterable[tuple[Value, bytes]], limit: int) -> list[ValueCount]:
    traces: dict[tuple[str, Value], set[bytes]] = {}
    for value, trace_id in pairs:
        traces.setdefault((value_text(value), value), set()).add(trace_id)
    ordered = sorted(traces.items(), key=lambda each: (-len(each[1]), each[0][0]))
    return [ValueCount(value, len(ids)) for (_, value), ids in ordered[:limit]]

"""Reads two periods of a map from a store, and what says how much they differ by themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from api.comparison.causes import Trend, followed
from api.comparison.choice import Day, other_days
from api.comparison.lines import Lines, lines_of
from api.comparison.part import Part
from api.comparison.series import Elements, elements_of
from api.comparison.significance import (
    FAILING,
    Difference,
    Measure,
    differences,
)
from api.comparison.sums import Callers, Counted, Periods, Summing, periods_of
from api.comparison.week import STEP, Week, week_of
from api.comparison.whole_minutes import MOST_ROWS, first_and_last, read_minutes
from api.context import Context
from api.graph.build import Graph, build_graph, calls_of, edges_of, keys_of, stats_of
from api.problems.replay import minutes_of
from store.filters.ast import Expression
from store.graph import ServiceGraph, Statistics
from store.memory_minutes import counted_units, counts_of, series_id
from store.minutes import Series
from store.model import NodeKey, TimeRange
from store.query import Backlog, Entities
from store.service_graph import graph_of_units
from store.times import DAY, MINUTE

MOST_OF_DAYS = 4 * MOST_ROWS
"""The same of other days; of a larger map fewer of them are known."""
WEEK = 7


class Side(NamedTuple):
    """A period, its graph, in how many of its minutes anything was counted, and what is missing. ``own``: as of a `Part`."""

    window: TimeRange
    graph: Graph
    services: ServiceGraph
    counted: int
    backlog: Backlog | None
    own: Mapping[NodeKey, NodeKey] = {}


Grouped = Callable[[ServiceGraph, ServiceGraph], Mapping[NodeKey, str]]
"""The boxes that the nodes of both graphs are in; those in none are left out."""


class ComparedLines(NamedTuple):
    """The lines between the boxes of a map, and which of them differ. ``follows``: by line and trend, the box in which that begins."""

    lines: Lines
    found: Sequence[Difference] = ()
    follows: Mapping[tuple[int, Trend], str] = {}


class Compared(NamedTuple):
    """Two periods and what differs. ``follows``: by index and trend, where a difference begins (`causes.followed`). ``days``: other
    days that were known."""

    now: Side
    then: Side
    elements: Elements
    found: list[Difference]
    follows: dict[tuple[int, Trend], int]
    days: int
    lines: ComparedLines | None = None


def compare(
    context: Context,
    now: TimeRange,
    then: TimeRange,
    expression: Expression | None = None,
    grouped: Grouped | None = None,
) -> Compared:
    """Of whole minutes. What satisfies an expression is counted from rows, which are not read of other days. ``grouped``: of a map in
    boxes, whose lines are compared, too. Raises ApiError for a map that is too large for a period."""
    read = (
        _filtered(context, (now, then), expression)
        if expression
        else _counted(context, (now, then))
    )
    sides, counted, series = read
    graphs = [side.graph for side in sides]
    elements = elements_of(graphs)
    result = Compared(sides[0], sides[1], elements, [], {}, 0, _lines(sides, elements, grouped))
    if not all(counted):
        return result
    days = [] if expression else other_days(now, then)
    places = elements.indices(series, graphs)
    callers = elements.callers(graphs)
    periods = periods_of(
        counted[0],
        counted[1],
        _read_days(context, days),
        *_summings(result.lines, (places,), callers),
    )

    def found_of(periods: Periods, entities: Callable[[int], Entities]) -> list[Difference]:
        return differences(
            periods,
            (lambda index, measure: _week(context, result, entities(index), measure))
            if days
            else None,
            None
            if expression
            else (
                lambda index, measure: _comes_and_goes(context, result, entities(index), measure)
            ),
        )

    found = found_of(periods[0], lambda index: _entities(result, (index,)))
    result = _with_differences(result, found)._replace(days=len(periods[0].days))
    if result.lines is None:
        return result
    edges = result.lines.lines.edges
    return _with_lines(result, found_of(periods[1], lambda line: _entities(result, edges[line])))


def compare_parts(
    window: TimeRange,
    parts: tuple[Part, Part],
    backlog: Backlog | None,
    grouped: Grouped | None = None,
) -> Compared:
    """Two sides of one time, the one that is compared with the other first."""
    graphs = [build_graph(part.graph, window) for part in parts]
    elements = elements_of(graphs)
    now, then = (
        Side(window, graph, part.graph, part.minutes, backlog, part.own)
        for graph, part in zip(graphs, parts, strict=True)
    )
    result = Compared(now, then, elements, [], {}, 0, _lines((now, then), elements, grouped))
    if not (now.counted and then.counted):
        return result
    places = tuple(elements.indices(part.series, graphs) for part in parts)
    callers = elements.callers(graphs)
    periods = periods_of(
        parts[0].counted, parts[1].counted, (), *_summings(result.lines, places, callers)
    )
    result = _with_differences(result, differences(periods[0]))
    return result if result.lines is None else _with_lines(result, differences(periods[1]))


def _lines(
    sides: Sequence[Side], elements: Elements, grouped: Grouped | None
) -> ComparedLines | None:
    if grouped is None:
        return None
    now, then = sides
    value = grouped(now.services, then.services)
    return ComparedLines(lines_of(elements, (now.graph, then.graph), value))


def _summings(
    compared: ComparedLines | None,
    places: tuple[Mapping[int, int], ...],
    callers: Callers,
) -> Iterator[Summing]:
    """Of nodes and edges, and of lines. ``places``: of both sides, if they differ."""
    yield Summing(places[0], callers, *places[1:])
    if compared:
        lines = compared.lines
        of_lines = [lines.indices(each) for each in places]
        yield Summing(of_lines[0], lines.callers(callers), *of_lines[1:])


def _with_differences(compared: Compared, found: list[Difference]) -> Compared:
    follows = dict(followed(found, compared.elements.places()))
    return compared._replace(found=found, follows=follows)


def _with_lines(compared: Compared, found: list[Difference]) -> Compared:
    if compared.lines is None:
        return compared
    follows = compared.lines.lines.followed(found, compared.found)
    return compared._replace(lines=compared.lines._replace(found=found, follows=follows))


class Read(NamedTuple):
    """What was read of both periods: their graphs, their minutes, and what the series of these are."""

    sides: list[Side]
    counted: list[Counted]
    series: dict[int, Series]


def _counted(context: Context, windows: Sequence[TimeRange]) -> Read:
    read = Read([], [], {})
    rows = 0
    for window, graph in zip(windows, context.counted_windows(windows), strict=True):
        minutes, series = read_minutes(context.store, window, rows)
        rows += sum(len(each.ids) // 8 for each in minutes)
        read.series.update(series)
        read.counted.append(minutes)
        built = build_graph(graph.graph, window)
        read.sides.append(Side(window, built, graph.graph, len(minutes), graph.backlog))
    return read


def _filtered(context: Context, windows: Sequence[TimeRange], expression: Expression) -> Read:
    read = Read([], [], {})
    settled = context.settled_before()
    for window in windows:
        units = list(context.store.filtered_units(window, expression))
        found = counted_units(unit for _, unit in units)
        every = {series_id(each): each for minute in found.values() for each in minute}
        read.series.update(every)
        read.counted.append([counts_of(minute, found[minute]) for minute in sorted(found)])
        services = graph_of_units(units, settled)
        graph = build_graph(services, window)
        read.sides.append(Side(window, graph, services, len(found), None))
    return read


def _read_days(context: Context, days: Sequence[Day]) -> Iterator[tuple[Counted, Counted | None]]:
    """One after the other, so that one is in memory at a time."""
    rows = 0
    for day in days:
        pair = [
            None if window is None else list(minutes_of(context.store, *first_and_last(window)))
            for window in day
        ]
        rows += sum(len(each.ids) // 8 for side in pair if side for each in side)
        if rows > MOST_OF_DAYS:
            return
        if pair[0] and (day.then is None or pair[1]):
            yield pair[0], pair[1]


def _week(context: Context, compared: Compared, entities: Entities, measure: Measure) -> Week:
    """The steps of the seven days before, without those of the periods."""
    now, then = compared.now.window, compared.then.window
    step = STEP * MINUTE
    start = max(0, now.start - WEEK * DAY) // step * step
    buckets = context.store.entity_series(
        entities, TimeRange(start, now.start // step * step), step
    )
    days: list[list[tuple[float, float]]] = [[] for _ in range(WEEK)]
    known = {each.start: each.statistics for each in buckets}
    for at in range(start, now.start // step * step, step):
        if then.start - step < at < then.end:
            continue
        statistics = known.get(at, Statistics())
        scale = min(1.0, statistics.observed / max(1, statistics.total + statistics.in_progress))
        failed = (statistics.fault, statistics.error, statistics.throttle)[FAILING.index(measure)]
        days[min(WEEK - 1, (at - start) // DAY)].append((statistics.total * scale, failed * scale))
    return week_of(days, round(now.minutes))


def _comes_and_goes(
    context: Context, compared: Compared, entities: Entities, measure: Measure
) -> bool:
    """Whether a node or an edge that only one period has was there in the week before both, or absent for as long as now in the day
    before: a job that runs each hour is in one of two short periods."""
    now, then = compared.now.window, compared.then.window
    begin = min(now.start, then.start)
    is_new = measure is Measure.NEW
    length, step = (WEEK * DAY, STEP * MINUTE) if is_new else (DAY, MINUTE)
    window = TimeRange(max(0, begin - length) // step * step, begin // step * step)
    if window.end <= window.start:
        return False
    buckets = context.store.entity_series(entities, window, step)
    seen = [
        each.start for each in buckets if each.statistics.total + each.statistics.in_progress > 0
    ]
    if is_new:
        return bool(seen)
    absent = (later - earlier - step for earlier, later in pairwise([*seen, begin]))
    return max(absent, default=0) >= now.end - now.start


def _entities(compared: Compared, places: Sequence[int]) -> Entities:
    """Of a node what its figures count, of edges their calls, or their links if they have none."""
    elements = compared.elements
    graphs = compared.now.graph, compared.then.graph
    if places[0] < len(elements.nodes):
        node = elements.nodes[places[0]]
        having = [graph for graph in graphs if node in graph]
        keys = frozenset(key for graph in having for key in keys_of(graph, node))
        background = any(stats_of(graph, node).is_background for graph in having)
        return Entities(background=keys) if background else Entities(nodes=keys)
    pairs = [elements.pair(place) for place in places]
    having_edges = [(graph, pair) for pair in pairs for graph in graphs if pair in graph.edges]
    edges = frozenset(each for graph, pair in having_edges for each in edges_of(graph, *pair))
    links = any(calls_of(graph, *pair).link for graph, pair in having_edges)
    return Entities(links=edges) if links else Entities(edges=edges)

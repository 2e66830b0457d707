"""The datapoints of an alarm on a metric, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

from msgspec.structs import replace

from api.alarms.metrics import (
    OF_FAULTS,
    OF_NO_REQUEST,
    PLATFORM,
    breaches,
    metric_words,
    value_of,
    value_words,
)
from api.node_metrics import node_metrics
from api.xray.entity_selector import client_edges, meant, of_pairs, parse_selector
from store.alarms import Alarm, Verdict
from store.graph import EdgeStats, ServiceGraph, ServiceStats, Statistics
from store.model import NodeKey, TimeRange
from store.protocol import Store
from store.query import Entities
from store.rules.alarm_state import EXTRA, AlarmState, next_state
from store.times import HOUR, MINUTE

PLATFORM_DELAY = 5 * MINUTE
"""How late CloudWatch's metric stream may be: two to three minutes, and a batch of Firehose."""
MOST_WORDS = 5
"""Values that a reason names."""
ReadGraph = Callable[[TimeRange], ServiceGraph]
Points = dict[int, float | None]
"""Value by the start of the minute, microseconds; None is missing."""


def range_of(alarm: Alarm, settled: int) -> TimeRange:
    """The minutes of the evaluation range, all of which ended before ``settled`` (microseconds)."""
    delay = PLATFORM_DELAY if alarm.metric.startswith(PLATFORM) else 0
    end = (settled - delay) // MINUTE * MINUTE
    return TimeRange(end - (alarm.periods + EXTRA) * MINUTE, end)


def judge_metric(
    store: Store, read_graph: ReadGraph, alarm: Alarm, settled: int, current: AlarmState
) -> Verdict:
    """The state that the datapoints of settled minutes make."""
    window = range_of(alarm, settled)
    values, nodes, pairs, unknown = values_of(store, read_graph, alarm, window)
    state = next_state(
        flags_of(alarm, values), alarm.datapoints, alarm.periods, alarm.missing, current
    )
    there = [value for value in values if value is not None]
    return Verdict(
        state=state,
        reason=_reason(alarm, there[-alarm.periods :]) + _unknown_words(unknown),
        window=window,
        value=there[-1] if there else None,
        nodes=nodes,
        edges=pairs,
    )


def values_of(
    store: Store, read_graph: ReadGraph, alarm: Alarm, window: TimeRange
) -> tuple[list[float | None], tuple[NodeKey, ...], tuple[tuple[NodeKey, NodeKey], ...], float]:
    """A value for each minute of a window, None where it is missing; the nodes and edges measured; and the share of
    their requests of which it is not known whether they failed, where that matters."""
    pairs: tuple[tuple[NodeKey, NodeKey], ...] = ()
    unknown = 0.0
    if alarm.metric.startswith(PLATFORM):
        points, nodes = _platform_points(store, read_graph, alarm, window)
    else:
        graph = read_graph(window)
        entities, nodes, pairs = _entities(graph, alarm)
        points = _points(store, alarm, entities, window)
        if alarm.metric == OF_FAULTS:
            unknown = unknown_share(graph, alarm, nodes, pairs)
            points = _known(alarm, points, unknown)
    return [points.get(at) for at in range(window.start, window.end, MINUTE)], nodes, pairs, unknown


def flags_of(alarm: Alarm, values: Sequence[float | None]) -> list[bool | None]:
    """Which values breach the threshold; None of a missing one."""
    return [None if value is None else breaches(alarm, value) for value in values]


def _entities(
    graph: ServiceGraph, alarm: Alarm
) -> tuple[Entities, tuple[NodeKey, ...], tuple[tuple[NodeKey, NodeKey], ...]]:
    if not alarm.selector:
        return client_edges(graph), (), ()
    nodes, pairs = meant(graph, parse_selector(alarm.selector))
    return of_pairs(graph, nodes, pairs), tuple(sorted(nodes)), tuple(sorted(pairs))


def _points(store: Store, alarm: Alarm, entities: Entities, window: TimeRange) -> Points:
    keys = entities.nodes | entities.background
    if alarm.metric == OF_NO_REQUEST:  # a job that starts is none
        entities = replace(entities, nodes=keys, background=frozenset())
    if alarm.version:
        buckets = store.version_series(keys, window, alarm.version, MINUTE)
    else:
        buckets = store.entity_series(entities, window, MINUTE)
    found = {bucket.start: bucket.statistics for bucket in buckets}
    nothing = Statistics()
    starts = range(window.start, window.end, MINUTE)
    return {
        at: value_of(alarm.metric, alarm.minimum, found.get(at, nothing))
        for at in starts
        if at in found or alarm.metric == OF_NO_REQUEST
    }


def unknown_share(
    graph: ServiceGraph,
    alarm: Alarm,
    nodes: Collection[NodeKey],
    pairs: Collection[tuple[NodeKey, NodeKey]],
) -> float:
    """Of the requests of what is measured, the share of which nothing says whether they failed (docs/lambda.md)."""
    edges = [graph.edges[pair] for pair in pairs if pair in graph.edges]
    if not alarm.selector:
        edges = [each for (source, _), each in graph.edges.items() if source.is_client]
    of: list[ServiceStats | EdgeStats] = [*(graph.services[node] for node in nodes), *edges]
    total = sum(each.statistics.total for each in of)
    return sum(each.unknown for each in of) / total if total else 0.0


def _known(alarm: Alarm, points: Points, unknown: float) -> Points:
    """The points without those that could be on the other side of the threshold, if what is unknown had failed."""
    return {
        at: None if value is None or _may_differ(alarm, value, unknown) else value
        for at, value in points.items()
    }


def _may_differ(alarm: Alarm, value: float, unknown: float) -> bool:
    return breaches(alarm, value) != breaches(alarm, min(1.0, value + unknown))


def _platform_points(
    store: Store, read_graph: ReadGraph, alarm: Alarm, window: TimeRange
) -> tuple[Points, tuple[NodeKey, ...]]:
    """Counts of several nodes are added up, of anything else the greatest applies."""
    label = alarm.metric.removeprefix(PLATFORM)
    graph = read_graph(TimeRange(window.end - HOUR, window.end))
    nodes, _ = meant(graph, parse_selector(alarm.selector))
    points: Points = {}
    for node in sorted(nodes):
        keys = graph.services[node].keys
        traced = partial(store.node_series, keys, window, MINUTE)
        for series in node_metrics(store, node, window, MINUTE, traced):
            if series.label == label:
                for start, value in series.points:
                    before = points.get(start)
                    both = sum if series.stat == "Sum" else max
                    points[start] = value if before is None else both((before, value))
    return points, tuple(sorted(nodes))


def _unknown_words(share: float) -> str:
    if not share:
        return ""
    return f"; of {share * 100:.3g} % of the requests nothing says whether they failed (docs/lambda.md)"


def _reason(alarm: Alarm, values: list[float]) -> str:
    """What the evaluated datapoints are, the newest first."""
    name = metric_words(alarm.metric)
    if not values:
        return f"no datapoint of {name} in {alarm.periods + EXTRA} minutes"
    newest = [value_words(alarm.metric, value) for value in values[: -MOST_WORDS - 1 : -1]]
    beyond = sum(breaches(alarm, value) for value in values)
    missing = alarm.periods - len(values)
    words = f"{name} breached in {beyond} of {len(values)} minutes, the newest first: "
    return words + ", ".join(newest) + (f"; {missing} missing" if missing > 0 else "")

"""The figures of a place in a period, and a significant difference between two of them, as /api/v1/compare answers them."""

from __future__ import annotations

from collections.abc import Iterable

from api.comparison.read import Side
from api.comparison.significance import FAILING, SLOW, Difference, Measure
from api.comparison.words import Change, Names, text_of
from api.console.map_json import NO_COUNTS, counts, times
from api.graph.build import stats_of
from api.graph.ratios import per_minute
from api.schemas.compare import ComparedFigures, SignificantChange
from store.graph import Statistics
from store.model import NodeKey, TimeRange
from store.rules.histogram import percentiles


def render_figures(
    statistics: Statistics, window: TimeRange, *, client: bool = False
) -> ComparedFigures:
    """Of a node or an edge in a period."""
    return {
        **(NO_COUNTS if client else counts(statistics)),
        **times(statistics),
        "requests_per_min": None if client else per_minute(statistics.total, window),
    }


def value_of(
    each: Difference,
    statistics: Statistics | None,
    side: Side,
    callers: Iterable[NodeKey] | None = None,
) -> float:
    """What differs, in one period. ``callers``: those whose requests the calls are in relation to."""
    if statistics is None:
        return 0.0
    if each.measure in FAILING:
        failed = statistics.fault, statistics.error, statistics.throttle
        return failed[FAILING.index(each.measure)] / max(1, statistics.total)
    if each.measure in SLOW:
        quantile = 0.5 if each.measure is Measure.P50 else 0.9
        return percentiles(statistics.histogram, (quantile,))[0] or 0.0
    if callers is not None:
        there = [caller for caller in callers if caller in side.graph]
        calling = sum(stats_of(side.graph, caller).statistics.total for caller in there)
        return statistics.total / max(1, calling)
    return statistics.total / side.window.minutes


def render_change(
    each: Difference,
    change: Change,
    sides: Names | None,
    *,
    id: str,
    name: str,
    follows: str | None,
) -> SignificantChange:
    """A difference of the place with this id. ``follows``: the id of the place where it begins, if that is another one."""
    scale = 0.001 if each.measure in SLOW else 1
    unit = "share" if each.measure in FAILING else "ms" if each.measure in SLOW else "per minute"
    return {
        "id": id,
        "name": name,
        "measure": each.measure.value,
        "trend": change.trend.value,
        "then": round(change.then * scale, 6),
        "now": round(change.now * scale, 6),
        "unit": "per request" if change.per_request else unit,  # type: ignore[typeddict-item]
        "p": each.p,
        "text": text_of(change, sides),
        "follows": follows,
    }

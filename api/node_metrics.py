"""A node's metrics in the words of serverless operations: which series each is, and where it is from.

Traces are sampled, the platform is not: CloudWatch's metrics come first, then what REPORT lines say, then
the traces. What exists in none of them says how to send it. Pure, but for reading the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from api.schemas.metrics import MetricSource
from store.model import NodeKey, TimeRange
from store.platform_metrics import MetricStep
from store.protocol import Store
from store.query import TimeBucket
from store.rules.invocations import FUNCTION, SERVICE
from store.telling_versions import telling_versions
from store.times import MINUTE

Stat = Literal["Sum", "Average", "Maximum"]
STREAM_HELP = (
    "Only CloudWatch knows it: send its metric stream to /firehose/metrics (docs/metrics.md)."
)
RECORD_HELP = (
    "Send the platform's records: through Firehose or the layer raymap-lambda (docs/lambda.md)."
)
ERRORS_HELP = "The platform's records do not say that a handler raised: send the function's log lines (docs/lambda.md)."
MOST_SERIES = 100
"""Of metrics that are no known ones."""


class Candidate(NamedTuple):
    """A stored metric that says the same."""

    metric: str
    source: MetricSource


class Metric(NamedTuple):
    """One of the names that operators look for."""

    label: str
    stat: Stat
    unit: str
    candidates: tuple[Candidate, ...]
    help: str
    traces: Callable[[TimeBucket], tuple[float, float]] | None = None
    """Sum and number in a step of the traces."""


def _cloudwatch(name: str) -> Candidate:
    return Candidate(f"AWS/Lambda/{name}", "platform metrics")


def _record(name: str) -> Candidate:
    return Candidate(f"Lambda/{name}", "platform records")


def _otel(name: str) -> Candidate:
    return Candidate(name, "platform metrics")


def _requests(step: TimeBucket) -> tuple[float, float]:
    return float(step.statistics.total), 1.0


def _faults(step: TimeBucket) -> tuple[float, float]:
    return float(step.statistics.fault), 1.0


def _throttles(step: TimeBucket) -> tuple[float, float]:
    return float(step.statistics.throttle), 1.0


def _durations(step: TimeBucket) -> tuple[float, float]:
    return step.statistics.total_time / 1_000, float(step.statistics.total)


OF_FUNCTIONS = (
    Metric(
        "Invocations",
        "Sum",
        "Count",
        (_cloudwatch("Invocations"), _record("Invocations"), _otel("faas.invocations")),
        RECORD_HELP,
        _requests,
    ),
    Metric(
        "Errors",
        "Sum",
        "Count",
        (_cloudwatch("Errors"), _record("Errors"), _otel("faas.errors")),
        RECORD_HELP,
        _faults,
    ),
    Metric("Throttles", "Sum", "Count", (_cloudwatch("Throttles"),), STREAM_HELP, _throttles),
    Metric(
        "Duration",
        "Average",
        "ms",
        (_cloudwatch("Duration"), _record("Duration"), _otel("faas.invoke_duration")),
        RECORD_HELP,
        _durations,
    ),
    Metric("IteratorAge", "Maximum", "ms", (_cloudwatch("IteratorAge"),), STREAM_HELP),
    Metric("DeadLetterErrors", "Sum", "Count", (_cloudwatch("DeadLetterErrors"),), STREAM_HELP),
    Metric(
        "ConcurrentExecutions",
        "Maximum",
        "Count",
        (_cloudwatch("ConcurrentExecutions"),),
        STREAM_HELP,
    ),
    Metric(
        "InitDuration",
        "Average",
        "ms",
        (_record("InitDuration"), _otel("faas.init_duration")),
        RECORD_HELP,
    ),
    Metric("MaxMemoryUsed", "Maximum", "MB", (_record("MaxMemoryUsed"),), RECORD_HELP),
    Metric("BilledDuration", "Sum", "ms", (_record("BilledDuration"),), RECORD_HELP),
)
_HIDDEN = frozenset({"Lambda/MemorySize", "Lambda/PlatformErrors"})


class Series(NamedTuple):
    """A metric with its points: the start of each step (microseconds) and its value."""

    label: str
    stat: Stat
    unit: str
    source: MetricSource | None
    help: str
    points: list[tuple[int, float]]
    total: float | None


def types_of(node: NodeKey) -> tuple[str, ...]:
    """The types of stored points that are a node's: the service and the function are one to CloudWatch."""
    return (FUNCTION,) if node.type in (FUNCTION, SERVICE) else (node.type,)


def node_metrics(
    store: Store,
    node: NodeKey,
    window: TimeRange,
    step: int,
    traced: Callable[[], Iterable[TimeBucket]],
) -> list[Series]:
    """All metrics of a node; ``step``: whole minutes, in microseconds; ``traced``: reads what its traces say by step."""
    steps = store.metric_steps(node, types_of(node), window, step // MINUTE)
    stored: dict[str, list[MetricStep]] = {}
    for each in steps:
        stored.setdefault(each.metric, []).append(each)
    if not stored and node.type not in (FUNCTION, SERVICE):
        return []
    known: list[Series] = []
    if node.type in (FUNCTION, SERVICE):
        buckets = list(traced())
        known = [_known(metric, stored, buckets) for metric in OF_FUNCTIONS]
        known = [_doubted(store, node, window, each) for each in known]
    used = {each.metric for metric in OF_FUNCTIONS for each in metric.candidates} | _HIDDEN
    others = sorted(stored.keys() - (used if known else frozenset()))
    return known + [_other(name, stored[name]) for name in others[:MOST_SERIES]]


def _doubted(store: Store, node: NodeKey, window: TimeRange, series: Series) -> Series:
    """The errors of records with what is not among them."""
    of_records = series.label == "Errors" and series.source == "platform records"
    if not of_records or telling_versions(store, [node.name], window):
        return series
    return series._replace(help=ERRORS_HELP)


def _known(
    metric: Metric, stored: dict[str, list[MetricStep]], buckets: Iterable[TimeBucket]
) -> Series:
    for candidate in metric.candidates:
        if steps := stored.get(candidate.metric):
            return _series(metric.label, metric.stat, metric.unit, candidate.source, steps)
    about = (metric.label, metric.stat, metric.unit)
    if metric.traces is None:
        return Series(*about, None, metric.help, [], None)
    found = [(bucket.start, *metric.traces(bucket)) for bucket in buckets]
    found = [each for each in found if each[2]]
    if not found:
        return Series(*about, None, metric.help, [], None)
    average = metric.stat == "Average"
    points = [(start, total / number if average else total) for start, total, number in found]
    total = sum(each[1] for each in found)
    whole = total / sum(each[2] for each in found) if average else total
    return Series(*about, "traces", "", points, whole)


def _other(name: str, steps: Sequence[MetricStep]) -> Series:
    """Counts are added up, everything else is averaged."""
    unit = steps[0].unit
    stat: Stat = "Sum" if unit.lower() in ("count", "1") else "Average"
    source: MetricSource = "platform metrics" if name.startswith("AWS/") else "application"
    return _series(name, stat, unit, source, steps)


def _series(
    label: str, stat: Stat, unit: str, source: MetricSource, steps: Sequence[MetricStep]
) -> Series:
    points = [(each.minute * MINUTE, _value(stat, [each])) for each in steps]
    return Series(label, stat, unit, source, "", points, _value(stat, steps))


def _value(stat: Stat, steps: Sequence[MetricStep]) -> float:
    if stat == "Maximum":
        return max(each.max for each in steps)
    total = sum(each.sum for each in steps)
    number = sum(each.count for each in steps)
    return total if stat == "Sum" else total / number if number else 0.0

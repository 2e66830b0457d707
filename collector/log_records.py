"""Log lines and points of metrics that a receiver decoded → counted, and submitted to the journal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any

from msgspec import structs

from collector.batches import Ack
from collector.decode.lambda_records.lines import Lines
from collector.journal.format import Kind
from collector.pipeline import IngestPipeline
from collector.records import MOST, records_of
from store.log_lines import LogLine
from store.platform_metrics import MetricPoint

ACCEPTED = "accepted"


def submit_lines(pipeline: IngestPipeline, lines: Lines) -> list[Ack]:
    """Submit what is stored and count it, and what is not. Raises JournalFull, as the futures may."""
    redacted = _redacted(pipeline, lines.lines)
    acks = [pipeline.submit_records(part) for part in records_of(Kind.LOG_LINES, redacted)]
    counter = pipeline.metrics.log_lines
    for outcome, count in lines.ignored.items():
        counter.labels(outcome).inc(count)
    if lines.lines:
        counter.labels(ACCEPTED).inc(len(lines.lines))
    return acks + submit_points(pipeline, lines.points)


def submit_points(
    pipeline: IngestPipeline,
    points: Sequence[MetricPoint],
    ignored: Mapping[Any, int] = MappingProxyType({}),
) -> list[Ack]:
    """The same for points of metrics."""
    acks = [pipeline.submit_records(part) for part in records_of(Kind.METRIC_POINTS, points)]
    counter = pipeline.metrics.metric_points
    for outcome, count in {ACCEPTED: len(points), **ignored}.items():
        if count:
            counter.labels(outcome).inc(count)
    return acks


def _redacted(pipeline: IngestPipeline, lines: Iterable[LogLine]) -> Iterator[LogLine]:
    """Lines without what rules of redaction remove."""
    rest = iter(lines)
    while part := list(islice(rest, MOST)):
        texts = pipeline.redact_texts([line.body for line in part])
        for line, text in zip(part, texts, strict=True):
            yield line if text is line.body else structs.replace(line, body=text)

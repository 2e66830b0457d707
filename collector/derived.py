"""Invocations → derived segments, submitted like documents that were received."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from collector.batches import Ack
from collector.decode.lambda_records.fold import Skipped
from collector.pipeline import IngestPipeline
from store.rules.invocation_documents import documents_of
from store.rules.invocations import NOTHING, Evidence, Invocation, rank_of


def submit_invocations(
    pipeline: IngestPipeline,
    invocations: Iterable[tuple[Invocation, Evidence]],
    receiver: str,
) -> list[Ack]:
    """Submit the segments of invocations. Raises JournalFull, as the futures may."""
    by_rank: dict[int, list[bytes]] = {}
    for invocation, evidence in invocations:
        documents = by_rank.setdefault(rank_of(invocation, evidence), [])
        documents += map(msgspec.json.encode, documents_of(invocation, evidence))
    return [
        pipeline.submit(pipeline.decode_derived(raws, rank, receiver))
        for rank, raws in by_rank.items()
    ]


def submit_records(
    pipeline: IngestPipeline,
    invocations: Iterable[Invocation],
    skipped: Iterable[Skipped],
    receiver: str,
) -> list[Ack]:
    """The same for records that were received just now, which are counted."""
    counter = pipeline.metrics.platform_records
    for outcome in skipped:
        counter.labels(outcome).inc()
    received = [(invocation, NOTHING) for invocation in invocations]
    if received:
        counter.labels("derived").inc(len(received))
    return submit_invocations(pipeline, received, receiver)

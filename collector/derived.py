"""What AWS's services log of their work → derived segments, submitted like documents that were received."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from collector.batches import Ack
from collector.decode.lambda_records.fold import Skipped
from collector.pipeline import IngestPipeline
from store.rules import gateway_requests as gateway
from store.rules.gateway_requests import GatewayEvidence, GatewayRequest
from store.rules.invocation_documents import documents_of
from store.rules.invocations import NOTHING, Evidence, Invocation, rank_of


def submit_invocations(
    pipeline: IngestPipeline,
    invocations: Iterable[tuple[Invocation, Evidence]],
    receiver: str,
) -> list[Ack]:
    """Submit the segments of invocations. Raises JournalFull, as the futures may."""
    ranked = (
        (rank_of(invocation, evidence), document)
        for invocation, evidence in invocations
        for document in documents_of(invocation, evidence)
    )
    return submit_derived(pipeline, ranked, receiver)


def submit_requests(
    pipeline: IngestPipeline,
    requests: Iterable[tuple[GatewayRequest, GatewayEvidence]],
    receiver: str,
) -> list[Ack]:
    """The same for requests of API Gateway."""
    ranked = (
        (gateway.rank_of(evidence), gateway.document_of(request, evidence))
        for request, evidence in requests
    )
    return submit_derived(pipeline, ranked, receiver)


def submit_derived(
    pipeline: IngestPipeline, ranked: Iterable[tuple[int, dict[str, Any]]], receiver: str
) -> list[Ack]:
    """Submit documents by their ranks. Raises JournalFull, as the futures may."""
    by_rank: dict[int, list[bytes]] = {}
    for rank, document in ranked:
        by_rank.setdefault(rank, []).append(msgspec.json.encode(document))
    return [
        pipeline.submit(pipeline.decode_derived(raws, rank, receiver))
        for rank, raws in by_rank.items()
    ]


def submit_records(
    pipeline: IngestPipeline,
    invocations: Iterable[Invocation],
    skipped: Iterable[Skipped],
    receiver: str,
    requests: Iterable[GatewayRequest] = (),
) -> list[Ack]:
    """The same for records that were received just now, which are counted."""
    counter = pipeline.metrics.platform_records
    for outcome in skipped:
        counter.labels(outcome).inc()
    received = [(invocation, NOTHING) for invocation in invocations]
    requested = [(request, gateway.NOTHING) for request in requests]
    if received or requested:
        counter.labels("derived").inc(len(received) + len(requested))
    acks = submit_invocations(pipeline, received, receiver)
    return acks + submit_requests(pipeline, requested, receiver)

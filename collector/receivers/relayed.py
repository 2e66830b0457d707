"""Spans that AWS relays from ``aws/spans`` → submitted like those that their senders report, and after them."""

from __future__ import annotations

from functools import partial

from collector.batches import Ack
from collector.decode.aws_spans import AwsSpans, Relayed
from collector.decode.rejected import Rejected
from collector.journal.format import Kind
from collector.payloads import Decoded
from collector.pipeline import IngestPipeline
from collector.receivers.offload import decode_off_loop


async def submit_spans(pipeline: IngestPipeline, spans: AwsSpans, receiver: str) -> list[Ack]:
    """Submit what records became. Raises JournalFull, as the futures may.

    Copies of a span that its sender reports here take precedence (`store.model.relayed_version`). Of a span that has
    not ended, the last to arrive is as good as any.
    """
    acks: list[Ack] = []
    for part, relayed in ((spans.finished, True), (spans.running, False)):
        decode = partial(decode_part, pipeline, part, receiver, relayed=relayed)
        size = sum(map(len, part.documents)) + sum(map(len, part.requests))
        acks += map(pipeline.submit, await decode_off_loop(size, decode))
    return acks


def decode_part(
    pipeline: IngestPipeline, part: Relayed, receiver: str, *, relayed: bool
) -> list[Decoded]:
    """Redact, decode and count records of spans that have ended, or have not."""
    found = []
    if part.documents:
        found.append(pipeline.decode(part.documents, receiver, relayed=relayed))
    for request in part.requests:
        try:
            found.append(
                pipeline.decode_request(Kind.OTLP_JSON, request, receiver, relayed=relayed)
            )
        except Rejected:  # counted by the pipeline
            continue
    return found

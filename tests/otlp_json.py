"""Spans of a request in OTLP's JSON one by one: the product decodes them by column, to the same documents."""

from __future__ import annotations

from collections.abc import Iterator

from collector.decode.limits import bound_rejections
from collector.decode.otlp.json import SPANS, read_json_frames
from collector.decode.otlp.request import decode_frames
from collector.decode.rejected import Rejected
from store.model import Document


def decode_otlp_json(
    body: bytes, version: int, *, sampled: bool = True
) -> Iterator[Document | Rejected]:
    """As `collector.decode.otlp.request.decode_otlp`."""
    yield from bound_rejections(
        decode_frames(read_json_frames(body, SPANS), version, sampled=sampled)
    )

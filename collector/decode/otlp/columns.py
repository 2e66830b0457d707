"""OTLP's ExportTraceServiceRequest → `DocumentColumns`: what `decode_otlp` makes of it, by column.

`collector.decode.otlp.request` is the specification; tests compare the two. Few spans become
documents, which are encoded together with those of other requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from collector.decode.otlp.documents import documents_of_walked
from collector.decode.otlp.frames import ResourceFrame, read_frames
from collector.decode.otlp.groups import read_groups
from collector.decode.otlp.json import read_json_frames
from collector.decode.otlp.memory import Memory
from collector.decode.otlp.rows import columns_of_walked
from collector.decode.otlp.span_message import SpanMessage, parse_spans
from collector.decode.otlp.walk import walk
from collector.decode.rejected import Rejected
from store.columnar import ColumnarDocuments, DocumentColumns
from store.model import Document

CHUNK = 512
"""Spans walked together."""


FEW = 32
"""Spans of a request from which on columns pay; fewer become documents."""


class Spans(Struct, frozen=True):
    """The documents of one request, and its rejections with their place among its spans."""

    documents: Sequence[Document]
    rejected: list[tuple[int, Rejected]]


memory = Memory()
"""What this process remembers of the spans it has decoded."""


def forget() -> None:
    """Begin with nothing, as a new process does."""
    global memory
    memory = Memory()


def decode_otlp_columns(body: bytes, version: int, *, sampled: bool = True) -> Spans:
    """The spans of a request in protobuf; all get the same version. Raises as `decode_otlp` does."""
    frames = read_frames(body)
    return decode_frame_columns(frames, version, sampled=sampled, messages=parse_spans(body))


def decode_otlp_json_columns(body: bytes, version: int, *, sampled: bool = True) -> Spans:
    """The same for a request in OTLP's JSON."""
    return decode_frame_columns(read_json_frames(body), version, sampled=sampled)


def decode_frame_columns(
    parts: Iterable[ResourceFrame],
    version: int,
    *,
    sampled: bool = True,
    messages: Sequence[SpanMessage] | None = None,
) -> Spans:
    """The same for a request that has been split; ``messages`` are its spans if they were parsed
    together."""
    groups = list(read_groups(parts))
    raws = [span for group in groups for span in group.spans]
    owners = [group for group in groups for _ in group.spans]
    columns: list[DocumentColumns] = []
    rejected: list[tuple[int, Rejected]] = []
    for start in range(0, len(raws), CHUNK):
        part = slice(start, start + CHUNK)
        few = None if messages is None else messages[part]
        walked = walk(_current(), raws[part], owners[part], few, version, sampled)
        bad = walked.drop_rejected()
        rejected += [(start + place, rejection) for place, rejection in bad]
        if len(raws) < FEW:
            return Spans(documents_of_walked(walked, version, sampled), rejected)
        if len(walked):
            columns.append(columns_of_walked(walked, version, sampled))
    return Spans(ColumnarDocuments(columns), rejected)


def _current() -> Memory:
    """The memory to use for some spans."""
    global memory
    memory = memory.within_bounds()
    return memory

"""OTLP's ExportTraceServiceRequest → `DocumentColumns`: what `decode_otlp` makes of it, by column.

`collector.decode.otlp.request` is the specification; tests compare the two. Few spans become
documents, which are encoded together with those of other requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from collector.decode.limits import check_rejections
from collector.decode.otlp.cases import Case
from collector.decode.otlp.documents import documents_of_walked
from collector.decode.otlp.frames import ResourceFrame, count_messages, read_frames
from collector.decode.otlp.groups import SpanGroup, read_groups
from collector.decode.otlp.json import SPANS, read_json_frames
from collector.decode.otlp.memory import Memory
from collector.decode.otlp.request import decode_span
from collector.decode.otlp.rows import columns_of_walked
from collector.decode.otlp.walk import Walked, rejected_of, walk
from collector.decode.rejected import Rejected
from store.columnar import ColumnarDocuments, DocumentColumns, columns_of
from store.model import Document

CHUNK = 1024
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
    groups = list(read_groups(read_frames(body), count_messages(body)))
    return _decode_groups(groups, version, sampled=sampled)


def decode_otlp_json_columns(body: bytes, version: int, *, sampled: bool = True) -> Spans:
    """The same for a request in OTLP's JSON."""
    return decode_frames_columns(read_json_frames(body, SPANS), version, sampled=sampled)


def decode_frames_columns(
    parts: Iterable[ResourceFrame], version: int, *, sampled: bool = True
) -> Spans:
    """The same for a request that has been split."""
    return _decode_groups(list(read_groups(parts)), version, sampled=sampled)


def _decode_groups(groups: Sequence[SpanGroup], version: int, *, sampled: bool) -> Spans:
    raws = [span for group in groups for span in group.spans]
    owners = [group for group in groups for _ in group.spans]
    columns: list[DocumentColumns] = []
    rejected: list[tuple[int, Rejected]] = []
    for start in range(0, len(raws), CHUNK):
        part = slice(start, start + CHUNK)
        found, bad = _decode(raws[part], owners[part], version, sampled)
        rejected += [(start + place, rejection) for place, rejection in bad]
        check_rejections(len(rejected))
        if len(raws) < FEW:
            return Spans(_documents(found, version, sampled), rejected)
        if len(found):
            columns.append(_columns(found, version, sampled))
    return Spans(ColumnarDocuments(columns), rejected)


def _decode(
    raws: Sequence[bytes | Rejected],
    groups: Sequence[SpanGroup],
    version: int,
    sampled: bool,
) -> tuple[Walked | list[Document], list[tuple[int, Rejected]]]:
    """What some spans are, and the rejections with their places among them."""
    global memory
    memory = current = memory.within_bounds()
    share = current.share(groups[0].known.resource)
    if share.skips(len(raws)):
        results = [
            decode_span(raw, group, version, sampled)
            for raw, group in zip(raws, groups, strict=True)
        ]
        documents = [result for result in results if isinstance(result, Document)]
        return documents, rejected_of(results)
    walked = walk(current, raws, groups, version, sampled)
    share.count(len(raws), sum([not isinstance(found, Case) for found in walked.found]))
    return walked, walked.drop_rejected()


def _documents(found: Walked | list[Document], version: int, sampled: bool) -> list[Document]:
    return found if isinstance(found, list) else documents_of_walked(found, version, sampled)


def _columns(found: Walked | list[Document], version: int, sampled: bool) -> DocumentColumns:
    return (
        columns_of(found) if isinstance(found, list) else columns_of_walked(found, version, sampled)
    )

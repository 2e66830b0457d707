"""Accepted payloads, as they come from a receiver and as the journal returns them → documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from collector.decode.columnar.documents import decode_columns
from collector.decode.document import decode_document
from collector.decode.limits import too_many_documents
from collector.decode.otlp.columns import Spans, decode_otlp_columns, decode_otlp_json_columns
from collector.decode.otlp.datagram import decode_payload, is_metrics
from collector.decode.rejected import Rejected
from collector.decode.stored import decode_any
from collector.decode.zipkin.spans import decode_zipkin, decode_zipkin_protobuf
from collector.journal.format import Kind, pack, unpack
from collector.submission import MAX_COLUMNAR, MIN_COLUMNAR
from store.columnar import ColumnarDocuments, DocumentColumns
from store.model import Document
from store.protocol import ENCODE_CHUNK

MAX_RESULTS = 200_000
"""Documents that the arrays and OTLP payloads of one request may contain."""

Results = Iterable[Document | Rejected] | Spans
REQUESTS: Mapping[Kind, Callable[[bytes, int], Results]] = {
    Kind.OTLP: decode_otlp_columns,
    Kind.OTLP_JSON: decode_otlp_json_columns,
    Kind.ZIPKIN_JSON: decode_zipkin,
    Kind.ZIPKIN_PROTOBUF: decode_zipkin_protobuf,
}
"""The decoder of a whole request. Raises Rejected when it is unreadable."""


class Payload(NamedTuple):
    """What a receiver accepted, and the version of its first document."""

    kind: Kind
    version: int
    content: bytes | Sequence[bytes]

    @property
    def size(self) -> int:
        """Bytes."""
        content = self.content
        return len(content) if isinstance(content, bytes) else sum(map(len, content))

    @property
    def encoded(self) -> bytes:
        """As one string of bytes."""
        return self.content if isinstance(self.content, bytes) else pack(self.content)


class Decoded(NamedTuple):
    """The decoded documents of one request, its rejections with their index in the request, and what
    they were decoded from."""

    documents: Sequence[Document]
    rejected: list[tuple[int, Rejected]]
    payload: Payload
    metrics_payloads: int = 0
    """OpenTelemetry metrics among the documents, which are discarded."""


def decode_again(kind: int, version: int, content: bytes) -> Sequence[Document]:
    """The documents of a payload that was accepted before, by this release or another.

    Raises Rejected, ValueError for an unknown kind, and DamagedRecord.
    """
    kind = Kind(kind)
    if kind == Kind.DOCUMENTS:
        return decode_documents(unpack(content), version).documents
    if kind == Kind.STORED:
        return [decode_any(raw, version + index) for index, raw in enumerate(unpack(content))]
    return decode_request(kind, content, version).documents


def decode_request(kind: Kind, body: bytes, version: int) -> Decoded:
    """The spans of a request, all with the same version. Raises Rejected when it is unreadable."""
    payload = Payload(kind, version, body)
    results = REQUESTS[kind](body, version)
    if isinstance(results, Spans):
        return Decoded(results.documents, results.rejected, payload)
    documents: list[Document] = []
    rejected: list[tuple[int, Rejected]] = []
    for index, result in enumerate(results):
        if isinstance(result, Document):
            documents.append(result)
        else:
            rejected.append((index, result))
    return Decoded(documents, rejected, payload)


def decode_documents(raws: Sequence[bytes], version: int) -> Decoded:
    """X-Ray documents and what else datagrams may contain; by column where that pays."""
    if MIN_COLUMNAR <= len(raws) <= MAX_COLUMNAR and all(
        [raw.startswith(b"{") for raw in raws]  # noqa: C419
    ):
        return _decode_by_column(raws, version)
    return _decode_each(raws, version)


def _decode_by_column(raws: Sequence[bytes], version: int) -> Decoded:
    """X-Ray documents in chunks of the size that encodes fastest."""
    columns: list[DocumentColumns] = []
    rejected: list[tuple[int, Rejected]] = []
    for start in range(0, len(raws), ENCODE_CHUNK):
        chunk, bad = decode_columns(raws[start : start + ENCODE_CHUNK], version + start)
        columns.append(chunk)
        rejected += [(start + index, rejection) for index, rejection in bad]
    documents = ColumnarDocuments([chunk for chunk in columns if len(chunk)])
    return Decoded(documents, rejected, Payload(Kind.DOCUMENTS, version, raws))


def _decode_each(raws: Sequence[bytes], version: int) -> Decoded:
    """Documents one by one; arrays and OTLP payloads must not multiply their number at will."""
    max_results = len(raws) + MAX_RESULTS
    metrics_payloads = 0
    documents: list[Document] = []
    rejected: list[tuple[int, Rejected]] = []
    for index, raw in enumerate(raws):
        if raw.startswith(b"{"):  # an X-Ray document, by far the most frequent
            try:
                documents.append(decode_document(raw, version + index))
            except Rejected as rejection:
                rejected.append((index, rejection))
        elif is_metrics(raw):
            metrics_payloads += 1
        else:
            results = list(decode_payload(raw, version + index))
            if len(documents) + len(rejected) + len(results) > max_results:
                results = [too_many_documents()]
            for result in results:
                if isinstance(result, Document):
                    documents.append(result)
                else:
                    rejected.append((index, result))
    payload = Payload(Kind.DOCUMENTS, version, raws)
    return Decoded(documents, rejected, payload, metrics_payloads)

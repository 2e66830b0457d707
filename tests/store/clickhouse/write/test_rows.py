"""What was stored in parts comes back as it was received, byte for byte."""

from __future__ import annotations

from collections.abc import Iterable

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.decode.otlp.columns import decode_otlp_columns
from store.clickhouse.store import ClickHouseStore
from store.clickhouse.write.inserts import encode
from store.columnar import ColumnarDocuments, columns_of
from store.model import Trace
from store.varint import varint
from tests.builders import T0

VERSION = T0 + 1


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def attribute(key: str, value: object) -> bytes:
    text = value if isinstance(value, str) else None
    any_value = AnyValue(string_value=text) if text is not None else AnyValue(bytes_value=b"\xff\0")
    return field(9, KeyValue(key=key, value=any_value).SerializeToString())


def span(number: int, **change: object) -> bytes:
    """A span without attributes."""
    fields: dict[str, object] = {
        "trace_id": bytes([number]) * 16,
        "span_id": bytes([0, 1, 2, 3, 0xFE, 0xFF, 0, number]),
        "name": "work",
        "kind": Span.SPAN_KIND_SERVER,
        "start_time_unix_nano": T0 * 1000 + 1,
        "end_time_unix_nano": T0 * 1000 + 2001,
    }
    return Span(**fields | change).SerializeToString()  # type: ignore[arg-type]


SHOP, BINARY = attribute("shop.tier", "gold"), attribute("blob", b"")
PARENT = {"parent_span_id": b"\1" * 8, "kind": Span.SPAN_KIND_CLIENT}
LINKED = {"links": [Span.Link(trace_id=b"\7" * 16, span_id=b"\7" * 8)]}
ODD = (
    span(1) + SHOP + BINARY,
    span(2),
    SHOP + span(3),  # the ids are not first
    SHOP + span(4) + BINARY,  # attributes in two places
    span(5, **PARENT) + SHOP + attribute("peer.service", "orders"),
    # a segment of its own, with a derived id
    span(6, kind=Span.SPAN_KIND_CLIENT) + SHOP + attribute("peer.service", "orders"),
    span(7, **LINKED) + SHOP,  # decoded by itself
    span(8, flags=0x101) + SHOP + attribute("key", "x" * 3000),
    field(1, b"\xaa" * 16) + span(9) + SHOP,  # the trace id twice: the last one counts
    span(10, trace_state="ot=th:8") + SHOP + SHOP,
    span(11, trace_id=b"\x4a\x00" * 8) + b"\x4a\x00",  # an attribute that occurs in the ids
)


def request(spans: list[bytes], schema_url: str = "") -> bytes:
    resource = field(
        1,
        field(
            1, KeyValue(key="service.name", value=AnyValue(string_value="a")).SerializeToString()
        ),
    )
    url = field(3, schema_url.encode()) if schema_url else b""
    scope = field(1, field(1, b"\xc3\xa9")) + b"".join(field(2, one) for one in spans)
    return field(1, resource + field(2, scope + url) + url)


def bodies(traces: Iterable[Trace]) -> dict[tuple[bytes, int], bytes]:
    return {(d.trace_id, d.id): d.raw for trace in traces for d in trace.documents.values()}


def test_bodies_in_parts(clickhouse_store: ClickHouseStore) -> None:
    """Ids, resource and attributes are put back where they stood, whatever wrote the span."""
    usual = [span(100 + number) + SHOP for number in range(40)]
    for schema_url in ("", "https://example.com/schema"):
        found = decode_otlp_columns(request([*ODD, *usual], schema_url), VERSION)
        assert (found.rejected, len(found.documents)) == ([], 51)
        assert isinstance(found.documents, ColumnarDocuments)
        columns = found.documents.columns
        assert any(few.parts is not None and any(few.parts.attribute_counts) for few in columns)
        clickhouse_store.put_encoded([encode(few) for few in columns], f"parts{schema_url}")
        expected = {(d.trace_id, d.id): d.raw for d in found.documents}
        traces = clickhouse_store.get_traces([trace_id for trace_id, _ in expected], raw=True)
        assert bodies(traces.values()) == expected


def test_beside_whole_documents(clickhouse_store: ClickHouseStore) -> None:
    """Few spans, and X-Ray's documents, are stored whole, in the same insert."""
    many = decode_otlp_columns(request([span(n) + SHOP for n in range(1, 41)]), VERSION).documents
    few = decode_otlp_columns(request([span(50) + SHOP]), VERSION).documents
    assert isinstance(many, ColumnarDocuments)
    chunks = [*map(encode, many.columns), encode(columns_of(few))]
    clickhouse_store.put_encoded(chunks, "both")
    expected = {(d.trace_id, d.id): d.raw for d in (*many, *few)}
    traces = clickhouse_store.get_traces([trace_id for trace_id, _ in expected], raw=True)
    assert bodies(traces.values()) == expected

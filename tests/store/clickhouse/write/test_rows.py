"""What was stored in parts comes back as it was received, byte for byte."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.decode.otlp.columns import decode_otlp_columns
from store.clickhouse.store import ClickHouseStore
from store.clickhouse.write.inserts import encode
from store.columnar import ColumnarDocuments, DocumentColumns, columns_of
from store.model import Trace
from store.otel.stored_span import ANNOTATED
from store.varint import varint
from tests.builders import T0, segment
from tests.collector.otlp_samples import decode

VERSION = T0 + 1


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def attribute(key: str, value: str | bytes | bool | int | float) -> bytes:
    kinds = {str: "string_value", bytes: "bytes_value", bool: "bool_value", int: "int_value"}
    any_value = AnyValue(**{kinds.get(type(value), "double_value"): value})  # type: ignore[arg-type]
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


SHOP, BINARY = attribute("shop.tier", "gold"), attribute("blob", b"\xff\0")
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
    span(12, parent_span_id=bytes(8)) + SHOP,  # a parent that is none
    span(13, end_time_unix_nano=T0 * 1000 - 999) + SHOP,  # ends before it begins
    span(14, end_time_unix_nano=0) + SHOP,
    span(15, start_time_unix_nano=2**63 + 7, end_time_unix_nano=2**64 - 1) + SHOP,
    span(16) + SHOP + attribute("a=b", "escaped") + attribute("p%q", "escaped"),
    span(17) + attribute("says", 'a "quoted" \\ text\n') + SHOP,
    span(18) + attribute("n", 200) + attribute("no", False) + attribute("yes", True) + SHOP,
    span(19) + attribute("n", -1) + attribute("n2", 2**63 - 1) + attribute("", "no key"),
    span(20) + attribute("x", 1.5) + attribute("whole", 3.0) + SHOP,
    span(21) + field(9, field(1, b"k") + b"\x12\x05\x0a\x82\x00x!"),  # a length in two bytes
    span(22) + field(9, field(2, field(1, b"value first")) + field(1, b"k")),
    span(23, events=[Span.Event(name="exception")], name="\u00e9" * 90) + SHOP,
    span(24) + SHOP + attribute("", "") + attribute("\u043a\u043b\u044e\u0447", "\U0001f388"),
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


def stored_without_attributes(columns: DocumentColumns) -> int:
    return sum(head[:1] == ANNOTATED for head in columns.parts.heads) if columns.parts else 0


def bodies(traces: Iterable[Trace]) -> dict[tuple[bytes, int], bytes]:
    return {(d.trace_id, d.id): d.raw for trace in traces for d in trace.documents.values()}


def test_bodies_in_parts(clickhouse_store: ClickHouseStore) -> None:
    """Ids, resource and attributes are put back where they stood, whatever wrote the span."""
    usual = [span(100 + number) + SHOP for number in range(40)]
    for schema_url in ("", "https://example.com/schema"):
        found = decode_otlp_columns(request([*ODD, *usual], schema_url), VERSION)
        assert (found.rejected, len(found.documents)) == ([], len(ODD) + 40)
        assert isinstance(found.documents, ColumnarDocuments)
        columns = found.documents.columns
        assert any(few.parts is not None and any(few.parts.attribute_counts) for few in columns)
        assert sum(stored_without_attributes(few) for few in columns) >= 40
        clickhouse_store.put_encoded([encode(few) for few in columns], f"parts{schema_url}")
        expected = {(d.trace_id, d.id): d.raw for d in found.documents}
        traces = clickhouse_store.get_traces([trace_id for trace_id, _ in expected], raw=True)
        assert bodies(traces.values()) == expected


def test_few_spans(clickhouse_store: ClickHouseStore) -> None:
    """Those of a small request are documents, whose bodies know their parts."""
    body = request([*ODD[:20], span(50) + SHOP])
    *_, found = (decode_otlp_columns(body, VERSION).documents for _ in range(3))
    assert not isinstance(found, ColumnarDocuments)
    columns = columns_of(found)
    assert stored_without_attributes(columns) >= 5
    clickhouse_store.put_encoded([encode(columns)], "few")
    expected = {(d.trace_id, d.id): d.raw for d in found}
    traces = clickhouse_store.get_traces([trace_id for trace_id, _ in expected], raw=True)
    assert bodies(traces.values()) == expected


def test_beside_whole_documents(clickhouse_store: ClickHouseStore) -> None:
    """X-Ray's documents are stored whole, in the same insert, and spans that were decoded by themselves."""
    many = decode_otlp_columns(request([span(n) + SHOP for n in range(1, 41)]), VERSION).documents
    few = [
        *decode_otlp_columns(request([span(50) + SHOP]), VERSION).documents,
        replace(decode(Span.FromString(span(51) + SHOP)), version=VERSION),
        segment(0xA1, raw=b'{"name": "shop"}'),
    ]
    assert isinstance(many, ColumnarDocuments)
    chunks = [*map(encode, many.columns), encode(columns_of(few))]
    clickhouse_store.put_encoded(chunks, "both")
    expected = {(d.trace_id, d.id): d.raw for d in (*many, *few)}
    traces = clickhouse_store.get_traces([trace_id for trace_id, _ in expected], raw=True)
    assert bodies(traces.values()) == expected

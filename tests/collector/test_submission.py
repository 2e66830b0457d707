"""Waiting documents: encoded, and decoded again on access."""

from __future__ import annotations

from msgspec.structs import replace

from collector.decode.document import decode_document
from collector.decode.otlp.columns import decode_otlp_columns
from collector.insert import insert_documents
from collector.submission import MIN_COLUMNAR, Submission, size_of
from store.clickhouse.connection.pool import connect
from store.clickhouse.store import ClickHouseStore
from store.column_types import SpanBody
from store.model import Document
from tests.collector.otlp_samples import SERVER, decode, export, span
from tests.collector.samples import segment_bytes

NOW = 1_795_560_000_000_000


def documents(count: int, **change: object) -> list[Document]:
    """Segments, the last of them with these properties."""
    raws = [segment_bytes(f"{id:016x}") for id in range(1, count)]
    raws.append(segment_bytes(f"{count:016x}", **change))
    return [decode_document(raw, version) for version, raw in enumerate(raws, NOW)]


def test_what_was_packed_is_made_again() -> None:
    """The same documents, whichever receiver they came from."""
    store = ClickHouseStore("clickhouse://localhost")  # never connects
    before = [*documents(300), decode(span(SERVER, {"http.route": "/pay"}))]
    submission = Submission(before, store)
    assert [len(few.pieces) for few in submission.encoded] == [3, 3, 3]
    assert not submission.decoded
    assert submission.size < size_of(before) / 2
    assert list(submission.documents) == before


def test_a_body_and_its_parts_take_memory() -> None:
    """Attributes that are too long to be annotations are in both."""
    large = span(SERVER, {"blob": "x" * 100_000})
    body = export(large, span(SERVER, {"a": "b"}))
    *_, found = (decode_otlp_columns(body, NOW).documents for _ in range(3))
    assert [len(one.raw.parts.attributes) for one in found if isinstance(one.raw, SpanBody)] == [
        1,
        0,
    ]
    assert 200_000 < size_of(found) < 210_000


def test_few_documents_wait_as_such() -> None:
    """So do those of which one does not fit, and all for a store that does not pack."""
    store = ClickHouseStore("clickhouse://localhost")
    few = documents(MIN_COLUMNAR - 1)
    assert Submission(few, store).decoded == Submission(documents(MIN_COLUMNAR)).decoded[:-1] == few
    bad = [*documents(MIN_COLUMNAR), with_id(documents(1)[0], 1 << 64)]
    assert Submission(bad, store).decoded == bad


def with_id(document: Document, id: int) -> Document:
    return replace(document, id=id)


def test_what_clickhouse_refuses_is_found(clickhouse_store: ClickHouseStore) -> None:
    """Refused by the server or by the encoder, packed or not: it alone is, and is named."""
    client = connect(clickhouse_store.address)
    client.execute("ALTER TABLE segments ADD CONSTRAINT nice CHECK name != 'nasty'")
    try:
        nasty = Submission(documents(50, name="nasty"), clickhouse_store)
        large = Submission([with_id(documents(1)[0], 1 << 64), *documents(3)])
        assert nasty.encoded
        refused = insert_documents(clickhouse_store, [nasty], "one")
        both = insert_documents(clickhouse_store, [nasty, large], "two")
    finally:
        client.execute("ALTER TABLE segments DROP CONSTRAINT nice")
    assert [each.document for each in refused] == [nasty.decoded[49]]
    assert "Constraint `nice`" in refused[0].reason
    assert [each.document.id for each in both] == [1 << 64, 50]
    ((ack,),) = client.execute("SELECT uniqExact(id) FROM segments")
    client.disconnect()
    assert ack == 49

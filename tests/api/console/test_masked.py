"""A trace says how many of its values were masked, and by which rule."""

from __future__ import annotations

from fastapi.testclient import TestClient

from api.app import create_app
from api.schemas.traces import TraceDetail, TraceReport
from collector.journal.format import Kind
from collector.payloads import decode_documents, decode_request
from collector.redaction.redactor import Redactor
from store.memory import MemoryStore
from store.trace_id import format_trace_id
from tests.api.console.test_map import get
from tests.collector.otlp_samples import export, span
from tests.collector.samples import segment_bytes


def masked_of(store: MemoryStore, trace_id: bytes) -> dict[str, int]:
    client = TestClient(create_app(store, version="1"))
    id = format_trace_id(trace_id)
    found: dict[str, int] = get(client, f"/api/traces/{id}", TraceDetail)["masked"]
    assert get(client, f"/api/v1/traces/{id}", TraceReport)["masked"] == found
    return found


def test_a_segment() -> None:
    raw = segment_bytes(
        annotations={"password": "x", "note": "paid with 4111 1111 1111 1111, ?token=a&sig=b"}
    )
    raws, counts = Redactor().documents([raw])
    store = MemoryStore()
    store.put(decode_documents(raws, 1).documents, "a")
    (document,) = decode_documents(raws, 1).documents
    assert masked_of(store, document.trace_id) == counts
    assert counts == {"password": 1, "card": 1, "token": 1, "signature": 1}


def test_spans_and_a_trace_without_secrets() -> None:
    body = export(
        span(attributes={"db.password": "x", "url.full": "https://u:p@h/"}), span(id=0xB2)
    )
    redacted, counts = Redactor().request(Kind.OTLP, body)
    for payload, expected in ((redacted, counts), (export(span()), {})):
        store = MemoryStore()
        documents = decode_request(Kind.OTLP, payload, 1).documents
        store.put(documents, "a")
        assert masked_of(store, documents[0].trace_id) == expected
    assert counts == {"password": 1, "userinfo": 1}

"""Spans where an X-Ray document would stand: T1S, T1U and M1."""

from __future__ import annotations

import base64

import pytest

from collector.decode.otlp.datagram import decode_payload, is_metrics
from collector.decode.rejected import Rejected
from store.model import Document
from tests.collector.otlp_samples import CLIENT, SERVER, export, span
from tests.collector.samples import segment_bytes


@pytest.mark.parametrize(("prefix", "sampled"), [(b"T1S", True), (b"T1U", False)])
def test_spans(prefix: bytes, sampled: bool) -> None:
    """All spans of the parcel, whether their sender chose them, and how often each counts."""
    spans = [span(SERVER, id=1), span(CLIENT, id=2, trace_state="ot=th:c;rv:ffffffffffffff")]
    parcel = prefix + base64.b64encode(export(*spans))
    documents = list(decode_payload(parcel, 7))
    assert len(documents) == 2
    for document in documents:
        assert isinstance(document, Document)
        assert document.sampled is sampled
    assert [d.weight for d in documents if isinstance(d, Document)] == [1, 4]


def test_metrics() -> None:
    """Nothing is made of them."""
    parcel = b"M1" + base64.b64encode(b"\x0a\x00")
    assert is_metrics(parcel)
    assert list(decode_payload(parcel, 7)) == []


def test_a_document() -> None:
    """Everything else is X-Ray's, valid or not."""
    (document,) = decode_payload(segment_bytes(), 7)
    assert isinstance(document, Document)
    assert not is_metrics(segment_bytes())
    (rejected,) = decode_payload(b"T2S", 7)
    assert isinstance(rejected, Rejected)


@pytest.mark.parametrize(
    "parcel", [b"T1S*", b"T1SAAA", b"T1U\xff", b"T1S" + base64.b64encode(b"x")]
)
def test_spoilt(parcel: bytes) -> None:
    (rejected,) = decode_payload(parcel, 7)
    assert isinstance(rejected, Rejected)
    assert rejected.message.startswith("T1")

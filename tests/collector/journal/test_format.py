"""Records survive a round trip, and damage is always noticed."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.journal import format as f

KINDS = st.sampled_from([kind for kind in f.Kind if kind < f.Kind.BATCH])


@given(KINDS, st.integers(0, 2**62), st.integers(0, 2**31), st.binary(max_size=2000))
def test_round_trip(kind: f.Kind, version: int, documents: int, payload: bytes) -> None:
    record = f.encode(kind, version, documents, payload)
    header = f.parse_header(record)
    assert header is not None
    assert (header.kind, header.version, header.documents) == (kind, version, documents)
    assert (header.plain_size, f.RECORD_HEADER + header.size) == (len(payload), len(record))
    assert f.parse_payload(header, record[f.RECORD_HEADER :]) == payload


@given(st.binary(min_size=1, max_size=600), st.data())
def test_one_flipped_bit_is_noticed(payload: bytes, data: st.DataObject) -> None:
    record = bytearray(f.encode(f.Kind.OTLP, 7, 1, payload))
    bit = data.draw(st.integers(0, len(record) * 8 - 1))
    record[bit // 8] ^= 1 << bit % 8
    header = f.parse_header(bytes(record))
    if bit // 8 < f.RECORD_HEADER:
        assert header is None
    else:
        assert header is not None
        with pytest.raises(f.DamagedRecord):
            f.parse_payload(header, bytes(record[f.RECORD_HEADER :]))


@given(st.lists(st.binary(max_size=50), max_size=40))
def test_packed_documents(raws: list[bytes]) -> None:
    assert f.unpack(f.pack(raws)) == raws


@given(st.binary(max_size=60))
def test_unpack_raises_nothing_else(payload: bytes) -> None:
    with contextlib.suppress(f.DamagedRecord):
        assert f.pack(f.unpack(payload)) == payload


@given(st.integers(0, 2**63))
def test_file_header(start: int) -> None:
    header = f.file_header(start)
    assert len(header) == f.FILE_HEADER
    assert f.parse_file_header(header + b"more") == start
    assert f.parse_file_header(header[:-1]) is None
    assert f.parse_file_header(b"x" + header[1:]) is None


def test_marks() -> None:
    batch = f.Batch(10, 5000, 7)
    header = f.parse_header(batch.encode())
    assert header is not None
    assert header.kind == f.Kind.BATCH
    assert f.parse_batch(f.parse_payload(header, batch.encode()[f.RECORD_HEADER :])) == batch
    other = f.Batch(10, 5000, 7, cell=3)
    assert f.parse_batch(other.encode()[f.RECORD_HEADER :]) == other
    for positions in ([2**40], [1, 2**40, 7]):
        record = f.checkpoint(positions)
        assert f.parse_checkpoint(record[f.RECORD_HEADER :]) == positions


def test_large_payloads_are_compressed() -> None:
    """Documents resemble each other, so a bound in bytes lasts several times as long."""
    payload = b'{"name": "frontend", "start_time": 1795560000.25}' * 100
    assert len(f.encode(f.Kind.DOCUMENTS, 1, 100, payload)) < len(payload) / 5

"""The spool's file format: every intact chunk of a damaged file is read."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.spool_file import CHUNK_BYTES, MAGIC, SYNC, decode_file, encode_file
from collector.submission import Raw

SIZE = 1000
PER_CHUNK = CHUNK_BYTES // SIZE
CHUNKS = 10
DOCUMENTS = [
    Raw(version, random.Random(version).randbytes(SIZE)) for version in range(PER_CHUNK * CHUNKS)
]
WHOLE = b"".join(encode_file(DOCUMENTS))
PAIRS = [tuple(document) for document in DOCUMENTS]


def test_round_trip() -> None:
    assert WHOLE.startswith(MAGIC)
    assert WHOLE.count(SYNC) == CHUNKS
    assert decode_file(WHOLE, len(DOCUMENTS)) == (PAIRS, 0)
    assert decode_file(b"".join(encode_file([])), 0) == ([], 1), "an empty batch is never written"


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 7))
def test_one_bad_bit_loses_at_most_one_chunk(position: int, bit: int) -> None:
    data = bytearray(WHOLE)
    data[position] ^= 1 << bit
    found = decode_file(bytes(data), len(DOCUMENTS))
    assert found.lost in (0, PER_CHUNK)
    assert len(found.documents) + found.lost == len(DOCUMENTS)
    assert set(found.documents) <= set(PAIRS)


@pytest.mark.parametrize("cut", [0, 1, len(MAGIC), 1000, len(WHOLE) // 2, len(WHOLE) - 1])
def test_a_truncated_file_loses_what_is_cut(cut: int) -> None:
    """Whole chunks before the cut are read; the others are counted."""
    found = decode_file(WHOLE[:cut], len(DOCUMENTS))
    assert found.documents == PAIRS[: len(found.documents)]
    assert len(found.documents) + found.lost == len(DOCUMENTS)
    assert found.lost <= len(DOCUMENTS) - (cut // (len(WHOLE) // CHUNKS + 100)) * PER_CHUNK


def test_a_lost_block_in_the_middle() -> None:
    """A disk block of zeros damages the chunks it touches and no other."""
    start = len(WHOLE) // 2
    data = WHOLE[:start] + bytes(4096) + WHOLE[start + 4096 :]
    assert decode_file(data, len(DOCUMENTS)).lost in (PER_CHUNK, 2 * PER_CHUNK)


def test_marks_inside_documents() -> None:
    """A document may contain the sync mark, compressed or not."""
    documents = [Raw(1, SYNC * 3), Raw(2, SYNC + random.Random(1).randbytes(500) + SYNC)]
    data = b"".join(encode_file(documents))
    assert decode_file(data, 2) == ([tuple(d) for d in documents], 0)
    assert decode_file(data[:-1], 2) == ([], 2)

"""Lengths as protobuf and ClickHouse write them."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from google.protobuf.wrappers_pb2 import UInt64Value
from hypothesis import given

from store.varint import read_varint, varint


@pytest.mark.parametrize("number", [1, 127, 128, 16_383, 16_384, 2**32, 2**64 - 1])
def test_as_protobuf_writes_it(number: int) -> None:
    assert b"\x08" + varint(number) == UInt64Value(value=number).SerializeToString()


def test_zero() -> None:
    assert varint(0) == b"\0"


@given(st.integers(0, 2**64 - 1), st.binary(max_size=3))
def test_is_read_as_it_was_written(number: int, before: bytes) -> None:
    data = before + varint(number)
    assert read_varint(data + b"rest", len(before)) == (number, len(data))

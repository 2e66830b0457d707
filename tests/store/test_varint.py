"""Lengths as protobuf writes them."""

from __future__ import annotations

import pytest
from google.protobuf.wrappers_pb2 import UInt64Value

from store.varint import varint


@pytest.mark.parametrize("number", [1, 127, 128, 16_383, 16_384, 2**32, 2**64 - 1])
def test_as_protobuf_writes_it(number: int) -> None:
    assert b"\x08" + varint(number) == UInt64Value(value=number).SerializeToString()


def test_zero() -> None:
    assert varint(0) == b"\0"

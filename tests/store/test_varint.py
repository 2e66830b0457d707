"""Lengths as protobuf and ClickHouse write them."""

from __future__ import annotations

import io

import pytest
from google.protobuf.internal import decoder

from store.varint import varint


@pytest.mark.parametrize("number", [0, 1, 127, 128, 16_383, 16_384, 2**32, 2**64 - 1])
def test_protobuf_reads_it(number: int) -> None:
    written = varint(number)
    assert decoder._DecodeVarint(io.BytesIO(written)) == number

"""Page tokens: opaque, exact, and validated."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.cursor import decode_cursor, encode_cursor
from store.errors import InvalidCursor


@given(st.integers(0, 2**62), st.binary(min_size=16, max_size=16))
def test_round_trip(time: int, trace_id: bytes) -> None:
    assert decode_cursor(encode_cursor(time, trace_id)) == (time, trace_id)


def test_no_token_is_the_first_page() -> None:
    assert decode_cursor(None) is decode_cursor("") is None


@pytest.mark.parametrize(
    "token",
    ["x", "ä", "!!!!", base64.b64encode(b"1:ff").decode(), base64.b64encode(b"x:").decode()],
)
def test_other_text_is_refused(token: str) -> None:
    with pytest.raises(InvalidCursor, match="was not given by this server"):
        decode_cursor(token)

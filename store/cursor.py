"""Page tokens of trace lists: the time and id of the last trace on the page."""

from __future__ import annotations

import base64
import binascii

from store.errors import InvalidCursor


def encode_cursor(time: int, trace_id: bytes) -> str:
    """A token that continues after this trace; ``time`` in microseconds."""
    return base64.urlsafe_b64encode(f"{time}:{trace_id.hex()}".encode()).decode()


def decode_cursor(cursor: str | None) -> tuple[int, bytes] | None:
    """The position of a token, None without one. Raises InvalidCursor for any other text."""
    if not cursor:
        return None
    try:
        time, _, digits = base64.urlsafe_b64decode(cursor.encode()).decode().partition(":")
        place = int(time), bytes.fromhex(digits)
    except (ValueError, binascii.Error) as error:
        raise InvalidCursor("this NextToken was not given by this server") from error
    if len(place[1]) != 16:
        raise InvalidCursor("this NextToken was not given by this server")
    return place

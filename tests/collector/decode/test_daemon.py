"""What the daemon takes for a datagram (docs/xray-format.md §1.1)."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decode.daemon import split_datagram
from collector.decode.rejected import Reason, Rejected


@pytest.mark.parametrize(
    "header",
    [
        b'{"format":"json","version":1}',
        b'{"format": "json", "version": 1}',
        b'{"FORMAT": "JSON", "Version": 1, "extra": [1]}',
        b'{"format": "json", "version": 1.0}',
        b'{"format": "json", "version": 1}\r',
        b'{"format": "json", "version": 1}  ',
    ],
)
def test_accepted_headers(header: bytes) -> None:
    """Any case, extra keys, a trailing CR or blanks: Go's decoder takes them all."""
    assert split_datagram(header + b'\n{"a":\n1}') == b'{"a":\n1}'


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\n",
        b'{"format": "json", "version": 1}',
        b'{"format": "json", "version": 1}\n',
        b'{"format": "json", "version": 1}\n \r\n',
        b'{"format": "json", "version": 2}\n{}',
        b'{"format": "json", "version": "1"}\n{}',
        b'{"format": "json", "version": true}\n{}',
        b'{"format": "xml", "version": 1}\n{}',
        b'{"format": 1, "version": 1}\n{}',
        b'{"version": 1}\n{}',
        b"[1]\n{}",
        b"nonsense\n{}",
        b'{"\xff": 1}\n{}',
        b"[" * 10_000 + b"\n{}",
        b'{"format": "json", "version": 1}\\n{}',
    ],
)
def test_dropped_datagrams(datagram: bytes) -> None:
    """No line feed, nothing behind it, or a header that is not X-Ray's."""
    with pytest.raises(Rejected) as caught:
        split_datagram(datagram)
    assert caught.value.reason is Reason.INVALID_DATAGRAM
    assert caught.value.id is None


@given(st.binary())
def test_any_bytes(datagram: bytes) -> None:
    """Whatever comes in, nothing but Rejected comes out."""
    with suppress(Rejected):
        assert split_datagram(datagram)

"""The datagram of an X-Ray SDK: a header line, then one document (docs/xray-format.md §1.1)."""

from __future__ import annotations

import msgspec

from collector.decode.rejected import Reason, Rejected

_USUAL_HEADERS = frozenset({b'{"format":"json","version":1}', b'{"format": "json", "version": 1}'})
_EXPECTED = 'expected {"format": "json", "version": 1} and a line feed before the document'


def split_datagram(datagram: bytes) -> bytes:
    """The document behind the header. Line feeds inside it are its own: they separate nothing."""
    header, line_feed, document = datagram.partition(b"\n")
    if not line_feed:
        raise _bad("no line feed")
    if header not in _USUAL_HEADERS:
        _check_header(header)
    if not document or document.isspace():
        raise _bad("nothing behind the header")
    return document


def _check_header(header: bytes) -> None:
    """Raise unless the daemon would take it: keys in any case, other keys ignored, as in Go."""
    try:
        fields = msgspec.json.decode(header)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _bad("the header is not JSON") from error
    if not isinstance(fields, dict):
        raise _bad("the header is not an object")
    known = {key.lower(): value for key, value in fields.items()}
    format, version = known.get("format"), known.get("version")
    if not isinstance(format, str) or format.lower() != "json":
        raise _bad(f"format is {format!r:.40}")
    if isinstance(version, bool) or version != 1:
        raise _bad(f"version is {version!r:.40}")


def _bad(what: str) -> Rejected:
    return Rejected(Reason.INVALID_DATAGRAM, f"datagram: {what}; {_EXPECTED}")

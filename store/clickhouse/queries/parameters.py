"""Values of typed query parameters (``{name:Type}``) as ClickHouse reads them from the wire.

The driver's own encoding has no bytes, and cannot send a FixedString that is not valid UTF-8.
Give a parameter in a SELECT list an alias: its value becomes the column's name otherwise.
Format: the text form of the type (TabSeparated escaping for String), dumped as a quoted literal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_ESCAPES = str.maketrans(
    {"\\": "\\\\", "'": "\\'", "\0": "\\0", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
)


class _Encoded:
    """An encoded value. It is no str: the driver would escape that once more."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


def encode_parameters(parameters: Mapping[str, object]) -> dict[str, _Encoded]:
    """Values by name: int, float, str, bytes, and lists (Array) and tuples (Tuple) of these.

    Raises TypeError for a value of any other type.
    """
    return {name: _Encoded(_text_of(value)) for name, value in parameters.items()}


def _text_of(value: object) -> str:
    text = _escaped(value) if isinstance(value, str | bytes) else _literal(value)
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _literal(value: object) -> str:
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str | bytes):
        return f"'{_escaped(value)}'"
    if isinstance(value, Sequence):
        items = ",".join(map(_literal, value))
        if isinstance(value, tuple):
            return f"({items})"
        return f"[{items}]"
    raise TypeError(f"a query parameter cannot be a {type(value).__name__}")


def _escaped(value: str | bytes) -> str:
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    return "\\x" + value.hex(" ").replace(" ", "\\x") if value else ""

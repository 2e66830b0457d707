"""The attributes of a span that are not stored because its annotations say the same.

Most attributes are an annotation, too. Where the bytes of all of a span's follow from these, as they do
of what serializers write, the annotations are stored alone (`store.columnar.BodyParts`).
"""

from __future__ import annotations

from store.rules.annotations import Value, parse_annotation_item
from store.varint import varint

TAG = b"\x4a"
"""Of an attribute in a span: field 9."""
_LONG = 1 << 64


def follows_from(item: str, key: str, value: Value, field: bytes) -> bool:
    """Whether an attribute, as it stands in a span, is what `field_of` makes of its annotation.

    Not if the annotation escapes anything, so that a text of the span is found in its annotations as it is.
    """
    return (
        not isinstance(value, float)
        and "\\" not in item
        and "%" not in key
        and "=" not in key
        and _field(key, value) == field
    )


def field_of(item: str) -> bytes:
    """The attribute that an annotation was made of, tag included."""
    return _field(*parse_annotation_item(item))


def _field(key: str, value: Value) -> bytes:
    content = _content(value)
    name = _text(key) if key else b""
    message = name + b"\x12" + varint(len(content)) + content
    return TAG + varint(len(message)) + message


def _content(value: Value) -> bytes:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"
    return b"\x18" + varint(int(value) % _LONG)


def _text(text: str) -> bytes:
    content = text.encode()
    return b"\x0a" + varint(len(content)) + content

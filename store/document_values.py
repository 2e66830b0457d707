"""Values of fields of documents, as filter expressions compare them: a pure function for every store."""

from __future__ import annotations

from collections.abc import Iterable

from store.filters.ast import Field, Value
from store.filters.keywords import MEMBERS
from store.filters.units import annotation_values
from store.model import Document

_MEMBERS = {**MEMBERS, "operation": "operation"}


def document_values(document: Document, field: Field) -> Iterable[Value]:
    """The values of a field; none where it is unknown."""
    if field.keyword == "annotation":
        return annotation_values(document.annotations, field.key)
    if (member := _MEMBERS.get(field.keyword)) is not None:
        text = getattr(document, member)
        return [text] if text else []
    http = document.http
    values: dict[str, Value] = {
        "http.url": http.url,
        "http.method": http.method,
        "http.status": float(http.status),
        "http.useragent": http.user_agent,
        "http.clientip": http.client_ip,
    }
    return [values[field.keyword]] if values[field.keyword] else []


def value_text(value: Value) -> str:
    """A value as a person types it: true, 5, gold."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)

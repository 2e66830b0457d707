"""Whose traces are to be removed: what `raymap forget` is given, and which documents that means."""

from __future__ import annotations

import json
from math import isfinite

from msgspec import Struct

from store.model import Document
from store.rules.annotations import Value, annotation_item

USER_KEYS = (
    "enduser.id",
    "user.id",
    "user.name",
    "user.email",
    "user_id",
    "userId",
    "username",
    "user",
)
"""Annotations that name a user, beside the `user` of a segment."""


class Subject(Struct, frozen=True):
    """Documents that match any of these. ``items``: as `annotation_item` writes them; ``text``: anywhere."""

    user: str = ""
    items: tuple[str, ...] = ()
    trace_id: bytes = b""
    text: str = ""

    def matches(self, document: Document) -> bool:
        """Whether a document belongs to the subject."""
        return (
            (self.user != "" and document.user == self.user)
            or not set(self.items).isdisjoint(document.annotations)
            or document.trace_id == self.trace_id
            or (self.text != "" and self.text.encode() in document.raw)
        )


def of_user(user: str) -> Subject:
    """The traces of a user."""
    return Subject(user=user, items=tuple(annotation_item(key, user) for key in USER_KEYS))


def of_annotation(key: str, text: str) -> Subject:
    """The traces with an annotation, whatever its type: ``7`` is the text and the number."""
    values: list[Value] = [text]
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = None
    if isinstance(parsed, (bool, int)) or (isinstance(parsed, float) and isfinite(parsed)):
        values.append(parsed)
    return Subject(items=tuple(annotation_item(key, value) for value in values))

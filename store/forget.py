"""Whose traces are to be removed: what `raymap forget` is given, and which documents that means."""

from __future__ import annotations

import json
import re
from math import isfinite
from urllib.parse import unquote_to_bytes

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


_ESCAPE = re.compile(r"(\\u)([0-9a-f]{4})")


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
            or self._is_in(document.raw)
        )

    @property
    def forms(self) -> tuple[str, ...]:
        """How the text may stand in a document, apart from percent-encoding: JSON escapes what is not ASCII
        and slashes, forms write spaces as plus signs. None without a text."""
        if not self.text:
            return ()
        escaped = json.dumps(self.text)[1:-1]
        upper = _ESCAPE.sub(lambda match: match[1] + match[2].upper(), escaped)
        forms = [self.text, self.text.replace(" ", "+"), escaped, upper]
        return tuple(dict.fromkeys([*forms, *(form.replace("/", "\\/") for form in forms)]))

    def _is_in(self, raw: bytes) -> bool:
        """Whether a document contains a form of the text, also in a URL, or in one that is its parameter."""
        once = unquote_to_bytes(raw) if b"%" in raw else raw
        twice = unquote_to_bytes(once) if b"%" in once else once
        return any(form.encode() in each for form in self.forms for each in {raw, once, twice})


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

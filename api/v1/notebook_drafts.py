"""Entries of a notebook from the JSON of a request. Raises ApiError (400, 404) that says what is wrong."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from fastapi import Request

from api.context import Context
from api.errors import ApiError
from api.request import JsonBody, instant
from api.saved import read_address, refuse_others
from api.v1.notebook_figures import Shown, problem_shown, trace_shown, view_shown
from store.notebooks import MAX_ENTRIES, NotebookEntry

MAX_WORDS, MAX_NEW = 4_000, 10
"""Characters of an entry; entries of one request that have to be counted."""
_CHANGED = ("id", "at", "text")
_NEW = ("at", "text", "page", "query", "trace", "problem")
_SUBJECTS = ("page", "trace", "problem")


class Draft(NamedTuple):
    """An entry as a request describes it: one that is there, by its ``id``, or a new one with what it shows."""

    id: str
    at: int | None
    text: str
    entry: NotebookEntry | None

    def applied(self, stored: Mapping[str, NotebookEntry], now: int, by: str) -> NotebookEntry:
        """The entry to store; ApiError (400) if there is none of its id. What is unchanged stays as it is."""
        if self.entry is not None:
            at = now if self.at is None else self.at
            return _with(self.entry, at=at, added=now, modified=now, by=by)
        old = stored.get(self.id)
        if old is None:
            raise ApiError(f"there is no entry {self.id[:60]!r} in this notebook")
        at = old.at if self.at is None else self.at
        if (at, self.text, 0) == (old.at, old.text, old.removed):
            return old
        return _with(old, at=at, text=self.text, modified=now, by=by, removed=0)


def read_drafts(context: Context, request: Request, body: JsonBody) -> list[Draft]:
    """The entries of a body."""
    members = body.objects("entries", most=MAX_ENTRIES)
    counted = [each for each in members if not each.has("id") and _subject(each)]
    if len(counted) > MAX_NEW:
        raise ApiError(
            f"entries may have {MAX_NEW} new views, traces and problems at a time, got {len(counted)}"
        )
    drafts = [read_draft(context, request, each) for each in members]
    ids = [each.id for each in drafts if each.id]
    if len(set(ids)) < len(ids):
        raise ApiError("entries must name each id once")
    return drafts


def read_draft(context: Context, request: Request, body: JsonBody) -> Draft:
    """One entry; what it shows is counted now."""
    known = body.text("id", most=60)
    refuse_others(body, _CHANGED if known else _NEW, "stored entry" if known else "new entry")
    at = _at(body)
    text = _text(body)
    if known:
        return Draft(known, at, text, None)
    subject = _subject(body)
    if not subject and not text:
        raise ApiError("an entry needs text, page, trace or problem")
    entry, shown = _shown(context, request, body, subject)
    if at is None and shown is not None:
        at = shown.at
    return Draft("", at, text, _with(entry, text=text))


def _shown(
    context: Context, request: Request, body: JsonBody, subject: str
) -> tuple[NotebookEntry, Shown | None]:
    empty = NotebookEntry(secrets.token_hex(6), 0, 0, 0)
    if not subject:
        return empty, None
    if subject == "trace":
        id, shown = trace_shown(context, body.text("trace"))
        return _with(empty, trace=id, figures=shown.figures), shown
    if subject == "problem":
        id = body.text("problem", most=100)
        shown = problem_shown(context, id)
        entry = _with(empty, problem=id)
    else:
        shown, entry = view_shown(context, request, *read_address(body)), empty
    return _with(entry, page=shown.page, query=shown.query, figures=shown.figures), shown


def _subject(body: JsonBody) -> str:
    """Which of the members that say what an entry shows is there; ApiError for two."""
    found = [name for name in _SUBJECTS if body.has(name)]
    if len(found) > 1:
        raise ApiError(f"an entry shows one of page, trace and problem, got {' and '.join(found)}")
    if body.has("query") and found != ["page"]:
        raise ApiError("query needs the page that it is of")
    return found[0] if found else ""


def _at(body: JsonBody) -> int | None:
    """Microseconds; None where the entry's own time applies."""
    return instant(body.members["at"], "at") if body.has("at") else None


def _text(body: JsonBody) -> str:
    text = body.text("text", most=MAX_WORDS).replace("\r\n", "\n").strip()
    if any(each < " " and each not in "\n\t" for each in text):
        raise ApiError("text must not have control characters other than line breaks and tabs")
    return text


def _with(entry: NotebookEntry, **changes: object) -> NotebookEntry:
    return msgspec.structs.replace(entry, **changes)

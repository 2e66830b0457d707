"""What people save on the server has in common: addresses of the console, revisions, and who was faster."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import parse_qsl

from api.context import Context
from api.errors import ApiError
from api.request import JsonBody
from store.config.change import Contended, Decide, Result, change
from store.times import SECOND

MAX_QUERY, MAX_FIELDS = 4_000, 50
PAGES = ("map", "traces", "compare")


class Saved(Protocol):
    """A record with a revision."""

    @property
    def revision(self) -> int: ...

    @property
    def modified(self) -> int: ...

    @property
    def by(self) -> str: ...


def read_address(body: JsonBody) -> tuple[str, str]:
    """``page`` and ``query`` of a body."""
    page, query = body.required_text("page"), read_query(body.text("query"))
    if page not in PAGES:
        raise ApiError(f"page must be one of {_listed(PAGES)}, got {page[:60]!r}")
    return page, query


def read_query(text: str) -> str:
    """The query of an address; ApiError when it is none."""
    query = text.removeprefix("?")
    if len(query) > MAX_QUERY:
        raise ApiError(f"query must have at most {MAX_QUERY} characters, got {len(query)}")
    if any(not "!" <= each <= "~" or each == "#" for each in query):
        raise ApiError(
            "query must be that of an address: ASCII without spaces and #, as in range=1h"
        )
    fields_of(query)
    return query


def fields_of(query: str) -> dict[str, str]:
    """The fields of a query; ApiError when it is none."""
    try:
        return dict(
            parse_qsl(
                query,
                strict_parsing=bool(query),
                keep_blank_values=True,
                max_num_fields=MAX_FIELDS,
            )
        )
    except ValueError:
        raise ApiError(
            f"query must be at most {MAX_FIELDS} fields like range=1h, with & between"
        ) from None


def path_of(page: str, query: str) -> str:
    """The address of a page, without the server's."""
    return f"/{page}?{query}" if query else f"/{page}"


def refuse_others(body: JsonBody, members: Collection[str], what: str) -> None:
    """ApiError if a body has other members."""
    if unknown := sorted(body.names() - set(members)):
        raise ApiError(f"{unknown[0][:60]!r} is unknown of a {what}, expected {_listed(members)}")


def compare(what: str, old: Saved | None, revision: int) -> None:
    """Whether a change is of what is stored. ApiError (409) that says who was faster."""
    stored = old.revision if old else 0
    if stored == revision:
        return
    if old is None:
        raise conflict(f"{what} has been removed or renamed meanwhile")
    if not revision:
        raise conflict(f"{what} is there already{saved(old)}; its revision replaces it")
    raise conflict(f"{what} was changed meanwhile{saved(old)}; this change is of {revision}")


def conflict(words: str) -> ApiError:
    """The error (409) of a change that comes too late."""
    return ApiError(words, code="Conflict", status=409)


def saved(record: Saved) -> str:
    """When a record was saved last, and by whom."""
    at = datetime.fromtimestamp(record.modified // SECOND, UTC)
    by = f" by {record.by}" if record.by else ""
    return f", saved{by} at {at:%Y-%m-%d %H:%M:%S} UTC (revision {record.revision})"


def change_saved(context: Context, decide: Decide[Result], *, large: bool = False) -> Result:
    """Change the configuration, read with ``large``; ApiError (409) when others were faster every time."""
    try:
        return change(context.store, decide, context.clock, large=large)
    except Contended as error:
        raise conflict(str(error)) from None


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names))

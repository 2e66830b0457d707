"""Saved views: names for addresses of the console, for everyone who reads this server (docs/console-api.md)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Query, Request, Response

from api.alarms.body import read_name
from api.context import Context, json_response, run_cancellable
from api.errors import ApiError
from api.may_edit import name_of
from api.openapi_parts import json_body
from api.request import JsonBody, read_body
from api.schemas.views import SavedViewLine, SavedViewList
from store.config import records
from store.config.change import Contended, Decide, Result, change
from store.config.protocol import Change, Configuration
from store.times import SECOND
from store.views import MAX_VIEWS, SavedView

MAX_BODY = 64_000
MAX_NAME, MAX_QUERY, MAX_FIELDS = 80, 4_000, 50
PAGES = ("map", "traces", "compare")
_MEMBERS = {"page", "query", "revision", "name"}
_BODY = json_body({"page": "map", "query": "range=1h&filter=fault", "revision": 0})
Revision = Annotated[
    int, Query(ge=1, description="of the view that is meant: another is not removed")
]


def views_router(context: Context) -> APIRouter:
    """/api/v1/views."""
    router = APIRouter()

    @router.get("/views", response_class=Response, responses={200: {"model": SavedViewList}})
    async def list_views(request: Request) -> Response:
        """All saved views, by name."""
        return await run_cancellable(request, lambda: json_response(view_list(context)))

    @router.put(
        "/views/{name:path}",
        response_class=Response,
        responses={200: {"model": SavedViewLine}},
        openapi_extra=_BODY,
    )
    async def put_view(request: Request, name: str) -> Response:
        """Save a view. `revision` is that of the view it replaces, 0 of a new one: otherwise 409. `name` renames it."""
        body = JsonBody.parse(await read_body(request, MAX_BODY))
        by = name_of(request)
        return await run_cancellable(request, lambda: json_response(_put(context, name, body, by)))

    @router.delete("/views/{name}", response_class=Response, status_code=204, responses={204: {}})
    async def remove_view(request: Request, name: str, revision: Revision) -> Response:
        """Remove a view of a revision; also succeeds when there is none of its name."""
        return await run_cancellable(request, lambda: _remove(context, name, revision))

    return router


def view_list(context: Context) -> SavedViewList:
    """All saved views."""
    views = records.read(context.store.read_configuration(), SavedView)
    return {"views": [_line(each) for each in views.values()], "most": MAX_VIEWS}


def _put(context: Context, name: str, body: JsonBody, by: str) -> SavedViewLine:
    read_name(name, MAX_NAME)
    if unknown := sorted(body.names() - _MEMBERS):
        raise ApiError(f"{unknown[0][:60]!r} is unknown of a view, expected {_listed(_MEMBERS)}")
    page, query = body.required_text("page"), _query(body.text("query"))
    if page not in PAGES:
        raise ApiError(f"page must be one of {_listed(PAGES)}, got {page[:60]!r}")
    revision = body.count("revision")
    new_name = read_name(body.text("name") or name, MAX_NAME)

    def decide(configuration: Configuration, now: int) -> tuple[SavedView, Sequence[Change]]:
        views = records.read(configuration, SavedView)
        old = views.get(name)
        _compare(name, old, revision)
        if new_name != name and new_name in views:
            raise _conflict(f"there is a view {new_name!r} already{_last(views[new_name])}")
        if old is None and len(views) >= MAX_VIEWS:
            raise ApiError(f"there are {MAX_VIEWS} views, the most there can be: remove one first")
        created = old.created if old else now
        view = SavedView(new_name, page, query, revision + 1, created, now, by)
        moved = [records.remove(name, SavedView)] if new_name != name else []
        return view, [*moved, records.put(new_name, view)]

    return _line(_change(context, decide))


def _remove(context: Context, name: str, revision: int) -> Response:
    def decide(configuration: Configuration, _: int) -> tuple[None, Sequence[Change]]:
        old = records.read(configuration, SavedView).get(name)
        if old is None:
            return None, []
        _compare(name, old, revision)
        return None, [records.remove(name, SavedView)]

    _change(context, decide)
    return Response(status_code=204)


def _compare(name: str, old: SavedView | None, revision: int) -> None:
    """Whether a change is of what is stored. ApiError (409) that says who was faster."""
    stored = old.revision if old else 0
    if stored == revision:
        return
    if old is None:
        raise _conflict(f"the view {name!r} has been removed or renamed meanwhile")
    if not revision:
        raise _conflict(f"there is a view {name!r} already{_last(old)}; its revision replaces it")
    raise _conflict(
        f"the view {name!r} was changed meanwhile{_last(old)}; this change is of {revision}"
    )


def _conflict(words: str) -> ApiError:
    return ApiError(words, code="Conflict", status=409)


def _last(view: SavedView) -> str:
    """When it was saved last, and by whom."""
    at = datetime.fromtimestamp(view.modified // SECOND, UTC)
    by = f" by {view.by}" if view.by else ""
    return f", saved{by} at {at:%Y-%m-%d %H:%M:%S} UTC (revision {view.revision})"


def _query(text: str) -> str:
    """The query of an address; ApiError when it is none."""
    query = text.removeprefix("?")
    if len(query) > MAX_QUERY:
        raise ApiError(f"query must have at most {MAX_QUERY} characters, got {len(query)}")
    if any(not "!" <= each <= "~" or each == "#" for each in query):
        raise ApiError(
            "query must be that of an address: ASCII without spaces and #, as in range=1h"
        )
    try:
        parse_qsl(
            query, strict_parsing=bool(query), keep_blank_values=True, max_num_fields=MAX_FIELDS
        )
    except ValueError:
        raise ApiError(
            f"query must be at most {MAX_FIELDS} fields like range=1h, with & between"
        ) from None
    return query


def _line(view: SavedView) -> SavedViewLine:
    return {
        "name": view.name,
        "page": view.page,  # type: ignore[typeddict-item]
        "query": view.query,
        "path": f"/{view.page}?{view.query}" if view.query else f"/{view.page}",
        "revision": view.revision,
        "created": view.created / SECOND,
        "modified": view.modified / SECOND,
        "by": view.by,
    }


def _change(context: Context, decide: Decide[Result]) -> Result:
    try:
        return change(context.store, decide, context.clock)
    except Contended as error:
        raise _conflict(str(error)) from None


def _listed(names: Sequence[str] | set[str]) -> str:
    return ", ".join(sorted(names))

"""Saved views: names for addresses of the console, for everyone who reads this server (docs/console-api.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from typing_extensions import TypedDict

from api.alarms.body import read_name
from api.context import Context, json_response, run_cancellable
from api.errors import ApiError
from api.may_edit import name_of
from api.openapi_parts import json_body
from api.request import JsonBody, read_body
from api.saved import change_saved, compare, conflict, path_of, read_address, refuse_others, saved
from api.schemas.common import Instant, reply
from api.v1.part import v1_part
from store.config import records
from store.config.protocol import Change, Configuration
from store.times import SECOND
from store.views import MAX_VIEWS, SavedView

ViewPage = Literal["map", "traces", "compare"]


@reply
class SavedViewLine(TypedDict):
    """A saved view: a name for an address of the console."""

    name: str
    page: ViewPage
    query: Annotated[str, Field(description="what follows the ? of the page's address")]
    path: Annotated[str, Field(description="the address itself, without the server's")]
    revision: Annotated[int, Field(description="from 1; to be sent with the next change")]
    created: Instant
    modified: Instant
    by: Annotated[str, Field(description="who saved it last; empty where no one signs in")]


@reply
class SavedViewList(TypedDict):
    """All saved views by name."""

    views: list[SavedViewLine]
    most: Annotated[int, Field(description="how many there can be")]


MAX_BODY = 64_000
MAX_NAME = 80
_MEMBERS = {"page", "query", "revision", "name"}
_BODY = json_body({"page": "map", "query": "range=1h&filter=fault", "revision": 0})
Revision = Annotated[
    int, Query(ge=1, description="of the view that is meant: another is not removed")
]


def views_router(context: Context) -> APIRouter:
    """/api/v1/views."""
    router = v1_part()

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
    refuse_others(body, _MEMBERS, "view")
    page, query = read_address(body)
    revision = body.count("revision")
    new_name = read_name(body.text("name") or name, MAX_NAME)

    def decide(configuration: Configuration, now: int) -> tuple[SavedView, Sequence[Change]]:
        views = records.read(configuration, SavedView)
        old = views.get(name)
        compare(f"the view {name!r}", old, revision)
        if new_name != name and new_name in views:
            raise conflict(f"the view {new_name!r} is there already{saved(views[new_name])}")
        if old is None and len(views) >= MAX_VIEWS:
            raise ApiError(f"there are {MAX_VIEWS} views, the most there can be: remove one first")
        created = old.created if old else now
        view = SavedView(new_name, page, query, revision + 1, created, now, by)
        moved = [records.remove(name, SavedView)] if new_name != name else []
        return view, [*moved, records.put(new_name, view)]

    return _line(change_saved(context, decide))


def _remove(context: Context, name: str, revision: int) -> Response:
    def decide(configuration: Configuration, _: int) -> tuple[None, Sequence[Change]]:
        old = records.read(configuration, SavedView).get(name)
        if old is None:
            return None, []
        compare(f"the view {name!r}", old, revision)
        return None, [records.remove(name, SavedView)]

    change_saved(context, decide)
    return Response(status_code=204)


def _line(view: SavedView) -> SavedViewLine:
    return {
        "name": view.name,
        "page": view.page,  # type: ignore[typeddict-item]
        "query": view.query,
        "path": path_of(view.page, view.query),
        "revision": view.revision,
        "created": view.created / SECOND,
        "modified": view.modified / SECOND,
        "by": view.by,
    }

"""Notebooks: views, traces, problems and words in order of time (docs/console-api.md)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from msgspec import to_builtins
from msgspec.structs import asdict, replace

from api.context import Context, json_response, run_cancellable
from api.errors import ApiError
from api.may_edit import name_of
from api.notebooks.markdown import MARKDOWN, markdown
from api.notebooks.records import Whole, expired, find, removed, replaced, require
from api.openapi_parts import json_body
from api.request import JsonBody, read_body
from api.saved import change_saved, compare, path_of, refuse_others
from api.schemas.notebooks import (
    EntryKind,
    NotebookEntryLine,
    NotebookHead,
    NotebookLine,
    NotebookList,
    NotebookReply,
)
from api.v1.notebook_drafts import Draft, read_draft, read_drafts
from api.v1.part import v1_part
from store.config import records
from store.config.protocol import Change, Configuration
from store.notebooks import MAX_ENTRIES, MAX_NOTEBOOKS, Notebook, NotebookEntry
from store.times import SECOND

MAX_BODY, MAX_TITLE = 1_000_000, 120
_ENTRY = {"trace": "1-6ac2f0e4-1f2b3c4d5e6f708192a3b4c5", "text": "The first that failed."}
_BODY = json_body({"title": "Checkout, 24 November", "entries": [_ENTRY]})
_REPLACED = json_body(
    {
        "title": "Checkout, 24 November",
        "revision": 3,
        "entries": [{"id": "5f0c9d2e1b7a", "at": 1795557180, "text": "Began here."}, _ENTRY],
    }
)
Revision = Annotated[
    int, Query(ge=1, description="of the notebook that is meant: another is not removed")
]
Pictures = Annotated[
    str,
    Query(
        max_length=2000,
        description="ids of entries, comma-separated, whose maps are files: pictures/<id>.svg",
    ),
]
REPLY: dict[int | str, dict[str, Any]] = {200: {"model": NotebookReply}}


def notebooks_router(context: Context) -> APIRouter:
    """/api/v1/notebooks."""
    router = v1_part()

    @router.get("/notebooks", response_class=Response, responses={200: {"model": NotebookList}})
    async def list_notebooks(request: Request) -> Response:
        """All notebooks, the one that was changed last first."""
        return await run_cancellable(request, lambda: json_response(notebook_list(context)))

    @router.post("/notebooks", response_class=Response, responses=REPLY, openapi_extra=_BODY)
    async def create_notebook(request: Request) -> Response:
        """Create a notebook, with entries or without."""
        body = JsonBody.parse(await read_body(request, MAX_BODY))
        return await run_cancellable(
            request, lambda: json_response(_create(context, request, body))
        )

    @router.get("/notebooks/{id}", response_class=Response, responses=REPLY)
    async def get_notebook(request: Request, id: str) -> Response:
        """A notebook with its entries."""
        return await run_cancellable(request, lambda: json_response(_read(context, id)))

    @router.put(
        "/notebooks/{id}", response_class=Response, responses=REPLY, openapi_extra=_REPLACED
    )
    async def replace_notebook(request: Request, id: str) -> Response:
        """Replace title and entries. `revision` is that of the notebook that is replaced: otherwise 409."""
        body = JsonBody.parse(await read_body(request, MAX_BODY))
        return await run_cancellable(
            request, lambda: json_response(_replace(context, request, id, body))
        )

    @router.post(
        "/notebooks/{id}/entries",
        response_class=Response,
        responses=REPLY,
        openapi_extra=json_body(_ENTRY),
    )
    async def add_entry(request: Request, id: str) -> Response:
        """Add an entry, whatever has been added meanwhile."""
        body = JsonBody.parse(await read_body(request, MAX_BODY))
        return await run_cancellable(
            request, lambda: json_response(_add(context, request, id, body))
        )

    @router.delete("/notebooks/{id}", response_class=Response, status_code=204, responses={204: {}})
    async def remove_notebook(request: Request, id: str, revision: Revision) -> Response:
        """Remove a notebook of a revision; also succeeds when there is none."""
        return await run_cancellable(request, lambda: _remove(context, id, revision))

    @router.get(
        "/notebooks/{id}/export",
        response_class=Response,
        responses={200: {"content": {MARKDOWN: {"schema": {"type": "string"}}}}},
    )
    async def export_notebook(request: Request, id: str, pictures: Pictures = "") -> Response:
        """The notebook as Markdown, with maps as Mermaid diagrams and traces as text."""
        site = str(request.base_url).rstrip("/")
        return await run_cancellable(
            request, lambda: _export(context, id, site, frozenset(pictures.split(",")))
        )

    return router


def notebook_list(context: Context) -> NotebookList:
    """All notebooks."""
    found = records.read(context.store.read_configuration(), Notebook).values()
    newest = sorted(found, key=lambda each: (-each.modified, each.id))
    lines: list[NotebookLine] = [{**_head(each), "entries": each.entries} for each in newest]
    return {"notebooks": lines, "most": MAX_NOTEBOOKS}


def _create(context: Context, request: Request, body: JsonBody) -> NotebookReply:
    refuse_others(body, ("title", "entries"), "new notebook")
    title = _title(body)
    drafts = read_drafts(context, request, body) if body.has("entries") else []
    id, by = secrets.token_hex(6), name_of(request)

    def decide(configuration: Configuration, now: int) -> tuple[Whole, Sequence[Change]]:
        if len(records.read(configuration, Notebook)) >= MAX_NOTEBOOKS:
            raise ApiError(
                f"there are {MAX_NOTEBOOKS} notebooks, the most there can be: delete one first"
            )
        notebook = Notebook(id, title, 1, now, now, by)
        return _written(configuration, Whole(notebook, {}), drafts, now, by)

    return _reply(context, change_saved(context, decide, large=True))


def _read(context: Context, id: str) -> NotebookReply:
    return _reply(context, require(context.store.read_configuration(large=True), id))


def _replace(context: Context, request: Request, id: str, body: JsonBody) -> NotebookReply:
    refuse_others(body, ("title", "entries", "revision"), "notebook")
    title, by = _title(body), name_of(request)
    revision = body.whole("revision", least=1)
    require(context.store.read_configuration(large=True), id)
    drafts = read_drafts(context, request, body)

    def decide(configuration: Configuration, now: int) -> tuple[Whole, Sequence[Change]]:
        old = require(configuration, id)
        compare(f"the notebook {old.notebook.title!r}", old.notebook, revision)
        changed = old._replace(notebook=_next(old.notebook, now, by, title))
        return _written(configuration, changed, drafts, now, by)

    return _reply(context, change_saved(context, decide, large=True))


def _add(context: Context, request: Request, id: str, body: JsonBody) -> NotebookReply:
    by = name_of(request)
    require(context.store.read_configuration(large=True), id)
    draft = read_draft(context, request, body)
    if draft.entry is None:
        raise ApiError("id must be left out of a new entry")

    def decide(configuration: Configuration, now: int) -> tuple[Whole, Sequence[Change]]:
        old = require(configuration, id)
        stored = [Draft(each.id, None, each.text, None) for each in old.entries]
        changed = old._replace(notebook=_next(old.notebook, now, by))
        return _written(configuration, changed, [*stored, draft], now, by)

    return _reply(context, change_saved(context, decide, large=True))


def _remove(context: Context, id: str, revision: int) -> Response:
    def decide(configuration: Configuration, _: int) -> tuple[None, Sequence[Change]]:
        old = find(configuration, id)
        if old is None:
            return None, []
        compare(f"the notebook {old.notebook.title!r}", old.notebook, revision)
        return None, removed(old)

    change_saved(context, decide, large=True)
    return Response(status_code=204)


def _export(context: Context, id: str, site: str, pictures: frozenset[str]) -> Response:
    whole = require(context.store.read_configuration(large=True), id)
    text = markdown(_reply(context, whole), site, context.now() // SECOND, pictures)
    headers = {"Content-Disposition": f'attachment; filename="notebook-{whole.notebook.id}.md"'}
    return Response(text, media_type=MARKDOWN, headers=headers)


def _next(old: Notebook, now: int, by: str, title: str = "") -> Notebook:
    """The next revision."""
    return replace(old, title=title or old.title, revision=old.revision + 1, modified=now, by=by)


def _written(
    configuration: Configuration, old: Whole, drafts: Sequence[Draft], now: int, by: str
) -> tuple[Whole, Sequence[Change]]:
    """A notebook with the entries of drafts instead of those that it has."""
    if len(drafts) > MAX_ENTRIES:
        raise ApiError(f"the notebook has {MAX_ENTRIES} entries, the most there can be")
    # New ones of one time stay in the order of the request.
    entries = [each.applied(old.every, now + place, by) for place, each in enumerate(drafts)]
    changes = replaced(configuration, old.notebook, old.every, entries)
    return Whole(old.notebook, {each.id: each for each in entries}), changes


def _title(body: JsonBody) -> str:
    title = body.text("title").strip()
    if not title.isprintable() or not 0 < len(title) <= MAX_TITLE:
        raise ApiError(f"title must have 1 to {MAX_TITLE} printable characters")
    return title


def _head(notebook: Notebook) -> NotebookHead:
    return {
        "id": notebook.id,
        "title": notebook.title,
        "revision": notebook.revision,
        "created": notebook.created / SECOND,
        "modified": notebook.modified / SECOND,
        "by": notebook.by,
    }


def _reply(context: Context, whole: Whole) -> NotebookReply:
    entries = whole.entries
    gone = expired(context, entries)
    return {
        **_head(whole.notebook),
        "entries": [_entry(each, each.id in gone) for each in entries],
        "most": MAX_ENTRIES,
    }


def _entry(entry: NotebookEntry, is_expired: bool) -> NotebookEntryLine:
    figures = entry.figures
    return {
        "id": entry.id,
        "kind": _kind(entry),
        "at": entry.at / SECOND,
        "text": entry.text,
        "path": f"/traces/{entry.trace}" if entry.trace else _path(entry),
        "figures": None if figures is None else to_builtins(asdict(figures)),
        "expired": is_expired,
        "added": entry.added / SECOND,
        "modified": entry.modified / SECOND,
        "by": entry.by,
    }


def _path(entry: NotebookEntry) -> str:
    return path_of(entry.page, entry.query) if entry.page else ""


def _kind(entry: NotebookEntry) -> EntryKind:
    if entry.trace:
        return "trace"
    if entry.problem:
        return "problem"
    return "view" if entry.page else "words"

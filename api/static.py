"""The built console's files, its pages for who takes HTML, and what answers any other path: 404, for browsers
by the console's own page, or 405 where only the method is wrong."""

from __future__ import annotations

import gzip
import mimetypes
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.routing import iter_route_contexts
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import compile_path

from api.media import media_ranges
from ui import PAGES

NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Raymap</title>
<h1>Raymap is running</h1>
<p>The console has not been built. In the source tree: <code>npm --prefix ui ci</code>, then
<code>npm --prefix ui run build</code>, then reload this page. Wheels include it.</p>
<p>The X-Ray API and <a href="/api/openapi.json">the console's API</a> work without it.</p></html>
"""
FOREVER = "public, max-age=31536000, immutable"
"""For files whose name contains a hash of their content."""
REVALIDATE = "no-cache"
FOLDERS = ("/traces/", "/notebooks/")
"""Below them is a page for each id."""
HTML = frozenset({"text/html", "text/*", "*/*"})
READING = ("GET", "HEAD")
METHODS = (*READING, "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
CATCH_ALL = "/{path:path}"


def is_page(path: str) -> bool:
    """Whether the console draws something at a path."""
    path = path.rstrip("/") or "/"
    return path in PAGES or (path.startswith(FOLDERS) and path.count("/") == 2)


def static_router(folder: Path | None) -> APIRouter:
    """The catch-all route; mount it last."""
    router = APIRouter()
    root = folder.resolve() if folder is not None else None

    async def answer(request: Request) -> Response:
        path = f"/{request.path_params['path']}"
        file = root and _inside(root, path)
        found = file if file else is_page(path)
        if request.method not in READING:
            raise _refused(request, READING if found else ())
        if root and file:
            return await _file(request, root, file)
        if found and _wants_html(request):
            return _page(root)
        refusal = _refused(request, ())
        if refusal.status_code == 404 and _is_browser(request):
            return _page(root, status=404)
        raise refusal

    router.add_route(CATCH_ALL, answer, methods=list(METHODS), include_in_schema=False)
    return router


def _refused(request: Request, methods: tuple[str, ...]) -> HTTPException:
    """405 with what is allowed where a path takes other methods, else 404."""
    allowed = sorted({*methods, *_other_methods(request)})
    what = f"{request.method} {request.url.path[:200]}"
    if not allowed:
        return HTTPException(404, f"there is no {what}")
    words = ", ".join(allowed)
    return HTTPException(405, f"there is no {what}; expected {words}", {"Allow": words})


def _other_methods(request: Request) -> set[str]:
    """The methods of the routes with the path of a request; GET includes HEAD (`api.middleware.Head`)."""
    found: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.path and route.path != CATCH_ALL and _has_path(route.path, request.scope["path"]):
            found |= route.methods or set()
    return {*found, "HEAD"} if "GET" in found else found


def _has_path(template: str, path: str) -> bool:
    return compile_path(template)[0].match(path) is not None


def _wants_html(request: Request) -> bool:
    """Whether the client takes a page: without an Accept header it takes anything."""
    accept = request.headers.get("accept") or "*/*"
    return any(media in HTML and quality > 0 for media, quality in media_ranges(accept))


def _is_browser(request: Request) -> bool:
    """Whether a client asks for a page by name, outside of the API: the console has one for what it
    does not know."""
    ranges = media_ranges(request.headers.get("accept") or "")
    names_html = any(media == "text/html" and quality > 0 for media, quality in ranges)
    return names_html and not request.url.path.startswith("/api/")


def _page(root: Path | None, status: int = 200) -> Response:
    headers = {"Cache-Control": REVALIDATE}
    if root is None:
        return HTMLResponse(NOT_BUILT, status, headers=headers)
    return FileResponse(root / "index.html", status, headers=headers)


async def _file(request: Request, root: Path, file: Path) -> Response:
    lasting = file.is_relative_to(root / "assets")
    headers = {"Cache-Control": FOREVER if lasting else REVALIDATE}
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    if not lasting or "gzip" not in request.headers.get("accept-encoding", ""):
        return FileResponse(file, headers=headers, media_type=kind)
    headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return Response(await run_in_threadpool(_compressed, file), headers=headers, media_type=kind)


@cache
def _compressed(file: Path) -> bytes:
    """A file whose name changes with its content: compressed once, it is worth the time that the smallest takes."""
    return gzip.compress(file.read_bytes(), mtime=0)


def _inside(root: Path, path: str) -> Path | None:
    """The file at ``path`` below ``root``, if it exists and is none of the pages."""
    try:
        file = (root / path.lstrip("/")).resolve()
        is_asset = file.is_relative_to(root) and file.is_file() and file != root / "index.html"
        return file if is_asset else None
    except (OSError, ValueError):
        return None

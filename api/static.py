"""The built console's files. Any other GET is a deep link and is answered with the index page."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response

NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Raymap</title>
<h1>Raymap is running</h1>
<p>The console has not been built. In the source tree: <code>npm --prefix ui ci</code>, then
<code>npm --prefix ui run build</code>, then reload this page. Wheels include it.</p>
<p>The X-Ray API and <a href="/api/openapi.json">the console's API</a> work without it.</p></html>
"""
FOREVER = "public, max-age=31536000, immutable"
"""For files whose name contains a hash of their content."""
REVALIDATE = "no-cache"


def static_router(folder: Path | None) -> APIRouter:
    """The catch-all route; mount it last."""
    router = APIRouter()
    root = folder.resolve() if folder is not None else None

    async def page(request: Request) -> Response:
        path: str = request.path_params["path"]
        if request.method not in ("GET", "HEAD"):
            raise HTTPException(404, f"there is no {request.method} /{path[:200]}")
        if path in ("api", "jaeger") or path.startswith(("api/", "jaeger/")):
            raise HTTPException(404, f"there is no GET /{path[:200]}")
        if root is None:
            return HTMLResponse(NOT_BUILT, headers={"Cache-Control": REVALIDATE})
        return _file(root, path)

    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    router.add_route("/{path:path}", page, methods=methods, include_in_schema=False)
    return router


def _file(root: Path, path: str) -> Response:
    """The file, the index page for a deep link, or 404 for a missing asset."""
    file = _inside(root, path)
    if file is not None and file.name != "index.html":
        lasting = file.is_relative_to(root / "assets")
        headers = {"Cache-Control": FOREVER if lasting else REVALIDATE}
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return FileResponse(file, headers=headers, media_type=kind)
    if path.startswith("assets/"):
        raise HTTPException(404, f"there is no GET /{path[:200]}")
    return FileResponse(root / "index.html", headers={"Cache-Control": REVALIDATE})


def _inside(root: Path, path: str) -> Path | None:
    """The file at ``path`` below ``root``, if it exists."""
    try:
        file = (root / path).resolve()
        return file if file.is_relative_to(root) and file.is_file() else None
    except (OSError, ValueError):
        return None

"""Writes docs/permissions.md: every route of every port with the permission it needs.

`python -m tests.raymap.auth.routes` rewrites the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fastapi import FastAPI
from starlette.routing import Route

from api.app import create_app
from collector.app import _create_app, _create_otlp_app
from collector.pipeline import IngestPipeline
from collector.receivers.http_routers import http_routers
from collector.settings import HttpLimits
from raymap.auth.audit import audit_router
from raymap.auth.authenticator import Authenticator, Mode
from raymap.auth.key_source import KeySource
from raymap.auth.oidc import OidcSettings, Provider
from raymap.auth.oidc_routes import oidc_router
from raymap.auth.permissions import PERMISSIONS, Permission, Role, required
from raymap.auth.sign_in import sign_in_router
from store.memory import MemoryStore

PAGE = Path(__file__).resolve().parents[3] / "docs" / "permissions.md"

INTRODUCTION = """# Roles and routes

Written from the routes of a running server (`python -m tests.raymap.auth.routes`). With `--auth on`,
each request needs a key, a signature or a session whose role includes the permission of its route;
what the table does not name is refused to all but `admin`.

| role | may |
|---|---|
"""


class Entry(NamedTuple):
    """A method of a path."""

    path: str
    method: str
    permission: Permission


def apps(data_dir: Path) -> list[FastAPI]:
    """The apps of the API's port, of a collector's, and of the OTLP port, as processes build them."""
    pipeline = IngestPipeline(MemoryStore(), data_dir)
    store = MemoryStore()
    sign_in = sign_in_router(store, None, lambda: None)
    authenticator = Authenticator(Mode.ON, KeySource(store.read_configuration, data_dir), b"m" * 32)
    provider = Provider(OidcSettings("https://idp", "raymap", "", "https://raymap"))
    own = [sign_in, audit_router(store), oidc_router(store, authenticator, provider)]
    api = create_app(store, version="test", extra_routers=[*own, *http_routers(pipeline)])
    limits = HttpLimits()
    return [api, _create_app(pipeline, limits), _create_otlp_app(pipeline, limits)]


def entries(found: Sequence[FastAPI]) -> list[Entry]:
    """Every route that is not refused with 405 or 404 anyway."""
    pairs = {(path, method) for app in found for path, method in _routes(app.routes)}
    return [Entry(path, method, required(method, path)) for path, method in sorted(pairs)]


def _routes(routes: Sequence[Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for route in routes:
        if nested := getattr(route, "original_router", None):
            yield from _routes(nested.routes, prefix + route.include_context.prefix)
        elif isinstance(route, Route):
            if route.name == "_refuse":
                continue
            for method in route.methods or ():
                if method not in ("HEAD", "OPTIONS"):
                    yield prefix + route.path, method
        else:
            raise AssertionError(f"a route of unknown kind: {route!r}")


def render(found: Sequence[Entry]) -> str:
    """The text of the page."""
    roles = [f"| `{role}` | {', '.join(sorted(PERMISSIONS[role]))} |" for role in Role]
    rows = [
        f"| `{entry.method} {entry.path}` | {entry.permission} | {_roles(entry.permission)} |"
        for entry in found
    ]
    head = "| route | permission | roles |\n|---|---|---|\n"
    return INTRODUCTION + "\n".join(roles) + "\n\n" + head + "\n".join(rows) + "\n"


def _roles(permission: Permission) -> str:
    if permission is Permission.PUBLIC:
        return "everyone"
    return ", ".join(role for role in Role if permission in PERMISSIONS[role])


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(render(entries(apps(Path(folder)))))

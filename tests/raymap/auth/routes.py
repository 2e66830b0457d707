"""Writes docs/permissions.md: every route of every port with the permission it needs.

`python -m tests.raymap.auth.routes` rewrites the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast
from unittest.mock import MagicMock, patch

from fastapi import FastAPI
from starlette.routing import Route

from api.app import create_app
from api.context import DEFAULT_THRESHOLDS
from collector.http_ports import create_collector_app, create_otlp_app
from collector.pipeline import IngestPipeline
from collector.receivers.grpc import GrpcReceiver
from collector.receivers.http_routers import http_routers
from collector.settings import HttpLimits
from raymap.administration.routes import administration_routers
from raymap.administration.tenants import Server
from raymap.auth.audit_routes import audit_router
from raymap.auth.authenticator import Authenticator, Mode
from raymap.auth.grpc import required as required_call
from raymap.auth.install import Authentication
from raymap.auth.key_source import KeySource
from raymap.auth.oidc import OidcSettings, Provider
from raymap.auth.oidc_routes import oidc_router
from raymap.auth.permissions import CONSOLE_PAGES, PERMISSIONS, Permission, Role, required
from raymap.auth.share_grants import OWN, MapGrant, Requested, TraceGrant, permits
from raymap.auth.share_routes import shares_router
from raymap.auth.sign_in import sign_in_router
from raymap.settings import ApiSettings
from store.clickhouse.connection.address import Address
from store.memory import MemoryStore

PAGE = Path(__file__).resolve().parents[3] / "docs" / "permissions.md"

INTRODUCTION = """# Roles and routes

Written from the routes of a running server (`python -m tests.raymap.auth.routes`). With `--auth on`,
each request needs a key, a signature or a session whose role includes the permission of its route;
what the table does not name is refused to all but `admin`.

| role | may |
|---|---|
"""


HEAD = (
    "A share link is good for its own trace or window alone, and for nothing that changes something.",
    "",
    "| route | permission | roles | share links |",
    "|---|---|---|---|",
)
GRPC = (
    "## gRPC",
    "",
    "The key comes in the metadata. Share links open nothing here.",
    "",
    "| method | permission | roles |",
    "|---|---|---|",
)
OTHERS = (
    "## Other receivers",
    "",
    "Datagrams (UDP, `--port`) carry no key: with `--auth on` they are accepted from this machine, or from",
    "the networks of `--udp-allow`, and from nowhere else (`raymap_udp_refused_total`); otherwise from",
    "everyone who reaches the port. What the X-Ray daemon answers over TCP are the routes above, on the same",
    "port: sampling rules and targets. SDKs do not sign these, so from where datagrams are accepted, and",
    "through no proxy, they need no key either.",
)
TRACE = "6926f00d" + "a" * 24
MAP = MapGrant(1_700_000_000, 1_700_000_900)


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
    auth = Authentication(ApiSettings(data_dir=data_dir, auth="on"), store)
    nowhere = Server(ApiSettings(data_dir=data_dir), Address("127.0.0.1", 1), cast("Any", store))
    own = [
        sign_in,
        *administration_routers(auth, nowhere, [], "test"),
        audit_router(store),
        oidc_router(store, authenticator, provider),
        shares_router(store, authenticator, lambda: None, DEFAULT_THRESHOLDS),
    ]
    api = create_app(store, version="test", extra_routers=[*own, *http_routers(pipeline)])
    limits = HttpLimits()
    return [api, create_collector_app(pipeline, limits), create_otlp_app(pipeline, limits)]


def entries(found: Sequence[FastAPI]) -> list[Entry]:
    """Every route that is not refused with 405 or 404 anyway, and the console's addresses."""
    pairs = {(path, method) for app in found for path, method in routes_of(app.routes)}
    pairs |= {
        (path, "GET")
        for path in (*CONSOLE_PAGES, "/assets/{name}", "/notebooks/{id}", "/traces/{id}")
    }
    return [Entry(path, method, required(method, path)) for path, method in sorted(pairs)]


def grpc_methods(pipeline: IngestPipeline) -> list[str]:
    """The full names of all methods that the gRPC receiver has."""
    server = MagicMock()
    with patch("grpc.aio.server", return_value=server):
        GrpcReceiver(pipeline, "127.0.0.1", 0)
    added = [
        handler for call in server.add_generic_rpc_handlers.mock_calls for handler in call.args[0]
    ]
    return sorted(name for handler in added for name in handler._method_handlers)


def shared_by(entry: Entry) -> str:
    """Which share links open a route: those of a trace, or of a map, for their own one."""
    path = entry.path.replace("{id}", TRACE).replace("{source}", "n").replace("{target}", "n")
    if permits(TraceGrant(TRACE), Requested(entry.method, path)):
        return "a trace's" if path != OWN else "all"
    query = [*MAP.words().items()]
    return "a map's" if permits(MAP, Requested(entry.method, path, query)) else "none"


def routes_of(routes: Sequence[Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """The paths of an app with their methods, those of included routers too."""
    for route in routes:
        if nested := getattr(route, "original_router", None):
            yield from routes_of(nested.routes, prefix + route.include_context.prefix)
        elif isinstance(route, Route):
            if route.name == "_refuse":
                continue
            for method in route.methods or ():
                if method not in ("HEAD", "OPTIONS"):
                    yield prefix + route.path, method
        else:
            raise AssertionError(f"a route of unknown kind: {route!r}")


def render(found: Sequence[Entry], methods: Sequence[str]) -> str:
    """The text of the page."""
    roles = [f"| `{role}` | {', '.join(sorted(PERMISSIONS[role]))} |" for role in Role]
    rows = [
        f"| `{entry.method} {entry.path}` | {entry.permission} | {_roles(entry.permission)} "
        f"| {shared_by(entry)} |"
        for entry in found
    ]
    calls = [
        f"| `{method}` | {required_call(method)} | {_roles(required_call(method))} |"
        for method in methods
    ]
    return "\n".join(
        [INTRODUCTION + "\n".join(roles), "", *HEAD, *rows, "", *GRPC, *calls, "", *OTHERS, ""]
    )


def page(data_dir: Path) -> str:
    """The text of docs/permissions.md."""
    return render(entries(apps(data_dir)), grpc_methods(IngestPipeline(MemoryStore(), data_dir)))


def _roles(permission: Permission) -> str:
    if permission is Permission.PUBLIC:
        return "everyone"
    return ", ".join(role for role in Role if permission in PERMISSIONS[role])


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(page(Path(folder)))

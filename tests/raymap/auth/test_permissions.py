"""Every route has a permission, and docs/permissions.md says which."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ui
from api.xray.operations import COLLECTORS_OPERATIONS, OPERATIONS
from raymap.auth.permissions import (
    CONSOLE_PAGES,
    PERMISSIONS,
    Permission,
    Role,
    allows,
    required,
)
from tests.raymap.auth.routes import PAGE, apps, entries, page


def test_the_page_is_current(tmp_path: Path) -> None:
    """Mend with: python -m tests.raymap.auth.routes"""
    assert PAGE.read_text() == page(tmp_path)


def test_no_route_is_forgotten(tmp_path: Path) -> None:
    """Nothing is left to administrators because no rule names it, and data is never public."""
    found = entries(apps(tmp_path))
    assert len(found) > 60
    forgotten = {e.path for e in found if e.permission is Permission.ADMIN}
    # POST to a file of the console is refused anyway.
    administration = {"audit", "keys", "members", "tenants", "settings"}
    assert {path.split("/")[3] for path in forgotten - {"/{path:path}"}} == administration
    assert all(path.startswith("/api/v1/") for path in forgotten - {"/{path:path}"})
    public = {(e.path, e.method) for e in found if e.permission is Permission.PUBLIC}
    health = {("/healthz", "GET"), ("/readyz", "GET")}
    signing = {
        ("/auth/login", "POST"),
        ("/auth/logout", "POST"),
        ("/auth/methods", "GET"),
        ("/auth/oidc/login", "GET"),
        ("/auth/oidc/callback", "GET"),
    }
    console = {
        (path, "GET")
        for path in (*CONSOLE_PAGES, "/assets/{name}", "/notebooks/{id}", "/traces/{id}")
    }
    assert public == health | signing | console


def test_every_page_of_the_console_is_public() -> None:
    """By the routes of its own source: a page that is missing here could not be opened to sign in."""
    source = (Path(ui.__file__).parent / "src" / "model" / "url.ts").read_text()
    pages = set(re.findall(r"page: '(\w+)'", source)) - {"unknown", "trace"}
    assert len(pages) > 4
    assert {f"/{page}" for page in pages} | {"/", "/s"} <= CONSOLE_PAGES


def test_every_operation_of_xrays_is_named() -> None:
    for path in (*OPERATIONS, *COLLECTORS_OPERATIONS):
        assert required("POST", path) is not Permission.ADMIN, path


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("POST", "/TraceSegments", Permission.INGEST),
        ("POST", "/v1/traces", Permission.INGEST),
        ("POST", "/api/traces", Permission.INGEST),
        ("GET", "/api/traces", Permission.READ),
        ("PUT", "/api/traces/1-2-3/pin", Permission.EDIT),
        ("DELETE", "/api/anything", Permission.EDIT),
        ("POST", "/api/unknown", Permission.EDIT),
        ("POST", "/api/v1/shares", Permission.SHARE),
        ("DELETE", "/api/v1/shares/1", Permission.SHARE),
        ("GET", "/api/v1/shares", Permission.READ),
        ("PUT", "/api/v1/shares/1", Permission.EDIT),
        ("POST", "/api/v1/shared", Permission.EDIT),
        ("GET", "/api/v1/keys", Permission.ADMIN),
        ("GET", "/api/v1/keys/1/rotate", Permission.ADMIN),
        ("GET", "/api/v1/members", Permission.ADMIN),
        ("PROPFIND", "/api/v1/tenants/a", Permission.ADMIN),
        ("GET", "/api/v1/settings", Permission.ADMIN),
        ("GET", "/api/v1/keyset", Permission.READ),
        ("POST", "/GetSamplingRules", Permission.SAMPLE),
        ("POST", "/CreateGroup", Permission.EDIT),
        ("POST", "/TraceSummaries", Permission.READ),
        ("GET", "/TraceSummaries", Permission.ADMIN),
        ("GET", "/unnamed", Permission.ADMIN),
        ("GET", "/assets", Permission.ADMIN),
        ("GET", "/map/", Permission.PUBLIC),
        ("GET", "/traces/1-2-3", Permission.PUBLIC),
        ("GET", "/metrics", Permission.READ),
        ("GET", "/healthz", Permission.PUBLIC),
        ("GET", "/assets/index.js", Permission.PUBLIC),
        ("POST", "/", Permission.ADMIN),
        ("POST", "/tracesegments", Permission.ADMIN),
        ("POST", "/TraceSegments/", Permission.ADMIN),
        ("PROPFIND", "/api/traces", Permission.EDIT),
        ("OPTIONS", "/api/traces", Permission.EDIT),
    ],
)
def test_required(method: str, path: str, permission: Permission) -> None:
    assert required(method, path) is permission


def test_roles() -> None:
    table = {role: {p for p in Permission if allows(role, p)} for role in Role}
    read = {Permission.PUBLIC, Permission.SAMPLE, Permission.READ, Permission.SHARE}
    edit = {Permission.EDIT, Permission.REPORT}
    assert table == {
        Role.INGEST: {
            Permission.PUBLIC,
            Permission.SAMPLE,
            Permission.INGEST,
            Permission.REPORT,
        },
        Role.VIEWER: read,
        Role.EDITOR: read | edit,
        Role.ADMIN: set(Permission),
    }
    assert set(PERMISSIONS) == set(Role)

"""Roles, and which permission each route needs: one function of method and path, evaluated before routing.

Whatever no rule names is refused. docs/permissions.md lists every route with its permission; a test
keeps it current.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from ui import PAGES


class Permission(StrEnum):
    """What a request does."""

    PUBLIC = "public"
    """Nothing of anyone's data: health, and the files of the console."""
    INGEST = "ingest"
    """Writes traces."""
    SAMPLE = "sample"
    """Asks which requests to record, as SDKs and daemons do with the key they send with."""
    REPORT = "report"
    """Reports a deployment."""
    READ = "read"
    SHARE = "share"
    """Makes and revokes links by which others read one trace, or one map."""
    EDIT = "edit"
    """Changes pins, groups, sampling rules and the like."""
    ADMIN = "admin"


class Role(StrEnum):
    """What a key or a person may do."""

    INGEST = "ingest"
    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"


PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.INGEST: frozenset(
        {Permission.PUBLIC, Permission.INGEST, Permission.SAMPLE, Permission.REPORT}
    ),
    Role.VIEWER: frozenset(
        {Permission.PUBLIC, Permission.SAMPLE, Permission.READ, Permission.SHARE}
    ),
    Role.EDITOR: frozenset(
        {
            Permission.PUBLIC,
            Permission.SAMPLE,
            Permission.REPORT,
            Permission.READ,
            Permission.SHARE,
            Permission.EDIT,
        }
    ),
    Role.ADMIN: frozenset(Permission),
}


def allows(role: Role, permission: Permission) -> bool:
    """Whether a role includes a permission."""
    return permission in PERMISSIONS[role]


_SAFE = ("GET", "HEAD")
_INGEST = frozenset(
    {"/TraceSegments", "/TelemetryRecords", "/v1/traces", "/api/v2/spans", "/api/traces"}
)
_SAMPLING = frozenset({"/GetSamplingRules", "/SamplingTargets"})
_XRAY_READS = frozenset(
    {
        "/EncryptionConfig", "/GetGroup", "/GetIndexingRules", "/GetRetrievedTracesGraph",
        "/GetTraceSegmentDestination", "/Groups", "/Insight", "/InsightEvents",
        "/InsightImpactGraph", "/InsightSummaries", "/ListResourcePolicies", "/ListRetrievedTraces",
        "/ListTagsForResource", "/SamplingStatisticSummaries", "/ServiceGraph",
        "/TimeSeriesServiceStatistics", "/TraceGraph", "/TraceSummaries", "/Traces",
        "/StartTraceRetrieval", "/CancelTraceRetrieval",
    }
)  # fmt: skip
_XRAY_EDITS = frozenset(
    {
        "/CreateGroup", "/CreateSamplingRule", "/DeleteGroup", "/DeleteResourcePolicy",
        "/DeleteSamplingRule", "/PutEncryptionConfig", "/PutResourcePolicy", "/TagResource",
        "/UntagResource", "/UpdateGroup", "/UpdateIndexingRule", "/UpdateSamplingRule",
        "/UpdateTraceSegmentDestination",
    }
)  # fmt: skip
_READING_POSTS = frozenset({"/api/map/arrange", "/api/v1/verdict", "/api/v1/alarms/preview"})
"""They are computed from what the request contains, and store nothing but a picture's layout."""
_REPORTS = frozenset({"/api/v1/deployments"})
_SHARES = "/api/v1/shares"
_ADMINISTRATION = frozenset(
    {
        "/api/v1/audit",
        "/api/v1/keys",
        "/api/v1/members",
        "/api/v1/tenants",
        "/api/v1/settings",
    }
)

CONSOLE_PAGES = PAGES | {"/favicon.svg"}
"""Addresses of the console. What they answer is the same for everyone and has no data."""
_CONSOLE_FOLDERS = ("/assets/", "/notebooks/", "/traces/")


_SIGN_IN = frozenset(
    {
        ("POST", "/auth/login"),
        ("POST", "/auth/logout"),
        ("GET", "/auth/methods"),
        ("GET", "/auth/oidc/login"),
        ("GET", "/auth/oidc/callback"),
    }
)


class _Prefix(NamedTuple):
    path: str
    safe: Permission
    """Of GET and HEAD."""
    other: Permission


_PREFIXES = (
    _Prefix("/api/", Permission.READ, Permission.EDIT),
    _Prefix("/auth/", Permission.READ, Permission.ADMIN),
    _Prefix("/firehose/", Permission.ADMIN, Permission.INGEST),
    _Prefix("/lambda/", Permission.ADMIN, Permission.INGEST),
    _Prefix("/v1/", Permission.ADMIN, Permission.INGEST),
)


def required(method: str, path: str) -> Permission:
    """The permission that a request needs; ADMIN where nothing is said of it.

    ``path`` is the decoded path. OPTIONS and unknown methods are treated like a write.
    """
    if method == "POST":
        if path in _INGEST:
            return Permission.INGEST
        if path in _SAMPLING:
            return Permission.SAMPLE
        if path in _REPORTS:
            return Permission.REPORT
        if path in _XRAY_READS | _READING_POSTS:
            return Permission.READ
        if path in _XRAY_EDITS:
            return Permission.EDIT
    if path in ("/healthz", "/readyz") or (method, path) in _SIGN_IN:
        return Permission.PUBLIC
    if path == "/metrics":
        return Permission.READ
    if path in _ADMINISTRATION or path.startswith(tuple(f"{each}/" for each in _ADMINISTRATION)):
        return Permission.ADMIN
    if method in ("POST", "DELETE") and (path == _SHARES or path.startswith(f"{_SHARES}/")):
        return Permission.SHARE
    for prefix in _PREFIXES:
        if path.startswith(prefix.path):
            return prefix.safe if method in _SAFE else prefix.other
    if of_plugin := _of_plugin(method, path):
        return of_plugin
    return Permission.PUBLIC if method in _SAFE and _is_console(path) else Permission.ADMIN


def _of_plugin(method: str, path: str) -> Permission | None:
    from api.plugins import is_edit, may_read  # of no use to processes that only write

    if may_read(method, path):
        return Permission.READ
    return Permission.EDIT if is_edit(method, path) else None


def _is_console(path: str) -> bool:
    return (path.rstrip("/") or "/") in CONSOLE_PAGES or path.startswith(_CONSOLE_FOLDERS)

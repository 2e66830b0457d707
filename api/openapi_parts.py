"""What FastAPI does not write into the OpenAPI document: authentication, and examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
Example = str | int | list[str]

SECURITY_SCHEMES: Json = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A key's token (`raymap key add`), or the token of a share link.",
    },
    "api_key": {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "The same token, for senders that cannot set Authorization.",
    },
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "The same token as the password; the name does not matter.",
    },
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "AWS Signature Version 4 of the service `xray`, with a key's access key.",
        "x-amazon-apigateway-authtype": "awsSigv4",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-raymap",
        "description": "The console's session, which POST /auth/login begins.",
    },
}
"""Ways to authenticate (docs/security.md); each operation takes any one of them."""
UNAUTHENTICATED: Json = {}
"""The requirement of a server without ``--auth on``."""
PARAMETERS: Mapping[tuple[str, str], object] = {
    ("query", "from"): "2026-11-24T22:00:00Z",
    ("query", "to"): "2026-11-24T23:00:00Z",
    ("query", "filter"): 'service("checkout") { fault }',
    ("query", "account"): "123456789012",
    ("query", "region"): "eu-central-1",
    ("query", "environment"): "production",
    ("query", "node"): "ne04a604f51f2249a",
    ("query", "nodes"): "ne04a604f51f2249a,n0b1c2d3e4f506172",
    ("query", "edge"): "ne04a604f51f2249a:n0b1c2d3e4f506172",
    ("query", "status"): "fault,throttle",
    ("query", "state"): "active",
    ("query", "work"): "background",
    ("query", "group_by"): "version",
    ("query", "by"): "annotation.tier,operation",
    ("query", "metrics"): "count,fault_share,p95",
    ("query", "of"): "requests",
    ("query", "boxes"): "prefix",
    ("query", "inside"): "b2e909a2f913bc6b3",
    ("query", "box"): "b2e909a2f913bc6b3",
    ("query", "fold"): "true",
    ("query", "error"): "fault:ValueError",
    ("query", "sort"): "response",
    ("query", "order"): "desc",
    ("query", "limit"): 20,
    ("query", "revision"): 3,
    ("query", "pictures"): "5f0c9d2e1b7a",
    ("query", "hops"): 2,
    ("query", "other"): "n3f2a9c81d04be765",
    ("query", "q"): "check",
    ("query", "field"): "annotation.plan",
    ("query", "prefix"): "fr",
    ("query", "stack"): "shop",
    ("query", "service"): "checkout",
    ("query", "version"): "42",
    ("query", "function"): "payments",
    ("query", "step"): "5m",
    ("query", "candidate"): "42",
    ("query", "then"): "yesterday",
    ("query", "baseline"): "41",
    ("query", "type"): "AWS::Lambda::Function",
    ("query", "min_requests"): 100,
    ("query", "vanished_fails"): True,
    ("query", "format"): "graphml",
    ("query", "lookback"): "3600000",
    ("query", "endTs"): "1795560780000",
    ("query", "spanKind"): "server",
    ("query", "operation"): "GET /orders",
    ("query", "tag"): ["http.status_code:500"],
    ("query", "tags"): ['{"error": "true"}'],
    ("query", "start"): "1795557180000000",
    ("query", "end"): "1795560780000000",
    ("query", "minDuration"): "100ms",
    ("query", "maxDuration"): "1.2s",
    ("query", "groupByOperation"): "true",
    ("query", "serviceName"): "checkout",
    ("query", "remoteServiceName"): "orders",
    ("query", "spanName"): "get /orders",
    ("query", "annotationQuery"): "error and http.method=GET",
    ("query", "traceIds"): "6ac2f0e41f2b3c4d5e6f708192a3b4c5",
    ("query", "quantile"): "0.95",
    ("query", "spss"): "3",
    ("query", "since"): "1h",
    ("query", "exemplars"): "100",
    ("query", "query"): "{ } | rate()",
    ("query", "scope"): "resource",
    ("path", "tag"): "resource.service.name",
    ("query", "startTime"): "2026-11-25T09:00:00Z",
    ("query", "endTime"): "2026-11-25T10:00:00Z",
    ("query", "query.serviceName"): "checkout",
    ("query", "query.operationName"): "GET /orders",
    ("query", "query.attributes"): '{"error": "true"}',
    ("query", "query.startTimeMin"): "2026-11-25T09:00:00Z",
    ("query", "query.startTimeMax"): "2026-11-25T10:00:00Z",
    ("query", "query.durationMin"): "100ms",
    ("query", "query.durationMax"): "1.2s",
    ("query", "query.searchDepth"): "20",
    ("query", "traceID"): ["6ac2f0e41f2b3c4d5e6f708192a3b4c5"],
    ("path", "source"): "ne04a604f51f2249a",
    ("path", "target"): "n0b1c2d3e4f506172",
    ("path", "key"): "plan",
    ("path", "service"): "checkout",
    ("path", "stack"): "shop",
    ("path", "name"): "checkout-faults",
    ("path", "member"): "ana",
    ("path", "tenant"): "acme",
    ("query", "yes"): True,
    ("query", "usage"): False,
}
"""Examples of parameters by place and name; a cursor has none, as only a page makes one."""
RELATIVE: Mapping[str, str] = {"from": "-1h", "to": "now"}
"""Examples of instants in /api/v1, which reads relative ones too."""
UNITS: Mapping[tuple[str, str], Example] = {
    ("/api/v1/compare", "by"): "version",
    ("/api/v1/compare", "side"): "2.0",
    ("/api/v1/compare", "other"): "1.9",
    ("/api/v1/", "sort"): "count",
}
"""Examples of what an API has in other units, forms or words than the rest, by what the path begins with; those of plugins come
with them, and the first counts."""
IDS: Mapping[str, str] = {
    "/api/nodes/": "ne04a604f51f2249a",
    "/api/v1/nodes/": "ne04a604f51f2249a",
    "/api/v1/deployments/": "d-7f1c9e",
    "/api/v1/problems/": "9c8e5a6d-1b2f-5f3c-8a5d-2f1e0d9c7b6a",
    "/api/v1/keys/": "Q5XW3TMBZK7YHD2E",
    "/api/v1/notebooks/": "5f0c9d2e1b7a",
}
"""Examples of the path parameter ``id``, by what the path begins with; else a trace's."""
TRACE_ID = "1-6ac2f0e4-1f2b3c4d5e6f708192a3b4c5"


def json_body(example: Json, *, required: bool = True, **schema: Any) -> Json:
    """A route's ``openapi_extra`` for a body that is read without a model."""
    media = {"schema": {"type": "object", **schema}, "example": example}
    return {"requestBody": {"content": {"application/json": media}, "required": required}}


def complete(document: Json, units: Mapping[tuple[str, str], Example]) -> Json:
    """The document with ways to authenticate, and an example of each parameter; ``units``: as `UNITS`, of plugins."""
    document.setdefault("components", {})["securitySchemes"] = SECURITY_SCHEMES
    document["security"] = [UNAUTHENTICATED, *({name: []} for name in SECURITY_SCHEMES)]
    document["servers"] = [{"url": "/", "description": "The server that serves this document."}]
    for path, methods in document["paths"].items():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                _add_example(path, parameter, {**UNITS, **units})
    return document


def _add_example(path: str, parameter: Json, units: Mapping[tuple[str, str], Example]) -> None:
    place = parameter["in"], parameter["name"]
    if place == ("path", "id"):
        ids = (id for prefix, id in IDS.items() if path.startswith(prefix))
        parameter["example"] = next(ids, TRACE_ID)
    elif path.startswith("/api/v1/") and parameter["name"] in RELATIVE:
        parameter["example"] = RELATIVE[parameter["name"]]
    elif (own := _own_example(path, parameter["name"], units)) is not None:
        parameter["example"] = own
    elif place in PARAMETERS:
        parameter["example"] = PARAMETERS[place]


def _own_example(path: str, name: str, units: Mapping[tuple[str, str], Example]) -> Example | None:
    found = (v for (prefix, n), v in units.items() if n == name and path.startswith(prefix))
    return next(found, None)

"""docs/reference/http-api.md: every operation over HTTP, from the server's OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.raymap.auth.routes import apps

HEAD = """\
# Operations over HTTP

Written from the server's OpenAPI document (`python -m tests.docs`), which `GET /api/openapi.json` gives to generators of
clients, with the shape of every answer. What needs which role is in [roles and routes](../permissions.md). How times,
pages and errors work is in [the API for programs](../api.md); what X-Ray's operations fill is in
[X-Ray's API](../xray-api.md).
"""
TITLES = {
    "v1": "The API for programs",
    "map": "The console: map",
    "traces": "The console: traces",
    "pins": "The console: pins",
    "server": "The console: server",
    "Jaeger": "Jaeger's query API",
    "Zipkin": "Zipkin's query API",
    "Tempo": "Tempo's query API",
    "Prometheus": "Prometheus' query API",
    "X-Ray": "X-Ray's operations",
}
"""Headings of the document's tags, in the order of the page."""


def page(data_dir: Path) -> str:
    """The page as Markdown."""
    paths = apps(data_dir)[0].openapi()["paths"]
    text = [HEAD]
    for tag, title in TITLES.items():
        found = [
            operation(method, path, each)
            for path, methods in paths.items()
            for method, each in methods.items()
            if each.get("tags") == [tag]
        ]
        text += [f"## {title}", "", "| operation | parameters | |", "|---|---|---|", *found, ""]
    return "\n".join(text)


def operation(method: str, path: str, described: Mapping[str, Any]) -> str:
    """A line of a table."""
    names = [
        f"`{each['name']}`" for each in described.get("parameters", ()) if each["in"] == "query"
    ]
    says = re.sub(r"\s+", " ", described.get("description", "")).replace("|", "\\|")
    return f"| `{method.upper()} {path}` | {', '.join(names)} | {says.replace('<', '&lt;')} |"

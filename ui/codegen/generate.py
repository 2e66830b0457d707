"""Generates `ui/src/api/types.gen.ts` from the server's OpenAPI document: `make api-types`.

Only the schemas of paths that the console requests are used, and the file changes when an answer
changes and not when a route's description does. The first lines carry a hash of the schemas; a test
compares it with the server's.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI

from api.app import create_app
from hatch_build import Npm
from raymap.administration.routes import administration_routers
from raymap.administration.tenants import Server
from raymap.auth.install import Authentication
from raymap.settings import ApiSettings
from store.clickhouse.connection.address import Address
from store.memory import MemoryStore

CODEGEN = Path(__file__).parent
OPERATIONS = {
    *("/Groups", "/CreateGroup", "/UpdateGroup", "/DeleteGroup"),
    *("/GetSamplingRules", "/CreateSamplingRule", "/UpdateSamplingRule", "/DeleteSamplingRule"),
    "/SamplingStatisticSummaries",
}
"""X-Ray's operations that the console calls."""
V1 = {
    *("/api/v1/nodes/{id}/versions", "/api/v1/nodes/{id}/states", "/api/v1/places"),
    "/api/v1/traces/{id}/logs",
    *("/api/v1/genai", "/api/v1/nodes/{id}/errors"),
    *("/api/v1/nodes/{id}/impact", "/api/v1/nodes/{id}/missing", "/api/v1/trust"),
    *("/api/v1/structure", "/api/v1/compare"),
    *("/api/v1/services/{id}/operations", "/api/v1/history"),
    *("/api/v1/versions", "/api/v1/stats", "/api/v1/stats/dimensions"),
    *("/api/v1/declarations", "/api/v1/declarations/compare", "/api/v1/deployments"),
    *("/api/v1/alarms", "/api/v1/alarms/{name}", "/api/v1/alarms/{name}/test"),
    "/api/v1/alarms/preview",
    *("/api/v1/problems", "/api/v1/problems/{id}/mute", "/api/v1/views"),
    *("/api/v1/notebooks", "/api/v1/notebooks/{id}"),
    *("/api/v1/keys", "/api/v1/members", "/api/v1/members/{member}/password"),
    *("/api/v1/tenants", "/api/v1/settings"),
}
"""Paths of the API for programs that the console requests, too."""
TYPES = CODEGEN.parent / "src" / "api" / "types.gen.ts"


@cache
def schema_document() -> str:
    """The schemas of the server's answers as an OpenAPI document without paths, in stable order."""
    openapi = _app().openapi()
    document = {
        "openapi": openapi["openapi"],
        "info": {"title": "Raymap", "version": "0"},
        "paths": {},
        "components": {"schemas": _without_prose(_of_the_console(openapi))},
    }
    return json.dumps(document, indent=1, sort_keys=True)


def _app() -> FastAPI:
    """The API with the routes of administration, as `raymap api` serves it."""
    store, settings = MemoryStore(), ApiSettings()
    server = Server(settings, Address("127.0.0.1"), cast("Any", store))
    routers = administration_routers(Authentication(settings, store), server, [], "0")
    return create_app(store, version="0", extra_routers=routers)


def _of_the_console(openapi: dict[str, Any]) -> dict[str, Any]:
    """The schemas that the console's paths refer to, directly or through others."""
    schemas: dict[str, Any] = openapi["components"]["schemas"]
    paths = openapi["paths"].items()
    found: set[str] = set()
    waiting = [methods for path, methods in paths if _is_of_the_console(path)]
    while waiting:
        names = set(_references(waiting.pop())) - found
        found |= names
        waiting += [schemas[name] for name in names]
    return {name: schema for name, schema in schemas.items() if name in found}


def _is_of_the_console(path: str) -> bool:
    is_own = path.startswith("/api/") and not path.startswith("/api/v1/")
    return is_own or path in OPERATIONS or path in V1


def _references(node: Any) -> Iterator[str]:
    """Names of the schemas that a part of the document refers to."""
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield reference.removeprefix("#/components/schemas/")
        for each in node.values():
            yield from _references(each)
    elif isinstance(node, list):
        for each in node:
            yield from _references(each)


def _without_prose(node: Any) -> Any:
    """The same schemas without titles and descriptions; a property of such a name stays."""
    if isinstance(node, list):
        return [_without_prose(each) for each in node]
    if not isinstance(node, dict):
        return node
    prose = {key for key in ("title", "description") if isinstance(node.get(key), str)}
    return {key: _without_prose(value) for key, value in node.items() if key not in prose}


def header(document: str) -> str:
    """The first lines of the generated file; they change with the schemas."""
    digest = hashlib.sha256(document.encode()).hexdigest()
    return (
        "// Generated from the server's OpenAPI document by `make api-types`. Do not edit.\n"
        f"// sha256 of its schemas: {digest}\n"
    )


def is_stale(path: Path = TYPES) -> bool:
    """Whether the committed types were generated from other schemas than the server's."""
    return not path.is_file() or not path.read_text().startswith(header(schema_document()))


def generate() -> None:
    """Write the types."""
    document = schema_document()
    npm = Npm(CODEGEN)
    if not (CODEGEN / "node_modules").is_dir():
        npm.run("ci")
    source, output = CODEGEN / "openapi.json", CODEGEN / "types.gen.ts"
    source.write_text(document)
    npm.run("exec", "--", "openapi-typescript", source.name, "--output", output.name)
    TYPES.write_text(header(document) + _without_banner(output.read_text()))
    source.unlink()
    output.unlink()


def _without_banner(text: str) -> str:
    """The generator's output without its own "do not edit" comment."""
    return text[text.index("*/") + 3 :] if text.startswith("/**") else text


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit("ui/src/api/types.gen.ts is stale: run `make api-types`" if is_stale() else 0)
    generate()

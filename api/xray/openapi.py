"""X-Ray's operations in the OpenAPI document: names and shapes of AWS's model, texts of the code.

`model.json` is written by ``python -m tests.api.xray.model_schemas``.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from api.xray.operations import COLLECTORS_OPERATIONS, OPERATIONS

Json = dict[str, Any]

MODEL = Path(__file__).with_name("model.json")
TAG = {
    "name": "X-Ray",
    "description": "AWS X-Ray's API, so far as AWS's model describes it; which members have a value "
    "is in docs/xray-api.md. Instants may be sent as ISO 8601 as well. Signatures are not checked.",
}
ERROR = "XRayError"
ERROR_SCHEMA: Json = {
    "type": "object",
    "description": "What was wrong, where, and what was expected.",
    "properties": {
        "__type": {"type": "string"},
        "Message": {"type": "string"},
        "ResourceName": {"type": "string"},
    },
    "required": ["__type", "Message"],
}
SERVERS_ERRORS = {
    "413": "RequestEntityTooLargeException",
    "500": "InternalFailureException",
    "503": "ServiceUnavailableException",
}
"""Errors of every operation that the model does not list (`api.errors`)."""


def add_operations(document: Json, paths: Collection[str]) -> None:
    """Add the operations at ``paths``, and the schemas of all, to an OpenAPI document."""
    model = json.loads(MODEL.read_text(encoding="utf-8"))
    for path, described in model["operations"].items():
        if path in paths:
            document["paths"][path] = {"post": _operation(described, _text(path))}
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.update({**model["schemas"], ERROR: ERROR_SCHEMA})


def _text(path: str) -> str:
    """What the operation at a path does."""
    if path in COLLECTORS_OPERATIONS:
        return COLLECTORS_OPERATIONS[path]
    return inspect.getdoc(OPERATIONS[path]) or ""


def _operation(described: Json, text: str) -> Json:
    summary = " ".join(text.partition("\n\n")[0].split())
    failures = {status: ", ".join(names) for status, names in described["errors"].items()}
    reply = {"$ref": f"#/components/schemas/{ERROR}"}
    return {
        "tags": [TAG["name"]],
        "operationId": described["name"],
        "summary": summary,
        "description": text,
        "requestBody": {"content": _json(described["request"])},
        "responses": {
            "200": {"description": "Success", "content": _json(described["answer"])},
            **{
                status: {"description": names, "content": _json(reply)}
                for status, names in sorted({**failures, **SERVERS_ERRORS}.items())
            },
        },
    }


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}

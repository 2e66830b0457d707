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
    "is in docs/xray-api.md. Instants may be sent as ISO 8601 as well. Signatures are checked if the server requires keys.",
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

EXAMPLES: Json = {
    "StartTime": 1795557180,
    "EndTime": 1795560780,
    "TraceIds": ["1-6ac2f0e4-1f2b3c4d5e6f708192a3b4c5"],
    "TraceSegmentDocuments": [
        ('{"trace_id": "1-6ac2f0e4-1f2b3c4d5e6f708192a3b4c5", "id": "53995c3f42cd8ad8", '
        '"name": "checkout", "start_time": 1795557181.2, "end_time": 1795557181.7}')
    ],
    "FilterExpression": 'service("checkout") { fault }',
    "GroupName": "checkout-faults",
    "RuleName": "orders",
    "SamplingRule": {
        "RuleName": "orders", "ResourceARN": "*", "Priority": 100, "FixedRate": 0.1,
        "ReservoirSize": 5, "ServiceName": "orders", "ServiceType": "*", "Host": "*",
        "HTTPMethod": "*", "URLPath": "*", "Version": 1,
    },
    "SamplingRuleUpdate": {"RuleName": "orders", "FixedRate": 0.2},
    "SamplingStatisticsDocuments": [
        {
            "RuleName": "orders", "ClientID": "53995c3f42cd8ad853995c3f", "Timestamp": 1795560780,
            "RequestCount": 120, "SampledCount": 17, "BorrowCount": 1,
        }
    ],
    "TelemetryRecords": [{"Timestamp": 1795560780, "SegmentsSentCount": 50}],
    "RetrievalToken": "3f0c2a",
    "InsightId": "00000000-0000-0000-0000-000000000000",
    "ResourceARN": "arn:aws:xray:local:000000000000:group/checkout-faults/1",
    "Tags": [{"Key": "team", "Value": "payments"}],
    "TagKeys": ["team"],
    "Type": "NONE",
    "PolicyName": "read",
    "PolicyDocument": '{"Version": "2012-10-17", "Statement": []}',
    "Name": "Default",
    "Rule": {"Probabilistic": {"DesiredSamplingPercentage": 5}},
    "Destination": "XRay",
}  # fmt: skip
"""Examples of members of a request."""
_OPTIONAL = ("FilterExpression", "GroupName", "RuleName", "Destination")
"""Members of which an example is of use although they are not required."""


def add_operations(document: Json, paths: Collection[str]) -> None:
    """Add the operations at ``paths``, and the schemas of all, to an OpenAPI document."""
    model = json.loads(MODEL.read_text(encoding="utf-8"))
    for path, described in model["operations"].items():
        if path in paths:
            operation = _operation(described, _text(path))
            request = model["schemas"][described["request"]["$ref"].rpartition("/")[2]]
            operation["requestBody"]["content"]["application/json"]["example"] = _example(request)
            document["paths"][path] = {"post": operation}
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.update({**model["schemas"], ERROR: ERROR_SCHEMA})


def _example(request: Json) -> Json:
    """The required members of a request, and those that make it a plain example."""
    members = request.get("properties", {})
    optional = [name for name in _OPTIONAL if name in members and "TraceIds" not in members]
    return {name: EXAMPLES[name] for name in (*request.get("required", ()), *optional)}


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

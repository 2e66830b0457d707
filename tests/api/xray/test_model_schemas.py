"""api/xray/model.json is botocore's model."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.xray.model_schemas import FILE, text

SCHEMAS: dict[str, Any] = json.loads(text())["schemas"]


def test_the_file_is_current() -> None:
    """Otherwise: python -m tests.api.xray.model_schemas"""
    assert FILE.read_text(encoding="utf-8") == text()


@pytest.mark.parametrize(
    ("schema", "member", "expected"),
    [
        ("GetServiceGraphRequest", "StartTime", {"type": "number", "description": "epoch seconds"}),
        ("BatchGetTracesRequest", "TraceIds", {"type": "array", "items": {"type": "string"}}),
        ("PutEncryptionConfigRequest", "Type", {"type": "string", "enum": ["NONE", "KMS"]}),
        (
            "SamplingRule",
            "Attributes",
            {"type": "object", "additionalProperties": {"type": "string"}},
        ),
        ("GetGroupResult", "Group", {"$ref": "#/components/schemas/XRayGroup"}),
    ],
)
def test_types(schema: str, member: str, expected: object) -> None:
    assert SCHEMAS[f"XRay{schema}"]["properties"][member] == expected

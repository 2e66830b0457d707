"""Writes api/xray/model.json: requests, answers and errors of X-Ray's operations as JSON Schema.

They are read from botocore's model (Apache-2.0), which the server does without. Types, required
members and enums only: limits are the server's own. After an update of botocore:
python -m tests.api.xray.model_schemas
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from botocore.model import OperationModel, Shape

import api.xray
from tests.api.botocore_model import operations

Json = dict[str, Any]

FILE = Path(api.xray.__path__[0]) / "model.json"
PREFIX = "XRay"
"""Of the names of schemas, as X-Ray's and the console's share a document."""
SCALARS: dict[str, Json] = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer"},
    "long": {"type": "integer"},
    "double": {"type": "number"},
    "float": {"type": "number"},
    "timestamp": {"type": "number", "description": "epoch seconds"},
}


class Schemas:
    """Schemas of structures by name; everything else is written where it is used."""

    def __init__(self) -> None:
        self.named: dict[str, Json] = {}

    def of(self, shape: Shape) -> Json:
        """The schema of a shape; a structure's is noted and referred to."""
        match shape.type_name:
            case "structure":
                return self._structure(shape)
            case "list":
                return {"type": "array", "items": self.of(shape.member)}
            case "map":
                return {"type": "object", "additionalProperties": self.of(shape.value)}
            case scalar:
                values = getattr(shape, "enum", None)
                return {**SCALARS[scalar], **({"enum": list(values)} if values else {})}

    def _structure(self, shape: Shape) -> Json:
        name = f"{PREFIX}{shape.name}"
        if name not in self.named:
            self.named[name] = {}  # a shape may contain itself
            self.named[name] = {
                "type": "object",
                "properties": {key: self.of(member) for key, member in shape.members.items()},
                **({"required": list(shape.required_members)} if shape.required_members else {}),
            }
        return {"$ref": f"#/components/schemas/{name}"}


def describe(operation: OperationModel, schemas: Schemas) -> Json:
    """Name, body, answer and errors (their names by status) of an operation."""
    errors: dict[str, list[str]] = {}
    for shape in operation.error_shapes:
        status = shape.metadata.get("error", {}).get("httpStatusCode", 400)
        errors.setdefault(str(status), []).append(shape.name)
    request, answer = operation.input_shape, operation.output_shape
    return {
        "name": operation.name,
        "request": schemas.of(request),
        "answer": schemas.of(answer),
        "errors": {status: sorted(errors[status]) for status in sorted(errors)},
    }


def text() -> str:
    """The text of api/xray/model.json."""
    schemas = Schemas()
    described = {path: describe(each, schemas) for path, each in operations().items()}
    document = {"operations": described, "schemas": schemas.named}
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")

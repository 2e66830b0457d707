"""Checks a response against AWS's own model of X-Ray: shapes, required members, types, enums.

Stricter than clients are: a member the model does not know is an error, and a timestamp must be a
number, for only that is read alike by every SDK (docs/xray-format.md §10).
"""

from __future__ import annotations

import json
import math
from typing import Any

import botocore.session
from botocore.model import OperationModel, Shape


def service_model() -> Any:
    """X-Ray as botocore knows it."""
    return botocore.session.get_session().get_service_model("xray")


def operations() -> dict[str, OperationModel]:
    """Every operation by its path."""
    model = service_model()
    named = (model.operation_model(name) for name in model.operation_names)
    return {operation.http["requestUri"]: operation for operation in named}


def complaints(operation: OperationModel, body: bytes) -> list[str]:
    """What is wrong with the body of a successful response; nothing when all is well."""
    value = json.loads(body)
    if operation.output_shape is None:
        return [] if value == {} else [f"{operation.name} answers nothing, got {value!r}"]
    return list(_check(value, operation.output_shape, operation.name))


def _check(value: Any, shape: Shape, where: str) -> list[str]:
    if shape.type_name == "structure":
        return _check_structure(value, shape, where)
    if shape.type_name == "list":
        if not isinstance(value, list):
            return [f"{where} must be a list"]
        found = [_check(each, shape.member, f"{where}[{at}]") for at, each in enumerate(value)]
        return [complaint for each in found for complaint in each]
    if shape.type_name == "map":
        if not isinstance(value, dict):
            return [f"{where} must be a map"]
        found = [_check(each, shape.value, f"{where}[{key!r}]") for key, each in value.items()]
        return [complaint for each in found for complaint in each]
    return _check_scalar(value, shape, where)


def _check_structure(value: Any, shape: Shape, where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where} must be an object"]
    wrong = [f"{where}.{name} is missing" for name in shape.required_members if name not in value]
    for name, each in value.items():
        if name not in shape.members:
            wrong.append(f"{where}.{name} is not in the model")
        else:
            wrong += _check(each, shape.members[name], f"{where}.{name}")
    return wrong


def _check_scalar(value: Any, shape: Shape, where: str) -> list[str]:
    enum = getattr(shape, "enum", None)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match shape.type_name:
        case "string":
            good = isinstance(value, str) and (not enum or value in enum)
        case "boolean":
            good = isinstance(value, bool)
        case "integer" | "long":
            good = number and isinstance(value, int)
        case "double" | "float" | "timestamp":
            good = number and math.isfinite(value)
        case _:
            good = False
    expected = f"{shape.type_name} {enum or ''}".strip()
    return [] if good else [f"{where} must be a {expected}, got {value!r}"]

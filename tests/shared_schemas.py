"""FastAPI apps in milliseconds: what is the same for every app is made once per process.

An app has some 300 validators, and 170 signatures that FastAPI analyzes: nine tenths of `create_app`,
of which hundreds of tests make one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import FunctionType
from typing import Any

from fastapi import routing
from fastapi._compat import ModelField
from fastapi.dependencies import utils as dependencies
from fastapi.dependencies.models import Dependant
from pydantic.fields import FieldInfo


def share_validators() -> None:
    """Let fields of equal description have one validator, and functions of one definition one
    analysis, in this process, from now on."""
    _share_fields()
    _share_dependants()


def _share_fields() -> None:
    build = ModelField.__post_init__
    known: dict[tuple[str, object, str], Any] = {}

    def post_init(field: ModelField) -> None:
        # With all of its attributes, as the repr of FastAPI's subclasses has only the default.
        said = FieldInfo.__repr__(field.field_info)
        key = field.mode, field.field_info.annotation, f"{said} {field.config}"
        if key not in known:
            build(field)
            known[key] = field._type_adapter
        field._type_adapter = known[key]

    ModelField.__post_init__ = post_init  # type: ignore[assignment, method-assign]


def _share_dependants() -> None:
    """Endpoints are closures, one definition for all apps, whose annotations only name globals."""
    analyze = dependencies.get_dependant
    known: dict[tuple[str, object, str], Dependant] = {}

    def get_dependant(*, path: str, call: Callable[..., Any], **options: Any) -> Dependant:
        if not isinstance(call, FunctionType):
            return analyze(path=path, call=call, **options)
        key = path, call.__code__, f"{call.__defaults__} {call.__kwdefaults__}"
        if key not in known:
            known[key] = analyze(path=path, call=call, **options)
        found = known[key]
        return replace(found, call=call, dependencies=[*found.dependencies])

    routing.__dict__["get_dependant"] = get_dependant

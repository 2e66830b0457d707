"""FastAPI apps in milliseconds: pydantic validators are built once per process, not for each app.

An app has some 300 of them, which take four fifths of `create_app`, and hundreds of tests make one.
"""

from __future__ import annotations

from typing import Any

from fastapi._compat import ModelField
from pydantic.fields import FieldInfo


def share_validators() -> None:
    """Let fields of equal description have one validator, in this process, from now on."""
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

"""Parameters that several tools have, as clients see them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

Start = Annotated[
    str, Field(description="Start: -15m, -1h, -7d, 2026-11-25T10:00 (UTC) or epoch seconds.")
]
End = Annotated[str, Field(description="End, exclusive: now, or as start.")]
Filter = Annotated[
    str,
    Field(
        description='X-Ray filter expression, such as: service("orders") { fault } AND '
        'annotation.tier = "gold" AND responsetime > 2. Empty: everything.'
    ),
]
Find = Annotated[str, Field(description="Only lines that contain this text, ignoring case.")]
GroupBy = Annotated[
    Literal["", "version", "environment", "region", "method", "status", "operation"],
    Field(
        description="Split each node by what its requests reported: is it only one version, one operation?"
    ),
]
Skip = Annotated[int, Field(ge=0, description="Lines to skip, to read on.")]
NodeName = Annotated[
    str,
    Field(description="A node's name, or its id (n and 16 hex digits) if several have the name."),
]
TraceId = Annotated[str, Field(description="X-Ray's form, 1-…-…, or 32 hex digits.")]

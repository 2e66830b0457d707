"""What `raymap doctor` prints: one line a check."""

from __future__ import annotations

from typing import Literal, NamedTuple

Status = Literal["ok", "warn", "fail"]


class Check(NamedTuple):
    """One line of the report; ``help`` is a command, empty when all is well."""

    name: str
    status: Status
    detail: str
    help: str = ""

"""Calls between services in Jaeger's words."""

from __future__ import annotations

from api import names
from api.context import Context
from raymap.contrib.jaeger.schemas import JaegerDependency
from store.model import TimeRange
from store.query import Backlog


def dependencies(
    context: Context, window: TimeRange, service: str = ""
) -> tuple[list[JaegerDependency], Backlog | None]:
    """How often services call each other, of all or of one service, and what is not counted yet."""
    found, backlog = names.calls_between(context, window, service)
    return [
        {"parent": each.parent, "child": each.child, "callCount": each.calls} for each in found
    ], backlog

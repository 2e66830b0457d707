"""By what a map may be grouped, and which value of it a unit of work has. Pure.

A value is what the unit itself reported, so that a filter's keyword (`Dimension.keyword`) means the same. Version and
environment are those of the sender's process: of a call that no segment answers they are unknown, and the node that it
leads to stays whole. A call reports a status and an operation; its method is not stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from store.model import Call, Document, NodeKey, OwnedCall
from store.rules.other_names import rarest

MOST_VALUES = 50
"""Values by which a node is split, those with the most units; the others are `OTHER_VALUES`."""
OTHER_VALUES = "(other values)"


class Dimension(Enum):
    """What distinguishes the units of one node."""

    VERSION = "version"
    ENVIRONMENT = "environment"
    REGION = "region"
    METHOD = "method"
    STATUS = "status"
    OPERATION = "operation"

    @property
    def keyword(self) -> str:
        """The keyword of filter expressions that reads it."""
        return f"http.{self.value}" if self in _OF_HTTP else self.value


_OF_HTTP = (Dimension.METHOD, Dimension.STATUS)
OF_PROCESS = (Dimension.VERSION, Dimension.ENVIRONMENT)
"""All that a process sends has the same value."""


def value_of(dimension: Dimension, node: NodeKey, origin: Document | OwnedCall | None) -> str:
    """The value of a unit of a node; '' if it has none. ``origin``: the segment it is, or the call that no segment
    answered; None where that is not known."""
    if dimension is Dimension.REGION:
        return node.region
    if origin is None:
        return ""
    if isinstance(origin, OwnedCall):
        return _of_call(dimension, origin.call)
    match dimension:
        case Dimension.VERSION:
            return origin.service_version
        case Dimension.ENVIRONMENT:
            return origin.environment
        case Dimension.METHOD:
            return origin.http.method
        case Dimension.STATUS:
            return _status(origin.http.status)
        case Dimension.OPERATION:
            return origin.operation


def _of_call(dimension: Dimension, call: Call) -> str:
    match dimension:
        case Dimension.STATUS:
            return _status(call.status)
        case Dimension.OPERATION:
            return call.operation
    return ""


def _status(status: int) -> str:
    return str(status) if status else ""


def values_in_excess(counts: Mapping[str, int]) -> frozenset[str]:
    """The values of a node that are counted as `OTHER_VALUES`; ``counts``: how many units have each. '' is none."""
    return rarest({value: times for value, times in counts.items() if value}, MOST_VALUES)

"""The units of a trace with the values of a dimension that they have: of a node its own, of an edge those of its ends.

A call is made by a request and leads to the earliest one of the node that answers it; without an answer it is itself
the unit there (`store.rules.dimensions`). What is in front of a root is not split: a client has no values, and a caller
that only the root names has none that are known. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, cast

from store.facts import FindTrace, LinkedIds, no_links
from store.model import Document, NodeKey, OwnedCall, Trace, confirmed
from store.parents import ParentIndex, request_of
from store.rules.dimensions import OF_PROCESS, Dimension, value_of
from store.units import EdgeUnit, NodeUnit, Unit, all_units


class GroupedUnit(NamedTuple):
    """A unit, its value, and of an edge the value of its source; '' is none."""

    unit: Unit
    value: str
    source_value: str = ""


class Grouped(NamedTuple):
    """Which units of a node or an edge are meant, by the values of a dimension; None: any.

    ``value``: of the node, or of what the edge leads to.
    """

    dimension: Dimension
    value: str | None = None
    source_value: str | None = None

    def has(self, unit: GroupedUnit) -> bool:
        """Whether a unit is one of them."""
        return self.value in (None, unit.value) and self.source_value in (None, unit.source_value)


class GroupedKey(NodeKey):
    """The key of the units of one node that have one value: a node of a grouped map."""

    __slots__ = ()

    def __new__(cls, node: NodeKey, value: str) -> GroupedKey:
        """A tuple of five: a key of a node is equal to none."""
        return tuple.__new__(cls, (*node, value))

    def __repr__(self) -> str:
        """The node and the value."""
        return f"GroupedKey({self.node!r}, {self.value!r})"

    @property
    def value(self) -> str:
        """That of its units; '' of those without one."""
        return cast("tuple[str, ...]", self)[-1]

    @property
    def node(self) -> NodeKey:
        """The node that is split."""
        return NodeKey._make(self[: len(NodeKey._fields)])


def all_grouped(
    trace: Trace, dimension: Dimension, find: FindTrace, linked_ids: LinkedIds = no_links
) -> Iterator[GroupedUnit]:
    """Every unit of one trace (`store.units.all_units`) with its values."""
    parents = ParentIndex(trace)
    return with_values(trace, all_units(trace, find, linked_ids, parents), dimension, parents)


def with_values(
    trace: Trace, units: Iterable[Unit], dimension: Dimension, parents: ParentIndex | None = None
) -> Iterator[GroupedUnit]:
    """Units of a trace with their values."""
    values = _Values(trace, dimension, parents or ParentIndex(trace))
    return (values.of(unit) for unit in units)


class _Values:
    def __init__(self, trace: Trace, dimension: Dimension, parents: ParentIndex) -> None:
        self._trace, self._dimension, self._parents = trace, dimension, parents

    def of(self, unit: Unit) -> GroupedUnit:
        if isinstance(unit, NodeUnit):
            return GroupedUnit(unit, self._value(unit.node, unit.origin))
        return GroupedUnit(unit, self._of_target(unit), self._of_source(unit))

    def _of_target(self, unit: EdgeUnit) -> str:
        if unit.link:
            return self._value(unit.target, self._own(unit.target, unit.received))
        answered = unit.received is not None and unit.received.node == unit.target
        return self._value(unit.target, unit.received if answered else unit.origin)

    def _of_source(self, unit: EdgeUnit) -> str:
        if unit.link:
            return self._value(unit.source, self._own(unit.source, unit.sent))
        if isinstance(unit.origin, OwnedCall):
            caller = self._trace.documents.get(unit.origin.document_id)
        elif unit.origin is not None and not unit.root:
            caller = self._parents.containing_document(unit.origin.parent_id)
        else:
            caller = None
        source = confirmed(unit.source)
        request = request_of(source, caller, self._parents)
        if request is None and caller is not None and caller.owner == source:
            request = caller if self._dimension in OF_PROCESS else None
        return self._value(source, request)

    def _value(self, node: NodeKey, origin: Document | OwnedCall | None) -> str:
        if self._dimension is Dimension.OPERATION and isinstance(origin, Document):
            is_own = origin.trace_id == self._trace.trace_id
            return self._parents.operation(origin) if is_own else origin.operation
        return value_of(self._dimension, node, origin)

    def _own(
        self, node: NodeKey, origin: Document | OwnedCall | None
    ) -> Document | OwnedCall | None:
        """What is at the end of a link; of a document of this trace, the request that it is part of."""
        if not isinstance(origin, Document) or origin.trace_id != self._trace.trace_id:
            return origin
        return request_of(node, origin, self._parents)

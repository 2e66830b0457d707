"""Which nodes the requests of a version call, and where those calls fail: pure, from whole traces."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from store.invocation_evidence import is_unknown
from store.messages import units_elsewhere
from store.model import Document, NodeKey, OwnedCall, State, Trace, confirmed
from store.parents import ParentIndex
from store.units import EdgeUnit, trace_units
from store.verdict import EdgeUse

FAILED = (State.THROTTLE, State.FAULT)


class Calls(NamedTuple):
    """Of some requests, how many there are, and their use of each node."""

    requests: int
    edges: dict[NodeKey, EdgeUse]
    unknown: int = 0
    """Requests of which their trace does not say whether they failed."""


class _Request(NamedTuple):
    version: str
    unknown: bool
    called: set[NodeKey]
    failed: set[NodeKey]


def calls_by_version(
    traces: Iterable[Trace], nodes: Collection[NodeKey], versions: Collection[str]
) -> dict[str, Calls]:
    """The calls of the segments of nodes, by the version they reported; a request that calls a node
    several times counts once."""
    requests = [each for trace in traces for each in _requests(trace, nodes, versions)]
    return {
        version: _sum([each for each in requests if each.version == version])
        for version in versions
    }


def _sum(requests: list[_Request]) -> Calls:
    targets = {target for each in requests for target in each.called}
    return Calls(
        len(requests),
        {
            target: EdgeUse(
                sum(target in each.called for each in requests),
                sum(target in each.failed for each in requests),
            )
            for target in targets
        },
        sum(each.unknown for each in requests),
    )


def _requests(
    trace: Trace, nodes: Collection[NodeKey], versions: Collection[str]
) -> Iterator[_Request]:
    parents, elsewhere = ParentIndex(trace), units_elsewhere(trace)
    found = {
        document.id: _Request(document.service_version, is_unknown(trace, document), set(), set())
        for document in trace.documents.values()
        if not document.independent
        and parents.is_request(document)
        and document.id not in elsewhere
        and document.node in nodes
        and document.service_version in versions
        and not document.in_progress
    }
    for unit in trace_units(trace):
        if isinstance(unit, EdgeUnit) and (source := confirmed(unit.source)) in nodes:
            caller = _caller(unit, trace, parents)
            if caller is not None and caller.id in found and caller.node == source:
                request = found[caller.id]
                request.called.add(unit.target)
                if unit.state in FAILED:
                    request.failed.add(unit.target)
    yield from found.values()


def _caller(unit: EdgeUnit, trace: Trace, parents: ParentIndex) -> Document | None:
    """The request that made a call."""
    origin = unit.origin
    if isinstance(origin, OwnedCall):
        return parents.owning_segment(trace.documents.get(origin.document_id))
    if origin is None:
        return None
    return parents.owning_segment(parents.containing_document(origin.parent_id))

"""What is declared against what was observed. Pure.

Only what can be known is a difference. *Never seen* means: not in the window's traffic, because it is dead or not
traced. *Undeclared* are calls of a declared resource to another one, or to a named AWS resource, that its template
does not allow, and nodes that carry a declared stack's name; the rest of the world is not judged. *Unknown* is what
the traces cannot show, with the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from store.declared.identity import (
    KINDS,
    RESOURCE_TYPES,
    UNNAMED,
    expected_key,
    generated_parts,
)
from store.declared.match import ResourceKey, in_place, is_unnamed
from store.declared.model import Call, Declaration, Evidence, Resource, Tracing
from store.declared.observed import Ends, Observation, Pair
from store.graph import ServiceGraph
from store.model import NodeKey


class Status(StrEnum):
    """What the comparison says of a node or an edge."""

    SEEN = "seen"
    NEVER_SEEN = "never_seen"
    UNDECLARED = "undeclared"
    UNKNOWN = "unknown"


class NodeFinding(NamedTuple):
    """A resource, or an undeclared node. ``nodes``: those of the map, else the one it would be.

    ``stacks``: numbers of declarations. ``id``: the logical ID, '' of what is not declared.
    """

    status: Status
    nodes: tuple[NodeKey, ...]
    stacks: tuple[int, ...]
    id: str = ""
    why: str = ""
    is_on_map: bool = False


class EdgeFinding(NamedTuple):
    """A call; its ends are nodes of the map, or what they would be."""

    status: Status
    ends: Ends
    stacks: tuple[int, ...]
    evidence: tuple[Evidence, ...] = ()
    why: str = ""


class Comparison(NamedTuple):
    """All findings, and since when (microseconds) the window has traffic at all; None: it has none."""

    nodes: list[NodeFinding]
    edges: list[EdgeFinding]
    traffic_since: int | None

    def count(self, status: Status) -> int:
        """Nodes and edges of a status."""
        statuses = [each.status for each in self.nodes] + [each.status for each in self.edges]
        return statuses.count(status)


def compare(declarations: Sequence[Declaration], graph: ServiceGraph) -> Comparison:
    """Compare stacks with the map of a window."""
    observation = Observation(declarations, graph)
    nodes = _declared_nodes(observation)
    edges = [*_declared_edges(observation, nodes), *_undeclared_edges(observation)]
    findings = [*nodes.values(), *_undeclared_nodes(observation, edges)]
    since = min((stats.start for stats in graph.services.values()), default=None)
    return Comparison(findings, edges, since)


# nodes


def _declared_nodes(observation: Observation) -> dict[ResourceKey, NodeFinding]:
    """A finding for every resource that is part of a declared stack."""
    matches = observation.matches
    whole = {key: ends for pair, ends in observation.through.items() for key in pair}
    callers: dict[ResourceKey, list[ResourceKey]] = {}
    for source, target in observation.calls:
        callers.setdefault(target, []).append(source)
    found = {}
    for key, resource in matches.resources.items():
        if resource.external:
            continue
        if nodes := matches.nodes[key]:
            found[key] = NodeFinding(Status.SEEN, nodes, (key.stack,), key.id, is_on_map=True)
            continue
        if key in whole:
            status, why = Status.SEEN, f"it reports nothing itself; seen as {_words(whole[key])}"
        else:
            status, why = _unseen(observation, key, resource, callers.get(key, ()))
        found[key] = NodeFinding(status, (_expected(observation, key),), (key.stack,), key.id, why)
    return found


def _unseen(
    observation: Observation,
    key: ResourceKey,
    resource: Resource,
    callers: Collection[ResourceKey],
) -> tuple[Status, str]:
    if not KINDS[resource.type].traced:
        return Status.UNKNOWN, "its service sends no traces"
    if is_unnamed(resource):
        return Status.UNKNOWN, "its name is known only when it is deployed"
    if resource.dead_letter:
        return Status.UNKNOWN, "only failures reach a dead-letter queue"
    if any(observation.calls_unnamed(caller, key) for caller in callers):
        return Status.UNKNOWN, "there were calls to its service that name no resource"
    if resource.tracing is Tracing.OFF:
        return Status.NEVER_SEEN, "dead, or not traced: the template does not turn tracing on"
    if not callers and not KINDS[resource.type].own:
        return Status.NEVER_SEEN, "dead, or used from elsewhere: nothing declared may call it"
    return Status.NEVER_SEEN, "dead, or not traced"


def _expected(observation: Observation, key: ResourceKey) -> NodeKey:
    """The node that a resource is, or would be."""
    if nodes := observation.nodes(key):
        return nodes[0]
    declaration, resource = observation.matches.declaration(key), observation.matches.resources[key]
    place = declaration.account, declaration.region
    return expected_key(resource.type, declaration.stack, key.id, resource.name, *place)


def _undeclared_nodes(
    observation: Observation, edges: Sequence[EdgeFinding]
) -> Iterator[NodeFinding]:
    """Resources that a declared one calls and no stack has, and those with the name of a declared stack."""
    owners = observation.matches.owners
    called: dict[NodeKey, EdgeFinding] = {}
    for edge in edges:
        if edge.status is Status.UNDECLARED and edge.ends[1] not in owners:
            called.setdefault(edge.ends[1], edge)
    for node, edge in called.items():
        why = f"{edge.ends[0].name} calls it"
        yield NodeFinding(Status.UNDECLARED, (node,), edge.stacks, why=why, is_on_map=True)
    for node in observation.services:
        if node not in owners and node not in called and _is_resource(node):
            stacks = _stacks_of_name(node, observation.matches.declarations)
            if stacks:
                name = observation.matches.declarations[stacks[0]].stack
                why = f"its name is one of the stack {name}, whose template does not have it"
                yield NodeFinding(Status.UNDECLARED, (node,), stacks, why=why, is_on_map=True)


def _stacks_of_name(node: NodeKey, declarations: Sequence[Declaration]) -> tuple[int, ...]:
    """The stacks for which CloudFormation may have made a name: stack, a logical ID, a suffix of digits and letters."""
    parts = generated_parts(node.name)
    if parts is None or not any(char.isdigit() for char in parts[1]):
        return ()
    stack, dash, id = parts[0].rpartition("-")
    if not dash or not id.isalnum():
        return ()
    return tuple(
        number
        for number, each in enumerate(declarations)
        if each.stack.lower() == stack.lower() and in_place(node, each)
    )


# edges


def _declared_edges(
    observation: Observation, nodes: dict[ResourceKey, NodeFinding]
) -> Iterator[EdgeFinding]:
    for pair, call in observation.calls.items():
        ends = observation.seen.get(pair)
        if ends:
            status, why = Status.SEEN, ""
        else:
            ends = _expected(observation, pair[0]), _expected(observation, pair[1])
            if whole := observation.through.get(pair):
                status, why = Status.SEEN, f"seen as {_words(whole)}"
            else:
                status, why = _unseen_call(observation, pair, call, nodes)
        yield EdgeFinding(status, ends, (pair[0].stack,), call.evidence, why)


def _unseen_call(
    observation: Observation,
    pair: Pair,
    call: Call,
    nodes: dict[ResourceKey, NodeFinding],
) -> tuple[Status, str]:
    source, target = pair
    for key in pair:
        found = nodes.get(key)
        if found and found.status is Status.UNKNOWN:
            return Status.UNKNOWN, f"{key.id}: {found.why}"
        if is_unnamed(observation.matches.resources[key]):
            return Status.UNKNOWN, f"the name of {key.id} is known only when it is deployed"
    if call.evidence == (Evidence.ENVIRONMENT,):
        return Status.UNKNOWN, "only an environment variable says so"
    if Evidence.DELIVERY in call.evidence:
        return Status.UNKNOWN, "deliveries by the service itself are not traced"
    if observation.calls_unnamed(source, target) or observation.is_called_unnamed(source):
        return Status.UNKNOWN, "there were calls to the service that name no resource"
    if not observation.nodes(source):
        return Status.NEVER_SEEN, "its caller was never seen"
    if not observation.nodes(target):
        return Status.NEVER_SEEN, "what it calls was never seen"
    if Evidence.EVENT in call.evidence and observation.kind(source).passive:
        return Status.UNKNOWN, "events are joined to what they set off only where both are traced"
    return Status.NEVER_SEEN, "dead, or not traced"


def _undeclared_edges(observation: Observation) -> Iterator[EdgeFinding]:
    """Calls of declared resources that nothing in their templates allows."""
    owners, allowed = observation.matches.owners, _allowed(observation)
    for ends in sorted(observation.edges):
        sources, targets = owners.get(ends[0], []), owners.get(ends[1], [])
        own = [key for key in sources if not observation.matches.resources[key].external]
        if not own or not _is_resource(ends[1]) or set(sources) & set(targets):
            continue
        if ends in allowed or any(_is_unrestricted(observation, key, ends[1]) for key in own):
            continue
        stacks = tuple(sorted({key.stack for key in own}))
        why = "nothing in the template allows it"
        yield EdgeFinding(Status.UNDECLARED, ends, stacks, why=why)


def _allowed(observation: Observation) -> set[Ends]:
    """The edges that declared calls may be, those through what reports nothing included."""
    found = set(observation.through.values())
    for source, target in observation.calls:
        targets = observation.nodes(target)
        found.update((one, other) for one in observation.nodes(source) for other in targets)
    return found


def _is_unrestricted(observation: Observation, key: ResourceKey, target: NodeKey) -> bool:
    services = observation.matches.resources[key].unrestricted
    return "*" in services or RESOURCE_TYPES[target.type].policy in services


def _is_resource(node: NodeKey) -> bool:
    """Whether a node is a resource with a name of its own, of a type that stacks declare."""
    return node.type in RESOURCE_TYPES and (node.name, node.type) not in UNNAMED


def _words(ends: Ends) -> str:
    return f"{ends[0].name} → {ends[1].name}"

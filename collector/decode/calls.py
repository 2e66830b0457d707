"""The calls in a document: subsegments that leave its service."""

from __future__ import annotations

from msgspec.structs import replace

from collector.decode.ids import LATEST, MAX_NAME, Identity, further_call_id
from collector.decode.node_cache import (
    aws_node,
    further_aws_nodes,
    in_place,
    name_of_nameless,
    remote_node,
)
from collector.decode.outcome import exception_of, state_of, status_of
from collector.decode.wire import Unit
from store.model import Call, NodeKey, State
from store.rules.identity import CallNode
from store.rules.operations import aws_operation, operation_of_request


def call_of(
    unit: Unit, id: int, fallback_start: int, types: dict[str, str], caller: NodeKey | None
) -> Call:
    """The call an aws or remote subsegment is. ``caller``: None where another document knows it."""
    http = unit.http
    start = start_of_call(unit, fallback_start)
    exception = exception_of(unit.cause, types) if unit.cause is not None else ""
    status = status_of(http) if http is not None else 0
    end, state = end_of_call(unit, start, state_of(unit, status, exception))
    (node, service), host = node_of_call(unit, caller)
    traced = traced_of(unit)
    operation = operation_of(unit)
    return Call(id, start, end, state, node, service, host, status, traced, exception, 1, operation)


def further_calls(
    unit: Unit, call: Call, identity: Identity, caller: NodeKey | None
) -> dict[int, Call]:
    """The same call to the other tables it names, by ids derived from its own."""
    return {
        (id := further_call_id(identity.trace_id, call.id, number)): replace(
            call, id=id, node=node, service=service, traced=False
        )
        for number, (node, service) in enumerate(further_nodes_of_call(unit, caller))
    }


def further_nodes_of_call(unit: Unit, caller: NodeKey | None) -> list[CallNode]:
    """The other nodes of a call that names several tables (BatchGetItem)."""
    if unit.namespace != "aws" or unit.aws is None:
        return []
    nodes = further_aws_nodes(unit.name or "", unit.aws)
    return nodes if caller is None else [in_place(node, caller) for node in nodes]


def operation_of(unit: Unit) -> str:
    """What a segment or a call did (`store.rules.operations`); other work has no name for it."""
    aws, http = unit.aws, unit.http
    if aws is not None and aws.operation is not None:
        return aws_operation(aws.operation)
    request = http.request if http is not None else None
    if request is None:
        return ""
    return operation_of_request(request.method or "", request.url or "")


def start_of_call(unit: Unit, fallback: int) -> int:
    """When a call began; ``fallback``, the start of its document, when it has no valid start."""
    time = unit.start_time
    return round(time * 1e6) if time is not None and 0 <= time < LATEST else fallback


def end_of_call(unit: Unit, start: int, state: State) -> tuple[int, State]:
    """When a call ended, and its state: without a valid end it is in progress."""
    time = unit.end_time
    if state and time is not None and 0 <= time < LATEST:
        return max(start, round(time * 1e6)), state
    return start, State.IN_PROGRESS


def traced_of(unit: Unit) -> bool:
    """Whether a call declares that its callee is traced, too."""
    if unit.traced:
        return True
    http = unit.http
    return http is not None and http.request is not None and bool(http.request.traced)


def node_of_call(unit: Unit, caller: NodeKey | None) -> tuple[CallNode, str]:
    """The inferred node of a call, and the name by which the caller knew the host."""
    name = (unit.name or name_of_nameless(unit))[:MAX_NAME]
    if unit.namespace == "remote":
        return remote_node(name, unit.sql is not None, unit.origin or ""), name
    node = aws_node(name, unit.aws)
    if caller is not None and (caller.account or caller.region):
        node = in_place(node, caller)
    return node, ""

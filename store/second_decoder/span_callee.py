"""Which node a span's call leads to (docs/opentelemetry.md, "Which node a call leads to"), row by row of its table."""

from __future__ import annotations

import json
from collections.abc import Callable

from store.model import NO_NODE, Kind, NodeKey
from store.second_decoder.attributes import Attributes, text
from store.second_decoder.aws_calls import DESTINATION, aws_queue, aws_service, is_aws, of_service
from store.second_decoder.callee import Callee, callees, of_caller
from store.second_decoder.callers import PEER, Caller, called_host, host_of, peer_name
from store.second_decoder.conventions import FUNCTIONS, PROVIDERS, SQL, spelled
from store.second_decoder.resource import MOST_NAME, Place

AGENTS = ("invoke_agent", "create_agent")
DATABASE = ("db.system.name", "db.system")
DYNAMODB = ("dynamodb", "aws.dynamodb")
LAST_IS_DATABASE = ("microsoft.sql_server", "mssql")
"""Their namespace is ``instance|database``; others' is ``database|schema``."""
DATABASE_NAME = ("db.namespace", "db.name", "db.cassandra.keyspace")
EXPORTED = "aws.xray.document"
CODE = ("code.function", "code.function.name")


def callee_of(caller: Caller) -> list[Callee]:
    """What a span calls: nothing, one node, or several tables."""
    if caller.kind not in (Kind.CLIENT, Kind.PRODUCER) and not is_inside(caller):
        return []
    if found := _exported(caller):
        return found
    for row in ROWS:
        if found := row(caller):
            return [_shortened(each) for each in _brokers(caller, found)]
    return []


def _brokers(caller: Caller, found: list[Callee]) -> list[Callee]:
    """What a PRODUCER calls is a broker, whatever row names it as a host."""
    node = found[0].node
    if (
        caller.kind is not Kind.PRODUCER
        or node.type != "remote"
        or "aws.xray.call" in caller.attributes
    ):
        return found
    return _one(destination_of(caller.attributes) or node.name, "Messaging::Other")


def _exported(caller: Caller) -> list[Callee]:
    """What a subsegment calls that was exported as this span."""
    try:
        call = json.loads(text(caller.attributes, "aws.xray.call"))
    except ValueError:
        return []
    named = isinstance(call, dict) and text(call, "namespace") in ("aws", "remote")
    if not named or not isinstance(call.get("name"), str) or len(call["name"]) > MOST_NAME:
        return []
    found = callees({**call, "sql": {} if call.get("sql") is True else None})
    return [of_caller(each, caller.place) for each in found]


def _shortened(callee: Callee) -> Callee:
    name = callee.node.name[:MOST_NAME]
    return Callee(callee.node._replace(name=name), callee.service[:MOST_NAME])


def is_inside(caller: Caller) -> bool:
    """Whether what a span inside its process calls is there, too: a database, an agent, a tool."""
    a = caller.attributes
    if caller.kind is not Kind.INTERNAL or EXPORTED in a:
        return False
    queries = bool(text(a, *DATABASE)) and not any(key in a for key in CODE)
    return queries or bool(_agent(caller) or _executed(caller))


def _one(
    name: str, type: str, account: str = "", region: str = "", service: str = ""
) -> list[Callee]:
    return [Callee(NodeKey(account, name, type, region), service or name)]


def _aws(caller: Caller) -> list[Callee]:
    return of_service(caller, aws_service(caller.attributes)) if is_aws(caller.attributes) else []


def _database(caller: Caller) -> list[Callee]:
    a = caller.attributes
    system = text(a, *DATABASE)
    if not system:
        return []
    name, host = text(a, *DATABASE_NAME), host_of(a)
    if system in DYNAMODB:
        return of_service(caller, "DynamoDB")
    parts = name.split("|")
    name = parts[-1] if system in LAST_IS_DATABASE else parts[0]
    name = "" if name.isdecimal() else name
    full = f"{name}@{host}" if name and host else name or host or system
    type = "SQL" if system in SQL else spelled(system)
    return _one(full, f"Database::{type}")


def _message(caller: Caller) -> list[Callee]:
    a, system = caller.attributes, text(caller.attributes, "messaging.system")
    if not system:
        return []
    if service := aws_queue(system):
        return of_service(caller, service)
    type = spelled(system)
    return _one(destination_of(a) or type, f"Messaging::{type}")


def destination_of(attributes: Attributes) -> str:
    """What a message is sent to. All names made up for one client are one."""
    if attributes.get("messaging.destination.anonymous") is True:
        return "(anonymous)"
    if attributes.get("messaging.destination.temporary") is True:
        return "(temporary)"
    return text(attributes, *DESTINATION)


def _sent(caller: Caller) -> list[Callee]:
    if caller.kind is not Kind.PRODUCER or "aws.xray.call" in caller.attributes:
        return []
    name = destination_of(caller.attributes) or peer_name(caller)
    return _one(name, "Messaging::Other") if name else []


def _function(caller: Caller) -> list[Callee]:
    a = caller.attributes
    name = text(a, "faas.invoked_name")
    if not name:
        return []
    provider = text(a, "faas.invoked_provider")
    if provider == "aws":
        return of_service(caller, "Lambda")
    if provider not in FUNCTIONS:
        return []
    return _one(name, FUNCTIONS[provider], region=text(a, "faas.invoked_region"))


def _tool(caller: Caller) -> list[Callee]:
    a = caller.attributes
    if "mcp.method.name" not in a:
        return []
    name = called_host(caller) or text(a, "gen_ai.tool.name")
    return _one(name, "GenAI::MCP") if name else []


def _agent(caller: Caller) -> list[Callee]:
    a = caller.attributes
    if text(a, "gen_ai.operation.name") not in AGENTS:
        return []
    name = text(a, "gen_ai.agent.name", "gen_ai.agent.id")
    return _one(name, "GenAI::Agent") if name else []


def _executed(caller: Caller) -> list[Callee]:
    a = caller.attributes
    name = text(a, "gen_ai.tool.name")
    is_run = text(a, "gen_ai.operation.name") == "execute_tool"
    return _one(name, "GenAI::Tool") if is_run and name else []


def _model(caller: Caller) -> list[Callee]:
    name = text(caller.attributes, "gen_ai.provider.name", "gen_ai.system")
    return _one(PROVIDERS.get(name, name), "GenAI::Model") if name else []


def _peer(caller: Caller) -> list[Callee]:
    name = peer_name(caller)
    return _one(name, "remote") if name else []


ROWS: tuple[Callable[[Caller], list[Callee]], ...] = (
    _aws, _database, _message, _function, _tool, _agent, _executed, _model, _sent, _peer,
)  # fmt: skip
"""The table: what the first row that applies says."""


def message_node(attributes: Attributes, service: str, place: Place) -> NodeKey:
    """The broker that what got messages names."""
    system, destination = text(attributes, "messaging.system"), destination_of(attributes)
    name = destination or text(attributes, *PEER)
    if aws_queue(system) or (system and destination):
        caller = Caller(Kind.PRODUCER, attributes, service, place)
        found = _shortened(_message(caller)[0]).node
        return NO_NODE if found.type == f"AWS::{found.name}" else found
    return NodeKey("", name[:MOST_NAME], f"Messaging::{spelled(system)}") if name else NO_NODE

"""What a span says of messages: the broker that it sends to or gets them from, and what it fetched. Pure."""

from __future__ import annotations

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from store.model import NO_NODE, Fetched, Kind, NodeKey
from store.otel.attributes import Attributes, text
from store.otel.callee import Callee, destination, destination_name, messaging_callee
from store.otel.merge_patch import DOCUMENT
from store.otel.resource import Resource
from store.otel.semconv import AWS_MESSAGING

_OPERATION = ("messaging.operation.type", "messaging.operation")
_FETCHING = frozenset({"receive", "poll"})
_OF_MESSAGES = frozenset({"publish", "send", "settle"})
"""Operations of a CLIENT span whose links tell of messages, not of what caused it (semantic conventions, "Trace
structure"): Azure's and Google's clients link what sends messages to what made each."""
_NAMELESS_FETCH = "recv"
"""Name of the CONSUMER spans without attributes in which Python's confluent-kafka instrumentation (0.66b1) fetches
what a CONSUMER span directly below processes."""


def creates_message(attributes: Attributes) -> bool:
    """Whether a PRODUCER span only made a message, which a span of its own sends, perhaps with others (semantic
    conventions, "Create" spans). Azure's SDKs do not name that operation, but every other one."""
    if DOCUMENT in attributes:
        return False
    operation = text(attributes, *_OPERATION)
    return operation == "create" or (not operation and "az.namespace" in attributes)


def delivers_message(name: str, attributes: Attributes) -> bool:
    """Whether a CLIENT span is a message that Dapr's sidecar passes to its application."""
    if "messaging.system" not in attributes or DOCUMENT in attributes:
        return False
    return attributes.get("messaging.system") == "pubsub" and name.startswith("pubsub/")


def links_to_messages(kind: int, attributes: Attributes) -> bool:
    """Whether a span's links are to the messages that it sends or settles."""
    if kind != Kind.CLIENT or DOCUMENT in attributes:
        return False
    return text(attributes, *_OPERATION) in _OF_MESSAGES


def broker_of(attributes: Attributes, callee: Callee | None) -> Callee | None:
    """The callee of a PRODUCER span, None if it names none: what takes messages is a broker, also where no attribute
    names its system."""
    if callee is not None and callee.target.node.type != "remote":
        return callee
    name = destination_name(attributes) or (callee.name if callee else "")
    return destination("", name) if name else None


def _broker_named(attributes: Attributes, consumer: Resource) -> NodeKey:
    """The broker whose messages a CONSUMER span with these attributes got, `NO_NODE` if it names none."""
    system = text(attributes, "messaging.system")
    if system and (system.lower() in AWS_MESSAGING or destination_name(attributes)):
        node = messaging_callee(system, attributes, consumer).target.node
        return NO_NODE if node.type == f"AWS::{node.name}" else node
    name = destination_name(attributes) or text(attributes, "service.peer.name", "peer.service")
    return destination(system, name).target.node if name else NO_NODE


def fetched_of(span: Span, kind: int, attributes: Attributes, *, named: bool) -> Fetched:
    """What a span fetched from a broker; with ``named`` links to what sent the messages."""
    if kind not in (Kind.CLIENT, Kind.CONSUMER) or DOCUMENT in attributes:
        return Fetched.NO
    if "messaging.system" not in attributes:
        nameless = kind == Kind.CONSUMER and not attributes and span.name == _NAMELESS_FETCH
        return Fetched.UNSEEN if nameless else Fetched.NO
    if text(attributes, *_OPERATION) not in _FETCHING:
        return Fetched.NO
    empty = attributes.get("messaging.batch.message_count") in (0, "0")
    return Fetched.UNSEEN if empty or (kind == Kind.CLIENT and not named) else Fetched.MESSAGES


def queue_of(kind: int, fetched: Fetched, attributes: Attributes, consumer: Resource) -> NodeKey:
    """The broker that a span with messages names."""
    consumes = kind == Kind.CONSUMER or fetched is Fetched.MESSAGES
    if not consumes or DOCUMENT in attributes:
        return NO_NODE
    return _broker_named(attributes, consumer)

"""A trace under construction: SDK entities with times and ids of our choosing, and when each is to be sent.

Only this module knows the SDK's models. Identifiers come from the trace's own random source, so a
seed repeats them; the SDK would take them from the system.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from aws_xray_sdk.core.models.segment import Segment
from aws_xray_sdk.core.models.subsegment import Subsegment
from aws_xray_sdk.core.streaming.default_streaming import DefaultStreaming

from raymap.demo.clock import Calendar
from raymap.demo.latency import Latency
from raymap.demo.sdk import Sdk

Entity = Any
"""A Segment or Subsegment of the SDK, which has no annotations to check against."""

STREAMING = DefaultStreaming(streaming_threshold=30)
WRITTEN_BY_AWS = (
    "AWS::ApiGateway::Stage",
    "AWS::AppSync::GraphQLAPI",
    "AWS::Lambda",
    "AWS::Lambda::Function",
    "AWS::SNS",
    "AWS::StepFunctions::StateMachine",
)
"""Origins of segments that no SDK sends: AWS writes them to X-Ray alone, and so to ``aws/spans``."""


class TaskTimedOut(Exception):
    """Lambda stopped the function at its deadline."""


@dataclass(frozen=True, slots=True)
class Document:
    """A serialised entity; the SDK's emitter asks it for nothing else.

    ``account``: in whose log group ``aws/spans`` AWS writes it; '' of what an SDK sends.
    """

    text: str
    account: str = ""

    def serialize(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line in a function's log."""

    account: str
    function: str
    text: str
    at: float


@dataclass(frozen=True, slots=True)
class Span:
    """A span of OpenTelemetry, and the resource that reports it, in OTLP's JSON."""

    resource: dict[str, Any]
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Upload:
    """What the layer of a function uploads of an invocation: events of the Telemetry API, and where the event came from."""

    function: dict[str, str]
    events: list[dict[str, Any]]


Record = Document | LogLine | Span | Upload


@dataclass(frozen=True, slots=True)
class Send:
    at: float
    document: Record


class Trace:
    """One request's way through many services."""

    def __init__(self, start: float, random: Random, calendar: Calendar) -> None:
        self.start = start
        self.random = random
        self.calendar = calendar
        self.id = f"1-{int(start):08x}-{random.getrandbits(96):024x}"
        self.answered = ""
        """The last AWS call that went well: what an event is caused by."""
        self.spawned: list[Trace] = []
        self._sends: list[Send] = []

    def new_id(self) -> str:
        return f"{self.random.getrandbits(64):016x}"

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def spawn(self, after: float) -> Trace:
        """A trace that this one sets off, as events do; it is sent along with this one."""
        child = Trace(after, self.random, self.calendar)
        self.spawned.append(child)
        return child

    def segment(self, name: str, start: float, origin: str, parent: str = "") -> Entity:
        segment = Segment(name, self.new_id(), self.id, parent or None)
        segment.start_time = start
        segment.origin = origin
        return segment

    def subsegment(self, parent: Entity, name: str, start: float, namespace: str) -> Entity:
        subsegment = Subsegment(name, namespace, owner(parent))
        subsegment.id = self.new_id()
        subsegment.start_time = start
        parent.add_subsegment(subsegment)
        return subsegment

    def send(self, entity: Entity, at: float) -> None:
        """As the entity is now; an SDK sends a finished one at its end."""
        self._sends.append(Send(at, Document(entity.serialize(), _account(entity))))

    def log(self, line: LogLine) -> None:
        """A line that CloudWatch Logs delivers."""
        self._sends.append(Send(line.at, line))

    def upload(self, upload: Upload, at: float) -> None:
        """What a layer sends after an invocation."""
        self._sends.append(Send(at, upload))

    def export(self, span: Span, at: float) -> None:
        """A span that an exporter of OpenTelemetry sends at its end."""
        self._sends.append(Send(at, span))

    def finish(self, segment: Entity, end: float) -> None:
        segment.close(end)
        self.send(segment, end)

    def sends(self) -> Iterator[Send]:
        yield from self._sends
        for child in self.spawned:
            yield from child.sends()


def owner(entity: Entity) -> Entity:
    """The segment that contains this entity."""
    return getattr(entity, "parent_segment", entity)


def _account(entity: Entity) -> str:
    """Whose log has what AWS writes of an entity; '' if an SDK sends it."""
    if getattr(entity, "origin", None) not in WRITTEN_BY_AWS:
        return ""
    block = getattr(entity, "aws", None) or {}
    named = block.get("account_id") or block.get("api_gateway", {}).get("account_id")
    return str(named or entity.resource_arn.split(":")[4])


@dataclass(slots=True)
class Scope:
    """Where code runs: an open entity, the time on its clock, and the SDK that records it."""

    trace: Trace
    entity: Entity
    now: float
    sdk: Sdk
    deadline: float = float("inf")
    announces: bool = False
    """A long-running segment reports itself in progress at every call it makes."""

    def wait(self, latency: Latency) -> None:
        self.reach(self.now + latency.draw(self.trace.random))

    def reach(self, moment: float) -> None:
        """Let time pass; past its deadline the code is stopped, as Lambda does."""
        self.now = min(moment, self.deadline)
        if moment > self.deadline:
            raise TaskTimedOut("Task timed out")

    def announce(self) -> None:
        """Before a call: a long-running segment tells how far it is."""
        if self.announces:
            self.trace.send(owner(self.entity), self.now)

    def failed(self, error: Exception, remote: bool = False) -> None:
        """Record an exception with its real stack, as the SDK's patches and middleware do."""
        fresh = not hasattr(error, "_recorded")
        self.entity.add_exception(error, traceback.extract_tb(error.__traceback__), remote)
        if fresh:
            identifier = self.trace.new_id()
            self.entity.cause["exceptions"][-1].id = identifier
            self.entity.cause["working_directory"] = self.sdk.working_directory
            error._cause_id = identifier  # type: ignore[attr-defined]

    @contextmanager
    def subsegment(self, name: str, namespace: str = "local") -> Iterator[Scope]:
        """Record what happens inside, success or exception; the exception goes on."""
        entity = self.trace.subsegment(self.entity, name, self.now, namespace)
        inner = Scope(self.trace, entity, self.now, self.sdk, self.deadline, self.announces)
        try:
            yield inner
        except Exception as error:
            inner.failed(error, remote=namespace == "aws")
            raise
        finally:
            entity.close(inner.now)
            self.now = inner.now
            self._stream()

    def _stream(self) -> None:
        segment = owner(self.entity)
        if STREAMING.is_eligible(segment):
            STREAMING.stream(segment, lambda entity: self.trace.send(entity, self.now))

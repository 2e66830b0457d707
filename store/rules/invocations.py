"""What Lambda's platform says of an invocation → the two segments that AWS writes to X-Ray alone.

An X-Ray SDK inside a function sends subsegments only. Their segment, of origin
``AWS::Lambda::Function``, and the one above it, ``AWS::Lambda``, are written by Lambda itself
(docs/lambda.md). Both are derived from the platform's records: here which ids they have, in
`store.rules.invocation_documents` what is in them. A segment that was reported always wins over a
derived one (`store.model.derived_version`). Pure.

Which id is whose. The function's segment is what subsegments name as their parent: ``Parent`` in the
trace header inside the function. Of ``tracing`` in the Telemetry API, AWS's own emulator makes
``spanId`` that id and ``value`` the header that Lambda received, whose ``Parent`` is the segment of the
service; without a ``spanId`` (tracing is PassThrough) it is the caller's. Of a REPORT line, AWS does not
say which of the two ``SegmentId`` is. So an id is an assumption until the trace confirms it
(`Evidence`, found by `store.invocation_evidence`).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, StrEnum
from hashlib import blake2b
from typing import Any, NamedTuple

from msgspec import Struct, structs

from store.model import Kind
from store.rules.event_sources import Messages
from store.rules.handler_failures import Failure
from store.times import SECOND

Json = dict[str, Any]
FUNCTION, SERVICE = "AWS::Lambda::Function", "AWS::Lambda"
NAMESPACE = "raymap"
"""Of the metadata that names a derived document's record."""
STATUS = "lambda_status"
"""The annotation of a derived segment: how the invocation ended."""
COLD_START = "lambda_cold_start"
"""The annotation, true or false, of a segment of a function that was derived from a record."""
UNKNOWN_STATUS = "unknown"
"""Where nothing says it."""
RECORD = "lambda_record"
"""The annotation of a derived segment of the service: what its trace says of the record (`Standing`)."""
JOINED_RANK = 8
"""Added to the rank of documents that agree with a trace."""
FAILED_RANK = 16
"""Added to the rank of an invocation of which it is known that its handler failed."""
SOURCED_RANK = 32
"""Added to the rank of an invocation whose event source is known: of the extension alone, while lines on failures are
looked up again."""
SAME_ATTEMPT = 5 * SECOND
"""Reports of one request further apart are two attempts; Lambda retries after a minute."""


class Standing(StrEnum):
    """How far the segments of a record are joined to their trace."""

    ASSUMED = "assumed"
    """Its trace is yet to be looked at, or its caller or what it sent may still arrive."""
    JOINED = "joined"
    """Its caller is known."""
    ALONE = "alone"
    """Nothing in the trace called the function."""
    MISSING = "missing"
    """There is no record (`store.missing_functions`)."""


class Source(IntEnum):
    """Where a record came from; the greater knows more of the trace."""

    TEXT = 1
    JSON = 2
    """A report in JSON, without the start."""
    START = 3
    """A report with the tracing of its start."""


class Invocation(Struct, frozen=True, omit_defaults=True):
    """A finished invocation: one attempt at a request. Times in microseconds, ids 0 if unknown."""

    request_id: str
    trace_id: bytes
    function: str
    end: int
    """When the platform reported it."""
    duration: int
    source: Source = Source.TEXT
    segment_id: int = 0
    """``SegmentId`` of a REPORT line."""
    span_id: int = 0
    """``spanId`` of ``tracing``."""
    parent_id: int = 0
    """``Parent`` in the value of ``tracing``."""
    version: str = ""
    account: str = ""
    region: str = ""
    log_group: str = ""
    log_stream: str = ""
    billed_ms: float = 0.0
    memory_mb: int = 0
    max_memory_mb: int = 0
    init: int = 0
    restore: int = 0
    billed_restore_ms: float = 0.0
    status: str = ""
    error_type: str = ""
    failure: str = ""
    """The exception that left the handler, as the function's runtime logged it; the platform's status does not say."""
    failure_message: str = ""
    event_source: str = ""
    """The ARN of what its event came from, as the extension saw it."""
    messages: tuple[Messages, ...] = ()
    """The messages in its event."""

    @property
    def start(self) -> int:
        """The beginning of the invocation; initialization lies before it."""
        return self.end - self.duration

    @property
    def cold_start(self) -> bool:
        """Whether a new environment was initialized, or restored from a snapshot, for it."""
        return self.init > 0 or self.restore > 0

    def is_attempt_of(self, other: Invocation) -> bool:
        """Whether both records are about one attempt at one request."""
        same = self.request_id == other.request_id and self.trace_id == other.trace_id
        return same and abs(self.end - other.end) < SAME_ATTEMPT


class HandlerFailed(NamedTuple):
    """A runtime's line on a handler that failed: of which request, when (microseconds), and what it says."""

    request_id: str
    time: int
    failure: Failure


def with_failure(invocation: Invocation, lines: Iterable[HandlerFailed]) -> Invocation:
    """The invocation with the first failure among lines of the same attempt."""
    if invocation.failure:
        return invocation
    earliest, latest = invocation.start - SAME_ATTEMPT, invocation.end + SAME_ATTEMPT
    own = [
        line
        for line in lines
        if line.request_id == invocation.request_id and earliest <= line.time <= latest
    ]
    if not own:
        return invocation
    type, message = min(own, key=lambda line: (line.time, line.failure)).failure
    return structs.replace(invocation, failure=type, failure_message=message)


class Evidence(NamedTuple):
    """What else the trace of an invocation says of it; 0 and empty where nothing."""

    parent: int = 0
    """The parent that documents sent from inside the invocation name."""
    caller: int = 0
    """The call that it answers."""
    function: int = 0
    """The function's segment that was reported, by AWS or by another SDK than X-Ray's."""
    service: int = 0
    """The service's segment that was reported."""
    derived: frozenset[int] = frozenset()
    """The documents that were derived from records of the same attempt."""
    settled: bool = False
    """Whether a caller that has not arrived is not to be expected."""
    handler: bool = False
    """Whether the subsegment around the handler has arrived, which says how it ended."""
    telling: bool = False
    """Whether the function's runtime would have logged a failure, and its lines arrive (`store.telling_versions`)."""
    failure: Failure | None = None
    """Of the function's reported segment, else of a subsegment that encloses all its work."""
    bus: str = ""
    """The ARN of the event bus that the call named which sent the event: the event names none."""

    @property
    def tells(self) -> bool:
        """Whether there is a source of errors: without a failure the handler succeeded."""
        return self.handler or self.telling or self.function != 0


NOTHING = Evidence()


class Pair(NamedTuple):
    """The ids of the two segments."""

    function: int
    service: int


def rank_of(invocation: Invocation, evidence: Evidence = NOTHING) -> int:
    """For `store.model.derived_version`: by what is known of the trace, then of the function."""
    placed = bool(invocation.account and invocation.region)
    known = JOINED_RANK if evidence is not NOTHING else 0
    failed = FAILED_RANK if invocation.failure else 0
    sourced = SOURCED_RANK if invocation.event_source else 0
    return 2 * invocation.source + placed + known + failed + sourced


def pair_of(invocation: Invocation, evidence: Evidence = NOTHING) -> Pair:
    """The ids, from what is known of them; what is not is made of the request's."""
    named = invocation.span_id or invocation.segment_id
    assumed = named or made_id(invocation, "function")
    function = evidence.parent or assumed
    if evidence.service:
        return Pair(function, evidence.service)
    if invocation.span_id and invocation.parent_id not in (0, function):
        return Pair(function, invocation.parent_id)
    if not invocation.span_id and assumed != function:
        return Pair(function, assumed)
    return Pair(function, made_service(invocation, function))


def is_unknown(origin: str | None, annotations: dict[str, Any] | None) -> bool:
    """Whether a segment says of itself that nothing says how the invocation ended."""
    return origin in (FUNCTION, SERVICE) and (annotations or {}).get(STATUS) == UNKNOWN_STATUS


def kind_of(origin: str, *, is_segment: bool) -> Kind:
    """The kind of an X-Ray document: none, but of the segment that Lambda writes of a function. That is the request
    of which an OpenTelemetry layer reports a SERVER span directly below it (`store.layers.is_same_request`)."""
    return Kind.SERVER if is_segment and origin == FUNCTION else Kind.NONE


def made_service(invocation: Invocation, function: int) -> int:
    """The id of the service's segment where no record names it."""
    return made_id(invocation, f"service of {function:016x}")


def made_id(invocation: Invocation, what: str) -> int:
    """The same for all records of one attempt."""
    seed = f"{invocation.request_id} {invocation.end // 1000} {what}".encode()
    digest = blake2b(invocation.trace_id + seed, digest_size=8, person=b"invocation").digest()
    return int.from_bytes(digest, "big") or 1


def record_of(invocation: Invocation) -> Json:
    """The record as JSON: stored with what is derived from it, to derive it again."""
    values: Json = {}
    for field in Invocation.__struct_fields__:
        value = getattr(invocation, field)
        if field == "trace_id" or not value:
            continue
        if field == "messages":
            values[field] = [
                [number, trace_id.hex(), f"{parent_id:016x}", sent]
                for number, trace_id, parent_id, sent in invocation.messages
            ]
            continue
        values[field] = (
            f"{value:016x}" if field.endswith("_id") and field != "request_id" else value
        )
    values["source"] = invocation.source.name.lower()
    return values


def read_record(trace_id: bytes, values: object) -> Invocation | None:
    """The inverse of `record_of`; None for anything else."""
    if not isinstance(values, dict):
        return None
    given = dict(values)
    try:
        for field in ("segment_id", "span_id", "parent_id"):
            given[field] = int(given.get(field, "0"), 16)
        given["source"] = Source[str(given.get("source", "")).upper()]
        given["messages"] = tuple(
            Messages(int(number), bytes.fromhex(trace_id), int(parent_id, 16), int(sent))
            for number, trace_id, parent_id, sent in given.get("messages", ())
        )
        return Invocation(trace_id=trace_id, **given)
    except (KeyError, TypeError, ValueError):
        return None

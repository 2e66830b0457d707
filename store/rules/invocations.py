"""What Lambda's platform says of an invocation → the two segments that AWS writes to X-Ray alone.

An X-Ray SDK inside a function sends subsegments only. Their segment, of origin
``AWS::Lambda::Function``, and the one above it, ``AWS::Lambda``, are written by Lambda itself
(docs/lambda.md). Both are derived here from the platform's records: a segment that was reported
always wins over a derived one (`store.model.derived_version`). Pure.

Which id is whose. The function's segment is what subsegments name as their parent: ``Parent`` in the
trace header inside the function. Of ``tracing`` in the Telemetry API, AWS's own emulator makes
``spanId`` that id and ``value`` the header that Lambda received, whose ``Parent`` is the segment of the
service; without a ``spanId`` (tracing is PassThrough) it is the caller's. Of a REPORT line, AWS does not
say which of the two ``SegmentId`` is. So an id is an assumption until the trace confirms it
(`Evidence`, found by `store.invocation_evidence`).
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from hashlib import blake2b
from typing import Any, NamedTuple

from msgspec import Struct

from store.times import SECOND
from store.trace_id import format_trace_id

Json = dict[str, Any]
FUNCTION, SERVICE = "AWS::Lambda::Function", "AWS::Lambda"
NAMESPACE = "raymap"
"""Of the metadata that names a derived document's record."""
RECORD = "lambda_record"
"""The annotation of a derived segment of the service: what its trace says of the record (`Standing`)."""
JOINED_RANK = 8
"""Added to the rank of documents that agree with a trace."""
SUCCEEDED = ("", "success")
"""The states of a report that are no failure."""
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


NOTHING = Evidence()


class Pair(NamedTuple):
    """The ids of the two segments."""

    function: int
    service: int


def rank_of(invocation: Invocation, evidence: Evidence = NOTHING) -> int:
    """For `store.model.derived_version`: by what is known of the trace, then of the function."""
    placed = bool(invocation.account and invocation.region)
    return 2 * invocation.source + placed + (JOINED_RANK if evidence is not NOTHING else 0)


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
    return Pair(function, _made_service(invocation, function))


def _made_service(invocation: Invocation, function: int) -> int:
    """The id of the service's segment where no record names it."""
    return made_id(invocation, f"service of {function:016x}")


def made_id(invocation: Invocation, what: str) -> int:
    """The same for all records of one attempt."""
    seed = f"{invocation.request_id} {invocation.end // 1000} {what}".encode()
    digest = blake2b(invocation.trace_id + seed, digest_size=8, person=b"invocation").digest()
    return int.from_bytes(digest, "big") or 1


def documents_of(invocation: Invocation, evidence: Evidence = NOTHING) -> list[Json]:
    """The segments as documents.

    Where the function or the service reported itself, what would count it twice is a subsegment, and
    so is what another assumption about an id makes.
    """
    pair = pair_of(invocation, evidence)
    reported = {evidence.function, evidence.service}
    # Another record, which names the function alone, may make a segment of the service.
    made = _made_service(invocation, pair.function)
    spare = (set(evidence.derived) | {made}) - {*pair, *reported}
    documents = []
    if pair.service not in reported:
        documents.append(_service(invocation, pair, evidence))
    if not evidence.function:
        documents.append(_function(invocation, pair))
    elif pair.function not in reported:
        spare.add(pair.function)
    above = pair.service if evidence.function else pair.function
    return documents + [_inside(invocation, id, above) for id in sorted(spare)]


def _service(invocation: Invocation, pair: Pair, evidence: Evidence) -> Json:
    document = _document(invocation, pair.service, SERVICE)
    parent = evidence.caller or _caller_in_header(invocation)
    document["annotations"] = {RECORD: _standing(parent, evidence)}
    if not parent and not evidence.settled:
        parent = made_id(invocation, "caller")  # of which it is not known yet whether it exists
    if parent:
        document["parent_id"] = f"{parent:016x}"
    document["http"] = {"response": {"status": 200}}
    document["aws"] = {"request_id": invocation.request_id}
    if arn := function_arn(invocation):
        document["resource_arn"] = arn
    else:
        document["aws"] |= _known(account_id=invocation.account, region=invocation.region)
    return document


def _standing(caller: int, evidence: Evidence) -> Standing:
    if not evidence.settled and not (caller and evidence.parent):
        return Standing.ASSUMED
    return Standing.JOINED if caller else Standing.ALONE


def _caller_in_header(invocation: Invocation) -> int:
    """With tracing in mode PassThrough the header is the caller's own."""
    return 0 if invocation.span_id else invocation.parent_id


def _function(invocation: Invocation, pair: Pair) -> Json:
    document = _document(invocation, pair.function, FUNCTION)
    document["parent_id"] = f"{pair.service:016x}"
    document["aws"] = _about(invocation)
    if invocation.version:
        document["service"] = {"version": invocation.version}
    document["annotations"] = _annotations(invocation)
    if invocation.cold_start:
        document["subsegments"] = [_beginning(invocation, pair.function)]
    return document


def _document(invocation: Invocation, id: int, origin: str) -> Json:
    document: Json = {
        "id": f"{id:016x}",
        "trace_id": format_trace_id(invocation.trace_id),
        "name": invocation.function,
        "start_time": invocation.start / SECOND,
        "end_time": invocation.end / SECOND,
        "origin": origin,
        "metadata": {NAMESPACE: {"platform_record": record_of(invocation)}},
    }
    if invocation.status not in SUCCEEDED:
        document["fault"] = True
        document["cause"] = {"exceptions": [_exception(invocation, id)]}
    return document


def _exception(invocation: Invocation, id: int) -> Json:
    timed_out = invocation.status == "timeout"
    seconds = invocation.duration / SECOND
    return {
        "id": f"{made_id(invocation, f'exception of {id:016x}'):016x}",
        "type": invocation.error_type or ("Lambda.Timeout" if timed_out else "Lambda.Error"),
        "message": f"Task timed out after {seconds:.2f} seconds"
        if timed_out
        else f"The platform reported status {invocation.status}",
    }


def _about(invocation: Invocation) -> Json:
    logs = [{"log_group": invocation.log_group}] if invocation.log_group else None
    return _known(
        account_id=invocation.account,
        region=invocation.region,
        function_arn=function_arn(invocation),
        resource_names=[invocation.function],
        request_id=invocation.request_id,
        cloudwatch_logs=logs,
    )


def _known(**members: object) -> Json:
    return {key: value for key, value in members.items() if value}


def _annotations(invocation: Invocation) -> Json:
    annotations: Json = {
        "lambda_cold_start": invocation.cold_start,
        "lambda_status": invocation.status or "success",
    }
    if invocation.version:
        annotations["lambda_version"] = invocation.version
    return annotations


def _beginning(invocation: Invocation, function: int) -> Json:
    """Initialization, or the restoring of a snapshot, before the invocation."""
    name = "Restore" if invocation.restore else "Initialization"
    return {
        "id": f"{made_id(invocation, f'{name} of {function:016x}'):016x}",
        "name": name,
        "start_time": (invocation.start - (invocation.restore or invocation.init)) / SECOND,
        "end_time": invocation.start / SECOND,
    }


def _inside(invocation: Invocation, id: int, parent: int) -> Json:
    """A subsegment that counts nowhere."""
    document = _document(invocation, id, "")
    for key in ("origin", "fault", "cause"):
        document.pop(key, None)
    return document | {"name": "Invocation", "type": "subsegment", "parent_id": f"{parent:016x}"}


def function_arn(invocation: Invocation) -> str:
    """Without a version, as in X-Ray's segments; '' when the account or the region is unknown."""
    account, region = invocation.account, invocation.region
    if not account or not region:
        return ""
    return f"arn:aws:lambda:{region}:{account}:function:{invocation.function}"


def record_of(invocation: Invocation) -> Json:
    """The record as JSON: stored with what is derived from it, to derive it again."""
    values: Json = {}
    for field in Invocation.__struct_fields__:
        value = getattr(invocation, field)
        if field == "trace_id" or not value:
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
        return Invocation(trace_id=trace_id, **given)
    except (KeyError, TypeError, ValueError):
        return None

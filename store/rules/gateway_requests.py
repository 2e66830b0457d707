"""A line of API Gateway's access log → the segment that AWS writes to X-Ray alone (docs/access-logs.md). Pure.

The segment is that of a stage, as X-Ray draws it, with a subsegment for the integration where the request reached one.
The log names a trace for REST APIs only, and never a segment: ids are made of the request's, and what the trace says of
them (`GatewayEvidence`, found by `store.gateway_evidence`) takes their place. A segment that was reported always wins
(`store.model.derived_version`).
"""

from __future__ import annotations

from enum import StrEnum
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from store.rules.invocations import NAMESPACE, Standing
from store.times import SECOND
from store.trace_id import format_trace_id

Json = dict[str, Any]
STAGE = "AWS::ApiGateway::Stage"
STANDING = "access_log"
"""The annotation of a derived segment: what its trace says of it (`Standing`)."""
NO_TRACE = "no_trace"
"""Its value where the request has a trace of its own."""
RECORD = "access_log_record"
"""In the metadata of a derived document."""
RANK, JOINED = 1, 8
"""For `store.model.derived_version`: of a line alone, and added where its trace was looked at."""


class Api(StrEnum):
    """Which kind of API a request was for."""

    REST = "rest"
    HTTP = "http"
    WEBSOCKET = "websocket"


class GatewayRequest(Struct, frozen=True, omit_defaults=True):
    """A request to a stage of an API. Times in microseconds; empty text and 0 where the log says nothing."""

    request_id: str
    api_id: str
    stage: str
    status: int
    start: int
    duration: int
    kind: Api = Api.REST
    trace: str = ""
    """In hex. Of a line that names none: that of the function that it invoked."""
    api: str = ""
    """The API's name, which the format has to spell out: no variable has it."""
    account: str = ""
    region: str = ""
    domain: str = ""
    method: str = ""
    path: str = ""
    route: str = ""
    source_ip: str = ""
    user_agent: str = ""
    error: str = ""
    error_type: str = ""
    integration_request: str = ""
    """The request id that the integration answered with: of a function, its invocation's."""
    integration: int = 0
    """How long the integration took."""
    log_group: str = ""

    @property
    def name(self) -> str:
        """As X-Ray calls a stage."""
        return f"{self.api or self.api_id}/{self.stage}"

    @property
    def trace_id(self) -> bytes:
        """Of the trace that it names, else of one of its own."""
        return bytes.fromhex(self.trace) if self.trace else own_trace(self)

    @property
    def end(self) -> int:
        """When it was answered."""
        return self.start + self.duration

    @property
    def reached_integration(self) -> bool:
        """Whether API Gateway did not answer by itself, as it does what it throttles."""
        return bool(self.integration or self.integration_request)


class GatewayEvidence(NamedTuple):
    """What else its trace says of a request; 0 where nothing."""

    reported: int = 0
    """The stage's segment that AWS reported, for this request."""
    caller: int = 0
    """The call that it answers."""
    integration: int = 0
    """What is behind the stage names this id as its parent."""
    answered: bool = False
    """Whether something is behind the stage."""
    settled: bool = False
    """Whether a caller that has not arrived is not to be expected."""
    moved: bool = False
    """Of a request that was given a trace of its own: that its function's is known by now."""


NOTHING = GatewayEvidence()


def rank_of(evidence: GatewayEvidence = NOTHING) -> int:
    """For `store.model.derived_version`."""
    return RANK + (JOINED if evidence is not NOTHING else 0)


def own_trace(request: GatewayRequest) -> bytes:
    """A trace id for a request that belongs to none: the same for all copies of the line."""
    seed = f"{request.account} {_identity(request)}".encode()
    digest = blake2b(seed, digest_size=12, person=b"gateway trace").digest()
    return (request.start // SECOND & 0xFFFF_FFFF).to_bytes(4, "big") + digest


def made_id(request: GatewayRequest, what: str) -> int:
    """The same for all copies of the line."""
    seed = f"{_identity(request)} {what}".encode()
    digest = blake2b(request.trace_id + seed, digest_size=8, person=b"gateway request").digest()
    return int.from_bytes(digest, "big") or 1


def _identity(request: GatewayRequest) -> str:
    """Which request of a stage it was: a client may choose the id, and the same one twice."""
    return f"{request.api_id} {request.stage} {request.request_id} {request.start}"


def document_of(request: GatewayRequest, evidence: GatewayEvidence = NOTHING) -> Json:
    """The segment as a document. Where AWS reported it, a subsegment that counts nowhere."""
    document: Json = {
        "id": f"{made_id(request, 'stage'):016x}",
        "trace_id": format_trace_id(request.trace_id),
        "name": request.name,
        "start_time": request.start / SECOND,
        "end_time": request.end / SECOND,
        "metadata": {NAMESPACE: {RECORD: record_of(request)}},
    }
    if evidence.reported or evidence.moved:
        parent = evidence.reported or made_id(request, "elsewhere")
        about = {"name": "Request", "type": "subsegment", "parent_id": f"{parent:016x}"}
        return document | about
    return document | _segment(request, evidence)


def _segment(request: GatewayRequest, evidence: GatewayEvidence) -> Json:
    stage = _known(account_id=request.account, stage=request.stage, request_id=request.request_id)
    stage["rest_api_id" if request.kind is Api.REST else "api_id"] = request.api_id
    caller = evidence.caller
    if request.trace and not caller and not evidence.settled:
        caller = made_id(request, "caller")  # of which it is not known yet whether it exists
    aws = _known(account_id=request.account, region=request.region) | {"api_gateway": stage}
    annotations = _known(
        **{"aws:api_id": request.api_id, "aws:api_stage": request.stage},
        api_route=request.route,
        api_error=request.error_type,
    )
    segment = _known(
        parent_id=f"{caller:016x}" if caller else "",
        resource_arn=_arn(request),
        subsegments=_integration(request, evidence),
        cause=_cause(request),
    )
    return segment | {
        "origin": STAGE,
        "http": _http(request),
        "aws": aws,
        "annotations": annotations | {STANDING: _standing(request, evidence)},
    }


def _standing(request: GatewayRequest, evidence: GatewayEvidence) -> str:
    if not request.trace:
        return NO_TRACE
    if evidence.caller and (evidence.answered or not request.reached_integration):
        return Standing.JOINED
    if evidence.settled:
        return Standing.JOINED if evidence.answered or evidence.caller else Standing.ALONE
    return Standing.ASSUMED


def _http(request: GatewayRequest) -> Json:
    url = f"https://{request.domain}{request.path}" if request.domain else request.path
    requested = _known(
        method=request.method,
        url=url,
        client_ip=request.source_ip,
        user_agent=request.user_agent,
    )
    return _known(request=requested) | {"response": {"status": request.status}}


def _integration(request: GatewayRequest, evidence: GatewayEvidence) -> list[Json]:
    """Its end is the stage's: what API Gateway does with an answer takes next to no time."""
    if not (request.reached_integration or evidence.integration):
        return []
    id = evidence.integration or made_id(request, "integration")
    took = min(request.integration, request.duration) or request.duration
    return [
        {
            "id": f"{id:016x}",
            "name": "Integration",
            "start_time": (request.end - took) / SECOND,
            "end_time": request.end / SECOND,
        }
    ]


def _cause(request: GatewayRequest) -> Json:
    if request.status < 400 or not (request.error or request.error_type):
        return {}
    exception = _known(
        id=f"{made_id(request, 'exception'):016x}",
        type=request.error_type,
        message=request.error,
    )
    return {"exceptions": [exception]}


def _arn(request: GatewayRequest) -> str:
    """As API Gateway's own; it has no account."""
    if not request.region:
        return ""
    apis = "restapis" if request.kind is Api.REST else "apis"
    return f"arn:aws:apigateway:{request.region}::/{apis}/{request.api_id}/stages/{request.stage}"


def _known(**members: Any) -> Json:
    return {key: value for key, value in members.items() if value}


def record_of(request: GatewayRequest) -> Json:
    """The line as JSON: stored with what is derived from it, to derive it again."""
    found: Json = msgspec.to_builtins(request)
    return found


def read_record(values: object) -> GatewayRequest | None:
    """The inverse of `record_of`; None for anything else."""
    try:
        return msgspec.convert(values, GatewayRequest)
    except msgspec.ValidationError:
        return None

"""AWS Lambda: a call becomes two segments, the service's and the function's, which AWS writes to X-Ray alone.

The service segment waits and delivers; the function segment contains Initialization on a cold start,
the Invocation, and Overhead. What the code did, the SDK inside sends on its own.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import ceil
from typing import Any, NamedTuple

from raymap.demo import aws, latency, logs
from raymap.demo.sdk import NODE, PYTHON, SERVICE, Sdk
from raymap.demo.trace import Entity, LogLine, Scope, TaskTimedOut, Trace, Upload, owner

Handler = Callable[[Scope], int]
"""The code: returns an HTTP status, or raises."""
Link = dict[str, Any]


class Event(NamedTuple):
    """What an invocation was for: the ARN of its source, and how many messages it had."""

    source: str
    messages: int = 1


NO_EVENT = Event("", 0)


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    sdk: Sdk
    timeout: float = 6.0
    instrumented: bool = True
    """There is an SDK inside, which sends its subsegments, named by their parent."""
    reported: bool = True
    """Lambda's own two segments arrive, by ``aws/spans``; otherwise, where that is off, they are derived from the REPORT
    line in the function's log."""
    canary: bool = False
    """New versions get a part of the traffic at first, and some of them are bad."""

    account: str = aws.ACCOUNT

    @property
    def arn(self) -> str:
        return aws.arn("lambda", f"function:{self.name}", self.account)

    @property
    def in_dev(self) -> Function:
        """The same in the developers' account, where nothing is deployed by halves."""
        return replace(self, account=aws.DEV_ACCOUNT, canary=False)


PLACE_ORDER = Function("place-order", PYTHON)
CATALOG = Function("catalog", PYTHON, canary=True)
PAYMENTS = Function("payments", PYTHON, timeout=3.0)
RESERVE_STOCK = Function("reserve-stock", PYTHON)
THUMBNAILER = Function("thumbnailer", PYTHON, timeout=10.0)
CLICKSTREAM = Function("clickstream", PYTHON, timeout=30.0)
NOTIFY = Function("notify", NODE)
AUDIT = Function("audit", PYTHON)
RECOMMEND = Function("recommend", PYTHON, reported=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    end: float
    status: int
    failed: bool


def invoke(scope: Scope, function: Function, handler: Handler) -> int:
    """A synchronous call; 502 when the function failed, 504 when it ran out of time."""
    with scope.subsegment(scope.sdk.service("Lambda"), "aws") as call:
        request_id = aws.request_id(call)
        call.entity.set_aws(
            {
                "operation": "Invoke",
                "region": aws.REGION,
                "function_name": function.name,
                "request_id": request_id,
            }
        )
        call.announce()
        call.wait(latency.NETWORK)
        outcome = run(
            call.trace, function, handler, call.now, parent=call.entity.id, request_id=request_id
        )
        call.reach(outcome.end)
        call.wait(latency.NETWORK)
        call.entity.put_http_meta("status", 200)
        if outcome.failed:
            call.entity.add_fault_flag()
    return outcome.status


def run(
    trace: Trace,
    function: Function,
    handler: Handler,
    at: float,
    *,
    parent: str = "",
    links: Sequence[Link] = (),
    request_id: str = "",
    event: Event = NO_EVENT,
) -> Outcome:
    """Both segments of one invocation, written when each has ended; and what its layer saw of its event, if there is
    one to see it."""
    service = trace.segment(function.name, at, "AWS::Lambda", parent)
    service.resource_arn = function.arn
    request_id = request_id or aws.new_request_id(trace.random)
    service.set_aws({"request_id": request_id})
    if links:
        service.links = list(links)
    outcome = _execute(trace, function, handler, at, service, event)
    service.put_http_meta("status", 200)
    if outcome.failed:
        service.add_fault_flag()
    end = outcome.end + latency.NETWORK.draw(trace.random)
    _finish(trace, function, service, end)
    return Outcome(end, outcome.status, outcome.failed)


def _finish(trace: Trace, function: Function, segment: Entity, end: float) -> None:
    """The end of a segment that Lambda writes."""
    if function.reported:
        trace.finish(segment, end)


def _execute(
    trace: Trace, function: Function, handler: Handler, at: float, service: Entity, event: Event
) -> Outcome:
    begin = at + latency.LAMBDA_DWELL.draw(trace.random)
    cold = trace.chance(0.45 if trace.calendar.just_deployed(at) else 0.025)
    initialised = begin + latency.LAMBDA_INIT.draw(trace.random) if cold else begin
    segment = trace.segment(function.name, initialised, "AWS::Lambda::Function", service.id)
    segment.set_aws(_about(function))
    version = trace.calendar.function_version(at, trace.random.random() if function.canary else 1.0)
    segment.set_service({"version": str(version)})
    if cold:
        init = trace.subsegment(segment, "Initialization", begin, "local")
        init.set_aws({"function_arn": function.arn})
        init.close(initialised)
    scope = Scope(trace, segment, initialised, function.sdk)
    status, error = _invocation(scope, function, handler, cold)
    with Scope(trace, segment, scope.now, SERVICE).subsegment("Overhead") as overhead:
        overhead.wait(latency.LAMBDA_OVERHEAD)
    _finish(trace, function, segment, overhead.now)
    if event.source:
        trace.upload(uploaded(function, segment, service, event, error), overhead.now)
    elif error is not None:
        trace.log(_failure(function, service.aws["request_id"], error, overhead.now))
    if not function.reported:
        segment.close(overhead.now)
        trace.log(_report(function, segment, service.aws["request_id"], initialised - begin))
    return Outcome(overhead.now, status, error is not None)


def uploaded(
    function: Function, segment: Entity, service: Entity, event: Event, error: Exception | None
) -> Upload:
    """What the layer ``raymap-lambda`` uploads, with its wrapper (docs/lambda.md). To the platform, a handler that
    raised has succeeded; its runtime logs the exception."""
    request = service.aws["request_id"]
    header = f"Root={segment.trace_id};Parent={service.id};Sampled=1"
    tracing = {"type": "X-Amzn-Trace-Id", "spanId": segment.id, "value": header}
    milliseconds = round((segment.end_time - segment.start_time) * 1000, 3)
    metrics = {
        "durationMs": milliseconds, "billedDurationMs": ceil(milliseconds), "memorySizeMB": 512, "maxMemoryUsedMB": 88,
    }  # fmt: skip
    start = {"requestId": request, "version": segment.service["version"], "tracing": tracing}
    seen = {"requestId": request, "source": event.source, "messages": [{"count": event.messages}]}
    report = {
        "requestId": request,
        "status": "timeout" if isinstance(error, TaskTimedOut) else "success",
        "metrics": metrics,
    }
    about = {
        "name": function.name, "account": function.account, "region": aws.REGION,
        "log_group": f"/aws/lambda/{function.name}", "log_stream": logs.STREAM,
    }  # fmt: skip
    events = [
        _event("platform.start", segment.start_time, start),
        _event("raymap.event", segment.start_time, seen),
        *([_raised(error, segment.end_time, request)] if error else []),
        _event("platform.report", segment.end_time, report),
    ]
    return Upload(about, events)


def _raised(error: Exception, at: float, request: str) -> dict[str, Any]:
    """The line of Python's runtime."""
    return _event("function", at, f"[ERROR] {_said(error)}") | {"requestId": request}


def _said(error: Exception) -> str:
    stack = "".join(traceback.format_exception(error))
    return f"{type(error).__name__}: {error}\n{stack}"


def _event(type: str, at: float, record: dict[str, Any] | str) -> dict[str, Any]:
    return {"type": type, "time": _iso(at), "record": record}


def _iso(at: float) -> str:
    time = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return time.replace("+00:00", "Z")


def _failure(function: Function, request_id: str, error: Exception, at: float) -> LogLine:
    """A line of the logger of a handler that raised, or the platform's of one that it stopped."""
    text = f"[ERROR]\t{_iso(at)}\t{request_id}\t{_said(error)}"
    if isinstance(error, TaskTimedOut):
        text = f"{_iso(at)} {request_id} Task timed out after {function.timeout:.2f} seconds"
    return LogLine(function.account, function.name, text, at)


def _report(function: Function, segment: Entity, request_id: str, init: float) -> LogLine:
    """The platform's line at the end of an invocation."""
    milliseconds = (segment.end_time - segment.start_time) * 1000
    fields = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {milliseconds:.2f} ms",
        f"Billed Duration: {ceil(milliseconds)} ms",
        "Memory Size: 512 MB",
        "Max Memory Used: 88 MB",
        *([f"Init Duration: {init * 1000:.2f} ms"] if init else []),
        f"\nXRAY TraceId: {segment.trace_id}",
        f"SegmentId: {segment.id}",
        "Sampled: true",
    ]
    return LogLine(function.account, function.name, "\t".join(fields), segment.end_time)


def _invocation(
    scope: Scope, function: Function, handler: Handler, cold: bool
) -> tuple[int, Exception | None]:
    scope.deadline = scope.now + function.timeout
    inside: Entity = None
    try:
        with scope.subsegment("Invocation") as invocation:
            inside = invocation.entity
            inside.set_aws({"function_arn": function.arn})
            inside.put_annotation("cold_start", cold)
            status = handler(invocation)
        return status, None
    except Exception as error:
        owner(inside).add_fault_flag()
        return (504 if isinstance(error, TaskTimedOut) else 502), error
    finally:
        _send_separately(scope.trace, function, inside)


def _send_separately(trace: Trace, function: Function, invocation: Entity) -> None:
    for subsegment in list(invocation.subsegments):
        invocation.remove_subsegment(subsegment)
        if function.instrumented:
            trace.send(subsegment, subsegment.end_time)


def _about(function: Function) -> dict[str, Any]:
    return {
        "account_id": function.account,
        "function_arn": function.arn,
        "resource_names": [function.name],
        "cloudwatch_logs": [{"log_group": f"/aws/lambda/{function.name}"}],
        "xray": function.sdk.mark(),
    }


def link_to(producer: Scope, received_at: float) -> Link:
    """From a consumer back to the call that caused the event it handles: what SDKs pass on in a
    message's trace header."""
    segment = owner(producer.entity)
    return {
        "trace_id": segment.trace_id,
        "id": producer.trace.answered or segment.id,
        "attributes": {
            "aws.xray.reserved.reference_type": "parent",
            "aws.xray.reserved.type": segment.origin,
            "aws.xray.reserved.names": [segment.name],
            "aws.xray.reserved.received_event_end_time": received_at,
            "aws.xray.reserved.dwell_end_time": received_at,
        },
    }

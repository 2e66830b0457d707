"""Lines of API Gateway's access logs, in the formats of deploy/aws → requests (docs/access-logs.md). Pure.

Lines are known by their content: the log group has the name that its owner gave it. Raises Rejected for a line of these
formats that is damaged, and nothing else; other lines are nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any, NamedTuple

import msgspec

from collector.decode.ids import MAX_NAME
from collector.decode.lambda_records.events import LONGEST, MILLISECOND, damaged
from collector.decode.lambda_records.fold import Origin
from collector.decode.lambda_records.lines import StreamLine
from collector.decode.log_text import bounded, is_request_id, read_trace_id
from collector.decode.rejected import Rejected
from store.log_lines import ACCESS, NO_TRACE, LogLine
from store.rules.gateway_requests import STAGE, Api, GatewayRequest, made_id
from store.rules.identity import region_name
from store.times import SECOND

MAX_LINE = 64 << 10
"""Characters; API Gateway's own limit of a line is 1 kB for REST APIs."""
MAX_TEXT = 2_000
"""Characters of a path, a message, or a user agent."""
MAX_PART = (MAX_NAME - 1) // 2
"""Characters of the name of an API, and of a stage: a node has both."""
_LATEST = 253_402_300_799
"""Seconds: the end of the year 9999."""
_HOST = re.compile(r"\.execute-api\.([a-z0-9-]+)\.amazonaws\.com")
_BARE = re.compile(r'":\s*-(?=\s*[,}])')
"""A variable without a value where the format has no quotation marks."""
_ACCOUNT = re.compile(r"\d{12}\Z")
_NAMED = ("requestId", "apiId", "stage")


def is_access_line(text: str) -> bool:
    """Whether a line may be of these formats: cheap, and sure of all others."""
    return text.startswith("{") and '"apiId"' in text and '"stage"' in text


class AccessLines(NamedTuple):
    """What came of the lines of one stream: requests whose trace is known, the lines as they are stored, those that are no
    access log's, and damage."""

    requests: list[GatewayRequest]
    lines: list[LogLine]
    others: list[StreamLine]
    rejected: list[Rejected]


def take_access_lines(origin: Origin, stream: Iterable[StreamLine], source: str) -> AccessLines:
    """Read the access log's among the lines of a stream. A damaged one remains a line like any other."""
    found = AccessLines([], [], [], [])
    for line in stream:
        try:
            request = is_access_line(line.text) and read_access_line(line.text, line.time, origin)
        except Rejected as rejection:
            found.rejected.append(rejection.as_value())
            request = None
        if not request:
            found.others.append(line)
            continue
        if not is_waiting(request):
            found.requests.append(request)
        found.lines.append(_stored(line, request, origin, source))
    return found


def is_waiting(request: GatewayRequest) -> bool:
    """Whether the lines of a function may say to which trace a request belongs."""
    return bool(not request.trace and request.integration_request)


def _stored(line: StreamLine, request: GatewayRequest, origin: Origin, source: str) -> LogLine:
    """The line, by the node, the trace and the function's request that it names."""
    return LogLine(
        line.time or request.end,
        bounded(line.text),
        request.name,
        STAGE,
        request.account,
        request.region,
        request.integration_request,
        NO_TRACE if is_waiting(request) else request.trace_id,
        0 if is_waiting(request) else made_id(request, "stage"),
        "error" if request.status >= 500 else "warn" if request.status >= 400 else "info",
        ACCESS if is_waiting(request) else "",
        origin.log_group,
        origin.log_stream,
        source,
    )


def read_access_line(text: str, time: int, origin: Origin) -> GatewayRequest | None:
    """The request of a line; None for any other line. ``time``: of the log event, microseconds; ``origin``: of the log.
    Raises Rejected."""
    if len(text) > MAX_LINE:
        return None
    members = _members(text)
    if members is None or not all(_text(members, name) for name in _NAMED):
        return None
    if any(len(_text(members, name)) > MAX_PART for name in _NAMED):
        raise damaged("an access log: an id or a stage that is too long")
    duration = _milliseconds(members, "responseLatency") or _milliseconds(
        members, "integrationLatency"
    )
    integration = _milliseconds(members, "integrationLatency")
    domain = _text(members, "domainName")[:MAX_NAME]
    host = _HOST.search(domain)
    named = _text(members, "accountId")
    trace = read_trace_id(_text(members, "xrayTraceId"))
    answered = _text(members, "integrationRequestId").lower()
    return GatewayRequest(
        _text(members, "requestId"),
        _text(members, "apiId"),
        _text(members, "stage"),
        _status(members),
        _start(members, time, duration),
        duration,
        _kind(members),
        "" if trace == NO_TRACE else trace.hex(),
        _text(members, "apiName")[:MAX_PART],
        named if _ACCOUNT.match(named) else origin.account,
        (region_name(host[1]) if host else "") or origin.region,
        domain,
        _text(members, "httpMethod")[:20],
        _text(members, "path")[:MAX_TEXT],
        (_text(members, "routeKey") or _text(members, "resourcePath"))[:MAX_NAME],
        _text(members, "sourceIp")[:MAX_NAME],
        _text(members, "userAgent")[:MAX_TEXT],
        _text(members, "errorMessage")[:MAX_TEXT],
        _text(members, "errorType")[:MAX_NAME],
        answered if is_request_id(answered) else "",
        integration,
        origin.log_group,
    )


def _members(text: str) -> Mapping[str, Any] | None:
    for attempt in (text, None):
        try:
            value = msgspec.json.decode(_BARE.sub('":"-"', text) if attempt is None else attempt)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            continue
        return value if isinstance(value, dict) else None
    return None


def _text(members: Mapping[str, Any], name: str) -> str:
    """A member; '' for one that has no value, which is logged as ``-``."""
    value = members.get(name)
    if isinstance(value, str):
        return "" if value == "-" else value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _number(members: Mapping[str, Any], name: str, most: float) -> float:
    """A number that may be written as text; 0 where there is none."""
    value = members.get(name)
    if value in (None, "", "-"):
        return 0.0
    try:
        number = float(value) if isinstance(value, str | int | float) else -1.0
    except (ValueError, OverflowError):
        number = -1.0
    if isinstance(value, bool) or not isfinite(number) or not 0 <= number <= most:
        raise damaged(f"an access log: {name}: expected a number, got {str(value)[:40]!r}")
    return number


def _milliseconds(members: Mapping[str, Any], name: str) -> int:
    return round(_number(members, name, LONGEST / MILLISECOND) * MILLISECOND)


def _status(members: Mapping[str, Any]) -> int:
    status = int(_number(members, "status", 999))
    if status < 100:
        raise damaged("an access log: status: expected an HTTP status")
    return status


def _start(members: Mapping[str, Any], time: int, duration: int) -> int:
    """When the request arrived; without that, the line was written when it was answered."""
    epoch = _number(members, "requestTimeEpoch", _LATEST * 1_000)
    if not epoch:
        return max(0, time - duration)
    return round(epoch * (MILLISECOND if epoch > _LATEST / 10 else SECOND))


def _kind(members: Mapping[str, Any]) -> Api:
    if "eventType" in members or "connectionId" in members:
        return Api.WEBSOCKET
    return Api.REST if "resourcePath" in members else Api.HTTP

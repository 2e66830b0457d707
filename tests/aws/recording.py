"""What AWS writes of the requests of one place: the segments of its services, and Lambda's log lines (tests/aws/account.py)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
REGION = "eu-west-1"
PARCELS, CARRIER = "111122223333", "444455556666"
START = 1_795_560_000


@dataclass
class Place:
    """A stage in an account, with how many times each request was made there."""

    account: str
    stage: str
    rounds: int

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{REGION}:{self.account}:{resource}"

    def name(self, resource: str) -> str:
        return f"{resource}-{self.stage}"


PLACES = (
    Place(PARCELS, "dev", 2),
    Place(PARCELS, "prod", 5),
    Place(CARRIER, "dev", 3),
    Place(CARRIER, "prod", 4),
)


@dataclass
class Recording:
    """What was written of the requests of one place."""

    place: Place
    documents: list[Json] = field(default_factory=list)
    """Of AWS's own services."""
    lines: list[tuple[str, float, str]] = field(default_factory=list)
    """Of functions: name, time, text."""
    inside: list[Json] = field(default_factory=list)
    """Of SDKs."""
    number: int = 0

    def id(self) -> str:
        self.number += 1
        place = PLACES.index(self.place) + 1
        return f"{place:08x}{self.number:08x}"

    def trace(self) -> str:
        return f"1-{START:08x}-{int(self.id(), 16):024x}"

    def request(self) -> str:
        digits = f"{int(self.id(), 16):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def unit(recording: Recording, name: str, at: float, takes: float, **members: Any) -> Json:
    return {
        "id": recording.id(),
        "name": name,
        "start_time": round(at, 6),
        "end_time": round(at + takes, 6),
        **members,
    }


def call(recording: Recording, service: str, operation: str, at: float, **members: Any) -> Json:
    """A subsegment of a service of AWS for a call of another, 50 ms long."""
    aws = {"operation": operation, "region": REGION, **members.pop("aws", {})}
    status = {"response": {"status": 200}}
    return unit(
        recording, service, at, 0.05, **{"namespace": "aws", "aws": aws, "http": status} | members
    )


def stage(recording: Recording, at: float, status: int, *inside: Json, trace: str) -> Json:
    place = recording.place
    url = f"https://a1.execute-api.{REGION}.amazonaws.com/{place.stage}/quotes"
    http = {
        "request": {"method": "GET", "url": url, "client_ip": "192.0.2.7"},
        "response": {"status": status},
    }
    flags: Json = {"fault": True} if status >= 500 else {}
    if status == 429:
        flags = {"error": True, "throttle": True}
    gateway = {
        "account_id": place.account,
        "rest_api_id": "a1",
        "stage": place.stage,
        "request_id": recording.request(),
    }
    return unit(
        recording,
        f"parcels/{place.stage}",
        at,
        0.2,
        trace_id=trace,
        origin="AWS::ApiGateway::Stage",
        resource_arn=f"arn:aws:apigateway:{REGION}::/restapis/a1/stages/{place.stage}",
        http=http,
        aws={"api_gateway": gateway},
        subsegments=list(inside),
        **flags,
    )


def invoked(
    recording: Recording,
    function: str,
    at: float,
    trace: str,
    parent: str = "",
    *,
    raises: str = "",
    links: list[Json] | None = None,
    request: str = "",
) -> tuple[Json, Json]:
    """The two segments that Lambda writes of an invocation of 40 ms, and its log."""
    place = recording.place
    name, request = place.name(function), request or recording.request()
    arn = place.arn("lambda", f"function:{name}")
    flags: Json = {"fault": True} if raises else {}
    service = unit(
        recording,
        name,
        at,
        0.045,
        trace_id=trace,
        origin="AWS::Lambda",
        resource_arn=arn,
        aws={"request_id": request},
        http={"response": {"status": 200}},
        **flags,
        **({"parent_id": parent} if parent else {}),
        **({"links": links} if links else {}),
    )
    cause = (
        {"cause": {"exceptions": [{"id": recording.id(), "type": raises, "message": "no"}]}}
        if raises
        else {}
    )
    invocation = unit(
        recording, "Invocation", at + 0.002, 0.039, aws={"function_arn": arn}, **flags
    )
    segment = unit(
        recording,
        name,
        at + 0.002,
        0.04,
        trace_id=trace,
        origin="AWS::Lambda::Function",
        parent_id=service["id"],
        aws={
            "account_id": place.account,
            "function_arn": arn,
            "resource_names": [name],
            "cloudwatch_logs": [{"log_group": f"/aws/lambda/{name}"}],
        },
        subsegments=[invocation],
        **flags,
        **cause,
    )
    recording.documents += [service, segment]
    end = at + 0.042
    recording.lines.append((name, at, f"START RequestId: {request} Version: 7\n"))
    if raises:
        line = f'[ERROR] {raises}: no\nTraceback (most recent call last):\n  File "/var/task/app.py", line 4, in handler\n'
        recording.lines.append((name, end - 0.001, line))
    recording.lines.append((name, end, f"END RequestId: {request}\n"))
    report = (
        f"REPORT RequestId: {request}\tDuration: 40.00 ms\tBilled Duration: 40 ms\tMemory Size: 512 MB\t"
        f"Max Memory Used: 80 MB\t\nXRAY TraceId: {trace}\tSegmentId: {segment['id']}\tSampled: true\t\n"
    )
    recording.lines.append((name, end, report))
    return service, segment

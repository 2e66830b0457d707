"""Two accounts of a parcel service, stages dev and prod in each: the records that AWS writes of its own of some requests.

Nothing in the account is instrumented: X-Ray's documents are those of API Gateway, Lambda and Step Functions with
active tracing (docs/xray-format.md §4.4; the link between a producer and Lambda's consumer as AWS's trace
``iatk_links_lambda_sqs`` has it). They reach Raymap as records of ``aws/spans``, and Lambda's log lines beside them.
`INSIDE` are the documents of SDKs for the same requests, where the services are instrumented.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
REGION = "eu-west-1"
PARCELS, CARRIER = "111122223333", "444455556666"
START = 1_795_560_000
BUS = "arrivals"


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


def recordings() -> list[Recording]:
    """The requests of all places."""
    found = []
    for place in PLACES:
        recording = Recording(place)
        for number in range(place.rounds):
            for story in (quote, book, flooded, ship):
                story(recording, START + 10.0 * number)
        found.append(recording)
    return found


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


def quote(recording: Recording, at: float) -> None:
    """A request that a function answers; an SDK in it reads a table."""
    trace = recording.trace()
    invoke = call(
        recording,
        "Lambda",
        "Invoke",
        at + 0.01,
        aws={"function_name": recording.place.name("quote")},
    )
    segment = stage(recording, at, 200, invoke, trace=trace)
    recording.documents.append(segment)
    _, function = invoked(recording, "quote", at + 0.012, trace, invoke["id"])
    recording.inside.append(read_rates(recording, function))


def read_rates(recording: Recording, function: Json) -> Json:
    """What X-Ray's SDK in a function sends: a subsegment alone, without an account."""
    table = {"aws": {"table_name": recording.place.name("rates")}}
    inside = call(recording, "dynamodb", "GetItem", function["start_time"] + 0.01, **table)
    inside["end_time"] = round(inside["start_time"] + 0.02, 6)
    return inside | {
        "type": "subsegment",
        "trace_id": function["trace_id"],
        "parent_id": function["id"],
    }


def book(recording: Recording, at: float) -> None:
    """A request whose function raises."""
    trace = recording.trace()
    name = recording.place.name("book")
    invoke = call(recording, "Lambda", "Invoke", at + 0.01, aws={"function_name": name}, fault=True)
    recording.documents.append(stage(recording, at, 502, invoke, trace=trace))
    invoked(recording, "book", at + 0.012, trace, invoke["id"], raises="ValueError")


def flooded(recording: Recording, at: float) -> None:
    """A request that the stage throttles."""
    recording.documents.append(stage(recording, at, 429, trace=recording.trace()))


def ship(recording: Recording, at: float) -> None:
    """An execution that a schedule started: it invokes a function, writes a table that throttles once, and sends to a
    queue, a stream, and a bucket, each of which has a function behind it."""
    place, trace = recording.place, recording.trace()
    queue = f"https://sqs.{REGION}.amazonaws.com/{place.account}/{place.name('labels')}"
    table = {"table_name": place.name("shipments")}
    throttled = {"error": True, "throttle": True, "http": {"response": {"status": 400}}}
    priced = call(
        recording, "Lambda", "Invoke", at + 0.1, aws={"function_name": place.name("quote")}
    )
    sent = call(recording, "SQS", "SendMessage", at + 0.4, aws={"queue_url": queue})
    states = [
        unit(recording, "Price", at + 0.1, 0.06, subsegments=[priced]),
        unit(
            recording,
            "Record",
            at + 0.2,
            0.12,
            subsegments=[
                call(recording, "DynamoDB", "PutItem", at + 0.2, aws=table, **throttled),
                call(recording, "DynamoDB", "PutItem", at + 0.27, aws=table),
            ],
        ),
        unit(recording, "Label", at + 0.4, 0.05, subsegments=[sent]),
        unit(
            recording,
            "Scan",
            at + 0.5,
            0.05,
            subsegments=[
                call(
                    recording,
                    "Kinesis",
                    "PutRecord",
                    at + 0.5,
                    aws={"stream_name": place.name("scans")},
                )
            ],
        ),
        unit(
            recording,
            "Keep",
            at + 0.6,
            0.05,
            subsegments=[
                call(recording, "S3", "PutObject", at + 0.6, aws={"bucket_name": bucket_of(place)})
            ],
        ),
    ]
    machine = unit(
        recording,
        place.name("ship"),
        at,
        0.7,
        trace_id=trace,
        origin="AWS::StepFunctions::StateMachine",
        resource_arn=place.arn("states", f"stateMachine:{place.name('ship')}"),
        aws={"account_id": place.account},
        subsegments=states,
    )
    begun = {k: v for k, v in machine.items() if k not in ("end_time", "subsegments")}
    recording.documents += [begun | {"in_progress": True}, machine]
    _, priced_by = invoked(recording, "quote", at + 0.105, trace, priced["id"])
    recording.inside.append(read_rates(recording, priced_by))
    received = round(sent["end_time"] + 0.4, 6)
    link = {
        "trace_id": trace,
        "id": sent["id"],
        "attributes": {
            "aws.xray.reserved.reference_type": "parent",
            "aws.xray.reserved.received_event_end_time": received,
        },
    }
    invoked(recording, "label", received, recording.trace(), links=[link])
    invoked(recording, "scan", at + 1.0, recording.trace())
    invoked(recording, "thumb", at + 1.2, recording.trace())


def bucket_of(place: Place) -> str:
    """Names of buckets are unique everywhere."""
    return f"parcels-{place.account}-{place.stage}"


def all_documents() -> Iterator[Json]:
    for recording in recordings():
        yield from recording.documents

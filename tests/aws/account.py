"""Two accounts of a parcel service, stages dev and prod in each: the records that AWS writes of its own of some requests.

Nothing in the account is instrumented: X-Ray's documents are those of API Gateway, Lambda and Step Functions with
active tracing (docs/xray-format.md §4.4; the link between a producer and Lambda's consumer as AWS's trace
``iatk_links_lambda_sqs`` has it). They reach Raymap as records of ``aws/spans``, and Lambda's log lines beside them.
`Recording.inside` are the documents of SDKs for the same requests, where functions are instrumented.
"""

from __future__ import annotations

from tests.aws.recording import (
    PLACES,
    REGION,
    START,
    Json,
    Place,
    Recording,
    call,
    invoked,
    stage,
    unit,
)


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

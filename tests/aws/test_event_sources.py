"""Queue, stream and bucket to function, through the layer that reads the events: batches, partial failures, retries.

Events as AWS delivers them → what the layer reads of them → what its upload draws, alone and beside AWS's own records.
Each message counts once for each time that it was delivered, with the outcome of its invocation.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from random import Random
from typing import Any, NamedTuple

import pytest

from collector.decode.document import decode_document
from collector.decode.lambda_records.upload import decode_upload
from examples.lambda_layer.raymap_events import Event, read_event
from store.memory import MemoryStore
from store.model import NodeKey
from store.protocol import Store
from store.rules.histogram import bucket
from store.times import SECOND
from tests.aws.recording import PARCELS as ACCOUNT
from tests.aws.recording import REGION, START
from tests.aws.test_account import ARRIVED, WINDOW, Arriving, World, counts, store
from tests.aws_spans import records_of
from tests.collector.test_aws_spans import decoded

__all__ = ["store"]
Json = dict[str, Any]
FUNCTION = "label"
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{FUNCTION}"
SERVICE = NodeKey(ACCOUNT, FUNCTION, "AWS::Lambda", REGION)
CODE = NodeKey(ACCOUNT, FUNCTION, "AWS::Lambda::Function", REGION)
SHOP = NodeKey("", "shop", "")
SENDER = f"1-{START:08x}-{0xAAAA:024x}"
SENT_AT = START + 1.0
HEADER = f"Root={SENDER};Parent=00000000000000b1;Sampled=1"


class Source(NamedTuple):
    """What a function is invoked by, how it is called, and the age of its messages: of those with a header."""

    node: NodeKey
    call: Json
    ages: tuple[int, int]


QUEUE = Source(
    NodeKey(ACCOUNT, "labels", "AWS::SQS::Queue", REGION),
    {
        "name": "SQS",
        "aws": {
            "operation": "SendMessageBatch",
            "queue_url": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/labels",
        },
    },
    (500_000, 60_500_000),
)
STREAM = Source(
    NodeKey(ACCOUNT, "scans", "AWS::Kinesis::Stream", REGION),
    {
        "name": "Kinesis",
        "aws": {"operation": "PutRecords", "stream_name": "scans", "account_id": ACCOUNT},
    },
    (0, 0),
)
BUCKET = Source(
    NodeKey("", "parcels", "AWS::S3::Bucket", REGION),
    {"name": "S3", "aws": {"operation": "PutObject", "bucket_name": "parcels"}},
    (0, 0),
)
SOURCES = {"queue": QUEUE, "stream": STREAM, "bucket": BUCKET}


def message(source: Source) -> Json:
    """A record of an event, as AWS writes it."""
    at = datetime.fromtimestamp(SENT_AT, UTC).isoformat(timespec="milliseconds")
    if source is QUEUE:
        sent = {"SentTimestamp": str(round(SENT_AT * 1000)), "AWSTraceHeader": HEADER}
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:labels"
        return {"eventSource": "aws:sqs", "eventSourceARN": arn, "attributes": sent}
    if source is STREAM:
        arn = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/scans"
        arrived = {"approximateArrivalTimestamp": SENT_AT}
        return {"eventSource": "aws:kinesis", "eventSourceARN": arn, "kinesis": arrived}
    s3 = {"bucket": {"name": "parcels", "arn": "arn:aws:s3:::parcels"}}
    return {"eventSource": "aws:s3", "eventTime": at.replace("+00:00", "Z"), "s3": s3}


class Delivered(NamedTuple):
    """An invocation for some messages: how long after they were sent, and whether the handler raised."""

    number: int
    messages: int
    after: float
    raised: bool = False


def invocation(source: Source, given: Delivered) -> tuple[list[Arriving], list[Json]]:
    """What the layer uploads of it, and the segments that Lambda writes to X-Ray."""
    event = Event()
    event.add(json.dumps({"Records": [message(source)] * given.messages}).encode())
    arn, messages = read_event(event)
    trace = f"1-{START:08x}-{given.number:024x}"
    service, code = f"{0x5E0000 + given.number:016x}", f"{0xF00000 + given.number:016x}"
    request = f"{given.number:08x}-87a3-44ab-83d2-661975830a7d"
    begun, ended = SENT_AT + given.after, SENT_AT + given.after + 0.1
    tracing = {
        "type": "X-Amzn-Trace-Id",
        "spanId": code,
        "value": f"Root={trace};Parent={service};Sampled=1",
    }
    events = [
        line("platform.start", begun, requestId=request, version="7", tracing=tracing),
        line("raymap.event", begun, requestId=request, source=arn, messages=messages),
    ]
    if given.raised:
        text = '[ERROR] ValueError: no\nTraceback (most recent call last):\n  File "/var/task/app.py", line 4, in handler\n'
        events.append(line("function", ended, text) | {"requestId": request})
    metrics = {
        "durationMs": 100.0,
        "billedDurationMs": 100,
        "memorySizeMB": 512,
        "maxMemoryUsedMB": 80,
    }
    events.append(
        line("platform.report", ended, requestId=request, status="success", metrics=metrics)
    )
    function = {
        "name": FUNCTION,
        "account": ACCOUNT,
        "region": REGION,
        "log_group": f"/aws/lambda/{FUNCTION}",
        "log_stream": "2026/11/24/[7]3893aa",
    }
    upload = decode_upload(json.dumps({"function": function, "events": events}).encode())
    assert not upload.rejected
    return [*upload.folded.invocations], own_segments(given, trace, service, code, request, source)


def line(type: str, at: float, text: str = "", **record: Any) -> Json:
    time = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return {"time": time.replace("+00:00", "Z"), "type": type, "record": text or record}


def own_segments(
    given: Delivered, trace: str, service: str, code: str, request: str, source: Source
) -> list[Json]:
    """With a link to what sent the messages where they have its header."""
    flags: Json = {"fault": True} if given.raised else {}
    begun = round(SENT_AT + given.after, 6)
    times = {"trace_id": trace, "start_time": begun, "end_time": begun + 0.1, "name": FUNCTION}
    attributes = {
        "aws.xray.reserved.reference_type": "parent",
        "aws.xray.reserved.received_event_end_time": begun,
    }
    link = {"trace_id": SENDER, "id": "00000000000000b1", "attributes": attributes}
    links = {"links": [link]} if source is QUEUE else {}
    about = {"resource_arn": ARN, "aws": {"request_id": request}}
    inside = {"account_id": ACCOUNT, "function_arn": ARN}
    return [
        {"id": service, "origin": "AWS::Lambda", **about, **times, **links, **flags},
        {"id": code, "parent_id": service, "origin": "AWS::Lambda::Function", "aws": inside, **times, **flags},
    ]  # fmt: skip


def sender(source: Source) -> Arriving:
    """A service that sent all messages in one call."""
    call = source.call | {
        "id": "00000000000000b1",
        "namespace": "aws",
        "start_time": SENT_AT - 0.1,
        "end_time": SENT_AT,
    }
    call["aws"] = call["aws"] | {"region": REGION}
    shop = {
        "trace_id": SENDER,
        "id": "00000000000000a1",
        "name": "shop",
        "start_time": SENT_AT - 0.2,
        "end_time": SENT_AT,
        "subsegments": [call],
    }
    return decode_document(json.dumps(shop).encode(), ARRIVED)


ONCE, PARTLY, AGAIN = "once", "partly", "again"
BATCHES = [(size, how) for size in (1, 3, 10) for how in (ONCE, PARTLY, AGAIN)]


def deliveries(size: int, how: str) -> list[Delivered]:
    """``partly``: the handler names every third message in ``batchItemFailures``, which come again after a minute;
    ``again``: it raises, and all do."""
    first = Delivered(1, size, 0.5, raised=how == AGAIN)
    if how == ONCE:
        return [first]
    return [first, Delivered(2, size if how == AGAIN else (size + 2) // 3, 60.5)]


TABLE = {
    # messages, how: ok, fault; of how many messages came at once, of how many a minute later
    (1, ONCE): ((1, 0), (1, 0)),
    (1, PARTLY): ((2, 0), (1, 1)),
    (1, AGAIN): ((1, 1), (1, 1)),
    (3, ONCE): ((3, 0), (3, 0)),
    (3, PARTLY): ((4, 0), (3, 1)),
    (3, AGAIN): ((3, 3), (3, 3)),
    (10, ONCE): ((10, 0), (10, 0)),
    (10, PARTLY): ((14, 0), (10, 4)),
    (10, AGAIN): ((10, 10), (10, 10)),
}


def check(world: World, source: Source, size: int, how: str) -> None:
    (ok, fault), ages = TABLE[size, how]
    graph = world.store.service_graph(WINDOW, settled_before=ARRIVED + 600 * SECOND)
    assert set(graph.links) == {(source.node, SERVICE)}
    link = graph.links[source.node, SERVICE].statistics
    assert counts(link) == (ok, 0, 0, fault)
    expected: dict[int, int] = {}
    for age, number in zip(source.ages, ages, strict=True):
        if number:
            expected[bucket(age)] = expected.get(bucket(age), 0) + number
    assert link.histogram == expected
    client = NodeKey("", "shop", "client")
    assert set(graph.edges) == {(client, SHOP), (SHOP, source.node), (SERVICE, CODE)}
    invoked = len(deliveries(size, how))
    failed = int(how == AGAIN)
    assert counts(graph.services[CODE].statistics) == (invoked - failed, 0, 0, failed)
    assert counts(graph.services[SERVICE].statistics) == (invoked - failed, 0, 0, failed)


def arriving(source: Source, size: int, how: str, *, with_aws: bool) -> list[Arriving]:
    found: list[Arriving] = [sender(source)]
    for given in deliveries(size, how):
        invocations, segments = invocation(source, given)
        found += invocations
        if with_aws:
            records = [r for each in segments for r in records_of(each, says_origin=False)]
            found += decoded(records, ARRIVED, ACCOUNT, REGION)
    return found


@pytest.mark.parametrize("with_aws", [False, True], ids=["layer", "layer and aws/spans"])
@pytest.mark.parametrize(("size", "how"), BATCHES)
@pytest.mark.parametrize("name", SOURCES)
def test_each_message_counts_each_time(name: str, size: int, how: str, with_aws: bool) -> None:
    """In any order, joined in between."""
    source = SOURCES[name]
    for seed in range(4):
        world = World(MemoryStore())
        order = arriving(source, size, how, with_aws=with_aws)
        Random(seed).shuffle(order)
        for each in order:
            world.take(each)
            if Random(seed).random() < 0.5:
                world.join([each.trace_id])
        world.join({each.trace_id for each in order})
        check(world, source, size, how)


@pytest.mark.parametrize("name", SOURCES)
def test_in_both_stores(name: str, store: Store) -> None:
    world = World(store)
    order = arriving(SOURCES[name], 10, PARTLY, with_aws=True)
    Random(3).shuffle(order)
    for each in order:
        world.take(each)
        store.service_graph(WINDOW)
    world.join({each.trace_id for each in order})
    check(world, SOURCES[name], 10, PARTLY)

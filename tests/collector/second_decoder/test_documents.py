"""X-Ray documents: the second decoder, written from docs/ alone, says what the first one says."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings

from collector.decode.daemon import split_datagram
from collector.decode.document import decode_documents
from collector.decode.otlp.request import decode_otlp
from collector.decode.rejected import Rejected
from collector.decode.trace_document import read_traces
from store.model import Document
from store.otel.from_xray import export_trace
from tests.collector.decode.columnar.test_documents import ROOT
from tests.collector.samples import TRACE_ID, segment_bytes
from tests.collector.second_decoder.agreement import agree
from tests.vectors import demo_documents, rows


def _raws(row: dict[str, Any]) -> list[bytes]:
    raw = row["path"].read_bytes()
    try:
        if row["kind"].startswith("datagrams"):
            return [split_datagram(raw)]
        return read_traces(raw).raws if row["kind"] == "traces" else [raw]
    except Rejected:
        return []


def test_samples() -> None:
    """Those of this repository, and recordings where `tests.vectors` finds some."""
    found = {
        row["file"]: agree(each for raw in _raws(row) for each in decode_documents(raw, 1))
        for row in rows(("segments", "datagrams", "malformed", "traces"))
    }
    assert sum(found.values()) >= len(
        [row for row in rows(("segments",)) if row["validity"] == "accept"]
    )
    assert found["traces/bookshop.json"] == 3


def test_demo() -> None:
    assert agree(each for raw in demo_documents(120) for each in decode_documents(raw, 1)) > 300


@settings(
    max_examples=300, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(ROOT)
def test_whatever_comes(change: dict[str, Any]) -> None:
    """Odd and usual members, valid and not, in any combination."""
    agree(decode_documents(segment_bytes(**change), 7))


def call(**change: Any) -> dict[str, Any]:
    """A call of an AWS service."""
    times = {"start_time": 1_795_560_000.3, "end_time": 1_795_560_000.31}
    return {"id": "00000000000000b1", "namespace": "aws", "name": "DynamoDB", **times, **change}


def test_outcomes() -> None:
    """Every combination of flags, statuses and kinds of exceptions."""
    causes: list[Any] = [
        None,
        {"exceptions": [{"type": "ThrottlingException"}]},
        {
            "exceptions": [
                {"type": "ClientError", "message": "An error occurred (SlowDown) when calling x"}
            ]
        },
        {"exceptions": [{"type": "com.amazonaws.TooManyRequestsException"}]},
        {"exceptions": [{"type": "KeyError"}]},
    ]
    flags: list[dict[str, Any]] = [dict(zip(("error", "fault", "throttle"), (a, b, c), strict=True))
             for a in (True, False) for b in (True, False) for c in (True, False)]  # fmt: skip
    documents = []
    for namespace in ("aws", "remote"):
        for status in (0, 200, 400, 404, 429, 500, 503):
            http = {"response": {"status": status}} if status else {}
            for cause in causes:
                parts = [
                    call(id=f"{n:016x}", namespace=namespace, http=http, cause=cause, **each)
                    for n, each in enumerate(flags, 0xB0)
                ]
                whole: dict[str, Any] = {"http": http, "cause": cause or {}}
                documents += [segment_bytes(subsegments=parts)]
                documents += [segment_bytes(**whole, **each) for each in flags]
    assert agree(each for raw in documents for each in decode_documents(raw, 1)) == len(documents)


def test_resources() -> None:
    """What a call names, by service, member and form."""
    arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"
    blocks: list[tuple[str, dict[str, Any]]] = [
        ("dynamodb", {"table_name": "orders", "region": "eu-west-1"}),
        ("DynamoDB", {"table_names": ["a", arn, "a"], "account_id": "444455556666"}),
        ("DynamoDB", {"table_names": "dict_keys(['a', 'b'])"}),
        ("S3", {"bucket_name": "photos", "region": "aws-global"}),
        ("AmazonSQS", {"queue_url": "https://sqs.eu-west-1.amazonaws.com/111122223333/q/"}),
        ("SNS", {"topic_arn": "arn:aws:sns:eu-west-1:111122223333:news"}),
        ("Lambda", {"function_name": "arn:aws:lambda:eu-west-1:111122223333:function:f:live"}),
        ("lambda", {"function_name": "f:live"}),
        ("Kinesis", {"stream_name": "clicks"}),
        ("Firehose", {"delivery_stream_name": "logs"}),
        (
            "states",
            {"state_machine_arn": "arn:aws:states:eu-west-1:111122223333:stateMachine:flow"},
        ),
        *(
            ("states", {key: f"arn:aws:states:eu-west-1:111122223333:{of}"})
            for key, of in (
                ("state_machine_arn", "stateMachine:flow:live"),
                ("state_machine_arn", "stateMachine:flow/Map:0d1e"),
                ("execution_arn", "express:flow:0d1e:2f3a"),
            )
        ),
        ("states", {"state_machine_arn": "arn:aws"}),
        ("events", {"event_bus_name": ["shop", "default"]}),
        ("events", {"event_bus_name": "arn:aws:events:eu-west-1:111122223333:event-bus/shop"}),
        ("glue", {"job_name": "report"}),
        ("rds-data", {"db_cluster_arn": "arn:aws:rds:eu-west-1:111122223333:cluster:ledger"}),
        ("cognito-idp", {"user_pool_id": "eu-west-1_Ab"}),
        ("SecretsManager", {"resource_names": ["x"]}),
        ("dynamodb.eu-west-1.amazonaws.com", {}),
        ("bucket.s3.amazonaws.com", {"bucket_name": "bucket"}),
        ("api.example.com", {"region": "eu-west-1"}),
    ]
    parts = [call(id=f"{n:016x}", name=name, aws=aws) for n, (name, aws) in enumerate(blocks, 0xB0)]
    remote: list[dict[str, Any]] = [
        {"name": None, "sql": {"url": "postgresql://u:p@db:5432/orders"}},
        {"name": None, "sql": {"database_type": "sqlite"}},
        {"name": None, "sql": {"url": "postgresql://DB.:5432/orders"}},
        {"name": None, "sql": {"url": "postgresql://[::1]:5432/orders"}},
        {"name": None, "http": {"request": {"url": "https://H.example.:81/x"}}},
        {"name": None, "sql": {"url": "sqlite+pysqlite:////tmp/x.db?mode=ro"}},
        {"name": None, "sql": {"connection_string": "mysql://me:p@ss@db/shop"}},
        {"name": None, "sql": {"url": "jdbc:oracle:thin:@db:1521/orders"}},
        {"name": "orders@db", "sql": {}},
        {"name": None, "http": {"request": {"url": "https://h.example:81/x"}}},
        {"name": "redis", "origin": "Database::Redis"},
        {"name": "web", "origin": "AWS::EC2::Instance"},
    ]
    parts += [
        call(id=f"{n:016x}", namespace="remote", aws=None, **each)
        for n, each in enumerate(remote, 0xD0)
    ]
    assert agree(decode_documents(segment_bytes(subsegments=parts), 1)) == 1
    alone = [
        segment_bytes(
            **{**part, "id": "00000000000000a1"}, type="subsegment", parent_id="00000000000000c1"
        )
        for part in parts
        if part["name"]
    ]
    assert agree(each for raw in alone for each in decode_documents(raw, 1)) == len(alone)


def test_places_of_calls() -> None:
    """An AWS resource without account or region is in its caller's, a queue where its URL says; a bucket in none."""
    place = {"account_id": "111122223333", "region": "us-east-1"}
    queue = "https://{}/444455556666/orders"
    blocks: list[tuple[str, dict[str, Any]]] = [
        ("DynamoDB", {"table_names": ["orders", "carts"]}),
        ("DynamoDB", {"table_name": "orders", "region": "us-west-2"}),
        ("S3", {"bucket_name": "orders"}),
        ("KMS", {}),
        ("SQS", {"queue_url": queue.format("sqs.eu-west-1.amazonaws.com")}),
        (
            "SQS",
            {"queue_url": queue.format("eu-west-1.queue.amazonaws.com"), "region": "eu-west-2"},
        ),
        ("SQS", {"queue_url": queue.format("localhost:4566")}),
        ("SNS", {"topic_arn": "arn:aws:sns:eu-west-1:444455556666:orders"}),
        ("api.example.com", {}),
    ]
    parts = [call(id=f"{n:016x}", name=name, aws=aws) for n, (name, aws) in enumerate(blocks, 0xB0)]
    for own in ({}, {"account_id": "111122223333"}, place):
        assert agree(decode_documents(segment_bytes(aws=own, subsegments=parts), 1)) == 1
        streamed = segment_bytes(
            "00000000000000d1",
            type="subsegment",
            parent_id="00000000000000a1",
            aws=own,
            subsegments=parts,
        )
        assert agree(decode_documents(streamed, 1)) == 1
        for _, aws in blocks:
            inferred = segment_bytes(
                aws={**own, **aws}, inferred=True, origin="AWS::SQS::Queue", name="SQS"
            )
            assert agree(decode_documents(inferred, 1)) == 1


def test_links() -> None:
    """Links of a document and of what is embedded in it, in both directions, in excess."""
    child = {"aws.xray.reserved.reference_type": "child",
             "aws.xray.reserved.received_event_end_time": 1_795_560_000.181}  # fmt: skip
    links = [
        {
            "trace_id": f"{TRACE_ID[:-4]}{n:04x}",
            "id": f"{n:016x}",
            "attributes": child if n % 2 else {},
        }
        for n in range(1, 90)
    ]
    raw = segment_bytes(links=links, subsegments=[call(links=links[:60])])
    assert agree(decode_documents(raw, 1)) == 1


def test_segments_of_event_sources() -> None:
    """With messages of known and unknown senders; in what is no event source, and in subsegments."""
    known = {"trace_id": f"{TRACE_ID[:-4]}0001", "id": "0000000000000001"}
    links: list[Any] = [
        known,
        {},
        {"trace_id": TRACE_ID},
        {"id": "0000000000000001"},
        *({**one, "attributes": {"raymap.messages": n}} for n in (3, 0, -1, 1 << 40, "4", 2.0, 1.5) for one in (known, {})),
    ]  # fmt: skip
    place = "eu-west-1:111122223333"
    arns: tuple[Any, ...] = (
        *(f"arn:aws:{service}:{place}:{resource}"
          for service in ("sqs", "sns", "s3", "kinesis", "dynamodb", "events", "lambda", "")
          for resource in ("q", "", "a:b", "stream/c", "stream/c/consumer/x:1", "table/t/stream/2026-11-24T22:40:00", "event-bus", "event-bus/",
                           "event-bus/shop", "rule/r", "q" * 201, "é\nx")),
        "arn:aws:s3:::b", "arn:aws:sqs:x:y:q", "arn:aws:sqs", "q", "", 5, [], None, "arn:aws:sqs:::" + "q" * 990,
    )  # fmt: skip
    for arn in arns:
        assert agree(decode_documents(segment_bytes(aws={"event_source_arn": arn}), 1)) == 1
    for arn in ("arn:aws:s3:::b", "q", None):
        for each in links:
            segment = segment_bytes(aws={"event_source_arn": arn}, links=[each])
            assert agree(decode_documents(segment, 1)) == 1
    streamed = segment_bytes(
        "00000000000000d1",
        type="subsegment",
        parent_id="00000000000000a1",
        aws={"event_source_arn": "arn:aws:s3:::b"},
        links=[{}],
    )
    assert agree(decode_documents(streamed, 1)) == 1


def test_unknown_outcomes_of_functions() -> None:
    segments = [
        segment_bytes(origin=origin, annotations={"lambda_status": status}, **change)
        for origin in ("AWS::Lambda", "AWS::Lambda::Function", "AWS::EC2::Instance")
        for status in ("unknown", "success", 1)
        for change in ({}, {"fault": True}, {"in_progress": True, "end_time": None})
    ]
    documents = [each for raw in segments for each in decode_documents(raw, 1)]
    assert agree(documents) == len(segments)
    unknown = [each for each in documents if isinstance(each, Document) and each.exception]
    assert len(unknown) == 2


def test_exported_documents() -> None:
    """Documents that were exported as spans and come again."""
    total = 0
    for row in rows(("segments", "datagrams", "traces")):
        found = [each for raw in _raws(row) for each in decode_documents(raw, 1)]
        documents = [each for each in found if isinstance(each, Document)]
        for lossless in (True, False):
            spans = export_trace(documents, lossless=lossless).SerializeToString()
            total += agree(decode_otlp(spans, 1))
    assert total > 50

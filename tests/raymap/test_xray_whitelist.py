"""Names of resources by X-Ray's SDK for Python, of the SDK and botocore themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from collector.payloads import decode_documents
from store.memory import MemoryStore
from store.model import TimeRange
from store.times import SECOND
from tests.conftest import ROOT

PROGRAM = Path(__file__).with_name("traced_calls.py")
MACHINE = "arn:aws:states:eu-west-1:111122223333:stateMachine:order"
CLUSTER = "arn:aws:rds:eu-west-1:444455556666:cluster:ledger"
STREAM = "arn:aws:kinesis:eu-west-1:111122223333:stream/views"
SECRET = "do not record"
RECORD = {"Data": SECRET, "PartitionKey": SECRET}
EVENT = {"Source": SECRET, "DetailType": SECRET, "Detail": SECRET}
KEY = {"id": {"S": SECRET}}
CALLS: list[tuple[str, str, dict[str, Any], tuple[str, str]]] = [
    # service, operation, parameters, name and type of the node
    ("kinesis", "put_record", {"StreamName": "clicks", **RECORD}, ("clicks", "AWS::Kinesis::Stream")),
    ("kinesis", "put_record", {"StreamARN": STREAM, **RECORD}, ("views", "AWS::Kinesis::Stream")),
    ("firehose", "put_record", {"DeliveryStreamName": "raw", "Record": {"Data": SECRET}},
     ("raw", "AWS::KinesisFirehose::DeliveryStream")),
    ("events", "put_events", {"Entries": [{**EVENT, "EventBusName": "shop"}] * 2},
     ("shop", "AWS::Events::EventBus")),
    ("events", "put_events", {"Entries": [EVENT]}, ("default", "AWS::Events::EventBus")),
    ("stepfunctions", "start_execution", {"stateMachineArn": f"{MACHINE}:live", "input": SECRET},
     ("order", "AWS::StepFunctions::StateMachine")),
    ("glue", "start_job_run", {"JobName": "report"}, ("report", "AWS::Glue::Job")),
    ("rds-data", "execute_statement", {"resourceArn": CLUSTER, "secretArn": SECRET, "sql": SECRET},
     ("ledger", "AWS::RDS::DBCluster")),
    ("cognito-idp", "admin_get_user", {"UserPoolId": "eu-west-1_Ab", "Username": SECRET},
     ("eu-west-1_Ab", "AWS::Cognito::UserPool")),
    ("dynamodb", "transact_write_items",
     {"TransactItems": [{"Delete": {"TableName": "carts", "Key": KEY}}]},
     ("carts", "AWS::DynamoDB::Table")),
    ("s3", "head_object", {"Bucket": "photos", "Key": SECRET}, ("photos", "AWS::S3::Bucket")),
    ("sns", "list_subscriptions_by_topic", {"TopicArn": "arn:aws:sns:eu-west-1:111122223333:news"},
     ("news", "AWS::SNS")),
]  # fmt: skip


def sent(how: str, *calls: tuple[str, str, dict[str, Any]]) -> bytes:
    """The document of a program that makes these calls."""
    done = subprocess.run(
        [sys.executable, PROGRAM, how, json.dumps(calls)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def drawn(document: bytes) -> dict[tuple[str, str], tuple[str, str]]:
    """Name and type of the nodes that the map has below the program's, with their account and region."""
    store = MemoryStore()
    decoded = decode_documents([document], 1)
    assert not decoded.rejected
    store.put(list(decoded.documents), "1")
    began = int(json.loads(document)["start_time"]) * SECOND
    graph = store.service_graph(TimeRange(began - 60 * SECOND, began + 60 * SECOND))
    called = (key for key in graph.services if key.type not in ("", "client"))
    return {(key.name, key.type): (key.account, key.region) for key in called}


@pytest.fixture(scope="module")
def document() -> bytes:
    return sent("extended", *((service, name, given) for service, name, given, _ in CALLS))


def test_resources_are_nodes_of_their_name_and_type(document: bytes) -> None:
    found = drawn(document)
    assert set(found) == {node for *_, node in CALLS}
    assert found["ledger", "AWS::RDS::DBCluster"] == ("444455556666", "eu-west-1")
    assert found["order", "AWS::StepFunctions::StateMachine"] == ("111122223333", "eu-west-1")


def test_nothing_but_names_is_recorded(document: bytes) -> None:
    assert SECRET.encode() not in document
    bus = next(each for each in json.loads(document)["subsegments"] if each["name"] == "events")
    assert bus["aws"]["event_bus_name"] == "shop"


def test_without_it_there_is_a_node_for_each_service() -> None:
    calls = [(service, name, given) for service, name, given, _ in CALLS if service == "kinesis"]
    assert set(drawn(sent("plain", *calls))) == {("Kinesis", "AWS::Kinesis")}


def test_what_the_sdk_records_itself_stays_and_calls_that_botocore_refuses_do_not_fail() -> None:
    document = sent(
        "extended",
        ("dynamodb", "get_item", {"TableName": "orders", "Key": KEY}),
        ("dynamodb", "batch_get_item", {"RequestItems": {"a": {"Keys": [KEY]}}}),
        (
            "sqs",
            "receive_message",
            {"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/q"},
        ),
        ("events", "put_events", {"Entries": 7}),
        ("events", "put_events", {"Entries": [None, {"EventBusName": 7}]}),
        (
            "dynamodb",
            "transact_get_items",
            {"TransactItems": [{"Get": None}, {"Get": {"TableName": "b"}}]},
        ),
    )
    blocks = [each["aws"] for each in json.loads(document)["subsegments"]]
    assert blocks[0]["table_name"] == "orders"
    assert "a" in str(blocks[1]["table_names"])
    assert blocks[2]["queue_url"].endswith("/q")
    assert "event_bus_name" not in blocks[3] | blocks[4]
    assert blocks[5]["table_names"] == "b"

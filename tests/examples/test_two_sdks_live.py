"""What real SDKs sent for every outcome of an AWS call gives one map, whatever SDK and tracer.

Recorded by `python -m examples.two_sdks.live --record tests/samples/two_sdks`, one call for each
outcome, so that CI needs none of the languages.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from collector.decode.document import decode_document
from examples.two_sdks.diff import Edge, Figures, Graph, Node, differences
from examples.two_sdks.live import fake_aws, plan
from examples.two_sdks.live.programs import runs
from examples.two_sdks.live.record import file_name
from examples.two_sdks.live.table import tables
from store.graph import ServiceGraph, Statistics
from store.memory import MemoryStore
from store.model import Document, NodeKey, TimeRange
from tests.conftest import ROOT
from tests.otlp_json import decode_otlp_json
from tests.vectors import SAMPLES

ARN = "arn:aws:states:eu-west-1:123456789012"
RUNS = [run.name for run in runs(Path())]


def documents(file: Path) -> Iterator[Document]:
    for number, line in enumerate(file.read_text().splitlines()):
        if "resourceSpans" not in json.loads(line):
            yield decode_document(line.encode(), number)
            continue
        for document in decode_otlp_json(line.encode(), number):
            assert isinstance(document, Document), document
            yield document


def graph_of(file: Path) -> Graph:
    store = MemoryStore()
    store.put(list(documents(file)), "recorded")
    return graph_in(store)


def graph_in(store: MemoryStore) -> Graph:
    """The map of all that is in a store."""
    graph = store.service_graph(TimeRange(0, 2**61))
    nodes = {
        _node(key): _figures(service.statistics)._replace(
            state="active" if service.active else "unknown", root=service.root
        )
        for key, service in graph.services.items()
    }
    return Graph(nodes, _edges(graph))


def _edges(graph: ServiceGraph) -> dict[Edge, Figures]:
    return {
        Edge(_node(source), _node(target)): _figures(edge.statistics)
        for (source, target), edge in graph.edges.items()
    }


def _node(key: NodeKey) -> Node:
    return Node(key.name, key.type)


def _figures(statistics: Statistics) -> Figures:
    return Figures(statistics.ok, statistics.error, statistics.throttle, statistics.fault)


@pytest.mark.parametrize("run", RUNS)
def test_the_map_is_the_same(run: str) -> None:
    """But for what the tracer does not record (`plan.KNOWN`)."""
    expected = plan.expected(plan.ONCE, plan.known_of(run))
    graph = graph_of(SAMPLES / "two_sdks" / file_name(run))
    assert differences(expected, graph, ("the plan", run)) == []


def test_the_documented_table_is_the_plan() -> None:
    """Which the command compares the live runs with."""
    maps = {run: plan.expected(plan.OUTCOMES, plan.known_of(run)) for run in RUNS}
    nodes = tables(maps).split("\n\n")[1]
    assert nodes in (ROOT / "docs" / "opentelemetry.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_endpoint_answers_as_aws_does() -> None:
    """botocore reads every failure's status and code as it would AWS's; `ok` raises nothing."""
    calls: dict[str, tuple[str, str, Callable[[str], dict[str, object]]]] = {
        "dynamodb": (
            "dynamodb",
            "put_item",
            lambda outcome: {"TableName": "orders", "Item": {"outcome": {"S": outcome}}},
        ),
        "sfn": (
            "stepfunctions",
            "start_execution",
            lambda outcome: {"stateMachineArn": f"{ARN}:stateMachine:x", "name": outcome},
        ),
        "sqs": (
            "sqs",
            "send_message",
            lambda outcome: {"QueueUrl": "http://sqs/1/parcels", "MessageBody": outcome},
        ),
        "s3": ("s3", "get_object", lambda outcome: {"Bucket": "labels", "Key": outcome}),
        "lambda": (
            "lambda",
            "invoke",
            lambda outcome: {"FunctionName": "x", "Payload": json.dumps({"outcome": outcome})},
        ),
    }
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    with fake_aws.serving() as url:
        for service, (name, operation, parameters) in calls.items():
            client = boto3.client(
                name,
                endpoint_url=url,
                config=config,
                region_name="eu-west-1",
                aws_access_key_id="local",
                aws_secret_access_key="local",
            )
            getattr(client, operation)(**parameters("ok"))
            for outcome, failure in fake_aws.FAILURES[service].items():
                with pytest.raises(ClientError) as raised:
                    getattr(client, operation)(**parameters(outcome))
                response = raised.value.response
                code = fake_aws.QUERY_CODES.get(failure.code, failure.code)
                assert response["Error"]["Code"] == code
                assert response["ResponseMetadata"]["HTTPStatusCode"] == failure.status

"""Nodes of documents: accounts in ARNs, and calls to several tables, in every decoder."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector.decode.columnar.documents import decode_columns
from collector.decode.document import decode_document
from store.columnar import columns_of
from store.memory import MemoryStore
from store.model import Document, NodeKey, TimeRange
from store.otel.from_xray import export_trace, to_json
from tests.collector.otlp_samples import CLIENT, SERVER, decode, span
from tests.collector.samples import START, segment_bytes
from tests.otlp_json import decode_otlp_json

ALWAYS = TimeRange(0, 1 << 62)
TABLE = "AWS::DynamoDB::Table"


def lambda_pair(account: str, number: int) -> list[bytes]:
    """A function's two segments as AWS writes them: only the second has an account_id."""
    arn = f"arn:aws:lambda:eu-west-1:{account}:function:fn"
    trace = f"1-6b061440-{number:024x}"
    return [
        segment_bytes(
            "00000000000000a1", name="fn", origin="AWS::Lambda", resource_arn=arn, trace_id=trace
        ),
        segment_bytes(
            "00000000000000a2", name="fn", origin="AWS::Lambda::Function", trace_id=trace,
            parent_id="00000000000000a1", aws={"account_id": account, "function_arn": arn},
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("columns", [False, True])
def test_two_accounts_have_two_nodes_each(columns: bool) -> None:
    """Two functions of one name: 2 + 2 nodes with one unit each, not one with both."""
    raws = [*lambda_pair("1" * 12, 1), *lambda_pair("2" * 12, 2)]
    documents = [decode_document(raw, at) for at, raw in enumerate(raws)]
    if columns:
        found, rejected = decode_columns(raws, 0)
        assert not rejected
        assert found.nodes == [document.node for document in documents]
    store = MemoryStore()
    store.put(documents, "a")
    services = store.service_graph(ALWAYS).services
    counts = {key: stats.statistics.total for key, stats in services.items() if not key.is_client}
    assert counts == {
        NodeKey(account * 12, "fn", kind, "eu-west-1"): 1
        for account in "12"
        for kind in ("AWS::Lambda", "AWS::Lambda::Function")
    }


def test_a_resource_without_an_account_has_that_of_its_arn() -> None:
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:fn"
    document = decode(
        span(SERVER), resource={"cloud.platform": "aws_lambda", "cloud.resource_id": arn}
    )
    assert document.node == NodeKey("123456789012", "shop", "AWS::Lambda::Function", "eu-west-1")


def call_of(id: str, name: str, **aws: object) -> dict[str, Any]:
    """A call of an AWS service."""
    times = {"start_time": START, "end_time": START + 0.1}
    return {"id": id, "name": name, "namespace": "aws", **times, "aws": aws}


def shop_in(account: str, *, streamed: bool) -> list[bytes]:
    """A segment in an account that reads a table, two of a batch, a bucket and a queue of another account."""
    own, arn = f"00000000000000{account}0", "https://sqs.eu-west-1.amazonaws.com/333333333333/mail"
    trace = f"1-6b061440-{account:0>24}"
    calls = [
        call_of(f"00000000000000{account}1", "DynamoDB", table_name="orders"),
        call_of(f"00000000000000{account}2", "DynamoDB", table_names=["carts", "stock"]),
        call_of(f"00000000000000{account}3", "S3", bucket_name="media", region="eu-west-1"),
        call_of(f"00000000000000{account}4", "SQS", queue_url=arn),
    ]
    aws = {"account_id": account * 12, "ec2": {"availability_zone": "eu-west-1a"}}
    if not streamed:
        return [segment_bytes(own, trace_id=trace, aws=aws, subsegments=calls)]
    alone = [
        segment_bytes(**{**each, "trace_id": trace, "type": "subsegment", "parent_id": own})
        for each in calls
    ]
    return [*alone, segment_bytes(own, trace_id=trace, aws=aws)]


@pytest.mark.parametrize("streamed", [False, True])
def test_two_accounts_have_two_tables(streamed: bool) -> None:
    """What names no account or region is in its caller's: one table a caller; a bucket is in no account."""
    raws = [*shop_in("1", streamed=streamed), *shop_in("2", streamed=streamed)]
    documents = [decode_document(raw, at) for at, raw in enumerate(raws)]
    found, _ = decode_columns(raws, 0)
    assert found.calls == columns_of(documents).calls
    store = MemoryStore()
    store.put(documents, "a")
    graph = store.service_graph(ALWAYS)
    mine = {(source.account[:1], *target) for source, target in graph.edges if not source.is_client}
    place = "eu-west-1"
    assert mine == {
        (caller, *target)
        for caller in "12"
        for target in (
            *(NodeKey(caller * 12, table, TABLE, place) for table in ("orders", "carts", "stock")),
            NodeKey("", "media", "AWS::S3::Bucket", place),
            NodeKey("3" * 12, "mail", "AWS::SQS::Queue", place),
        )
    }
    exported = json.dumps(to_json(export_trace(documents))).encode()
    again = MemoryStore()
    again.put([d for d in decode_otlp_json(exported, 2) if isinstance(d, Document)], "a")
    assert again.service_graph(ALWAYS).edges.keys() == graph.edges.keys()


def batch(**aws: object) -> bytes:
    """A segment with one BatchGetItem call."""
    call = {
        "id": "00000000000000b1", "name": "dynamodb", "namespace": "aws", "start_time": START,
        "end_time": START + 0.1, "error": True, "aws": {"operation": "BatchGetItem", **aws},
    }  # fmt: skip
    return segment_bytes(subsegments=[call])


@pytest.mark.parametrize("tables", [["orders", "carts"], "dict_keys(['orders', 'carts'])"])
def test_a_batch_counts_on_every_table(tables: object) -> None:
    """An edge and a node for each table, in both decoders of documents and after an export."""
    raw = batch(table_names=tables)
    document = decode_document(raw, 1)
    assert [call.node.name for call in document.calls] == ["orders", "carts"]
    assert len({call.id for call in document.calls}) == 2
    columns, _ = decode_columns([raw], 1)
    assert columns.calls == columns_of([document]).calls
    exported = json.dumps(to_json(export_trace([document]))).encode()
    again = [d for d in decode_otlp_json(exported, 2) if isinstance(d, Document)]
    for documents in ([document], again):
        store = MemoryStore()
        store.put(documents, "a")
        graph = store.service_graph(ALWAYS)
        for table in ("orders", "carts"):
            key = NodeKey("", table, TABLE)
            assert graph.services[key].statistics.error == 1
            assert graph.edges[NodeKey("", "frontend", ""), key].statistics.error == 1


def test_a_span_of_a_batch_counts_on_every_table() -> None:
    attributes = {
        "rpc.system": "aws-api", "rpc.service": "DynamoDB", "rpc.method": "BatchGetItem",
        "aws.dynamodb.table_names": ["orders", "carts", "stock"],
    }  # fmt: skip
    document = decode(span(CLIENT, attributes))
    assert [call.node.name for call in document.calls] == ["orders", "carts", "stock"]
    assert document.calls[0].id == document.id

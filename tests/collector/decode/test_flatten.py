"""What the store's columns say of a document and of the subsegments embedded in it."""

from __future__ import annotations

from typing import Any

from collector.decode.columnar.documents import decode_columns
from store.model import Link, NodeKey
from tests.collector.decode.subsegments import T, call, flat, sub
from tests.collector.samples import START


def test_members_and_calls() -> None:
    """Of the embedded subsegments, at any depth, calls leave the service and members do not."""
    document = flat(
        sub("00000000000000b1", namespace=None, subsegments=[sub("00000000000000b2")]),
        sub("00000000000000b3", namespace="local"),
        sub("nonsense", namespace=None),
        sub("00000000000000b4", namespace="aws", name="DynamoDB", aws={"table_name": "orders"}),
    )
    assert document.members == (0xB1, 0xB3)
    assert [c.id for c in document.calls] == [0xB2, 0xB4]
    assert document.calls[1].node == NodeKey("", "orders", "AWS::DynamoDB::Table")
    assert document.calls[1].service == "DynamoDB"
    assert document.calls[1].host == ""


def test_two_calls_with_one_id() -> None:
    """The last one in the document counts."""
    (only,) = flat(sub(name="first"), sub(name="second")).calls
    assert only.host == "second"


def test_independent_subsegment() -> None:
    """It is its own call when it leaves the service, beside those embedded in it."""
    document = flat(
        sub("00000000000000b1"), type="subsegment", parent_id="00000000000000c1", namespace="aws",
        name="dynamodb", aws={"table_name": "carts"},
    )  # fmt: skip
    assert document.independent
    assert document.parent_id == 0xC1
    assert [c.id for c in document.calls] == [document.id, 0xB1]
    assert document.calls[0].node == NodeKey("", "carts", "AWS::DynamoDB::Table")
    custom = flat(type="subsegment", parent_id="00000000000000c1", namespace="local")
    assert custom.calls == ()


def test_annotations_are_folded() -> None:
    """Of the document, then of the subsegments; other values than X-Ray's are dropped."""
    inner = sub(annotations={"tier": "gold", "n": 1, "depth": 2})
    document = flat(
        sub(namespace=None, subsegments=[inner]),
        annotations={
            "tier": "gold", "flag": True, "n": 1.0, "x": 1.5, "a=b": "c",
            "none": None, "list": [1], "long": "x" * 1001, "fits": "x" * 1000,
        },
    )  # fmt: skip
    assert document.annotations == (
        'tier="gold"', "flag=true", "n=1", "x=1.5", 'a%3Db="c"', f'fits="{"x" * 1000}"', "depth=2",
    )  # fmt: skip


def test_last_end() -> None:
    """Work inside may go on after the answer."""
    later = sub(namespace="local", subsegments=[sub(end_time=START + 2)])
    assert flat(later).last_end == T + 2_000_000
    assert flat(sub()).last_end == flat(sub()).end == T + 100_000


def test_what_a_segment_says_of_itself() -> None:
    """Origin, account, user, http, where it ran."""
    document = flat(
        origin="AWS::EC2::Instance",
        user="u-7",
        resource_arn="arn:aws:x",
        aws={
            "account_id": "123456789012",
            "ec2": {"instance_id": "i-1", "availability_zone": "eu-west-1a"},
            "ecs": {"availability_zone": "eu-west-1b"},
        },
        http={
            "request": {"method": "GET", "url": "/x", "client_ip": "::1", "user_agent": "curl"},
            "response": {"status": 201},
        },
    )
    assert document.node == NodeKey("123456789012", "frontend", "AWS::EC2::Instance", "eu-west-1")
    assert (document.user, document.resource_arn) == ("u-7", "arn:aws:x")
    assert (document.instance_id, document.availability_zone) == ("i-1", "eu-west-1a")
    http = document.http
    assert (http.method, http.url, http.status, http.client_ip, http.user_agent) == (
        "GET", "/x", 201, "::1", "curl",
    )  # fmt: skip
    assert flat(aws={"ecs": {"availability_zone": "eu-west-1b"}}).availability_zone == "eu-west-1b"


def test_version_and_environment() -> None:
    """Of the segment itself; what a subsegment says of another service is not its own."""
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:checkout"
    assert flat(service={"version": "1.3"}).service_version == "1.3"
    assert (
        flat(aws={"function_arn": f"{arn}:42"}, service={"version": "1.3"}).service_version == "42"
    )
    assert flat(resource_arn=f"{arn}:live").service_version == "live"
    assert flat(annotations={"version": 42}).service_version == "42"
    inner = {"id": "00000000000000b1", "name": "x", "start_time": START, "end_time": START + 1}
    assert flat({**inner, "annotations": {"version": "9"}}).service_version == ""
    assert flat(aws={"api_gateway": {"stage": "prod"}}).environment == "prod"
    assert flat(annotations={"deployment.environment": "dev"}).environment == "dev"
    assert flat(service="1.3", annotations={"n": 1}).service_version == ""


def test_uploaded_inferred_segment() -> None:
    """Stored as given; its node is the one the caller's subsegment would infer."""
    document = flat(
        inferred=True, origin="AWS::DynamoDB::Table", name="DynamoDB", aws={"table_name": "orders"}
    )
    assert document.inferred
    assert document.node == NodeKey("", "orders", "AWS::DynamoDB::Table")


def test_nodes_are_the_same_when_looked_up() -> None:
    """Tables of answers never mix up two resources, accounts or types."""
    tables = [call(namespace="aws", name="dynamodb", aws={"table_name": t}) for t in "aba"]
    assert [c.node.name for c in tables] == ["a", "b", "a"]
    lists = [call(namespace="aws", name="S3", aws={"resource_names": [t]}) for t in "aba"]
    assert [c.node.name for c in lists] == ["a", "b", "a"]
    odd = call(namespace="aws", name="dynamodb", aws={"table_name": {"a": 1}, "table_names": ["t"]})
    assert odd.node.name == "t"
    accounts = [flat(aws={"account_id": a}).node.account for a in ("1", "2", "1")]
    assert accounts == ["1", "2", "1"]
    gateway = flat(aws={"api_gateway": {"account_id": "3"}})
    assert gateway.node.account == "3"


def test_links_of_a_document_and_its_subsegments() -> None:
    """Direction and receipt as X-Ray writes them; what names no other trace says nothing."""
    reserved = "aws.xray.reserved."
    child = {
        reserved + "reference_type": "child",
        reserved + "received_event_end_time": START + 0.5,
    }
    other, w3c = "1-6b061440-0000000000000000000000aa", "6b0614400000000000000000000000bb"
    invocation = sub(links=[{"trace_id": other, "id": "00000000000000e1", "attributes": child}])
    odd: list[Any] = [
        {"trace_id": w3c, "id": "00000000000000e2", "attributes": {reserved + "names": ["a"]}},
        {"trace_id": "nonsense", "id": "00000000000000e3"},
        {"trace_id": other, "id": "e4"},
        {},
    ]
    document = flat(invocation, links=odd)
    received = round((START + 0.5) * 1e6)
    assert document.links == (
        Link(bytes.fromhex(w3c), 0xE2, upstream=True),
        Link(bytes.fromhex("6b061440" + "0" * 22 + "aa"), 0xE1, upstream=False, received=received),
    )
    again = flat(invocation, links=odd, user=7)  # a misfit elsewhere: the lenient way
    assert again.links == document.links


def test_links_in_excess() -> None:
    """A document has 100 at most, however they are spread over its subsegments; its own come first."""
    other = "1-6b061440-0000000000000000000000aa"
    links = [{"trace_id": other, "id": f"{n:016x}"} for n in range(1, 71)]
    document = flat(sub(links=links), sub(links=links), links=links[:20])
    assert [link.id for link in document.links] == [*range(1, 21), *range(1, 71), *range(1, 11)]
    columns, _ = decode_columns([document.raw], 1)
    assert len(columns.links) == 100

"""What the store's columns say of a document and of the subsegments embedded in it."""

from __future__ import annotations

from typing import Any

import pytest

from collector.decode.document import decode_document
from store.model import Call, Document, Link, NodeKey, State
from tests.collector.samples import START, segment_bytes

MILLISECOND = 1000
T = 1_795_560_000_250_000


def sub(id: str | None = "00000000000000b1", **change: Any) -> dict[str, Any]:
    """An embedded remote subsegment, 1 ms to 11 ms after the segment's start."""
    document = {
        "id": id,
        "name": "backend.example.com",
        "start_time": START + 0.001,
        "end_time": START + 0.011,
        "namespace": "remote",
        **change,
    }
    return {key: value for key, value in document.items() if value is not None}


def flat(*subsegments: dict[str, Any], **change: Any) -> Document:
    """The segment with these subsegments."""
    return decode_document(segment_bytes(subsegments=list(subsegments), **change), 1)


def call(**change: Any) -> Call:
    """The call a subsegment is."""
    (only,) = flat(sub(**change)).calls
    return only


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


def test_remote_call() -> None:
    """Its node is the host it names; times are its own."""
    assert call(http={"request": {"url": "http://x/"}, "response": {"status": 200}}) == Call(
        id=0xB1,
        start=T + MILLISECOND,
        end=T + 11 * MILLISECOND,
        state=State.OK,
        node=NodeKey("", "backend.example.com", "remote"),
        service="backend.example.com",
        host="backend.example.com",
        status=200,
    )
    assert call(sql={}, name="orders@db").node == NodeKey("", "orders@db", "Database::SQL")


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, State.OK),
        ({"error": False, "fault": False, "throttle": False}, State.OK),
        ({"error": True}, State.ERROR),
        ({"fault": True}, State.FAULT),
        ({"throttle": True}, State.THROTTLE),
        ({"http": {"response": {"status": 503}}}, State.FAULT),
        ({"http": {"response": {"status": 404}}}, State.ERROR),
        ({"http": {"response": {"status": 429}}}, State.THROTTLE),
        ({"error": True, "fault": True, "http": {"response": {"status": 400}}}, State.ERROR),
        ({"in_progress": True, "fault": True}, State.IN_PROGRESS),
        ({"end_time": None}, State.IN_PROGRESS),
        ({"end_time": 1.8e12}, State.IN_PROGRESS),
        (
            {"error": True, "cause": {"exceptions": [{"id": "1", "type": "ThrottlingException"}]}},
            State.THROTTLE,
        ),
    ],
)
def test_states(change: dict[str, Any], state: State) -> None:
    """One rule for segments and calls (`store.rules.classify`); unfinished calls have no length."""
    found = call(**change)
    assert found.state is state
    assert (found.end == found.start) is (state is State.IN_PROGRESS)
    if "end_time" not in change:
        assert flat(**change).state is state


def test_traced_calls() -> None:
    """Said on the subsegment by the schema, in the request by the docs and Go's SDK."""
    assert call(traced=True).traced
    assert call(http={"request": {"traced": True}}).traced
    assert not call(http={"request": {"traced": False}}).traced


def test_calls_without_times() -> None:
    """A start that is missing is the segment's; an end before the start is no duration."""
    assert call(start_time=None).start == T
    assert call(start_time=-1).start == T
    backwards = call(end_time=START)
    assert backwards.end == backwards.start


def test_calls_without_an_id() -> None:
    """They get one that is the same whenever the document comes again, and unlike any other."""
    first, second = flat(sub(None), sub("x")).calls
    again, _ = flat(sub(None), sub("x")).calls
    assert first.id == again.id
    assert 0 != first.id != second.id != 0
    other = decode_document(segment_bytes("00000000000000a2", subsegments=[sub(None)]), 1)
    assert other.calls[0].id != first.id


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"sql": {"url": "jdbc:postgresql://db.example.com:5432/orders?x=1"}}, "orders@db.example.com:5432"),
        ({"sql": {"url": "sqlite://srv/orders/cap/x.db"}}, "x.db"),
        ({"sql": {"url": "sqlite:////var/tmp/x.db"}}, "x.db"),
        ({"sql": {"url": "sqlite+pysqlite:////tmp/x.db?mode=ro"}}, "x.db"),
        ({"sql": {"url": "jdbc:sqlite:/tmp/x.db"}}, "x.db"),
        ({"sql": {"url": "sqlite:///:memory:"}}, ":memory:"),
        ({"sql": {"url": "sqlite://"}}, "sqlite"),
        ({"sql": {"connection_string": "mysql://me:pw@db/shop"}}, "shop@db"),
        ({"sql": {"url": "db.example.com:3306/orders"}}, "orders@db.example.com:3306"),
        ({"sql": {"url": "jdbc:oracle:thin:@db:1521/orders"}}, "orders@db:1521"),
        ({"sql": {"url": "mysql://me:p@ss@db/"}}, "db"),
        ({"sql": {"url": "sqlite:///tmp/x.db"}}, "x.db"),
        ({"sql": {"database_type": "sqlite"}}, "sqlite"),
        ({"sql": {}}, "unknown"),
        ({"http": {"request": {"url": "https://api.example.com:8443/x"}}}, "api.example.com"),
        ({"http": {"request": {"url": "https://[oops"}}}, "unknown"),
        ({}, "unknown"),
    ],
)  # fmt: skip
def test_calls_without_a_name(change: dict[str, Any], name: str) -> None:
    """Named by what they called (docs/xray-format.md §2.6); passwords never come into a name."""
    assert call(name=None, **change).host == name
    assert call(name=5, **change).host == name


def test_long_call_names_are_cut() -> None:
    """200 characters, as for segments."""
    assert len(call(name="n" * 5000).host) == 200


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


def failed(id: str, exception: str, *inside: dict[str, Any], **change: Any) -> dict[str, Any]:
    """A local subsegment that failed with an exception."""
    cause = {"exceptions": [{"id": id, "type": exception}]}
    ended = {"fault": True, "cause": cause, "namespace": None, "subsegments": list(inside)}
    return sub(id, **{**ended, **change})


def test_a_failed_segment_is_known_by_its_deepest_exception() -> None:
    """Whether or not the segment repeats it; the first of equally deep ones."""
    inner = failed("00000000000000b2", "TaskTimedOut")
    other = failed("00000000000000b4", "Later", failed("00000000000000b5", "Second"))
    outer = failed("00000000000000b1", "HandlerFailed", inner)
    assert flat(outer, other, fault=True).exception == "TaskTimedOut"
    own = {"exceptions": [{"id": "e", "type": "RequestFailed"}]}
    assert flat(outer, fault=True, cause=own).exception == "TaskTimedOut"
    assert flat(sub(namespace=None), fault=True, cause=own).exception == "RequestFailed"


def test_handled_exceptions_do_not_name_a_failure() -> None:
    """Those of a document that succeeded, and of subsegments that ended otherwise than it did."""
    handled = failed("00000000000000b2", "ConditionalCheckFailed", fault=None, error=True)
    assert flat(handled).exception == ""
    own = {"exceptions": [{"id": "e", "type": "RequestFailed"}]}
    assert flat(handled, fault=True, cause=own).exception == "RequestFailed"
    assert flat(handled, fault=True).exception == "ConditionalCheckFailed"


def test_a_throttle_further_down_does_not_change_the_state() -> None:
    """Only the document's own exception classifies it."""
    thrown = failed("00000000000000b2", "ThrottlingException", fault=None, error=True)
    document = flat(thrown, error=True)
    assert (document.state, document.exception) == (State.ERROR, "ThrottlingException")


def test_exceptions() -> None:
    """The first exception's type, followed by id to where in the document it was recorded."""
    cause = {"exceptions": [{"id": "e1", "type": "KeyError"}, {"id": "e2", "type": "Other"}]}
    document = flat(sub(cause=cause, fault=True), fault=True, cause="e1")
    assert document.exception == "KeyError"
    assert document.calls[0].exception == "KeyError"
    assert flat(fault=True, cause="elsewhere").exception == ""
    assert flat(fault=True, cause={"exceptions": [{"id": "e"}]}).exception == ""


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

"""What a trace says of an invocation in it: derived again with that, each unit counts once."""

from __future__ import annotations

import itertools
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decode.document import decode_document
from store.event_evidence import with_source
from store.invocation_evidence import evidence_in, invocations_in
from store.memory import MemoryStore
from store.model import Document, NodeKey, State, TimeRange, Trace, derived_version, relayed_version
from store.rules.annotations import parse_annotation_item
from store.rules.invocation_documents import documents_of
from store.rules.invocations import NOTHING, Evidence, Invocation, rank_of
from store.times import MINUTE, SECOND
from tests.builders import T0
from tests.lambda_samples import (
    ACCOUNT,
    END,
    FUNCTION_ID,
    REGION,
    REQUEST,
    SERVICE_ID,
    TRACE_ID,
    TRACE_TEXT,
    invocation,
    telemetry,
)

ALWAYS = TimeRange(0, 1 << 62)
LATER = END + 5 * MINUTE
BEGIN = (END - 100_000) / SECOND
FUNCTION = NodeKey(ACCOUNT, "checkout", "AWS::Lambda::Function", REGION)
SERVICE = NodeKey(ACCOUNT, "checkout", "AWS::Lambda", REGION)
CALL_ID = 0xCA11


def document(**values: Any) -> Document:
    """A reported document of the trace."""
    times = {"start_time": BEGIN + 0.01, "end_time": BEGIN + 0.09}
    content = {"trace_id": TRACE_TEXT, **times, **values}
    for key in ("id", "parent_id"):
        if isinstance(content.get(key), int):
            content[key] = f"{content[key]:016x}"
    return decode_document(json.dumps(content).encode(), T0)


def query(parent: int = FUNCTION_ID, id: int = 0x7AB1E, **values: Any) -> Document:
    """The subsegment of an SDK in the function: a call to a table."""
    table = {"table_name": "orders", "region": REGION, "account_id": ACCOUNT}
    given = {"type": "subsegment", "namespace": "aws", "name": "DynamoDB", "aws": table}
    return document(id=id, parent_id=parent, **given | values)


def web(**aws: Any) -> Document:
    """A service that calls the function."""
    call = {
        "id": f"{CALL_ID:016x}",
        "name": "Lambda",
        "namespace": "aws",
        "start_time": BEGIN - 0.01,
        "end_time": BEGIN + 0.12,
        "aws": {"operation": "Invoke", "function_name": "checkout", **aws},
    }
    times = {"start_time": BEGIN - 0.02, "end_time": BEGIN + 0.13}
    return document(id=0x3EB, name="web", subsegments=[call], **times)


class World:
    """A store, and how often something was derived in it."""

    def __init__(self, *documents: Document) -> None:
        self.store = MemoryStore()
        self._number = itertools.count(1)
        for each in documents:
            self.put(each)

    def put(self, document: Document) -> None:
        self.store.put([document], f"{next(self._number)}")

    def report(self, given: Invocation, evidence: Evidence = NOTHING) -> None:
        """A platform record arrives."""
        number = next(self._number)
        version = derived_version(T0 + number, rank_of(given, evidence))
        for each in documents_of(given, evidence):
            self.put(decode_document(msgspec.json.encode(each), version))

    def join(self, now: int = LATER) -> None:
        """Derive again with what the trace says, as `api.invocation_joiner` does."""
        for found in invocations_in(self.trace):
            evidence = evidence_in(self.trace, found, now=now)
            self.report(found.invocation, evidence)
            if own := with_source(self.trace, found.invocation, evidence):
                number = next(self._number)
                version = relayed_version(T0 + number) if own.relayed else T0 + number
                self.put(decode_document(msgspec.json.encode(own.document), version))

    def arrive(self, order: list[Any], joins: list[bool]) -> None:
        """Take documents and invocations, and derive again after some of them."""
        for item, join in zip(order, joins, strict=False):
            if isinstance(item, Document):
                self.put(item)
            else:
                self.report(item)
            if join and self.store.get_traces([TRACE_ID]):
                self.join()
        self.join()
        self.join()

    @property
    def trace(self) -> Trace:
        return self.store.get_traces([TRACE_ID], raw=True)[TRACE_ID]

    @property
    def nodes(self) -> dict[NodeKey, int]:
        services = self.store.service_graph(ALWAYS).services
        return {key: each.statistics.total for key, each in services.items() if not key.is_client}

    @property
    def edges(self) -> set[tuple[str, str]]:
        edges = self.store.service_graph(ALWAYS).edges
        return {(source.type or source.name, target.type) for source, target in edges}


PATH = {
    ("AWS::Lambda", "AWS::Lambda::Function"),
    ("AWS::Lambda::Function", "AWS::DynamoDB::Table"),
}
FROM_OUTSIDE = {("client", "AWS::Lambda"), *PATH}
FROM_WEB = {("client", ""), ("web", "AWS::Lambda"), *PATH}


@pytest.mark.parametrize("record", [invocation(), telemetry()])
def test_subsegments_hang_below_the_function_at_once(record: Invocation) -> None:
    world = World(query())
    assert world.edges == set()
    world.report(record)
    assert world.edges == FROM_OUTSIDE
    world.join()
    assert world.edges == FROM_OUTSIDE
    assert (world.nodes[FUNCTION], world.nodes[SERVICE]) == (1, 1)


@pytest.mark.parametrize(
    "record",
    [invocation(), invocation(segment_id=SERVICE_ID), invocation(segment_id=0), telemetry()],
)
def test_whatever_a_record_names_the_map_is_the_same(record: Invocation) -> None:
    world = World(query(), web(request_id=REQUEST))
    world.report(record)
    world.join()
    assert world.edges == FROM_WEB
    assert (world.nodes[FUNCTION], world.nodes[SERVICE]) == (1, 1)


RECORDS = (invocation(), telemetry(), invocation(segment_id=SERVICE_ID))


@given(
    order=st.permutations([*RECORDS, query(), web(request_id=REQUEST)]),
    joins=st.lists(st.booleans(), min_size=5, max_size=5),
)
def test_in_any_order_two_sources_and_the_trace_count_once(
    order: list[Any], joins: list[bool]
) -> None:
    """Also of sources that contradict each other in which segment an id names."""
    world = World()
    world.arrive(order, joins)
    assert world.edges == FROM_WEB
    assert (world.nodes[FUNCTION], world.nodes[SERVICE]) == (1, 1)


REPORTED = (
    document(id=SERVICE_ID, name="checkout", origin="AWS::Lambda", aws={"request_id": REQUEST},
             parent_id=CALL_ID,
             resource_arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:checkout"),
    document(id=FUNCTION_ID, parent_id=SERVICE_ID, name="checkout",
             origin="AWS::Lambda::Function",
             aws={"account_id": ACCOUNT, "region": REGION, "request_id": REQUEST}),
)  # fmt: skip


INVOCATION = {
    "id": f"{FUNCTION_ID:016x}",
    "name": "Invocation",
    "start_time": BEGIN + 0.001,
    "end_time": BEGIN + 0.099,
}
WITH_INVOCATION = (
    REPORTED[0],
    document(id=0x600D, parent_id=SERVICE_ID, name="checkout", origin="AWS::Lambda::Function",
             aws={"account_id": ACCOUNT, "region": REGION}, subsegments=[INVOCATION]),
)  # fmt: skip
"""As X-Ray has them today: the function's subsegments are those of its subsegment Invocation."""


@given(
    reported=st.sampled_from([REPORTED, WITH_INVOCATION]),
    others=st.permutations([invocation(), telemetry(), query(), web(request_id=REQUEST)]),
    places=st.tuples(st.integers(0, 4), st.integers(0, 5)),
    joins=st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_reported_segments_win_and_count_once_in_any_order(
    reported: tuple[Document, Document],
    others: list[Any],
    places: tuple[int, int],
    joins: list[bool],
) -> None:
    order = list(others)
    for place, each in zip(places, reported, strict=True):
        order.insert(place, each)
    world = World()
    for item, join in zip(order, joins, strict=True):
        if isinstance(item, Document):
            world.put(item)
        else:
            world.report(item)
        if join:
            world.join()
    world.join()
    world.join()
    assert world.edges == FROM_WEB
    assert (world.nodes[FUNCTION], world.nodes[SERVICE]) == (1, 1)
    for each in reported:
        assert world.trace.documents[each.id] == each


@pytest.mark.parametrize("record", [invocation(), telemetry()])
def test_opentelemetrys_segment_of_the_function_is_the_function(record: Invocation) -> None:
    """Its parent is what X-Ray's own segment of the function would be."""
    about = {"account_id": ACCOUNT, "region": REGION}
    layer = document(id=0x07E1, parent_id=FUNCTION_ID, name="checkout",
                     origin="AWS::Lambda::Function", aws=about)  # fmt: skip
    world = World(layer, query(0x07E1))
    world.report(record)
    world.join()
    assert world.edges == FROM_OUTSIDE
    assert (world.nodes[FUNCTION], world.nodes[SERVICE]) == (1, 1)


def test_what_only_the_platform_knows_stays_where_the_function_reports_itself() -> None:
    """An OpenTelemetry layer does not say that the start was a cold one, in all languages."""
    about = {"account_id": ACCOUNT, "region": REGION}
    layer = document(id=0x07E1, parent_id=FUNCTION_ID, name="checkout",
                     origin="AWS::Lambda::Function", aws=about)  # fmt: skip
    world = World(layer, query(0x07E1))
    world.report(telemetry(init=300_000))
    world.join()
    assert (world.nodes[FUNCTION], world.nodes[SERVICE]) == (1, 1)
    (found,) = (d for d in world.trace.documents.values() if d.id == FUNCTION_ID)
    annotations = dict(map(parse_annotation_item, found.annotations))
    assert annotations["lambda_cold_start"] is True
    assert annotations["lambda_version"] == "42"
    (beginning,) = json.loads(found.raw)["subsegments"]
    assert beginning["name"] == "Initialization"


def test_a_caller_without_a_request_id_is_found_by_its_time() -> None:
    world = World(query(), web())
    world.report(telemetry())
    world.join()
    assert world.edges == FROM_WEB


def test_a_caller_of_another_request_is_not_it() -> None:
    world = World(query(), web(request_id="another"))
    world.report(telemetry())
    world.join()
    assert ("web", "AWS::Lambda") in world.edges  # the inferred node, unanswered
    assert ("client", "AWS::Lambda") in world.edges
    assert not any(edge == ("web", "AWS::Lambda::Function") for edge in world.edges)


def test_the_client_of_a_function_waits_for_a_caller() -> None:
    world = World(query())
    world.report(telemetry())
    world.join(now=END + SECOND)
    (service,) = (d for d in world.trace.documents.values() if d.node.type == "AWS::Lambda")
    assert service.parent_id
    world.join(now=LATER)
    (service,) = (d for d in world.trace.documents.values() if d.node.type == "AWS::Lambda")
    assert not service.parent_id


def test_two_functions_of_one_trace_are_not_mixed_up() -> None:
    """Both at the same time, of which one sends subsegments and one names the wrong half."""
    other = invocation(request_id="other", function="mail", segment_id=0xE1)
    mails = query(0xF2, 0x7AB1F, name="SQS", aws={"queue_url": "https://sqs/1/mails"})
    world = World(query(), mails)
    world.report(telemetry())
    world.report(other)
    world.join()
    assert (world.nodes[FUNCTION], world.nodes[SERVICE]) == (1, 1)
    edges = world.store.service_graph(ALWAYS).edges
    named = {(source.name, target.name) for source, target in edges if not source.is_client}
    assert named == {("checkout", "checkout"), ("checkout", "orders"), ("mail", "mail"),
                     ("mail", "mails")}  # fmt: skip


def test_a_retry_under_the_same_request_counts_again() -> None:
    world = World()
    world.report(telemetry())
    world.report(telemetry(end=END + MINUTE, span_id=0xF3, parent_id=0x5F))
    world.join(now=LATER + MINUTE)
    assert (world.nodes[FUNCTION], world.nodes[SERVICE]) == (2, 2)


def test_joining_again_changes_nothing() -> None:
    world = World(query(), web(request_id=REQUEST))
    world.report(invocation(segment_id=SERVICE_ID))
    world.join()
    before = {id: (d.node, d.parent_id) for id, d in world.trace.documents.items()}
    world.join()
    assert {id: (d.node, d.parent_id) for id, d in world.trace.documents.items()} == before


def handler(fault: bool = True, parent: int = FUNCTION_ID, **values: Any) -> Document:
    """Powertools' subsegment around the handler."""
    cause = {"exceptions": [{"id": "00000000000000e1", "type": "ValueError", "message": "no"}]}
    failed = {"fault": True, "cause": cause} if fault else {}
    given = {"type": "subsegment", "name": "## handler", **failed}
    times = {"start_time": BEGIN + 0.005, "end_time": BEGIN + 0.095}
    return document(**{"id": 0x4A4D, "parent_id": parent, **given, **times, **values})


def states(world: World) -> dict[str, State]:
    documents = world.trace.documents.values()
    return {d.node.type: d.state for d in documents if not d.independent and d.node.type}


FAULT = {"AWS::Lambda": State.FAULT, "AWS::Lambda::Function": State.FAULT}
FINE = {"AWS::Lambda": State.OK, "AWS::Lambda::Function": State.OK}


@given(
    st.permutations([telemetry(), handler(), query(0x4A4D)]), st.lists(st.booleans(), min_size=3)
)
def test_a_failed_subsegment_around_the_handler_is_the_functions_failure(
    order: list[Any], joins: list[bool]
) -> None:
    """In any order, and whenever the joiner looks."""
    world = World()
    for item, join in zip(order, joins, strict=False):
        world.put(item) if isinstance(item, Document) else world.report(item)
        if join:
            world.join(now=END + SECOND)
    world.join()
    assert states(world) == FAULT
    (function,) = (d for d in world.trace.documents.values() if d.id == FUNCTION_ID)
    assert function.exception == "ValueError"


def test_the_service_fails_as_the_function_that_reports_itself() -> None:
    """An OpenTelemetry layer reports the function, not the service."""
    cause = {"exceptions": [{"id": "00000000000000e1", "type": "ValueError"}]}
    layer = document(id=FUNCTION_ID, parent_id=SERVICE_ID, name="checkout", fault=True, cause=cause,
                     origin="AWS::Lambda::Function", aws={"account_id": ACCOUNT, "region": REGION})  # fmt: skip
    world = World(layer)
    world.report(telemetry())
    world.join()
    assert states(world) == FAULT


@pytest.mark.parametrize(
    "inside",
    [
        [handler(fault=False)],
        [handler(fault=False), handler(parent=0x4A4D, id=0x4A4E)],
        [handler(end_time=BEGIN + 0.05), query(start_time=BEGIN + 0.06)],
        [query(fault=True)],
    ],
)
def test_a_failure_that_the_handler_survived_is_none_of_the_function(
    inside: list[Document],
) -> None:
    """Of a part of the work, of a call, or deeper inside."""
    world = World(*inside)
    world.report(telemetry())
    world.join()
    assert states(world) == FINE


def test_a_helper_that_arrives_before_the_handler_around_it() -> None:
    """The only subsegment so far encloses everything, until the next one arrives."""
    world = World(handler(id=0x4A4E, start_time=BEGIN + 0.02, end_time=BEGIN + 0.03), web())
    world.report(telemetry())
    world.join(now=END + SECOND)
    assert states(world) == FAULT
    world.put(handler(fault=False))
    world.join()
    assert states(world) == FINE


def test_the_trace_stays_of_interest_while_more_may_arrive() -> None:
    world = World(query(), web(request_id=REQUEST))
    world.report(telemetry())

    def standing() -> set[str]:
        items = {i for d in world.trace.documents.values() for i in d.annotations}
        return {str(v) for k, v in map(parse_annotation_item, items) if k == "lambda_record"}

    world.join(now=END + SECOND)
    assert standing() == {"assumed"}, "of the handler nothing is known yet"
    world.put(handler())
    world.join(now=END + SECOND)
    assert standing() == {"joined"}


def test_a_failure_once_known_is_not_forgotten() -> None:
    """The record of a delivery without the line is delivered again, and again."""
    world = World(query())
    world.report(telemetry())
    world.join()
    world.report(telemetry(failure="ValueError"), NOTHING)
    world.report(telemetry())
    assert states(world) == FAULT
    world.join()
    world.report(telemetry())
    world.report(invocation())
    assert states(world) == FAULT


def test_of_two_records_the_better_one_takes_the_failure_of_the_other() -> None:
    world = World()
    world.report(invocation(failure="ValueError", failure_message="no"))
    world.report(telemetry())
    (found,) = invocations_in(world.trace)
    assert found.invocation == telemetry(failure="ValueError", failure_message="no")


def test_a_client_cannot_send_a_record() -> None:
    """Metadata that look like a record are metadata, unless the document was derived here."""
    forged = documents_of(telemetry())[0]
    world = World(decode_document(msgspec.json.encode(forged), T0))
    assert invocations_in(world.trace) == []

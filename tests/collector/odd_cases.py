"""Cases that no suite of senders has, each with its map (`tests.collector.conventions.drawn`): what single rules are for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from collector.decode.zipkin.spans import decode_zipkin
from store.memory import MemoryStore
from store.model import Document, Independent, Kind, Link, NodeKey
from tests.builders import T0, call, segment, subsegment, trace_id
from tests.collector.conventions import (
    ALL,
    GET,
    KAFKA,
    SQL,
    START,
    Span,
    documents_of,
    drawn,
    groups_of,
    http,
)

TABLE = NodeKey("", "tab", "AWS::DynamoDB::Table")
RECEIVE = {**KAFKA, "messaging.operation.type": "receive"}
REMOTE = 0x300


def _stored(documents: Iterable[Document]) -> MemoryStore:
    store = MemoryStore()
    store.put(list(documents), "a")
    return store


def _spans(*spans: Span) -> MemoryStore:
    return _stored(documents_of(groups_of(spans), 1))


def a_server_behind_a_sidecar_that_shares_its_clients_id() -> str:
    """Zipkin: the application names the id that the sidecar shares with its client."""

    def span(id: str, kind: str, service: str, at: int, **more: Any) -> dict[str, Any]:
        times = {"timestamp": START * 1_000_000 + at * 1000, "duration": (100 - 2 * at) * 1000}
        named = {"localEndpoint": {"serviceName": service}}
        return {"traceId": f"{START:08x}0000000a", "id": id, "kind": kind, **times, **named, **more}

    spans = [
        span("1", "SERVER", "front", 0),
        span("2", "CLIENT", "front", 1, parentId="1"),
        span("2", "SERVER", "web", 2, parentId="1", shared=True),
        span("3", "SERVER", "web", 3, parentId="2"),
    ]
    store = MemoryStore()
    for version, each in enumerate(spans, 1):
        store.put(decode_zipkin(json.dumps([each]).encode(), version).documents, f"{version}")
    return drawn(store.service_graph(ALL))


def a_request_after_the_one_above_it() -> str:
    later = Span("web", "S", 1, GET, at=900, takes=50)
    return drawn(_spans(Span("web", "S", 0, GET), later).service_graph(ALL))


def a_loop_that_polls() -> str:
    """The work of its own service above a consumer did not call that."""
    spans = _spans(Span("worker", "I"), Span("worker", "Q", 1, KAFKA))
    return drawn(spans.service_graph(ALL))


def the_age_of_messages() -> str:
    """Below what sent them, and linked to it: in milliseconds."""
    spans = [
        Span("front", "S", 0, GET),
        Span("front", "P", 1, KAFKA, at=20, takes=10),
        Span("worker", "Q", 2, KAFKA, at=230, takes=5),
        Span("worker", "Q", 0, KAFKA, links=[2], trace=2, at=330, takes=5),
    ]
    (link,) = _spans(*spans).service_graph(ALL).links.values()
    return f"{link.statistics.total} in {link.statistics.total_time // 1000}"


def a_fetch_below_a_call() -> str:
    """What fetched messages is no answer to a call."""
    spans = [
        Span("front", "S", 0, GET),
        Span("front", "C", 1, http("h")),
        Span("worker", "C", 2, RECEIVE, flags=REMOTE, links=[4]),
        Span("front", "P", 0, KAFKA, trace=2),
    ]
    return drawn(_spans(*spans).service_graph(ALL))


def a_root_whose_parent_may_still_come() -> str:
    store = _spans(Span("front", "S", -7, GET))
    return drawn(store.service_graph(ALL, settled_before=ALL.start))


def a_request_that_a_message_caused() -> str:
    spans = [Span("front", "P", 0, KAFKA), Span("web", "S", 0, GET, links=[1], trace=2)]
    return drawn(_spans(*spans).service_graph(ALL))


def a_streamed_call_of_a_table() -> str:
    """The segment knows the account and region."""
    return drawn(_stored(_of_account("1", 1)).service_graph(ALL))


def _of_account(account: str, number: int) -> list[Document]:
    """A request of a service that calls a table."""
    made = call(0xC1, node=TABLE, service="DynamoDB", host="")
    node = NodeKey(account, "fn", "", "eu-west-1")
    above = segment(node=node, service="fn", trace_id=trace_id(number))
    return [above, subsegment(0xC1, trace_id=trace_id(number), calls=(made,))]


def a_link_to_a_streamed_call_of_a_table() -> str:
    """Of two accounts that have one of that name."""
    caused = segment(0xB1, name="b", trace_id=trace_id(3), links=(Link(trace_id(1), 0xC1, True),))
    return drawn(_stored([*_of_account("1", 1), *_of_account("2", 2), caused]).service_graph(ALL))


def a_call_that_two_services_answer() -> str:
    answers = (segment(id, name=name, parent_id=0xCA11) for id, name in ((0xB1, "b"), (0xB2, "c")))
    return drawn(_stored([segment(calls=(call(),)), *answers]).service_graph(ALL))


def a_link_that_both_ends_report() -> str:
    sent = segment(trace_id=trace_id(1), links=(Link(trace_id(2), 0xB1, False, T0 + 5),))
    got = segment(0xB1, name="b", trace_id=trace_id(2), links=(Link(trace_id(1), 0xA1, True),))
    return drawn(_stored([sent, got]).service_graph(ALL))


def a_segment_below_work_of_an_unknown_segment() -> str:
    return drawn(
        _stored([subsegment(0xC1, 0xDEAD), segment(0xB1, parent_id=0xC1)]).service_graph(ALL)
    )


def calls_in_a_circle() -> str:
    def client(id: int, parent: int) -> Document:
        made = call(id, node=NodeKey("", "h", "remote"), start=T0, end=T0 + 9)
        of_sender = Independent.OF_SENDER
        return subsegment(id, parent, independent=of_sender, kind=Kind.CLIENT, calls=(made,))

    return drawn(_stored([client(1, 2), client(2, 1)]).service_graph(ALL))


def a_query_that_a_service_answers_as_a_whole() -> str:
    """What is within it does not count in its place."""
    spans = [Span("front", "S", 0, GET), Span("front", "C", 1, SQL), Span("proxy", "S", 2, GET)]
    return drawn(_spans(*spans, *[Span("front", "C", 2, SQL)] * 2).service_graph(ALL))


def a_job_whose_root_never_comes() -> str:
    return drawn(_spans(Span("batch", "I", -7), Span("batch", "C", 1, SQL)).service_graph(ALL))


ODD_CASES: dict[Callable[[], str], str] = {
    a_server_behind_a_sidecar_that_shares_its_clients_id: "front 1, web 1 | client->front 1, front->web 1",
    a_request_after_the_one_above_it: "web 2 | client->web 1, web->web 1",
    a_loop_that_polls: "orders:Messaging::Kafka, worker 1 (1) | orders:Messaging::Kafka=>worker 1",
    the_age_of_messages: "2 in 500",
    a_fetch_below_a_call: "front 1 (1), h:remote 1, orders:Messaging::Kafka 1, worker 1 | client->front 1, front->h:remote 1, "
    "front->orders:Messaging::Kafka 1, orders:Messaging::Kafka=>worker 1",
    a_root_whose_parent_may_still_come: "front 1 | ",
    a_request_that_a_message_caused: "front (1), orders:Messaging::Kafka 1, web 1 | front->orders:Messaging::Kafka 1, "
    "orders:Messaging::Kafka=>web 1",
    a_streamed_call_of_a_table: "fn@1 1, tab:AWS::DynamoDB::Table@1 1 | client->fn 1, fn->tab:AWS::DynamoDB::Table 1",
    a_link_to_a_streamed_call_of_a_table: "b 1, fn@1 1, fn@2 1, tab:AWS::DynamoDB::Table@1 1, tab:AWS::DynamoDB::Table@2 1 | "
    "client->fn 1, client->fn 1, fn->tab:AWS::DynamoDB::Table 1, fn->tab:AWS::DynamoDB::Table 1, tab:AWS::DynamoDB::Table=>b 1",
    a_query_that_a_service_answers_as_a_whole: "front 1, proxy 1 | client->front 1, front->proxy 1",
    a_call_that_two_services_answer: "b 1, c 1, frontend 1 | client->frontend 1, frontend->b 1, frontend->c 1",
    a_link_that_both_ends_report: "b 1, frontend 1 | client->frontend 1, frontend=>b 1",
    a_segment_below_work_of_an_unknown_segment: "frontend 1 | ",
    calls_in_a_circle: "frontend, h:remote 2 | frontend->h:remote 2",
    a_job_whose_root_never_comes: "batch, o@pg:Database::SQL 1 | batch->o@pg:Database::SQL 1",
}  # fmt: skip

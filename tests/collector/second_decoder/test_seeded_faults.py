"""Faults put into the first decoder are found by comparing it with the second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from collector.decode import calls, flatten, node_cache, outcome
from collector.decode.otlp import groups
from store import short_cache
from store.model import NO_NODE, Fetched, State
from store.otel import attributes, callee, hosts, resource, span_facts, status
from store.rules import identity
from store.rules.classify import classify
from store.rules.links import read_link
from tests.collector.otlp_samples import CLIENT, CONSUMER, PARENT, PRODUCER, SERVER
from tests.collector.second_decoder import test_documents, test_spans


def without(*keys: str) -> Callable[..., str]:
    """`store.otel.attributes.text` that does not know some attributes."""
    return lambda found, *names: attributes.text(found, *(n for n in names if n not in keys))


def _callees(kind: int = CLIENT, parent: bytes = PARENT) -> Callable[[], None]:
    return lambda: test_spans.test_callees(kind, parent)


def _error_for_throttle(**given: Any) -> State:
    found = classify(**given)
    return State.ERROR if found is State.THROTTLE and given["status"] == 429 else found


class Fault(NamedTuple):
    """What replaces a name of a module, and the comparison that should notice."""

    module: Any
    name: str
    value: Any
    comparison: Callable[[], None]


FAULTS = {
    "429 of a document is an error": Fault(outcome, "classify", _error_for_throttle, test_documents.test_outcomes),
    "a span's 429 is an error": Fault(status, "THROTTLE", status.ERROR, test_spans.test_outcomes),
    "RESOURCE_EXHAUSTED is an error": Fault(status, "GRPC_THROTTLE", -1, test_spans.test_outcomes),
    "aws.local.service is ignored": Fault(span_facts, "text", without("aws.local.service"), test_spans.test_whose_work),
    "service.name is ignored": Fault(resource, "text", without("service.name"), test_spans.test_whose_work),
    "service.namespace is ignored": Fault(resource, "text", without("service.namespace"), test_spans.test_whose_work),
    "peer.service is ignored": Fault(callee, "text", without("peer.service"), _callees()),
    "db.namespace is ignored": Fault(callee, "text", without("db.namespace"), _callees()),
    "a destination is ignored": Fault(callee, "text", without("messaging.destination.name"), _callees(PRODUCER)),
    "server.address is ignored": Fault(hosts, "text", without("server.address"), _callees()),
    "loopback is one host": Fault(hosts, "is_loopback", lambda host: False, test_spans.test_likely_hosts),
    "a link is dropped": Fault(span_facts, "_links", lambda span, weight: (), test_spans.test_link_in_excess_and_other_attributes),
    "a document's links are dropped": Fault(flatten, "links_of", lambda *given: [], test_documents.test_links),
    "a document's event source is ignored": Fault(flatten, "source_node", lambda arn: NO_NODE, test_documents.test_segments_of_event_sources),
    "unknown senders are one": Fault(flatten, "unknown_sender", lambda *given: (b"x" * 16, 1), test_documents.test_segments_of_event_sources),
    "a link leads the other way": Fault(
        flatten, "read_link", lambda *given: (found := read_link(*given)) and replace(found, upstream=not found.upstream),
        test_documents.test_links,
    ),
    "a remote parent is not noticed": Fault(span_facts, "_PARENT_IS_REMOTE", 1 << 30, test_spans.test_whose_work),
    "a weight is lost": Fault(span_facts, "adjusted_count", lambda state, trace_id: 1, test_spans.test_whose_work),
    "a producer calls a host": Fault(span_facts, "broker_of", lambda found, called: called, _callees(PRODUCER)),
    "a consumer's queue is ignored": Fault(span_facts, "queue_of", lambda *given: NO_NODE, _callees(CONSUMER)),
    "a caller's name is ignored": Fault(span_facts, "caller_of", lambda found: NO_NODE, _callees(SERVER)),
    "a fetch is a call": Fault(span_facts, "fetched_of", lambda *given, named: Fetched.NO, test_spans.test_messages),
    "an ARN's account is lost": Fault(identity, "arn_account", lambda name: "", test_documents.test_resources),
    "an ARN's region is lost": Fault(identity, "arn_region", lambda name: "", test_documents.test_resources),
    "only one table is called": Fault(calls, "further_nodes_of_call", lambda unit, caller: [], test_documents.test_resources),
    "a resource is in no caller's account": Fault(
        node_cache, "in_place_of", lambda node, caller: node, test_documents.test_places_of_calls
    ),
    "a queue's URL says nothing": Fault(
        identity, "place_of_queue", lambda url: ("", ""), test_documents.test_places_of_calls
    ),
    "botocore's code is not read": Fault(outcome, "exception_name", lambda type, message: type, test_documents.test_outcomes),
    "Fargate is taken for EC2": Fault(resource, "ECS_ORIGINS", {}, test_spans.test_whose_work),
}  # fmt: skip


@pytest.fixture
def uncached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered of earlier tests, nor of a fault for later ones."""
    monkeypatch.setattr(short_cache, "MAX_LENGTH", -1)
    monkeypatch.setattr(groups, "MAX_CACHED", -1)
    for name in ("_remote_nodes", "_aws_nodes", "_segment_nodes", "_placed_nodes"):
        monkeypatch.setattr(node_cache, name, {})


@pytest.mark.usefixtures("uncached")
@pytest.mark.parametrize("what", FAULTS)
def test_seeded_faults(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = FAULTS[what]
    monkeypatch.setattr(fault.module, fault.name, fault.value)
    with pytest.raises(AssertionError, match=" / "):
        fault.comparison()


@pytest.mark.usefixtures("uncached")
def test_without_a_fault() -> None:
    """The same comparisons find nothing."""
    for comparison in {fault.comparison for fault in FAULTS.values()}:
        comparison()

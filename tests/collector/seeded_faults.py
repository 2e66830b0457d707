"""Faults of the rules that make a map of spans, one or more for each rule, and the cases that notice them.

`python -m tests.collector.seeded_faults` lists how many cases of each suite notice each fault.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from collector.decode.otlp import groups
from store import cases, draw, facts, layers, model, parents, short_cache
from store.draw import Drawn
from store.layers import OneCall
from store.model import NO_NODE, Fetched, Independent, Kind
from store.otel import derived_ids
from tests.collector import test_one_call as one_call
from tests.collector.convention_cases import CASES as CONVENTIONS
from tests.collector.conventions import groups_of, map_of
from tests.collector.odd_cases import ODD_CASES
from tests.collector.zipkin_dependencies import linker_cases, storage_cases
from tests.collector.zipkin_dependencies.notation import Case, in_one, links_of, reversed_one_by_one
from tests.collector.zipkin_dependencies.test_dependencies import graph_of

OPENTELEMETRY, ONE_CALL, ZIPKIN, ODD = "conventions", "one call", "Zipkin", "odd"
LONGEST = 5
"""Seconds that a case may take with a fault."""
ZIPKINS = (*linker_cases.CASES, *storage_cases.CASES)
Checks = Mapping[str, Callable[[], bool]]


def _zipkin(case: Case) -> bool:
    return all(
        links_of(graph_of(case, deliver)) == case.expected
        for deliver in (in_one, reversed_one_by_one)
    )


def _conventions(case: Any) -> bool:
    return bool(map_of([groups_of(case.spans)]) == case.map)


def _one_call(name: str) -> bool:
    return bool(one_call.maps(name) == {one_call.CASES[name][1:]})


def _odd(make: Callable[[], str]) -> bool:
    return make() == ODD_CASES[make]


SUITES: Mapping[str, Checks] = {
    OPENTELEMETRY: {case.name: partial(_conventions, case) for case in CONVENTIONS},
    ONE_CALL: {name: partial(_one_call, name) for name in one_call.CASES},
    ZIPKIN: {case.name: partial(_zipkin, case) for case in ZIPKINS},
    ODD: {make.__name__: partial(_odd, make) for make in ODD_CASES},
}
"""By name, whether the map of a case is as it should be."""


class Fault(NamedTuple):
    """``instead``: what is put in place of names of modules; ``suite`` and ``case``: what notices it."""

    rule: str
    what: str
    instead: Mapping[str, Any]
    suite: str
    case: str


def without(name: str, unless: Callable[..., bool], nothing: Any) -> Callable[..., Any]:
    """A function of `store.draw` that answers only if something is true of what it is given."""
    right = getattr(draw, name)
    return lambda *given: right(*given) if unless(*given) else nothing


def _enters(index: parents.ParentIndex, document: model.Document) -> bool:
    local = document.independent == Independent.OF_PROCESS
    return enters(
        index, replace(document, independent=Independent.OF_SENDER) if local else document
    )


def _part_of_any(inner: model.Document, outer: model.Document) -> bool:
    times = {"start": inner.start, "end": inner.end}
    return is_same_request(inner, replace(outer, **times))


def _part_of_other(inner: model.Document, outer: model.Document) -> bool:
    return is_same_request(inner, replace(outer, node=inner.node))


def _orphans(*given: Any) -> Iterator[facts.Fact]:
    trace, index = given[0], parents.ParentIndex(given[0])
    for fact in facts_of(*given):
        document = trace.documents.get(getattr(fact.origin, "document_id", 0))
        lost = document is not None and document.independent and document.parent_id
        if lost and index.containing_document(document.parent_id) is None:
            ownerless = fact.case.peer._replace(owner=None)
            yield fact._replace(case=fact.case._replace(peer=ownerless), parent=draw.UNDRAWN)
        else:
            yield fact


def _twice(
    parent: draw.Parent, case: cases.Case, answer: cases.Peer | None, awaiting: int
) -> tuple[Drawn, ...]:
    called = case.peer.node
    unit = (Drawn(None, called, (called.name,)),) if answer and called.name else ()
    return (*draw_call(parent, case, answer, awaiting), *unit)


def _shared(trace: bytes, id: bytes, *purpose: bytes) -> bytes:
    return id if purpose == (b"shared",) else derived_id(trace, id, *purpose)


def _named_around(owned: model.OwnedCall, trace: model.Trace) -> Any:
    above = trace.documents[owned.document_id].parent_id
    named = above not in trace.calls or trace.calls[above].call.node.name
    return around(owned, trace) if named else None


enters, is_same_request, facts_of = (
    parents.ParentIndex.enters,
    layers.is_same_request,
    facts.facts_of,
)
draw_call, derived_id, around = draw._draw_call, derived_ids.derived_id, layers._around
calls_once, better = layers.calls_once, layers._Joined._better
FAULTS = (
    Fault("owner", "the service that a span names is ignored",
          {"store.model.Document.owner": property(lambda d: None if d.independent else d.node),
           "store.model.OwnedCall.owner": property(lambda d: None if d.independent else d.node)},
          OPENTELEMETRY, "B1 a CLIENT span of another service"),
    Fault("owner", "an orphan's call has no caller", {"store.units.facts_of": _orphans}, OPENTELEMETRY, "B5 a job that still runs"),
    Fault("entering", "a span of another service is no unit of it", {"store.parents.ParentIndex.enters": lambda *given: False},
          OPENTELEMETRY, "B2 an INTERNAL span of another service, with a call"),
    Fault("entering", "a span of its parent's process enters", {"store.parents.ParentIndex.enters": _enters},
          OPENTELEMETRY, "B4b as B1, with the flag of a local parent: another name in one process"),
    Fault("entering", "a span beside a segment of its service enters", {"store.parents.ParentIndex._answers": property(lambda index: {})},
          ZIPKIN, "getDependenciesAllInstrumented"),
    Fault("entering", "a request that is not reported fails with its call", {"store.cases.stands_for_request": lambda *given: False},
          ZIPKIN, "errorsOnInstrumentedLinks"),
    Fault("shared ids", "a server is stored in place of its client", {"collector.decode.zipkin.spans.derived_id": _shared},
          ZIPKIN, "linksSpans"),
    Fault("shared ids", "a part of an answer answers, too", {"store.parents.shared_server_id": lambda *given: 0},
          ODD, "a_server_behind_a_sidecar_that_shares_its_clients_id"),
    Fault("sidecars", "each is a request", {"store.parents.is_same_request": lambda *given: False},
          OPENTELEMETRY, "B7 sidecars on both sides"),
    Fault("sidecars", "at whatever time", {"store.parents.is_same_request": _part_of_any}, ODD, "a_request_after_the_one_above_it"),
    Fault("sidecars", "of whatever service", {"store.parents.is_same_request": _part_of_other},
          ZIPKIN, "linksRelatedSpansWhenMissingRootSpan"),
    Fault("brokers", "a consumer answers what sent its message",
          {f"store.{module}.answers": lambda kind, fetched: fetched is Fetched.NO for module in ("cases", "parents")},
          OPENTELEMETRY, "M1 a consumer below its producer"),
    Fault("brokers", "no message is drawn below what sent it", {"store.units.draw_message": lambda *given: ()},
          OPENTELEMETRY, "M1 a consumer below its producer"),
    Fault("brokers", "a message from an unknown sender comes from nowhere",
          {"store.units.draw_message": without("draw_message", lambda parent, case: not isinstance(parent, int), ())},
          OPENTELEMETRY, "M8 a consumer without a traced producer"),
    Fault("brokers", "a message passes by what its consumer names",
          {"store.draw.draw_link": lambda sent, queue, got: ((sent.node, got.node),)}, ZIPKIN, "messagingWithBroker_different"),
    Fault("brokers", "a message of work above its consumer is a call", {"store.draw._comes_from_work": lambda *given: False},
          ZIPKIN, "messagingSpansDontLinkWithoutBroker_consumer"),
    Fault("brokers", "a loop calls what it polls for", {"store.draw._is_own_work": lambda *given: False}, ODD, "a_loop_that_polls"),
    Fault("brokers", "messages have no age", {"store.facts.age_of_event": lambda *given: 0}, ODD, "the_age_of_messages"),
    Fault("batches", "what fetched is a unit beside what processes", {"store.facts.units_elsewhere": lambda trace: ()},
          OPENTELEMETRY, "M3 three messages, fetched together, processed each"),
    Fault("batches", "a link of two spans counts twice", {"store.facts.links_once": lambda trace: trace.links.values()},
          OPENTELEMETRY, "M3 three messages, fetched together, processed each"),
    Fault("batches", "polls that find nothing are units", {"store.draw.Fetched": Kind, "store.facts.units_elsewhere": lambda trace: ()},
          OPENTELEMETRY, "M6 polls that find nothing"),
    Fault("batches", "what fetched answers a call",
          {f"store.{module}.answers": lambda kind, fetched: kind is not Kind.CONSUMER for module in ("cases", "parents")},
          ODD, "a_fetch_below_a_call"),
    Fault("background", "it is a request", {"store.draw.BACKGROUND_KINDS": ()}, OPENTELEMETRY, "R3 requests and jobs of one service"),
    Fault("background", "it has a client", {"store.cases.client_type": lambda *given, **more: "client"},
          OPENTELEMETRY, "R2 a table that main creates"),
    Fault("callers", "one that a root names is ignored", {"store.model.Document.caller": property(lambda document: NO_NODE)},
          OPENTELEMETRY, "H7 a server that names its caller"),
    Fault("callers", "a client is drawn while the parent may come", {"store.draw.unconfirmed": lambda node, slot: node},
          ODD, "a_root_whose_parent_may_still_come"),
    Fault("callers", "what a message caused has a client, too", {"store.units.caused_documents": lambda *given: frozenset()},
          ODD, "a_request_that_a_message_caused"),
    Fault("callers", "work of an unknown segment is a client's", {"store.facts.UNDRAWN": 0}, ODD, "a_segment_below_work_of_an_unknown_segment"),
    Fault("callers", "a segment below work has no caller", {"store.draw._caller": without("_caller", lambda parent, case: isinstance(parent, int), None)},
          OPENTELEMETRY, "B1 a CLIENT span of another service"),
    Fault("nameless calls", "they are never drawn",
          {"store.draw._draw_call": without("_draw_call", lambda parent, case, answer: not case.peer.names_nothing, ())},
          ZIPKIN, "producerLinksToServer_childSpan"),
    Fault("nameless calls", "they are always drawn", {"store.cases.Peer.names_nothing": property(lambda peer: False)},
          OPENTELEMETRY, "G1 a call without an address"),
    Fault("nameless calls", "of several answers, too", {"store.facts._is_several": lambda *given: False},
          ZIPKIN, "singleHostSpans_multipleChildren"),
    Fault("nameless calls", "consumers below are called", {"store.draw._above": lambda parent, case: parent},
          ZIPKIN, "messagingSpansDontLinkWithoutBroker_consumer"),
    Fault("places", "a streamed call's resource is in none", {"store.draw.in_place_of": lambda node, caller: node},
          ODD, "a_streamed_call_of_a_table"),
    Fault("places", "nor is one that a link leads to", {"store.parents.in_place_of": lambda node, caller: node},
          ODD, "a_link_to_a_streamed_call_of_a_table"),
    Fault("places", "a namespace is ignored", {"store.otel.resource.full_name": lambda namespace, name, type: name},
          OPENTELEMETRY, "P2 one name in two namespaces"),
    Fault("calls", "one of several answers has the edge", {"store.facts._first_by_node": lambda answers: answers[:1]},
          ODD, "a_call_that_two_services_answer"),
    Fault("calls", "an answered one is a unit of where it led", {"store.draw._draw_call": _twice},
          OPENTELEMETRY, "W1 a span made by hand around an instrumented request"),
    Fault("calls", "both ends of a link count it", {"store.facts._links_back": lambda *given: False}, ODD, "a_link_that_both_ends_report"),
    Fault("sampling", "a weight is lost", {"store.otel.span_facts.adjusted_count": lambda *given: 1}, OPENTELEMETRY, "S1 sampled by ot=th"),
    Fault("layers", "no call is one with another", {"store.parents.calls_once": lambda trace, answers: OneCall(trace.calls, {})},
          OPENTELEMETRY, "N1 an ORM over its driver"),
    Fault("layers", "what answers the inner answers nothing",
          {"store.parents.calls_once": lambda *given: OneCall(calls_once(*given).calls, {})},
          OPENTELEMETRY, "W1 a span made by hand around an instrumented request"),
    Fault("layers", "an answered outer one gives way",
          {"store.layers._Joined._better": lambda joined, id, inner: (joined._answered.pop(id, None), better(joined, id, inner))[1]},
          ODD, "a_query_that_a_service_answers_as_a_whole"),
    Fault("layers", "at whatever time", {"store.layers.is_within": lambda *given: True}, ONE_CALL, "a_leaked_context"),
    Fault("layers", "of whatever service", {"store.layers._is_around": lambda outer, inner, trace: outer.call.id != inner.call.id},
          ONE_CALL, "within_another_service"),
    Fault("layers", "the outer one always counts", {"store.layers.prefers_inner": lambda *given: False},
          ONE_CALL, "a_repository_around_five_queries"),
    Fault("layers", "a sidecar at localhost is a place", {"store.places.passes_on": lambda *given: False},
          OPENTELEMETRY, "B9 a sidecar at localhost, which reports as its application"),
    Fault("layers", "a sidecar counts in place of its call", {"store.layers.passes_on": lambda *given: False},
          OPENTELEMETRY, "B9c the same, of what reports nothing"),
    Fault("roots", "a page's load is called by its server", {"store.otel.span_facts.PAGE_LOAD": ""},
          OPENTELEMETRY, "B10 a page that its server gave the id of its request"),
    Fault("layers", "the last request's state is ignored", {"store.layers.state_of": lambda own, status, last: own},
          ONE_CALL, "a_failure_that_only_the_request_explains"),
    Fault("layers", "one that names nothing lies between", {"store.layers._around": _named_around},
          ONE_CALL, "a_pool_that_names_nothing_between_an_orm_and_its_driver"),
    Fault("layers", "a circle of them is one", {"store.layers._ends": lambda *given: True}, ODD, "calls_in_a_circle"),
)  # fmt: skip


def put(fault: Fault, patch: pytest.MonkeyPatch) -> None:
    """Put a fault into the code, and let nothing be remembered from before."""
    patch.setattr(short_cache, "MAX_LENGTH", -1)
    patch.setattr(groups, "MAX_CACHED", -1)
    for path, value in fault.instead.items():
        names = path.split(".")
        module = next(
            at for at in range(len(names) - 1, 0, -1) if ".".join(names[:at]) in sys.modules
        )
        place: Any = import_module(".".join(names[:module]))
        for name in names[module:-1]:
            place = getattr(place, name)
        assert hasattr(place, names[-1]), path
        patch.setattr(place, names[-1], value)


def notices(check: Callable[[], bool]) -> bool:
    """Whether a case has a wrong map, or none."""
    try:
        return not check()
    except Exception:  # a fault may break anything
        return True


def _in_time(check: Callable[[], bool]) -> bool:
    """As `notices`; what goes round in circles is noticed, too."""
    signal.alarm(LONGEST)
    try:
        return notices(check)
    finally:
        signal.alarm(0)


def _stop(*_: Any) -> None:
    raise TimeoutError


def main() -> None:
    signal.signal(signal.SIGALRM, _stop)
    print("| rule | fault | noticed by |\n|---|---|---|")
    for fault in FAULTS:
        sys.stdout.flush()
        if not (child := os.fork()):  # what a case caches is gone with it
            put(fault, pytest.MonkeyPatch())
            found = {name: sum(map(_in_time, suite.values())) for name, suite in SUITES.items()}
            text = ", ".join(f"{name} {count}" for name, count in found.items() if count)
            print(f"| {fault.rule} | {fault.what} | {text or 'nothing'} |")
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()

"""Where a problem begins, and what it explains: symptoms that `bench.incidents` has found to go wrong."""

from __future__ import annotations

from typing import Any

import pytest

from api.problems.judge import Judge
from api.problems.origin import Finding, findings
from api.problems.symptom import Measure, Symptom
from api.problems.tracker import EventKind, Tracker
from api.problems.words import line
from store.graph import Statistics
from store.memory_minutes import counts_of, series_id
from store.minutes import Series, SeriesKind
from store.model import NO_NODE, NodeKey, client_of
from tests.api.problems.world import START, node

SHOP, CHECKOUT, PAYMENTS, SHIPPING, ORDERS = map(
    node, ("shop", "checkout", "payments", "shipping", "orders")
)
EDGES = [
    Series(SeriesKind.CALLS, client_of(SHOP), SHOP),
    Series(SeriesKind.CALLS, SHOP, CHECKOUT),
    *(Series(SeriesKind.CALLS, CHECKOUT, each) for each in (PAYMENTS, SHIPPING, ORDERS)),
]
AT = 1000


def ill(node: NodeKey, since: int = AT, **what: Any) -> Symptom:
    return _symptom(Series(SeriesKind.NODE, NO_NODE, node), since, **what)


def called(node: NodeKey, since: int = AT, measure: Measure = Measure.DROP) -> Symptom:
    now = 0.0 if measure is Measure.DROP else 60.0
    edge = next(each for each in EDGES if each.node == node)
    return _symptom(edge, since, measure=measure, usual=20.0, now=now)


def _symptom(series: Series, since: int, **what: Any) -> Symptom:
    usual: dict[str, Any] = {"measure": Measure.FAULT, "usual": 0.001, "now": 0.9, "requests": 20.0}
    return Symptom(series=series, since=since, rang=AT + 3, last_bad=AT + 5, **(usual | what))


def one(*symptoms: Symptom) -> Finding:
    (found,) = findings(symptoms, EDGES)
    return found


def names(found: Finding) -> tuple[str, set[str]]:
    return found.origin.name, {each.name for each in found.nodes - {found.origin}}


@pytest.mark.parametrize("since", [AT, AT - 1])
def test_what_fails_makes_no_further_calls(since: int) -> None:
    """Calls that are missing from the minute on in which their caller begins to fail, or one before, are none of their own
    problem; and who is not called is not affected."""
    missing = called(SHIPPING, since), called(ORDERS, since)
    found = one(ill(PAYMENTS), ill(CHECKOUT), *missing)
    assert names(found) == ("payments", {"checkout"})
    assert set(missing) < set(found.symptoms)


def test_too_many_calls_make_their_caller_slow() -> None:
    slow = ill(CHECKOUT, AT - 1, measure=Measure.P90, usual=20_000.0, now=30_000.0)
    found = one(called(PAYMENTS, measure=Measure.SURGE), slow)
    assert names(found) == ("payments", {"checkout"})
    assert (found.edge, found.main.measure) == (CHECKOUT, Measure.SURGE)


def test_a_slow_caller_before_too_many_calls_is_a_problem_of_its_own() -> None:
    slow = ill(CHECKOUT, AT - 30, measure=Measure.P90, usual=20_000.0, now=30_000.0)
    found = findings([called(PAYMENTS, measure=Measure.SURGE), slow], EDGES)
    assert {each.origin for each in found} == {PAYMENTS, CHECKOUT}


def test_a_function_is_not_affected_by_itself() -> None:
    """Its invocations fail with it, but are the same place to a reader."""
    invoked, function = (SHIPPING._replace(type=f"AWS::Lambda{of}") for of in ("", "::Function"))
    ends = ((CHECKOUT, invoked), (invoked, function))
    edges = [*EDGES, *(Series(SeriesKind.CALLS, *each) for each in ends)]
    (opened,) = Tracker().update(
        AT + 3, findings([ill(function), ill(invoked), ill(CHECKOUT)], edges)
    )
    assert set(opened.problem.affected) == {invoked, CHECKOUT}
    assert line(opened.problem).endswith(" · affects checkout")


def test_several_calls_that_a_node_no_longer_makes_are_one_problem() -> None:
    """It begins at the node, and goes on when it is known why: it fails."""
    tracker = Tracker()
    (opened,) = tracker.update(AT + 3, findings([called(SHIPPING)], EDGES))
    missing = [called(SHIPPING), called(ORDERS, AT + 1)]
    (moved,) = tracker.update(AT + 4, findings(missing, EDGES))
    assert (opened.problem.origin, moved.problem.origin) == (SHIPPING, CHECKOUT)
    assert line(moved.problem).startswith("⇣ checkout → shipping (and 1 more) no calls (20 a min")
    assert moved.problem.edge is None
    refused = ill(CHECKOUT, measure=Measure.ERROR)
    tracker.update(AT + 9, findings([*missing, refused], EDGES))
    (lasting,) = tracker.active
    assert (lasting.id, lasting.main) == (opened.problem.id, refused)
    (closed,) = tracker.update(AT + 50, findings(missing, EDGES))
    assert (closed.kind, closed.problem.id) == (EventKind.CLOSED, opened.problem.id)
    assert tracker.update(AT + 51, findings(missing, EDGES)) == []


def test_calls_that_two_nodes_miss_are_two_problems() -> None:
    """Whatever is missing elsewhere."""
    other = Series(SeriesKind.CALLS, SHIPPING, node("carrier"))
    missing = _symptom(other, AT, measure=Measure.DROP, usual=20.0, now=0.0)
    found = findings([called(PAYMENTS), missing], [*EDGES, other])
    assert {each.origin.name for each in found} == {"payments", "carrier"}


def test_a_service_that_does_not_answer_fails() -> None:
    """Its callers' calls lead to a host of its name then, which is a node of its own on the map."""
    host = NodeKey("", "payments", "remote")
    up = [
        *(Series(SeriesKind.NODE, NO_NODE, each) for each in (SHOP, CHECKOUT, PAYMENTS)),
        *EDGES[:3],
    ]
    down = [each._replace(node=host) if each.node == PAYMENTS else each for each in up]
    judge = Judge(lambda ids, _: {series_id(each): each for each in {*up, *down}})
    events = []
    for minute in range(120):
        is_down = minute >= 90
        counted = {}
        for each in down if is_down else up:
            fails = is_down and not each.node.is_client
            counted[each] = Statistics(
                ok=0 if fails else 20, fault=20 if fails else 0, observed=20, histogram={}
            )
        events += judge.step(counts_of(START + minute, counted))
    problems = {event.problem.id: event.problem for event in events}
    (problem,) = problems.values()
    assert (problem.origin, problem.since - START) == (PAYMENTS, 90)
    assert set(problem.affected) == {SHOP, CHECKOUT}

"""What the traces of a problem say: where its failures begin, and with which exception.

A call that fails in a fifth of all traces and is tolerated is the deepest failure of these traces: so the share of the requests
that begin to fail at a node counts, less the same share before the problem began.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from api.problems.answered import with_host
from api.problems.record import Evidence
from api.problems.symptom import Measure
from api.problems.tracker import Problem
from store.model import NodeKey, State, TimeRange
from store.protocol import Store
from store.query import UnitQuery
from store.root_causes import RootCause, root_causes
from store.times import MINUTE

MOST_TRACES = 200
BEFORE = 60
"""Minutes before the beginning that are compared."""
STATES = {
    Measure.FAULT: State.FAULT,
    Measure.ERROR: State.ERROR,
    Measure.THROTTLE: State.THROTTLE,
}


def evidence_of(store: Store, problem: Problem, end: int) -> Evidence:
    """Of failing traces up to ``end`` (a minute); nothing of problems that are not about failures."""
    measure, origin = problem.main.measure, problem.origin
    if measure not in STATES:
        return Evidence()
    now = _causes(store, origin, measure, problem.since, end)
    if not now:
        return Evidence()
    before = _causes(store, origin, measure, problem.since - BEFORE, problem.since)
    begins = Counter(
        {node: problem.main.now * share for node, share in _shares(now, origin).items()}
    )
    begins.subtract(
        {node: problem.main.usual * share for node, share in _shares(before, origin).items()}
    )
    exceptions = Counter(name for each in now if (name := _exception(each)))
    worst = max(begins, key=lambda node: (begins[node], node == origin), default=origin)
    commonest, number = next(iter(exceptions.most_common(1)), ("", 0))
    return Evidence(
        traces=len(now),
        at_origin=sum(origin in _ends(each, origin) for each in now),
        elsewhere=None if worst == origin or begins[worst] <= 0 else worst,
        exception=commonest,
        with_exception=number,
        is_new=bool(commonest) and commonest not in map(_exception, before),
    )


def _causes(
    store: Store, origin: NodeKey, measure: Measure, first: int, end: int
) -> list[tuple[RootCause, ...]]:
    """The causes of failing traces of a node, of minutes."""
    window = TimeRange(first * MINUTE, end * MINUTE)
    query = UnitQuery(window, with_host(origin), states=frozenset({STATES[measure]}))
    found = [each.trace_id for each in store.find_units(query, limit=MOST_TRACES).found]
    traces = store.get_traces(found, raw=True, links=False).values()
    causes = map(root_causes, traces)
    return [each.fault if measure is Measure.FAULT else each.error for each in causes]


def _ends(causes: Iterable[RootCause], origin: NodeKey) -> set[NodeKey]:
    """Where the failures of a trace begin; that the origin did not answer is its own."""
    same = with_host(origin)
    ends = {each.services[-1].node for each in causes if each.services}
    return {origin if each in same else each for each in ends}


def _shares(traces: list[tuple[RootCause, ...]], origin: NodeKey) -> dict[NodeKey, float]:
    """In which part of failing traces each node is where a failure begins."""
    begins = Counter(node for each in traces for node in _ends(each, origin))
    return {node: number / len(traces) for node, number in begins.items()}


def _exception(causes: Iterable[RootCause]) -> str:
    """The type of the deepest exception of a trace."""
    for cause in causes:
        for service in reversed(cause.services):
            for entity in reversed(service.entities):
                for exception in entity.exceptions:
                    if exception.name:
                        return exception.name
    return ""

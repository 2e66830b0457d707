"""Which groups a problem is an insight of: those with insights, if faults are among its symptoms, and one of the failing traces
satisfies the group's expression."""

from __future__ import annotations

from collections.abc import Iterator

from api.problems.record import InsightGroup
from api.problems.symptom import Measure
from api.problems.tracker import Problem
from api.xray.groups import all_groups, read_filter
from store.filters.errors import FilterError
from store.filters.evaluate import matches
from store.model import State, TimeRange, Trace
from store.protocol import Store
from store.query import UnitQuery
from store.times import MINUTE

MOST_TRACES = 50
"""Failing traces that are compared with the expressions of groups."""


def insight_groups(store: Store, problem: Problem, end: int) -> list[InsightGroup]:
    """The groups of a problem; ``end``: a minute."""
    faults = [each for each in problem.symptoms if each.measure is Measure.FAULT]
    configuration = store.read_configuration()
    groups = [each for each in all_groups(configuration).values() if each.insights]
    if not faults or not groups:
        return []
    found = []
    traces: list[Trace] | None = None
    for group in groups:
        try:
            expression = read_filter(group.expression, lambda: configuration)
        except FilterError:  # it names a group that was deleted
            continue
        if expression is not None and traces is None:
            traces = list(_failing(store, problem, end))
        if expression is None or any(matches(each, expression) for each in traces or ()):
            found.append(InsightGroup(group.arn, group.name))
    return found


def _failing(store: Store, problem: Problem, end: int) -> Iterator[Trace]:
    """Traces with faults at the origin, or at the nodes that it makes fail."""
    nodes = {each.series.node for each in problem.symptoms if each.measure is Measure.FAULT}
    if problem.origin in nodes:
        nodes = {problem.origin}
    window = TimeRange(problem.since * MINUTE, end * MINUTE)
    query = UnitQuery(window, frozenset(nodes), states=frozenset({State.FAULT}))
    ids = [each.trace_id for each in store.find_units(query, limit=MOST_TRACES).found]
    yield from store.get_traces(ids, raw=True).values()

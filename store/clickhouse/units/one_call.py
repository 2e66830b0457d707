"""Calls that are one with the only call directly within them (`store.layers`): SQL pairs them by ids and times, and their
cases decide. Traces with more than that are read whole (queries/units/nested_traces.sql)."""

from __future__ import annotations

from collections.abc import Callable, Collection

from store.cases import Case
from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.queries import Sql
from store.clickhouse.units.dependencies import create
from store.layers import TOLERANCE, prefers_inner, state_of
from store.model import NO_NODE, NodeKey
from store.places import same_place

ReadCases = Callable[[RunQuery, Collection[int]], dict[int, Case]]
"""Reads cases by their numbers."""


def join_calls(run: RunQuery, plain: Sql, read: ReadCases) -> dict[int, Case] | None:
    """Fill ``joined`` with the calls of plain traces that are one; the cases of those that end as what is within, by
    their numbers in ``joined``. None if no calls are nested."""
    [(nested,)] = run("EXISTS TEMPORARY TABLE nested")
    if not nested:
        return None
    fragments = {"plain": plain, "tolerance": Sql(str(TOLERANCE))}
    create(run, "pairs", queries.PAIRS.render(fragments))
    pairs = run("SELECT DISTINCT pair, outer_case, inner_case, has_method FROM pairs")
    cases = read(run, {number for _, *both, _ in pairs for number in both})
    numbers = {0: 0}
    merged: dict[int, Case] = {}
    better = []
    for pair, outer, inner, has_method in pairs:
        around, within = cases[outer], cases[inner]
        if not same_place(_callee(around), _callee(within), named=not has_method):
            continue
        if prefers_inner(_callee(around), _callee(within)):
            better.append(pair)
            continue
        state = state_of(around.state, around.status, within.state)
        numbers[pair] = outer if state is around.state else pair
        merged[pair] = around._replace(state=state)
    joined = {"pairs": list(numbers), "cases": list(numbers.values()), "better": better}
    create(run, "joined", queries.JOINED.render(**joined))
    return merged


def _callee(case: Case) -> NodeKey:
    return case.peer.callee or NO_NODE

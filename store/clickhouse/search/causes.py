"""Bounds of rootcause…{…}: which rows a trace has that has such a root cause.

Root causes are read from documents (`store.root_causes`). The services on the path of one are segments and calls
that no segment answers, those of a failure each with its flag, so that none is of a row that is ok. The path begins
at a request. What entities and exceptions are called stands in documents (`store.clickhouse.search.document_texts`).
"""

from __future__ import annotations

from typing import Literal

from store.clickhouse.queries import Sql
from store.clickhouse.search.bounds import (
    ALWAYS,
    FALSE,
    TRUE,
    UNKNOWN,
    Bounds,
    Values,
    conjunction,
    disjunction,
    every,
    exactly,
    some,
)
from store.clickhouse.search.document_texts import text_bounds
from store.clickhouse.search.field_tests import text_test
from store.clickhouse.search.row_sets import RowSets
from store.clickhouse.search.unit_rows import REQUEST, block_condition, flag, in_states, placed
from store.filters.ast import Compare, Field, FieldTest, RootCauseMatch, RootCausePath
from store.model import State

_COLUMNS = {"type": "type", "account.id": "account"}
"""Of `segments`, `calls` and `rollups`, by what root causes call it."""
Row = Literal["segment", "call", "rollup"]
"""A row of one of these."""
_IN_A_NAMESPACE = Sql("position(name, '/') > 0")
"""Of `rollups`: a node may be that of a service with a namespace, which goes by its name alone, too."""
_INFERRED = exactly(Sql("inferred = 1"))


def cause_bounds(match: RootCauseMatch, sets: RowSets, values: Values) -> Bounds:
    """Traces with rows that a matching root cause needs, of its services and with its texts."""
    return every([service_bounds(match, sets, values), text_bounds(match, sets, values)])


def service_bounds(match: RootCauseMatch, sets: RowSets, values: Values) -> Bounds:
    """Traces with a row of a service on the path of a matching root cause."""
    states = possible_states(match)
    on_path = in_states(states) if len(states) < len(State) else TRUE
    begin = conjunction([REQUEST.may, on_path])
    segment = service_condition(match, _INFERRED, values, "segment")
    call = service_condition(match, ALWAYS, values, "call")
    if TRUE.text in (segment.text, call.text):
        return sets.segments(Bounds(begin, FALSE))
    return some(
        [
            sets.segments(Bounds(conjunction([begin, segment]), FALSE)),
            sets.unanswered(Bounds(conjunction([on_path, call]), FALSE)),
        ]
    )


def possible_states(match: RootCauseMatch) -> tuple[State, ...]:
    """The states of what is on the path of a root cause. Of a failure, whatever has its flag: that may be in progress,
    and an HTTP status may make a fault of an error, or the reverse (`store.rules.classify`)."""
    return tuple(state for state in State if match.kind == "responsetime" or state is not State.OK)


def service_condition(match: RootCauseMatch, inferred: Bounds, values: Values, row: Row) -> Sql:
    """The condition on the row of the service that a matching element is, or belongs to. ``inferred``: whether
    the row is an inferred service."""
    if match.part == "exception":
        return TRUE

    def of_test(test: FieldTest) -> Bounds:
        keyword = test.field.keyword
        if keyword == "inferred":
            return flag(test, inferred)
        if keyword == "name" and match.part == "service":
            return _named(test, values, row)
        if keyword not in _COLUMNS:
            return UNKNOWN
        condition = text_test(test, (_COLUMNS[keyword],), values, blank=False)
        is_placed = row == "call" and keyword == "account.id"
        return placed(condition, TRUE) if is_placed else exactly(condition)

    return block_condition(match.condition, of_test).may


def _named(test: FieldTest, values: Values, row: Row) -> Bounds:
    """A service is called so, or may be without its namespace."""
    own = text_test(test, ("name",), values, blank=False)
    others = {"call": FALSE, "rollup": _IN_A_NAMESPACE}
    other = others.get(row) or text_test(test, ("service",), values, blank=False)
    return Bounds(disjunction([own, other]), own)


def services_on(path: RootCausePath) -> list[RootCauseMatch]:
    """What follows from a path: each of its services is on it. The last ones first, which fewer traces pass."""
    names = dict.fromkeys(name for name, _ in reversed(path.services) if name)
    return [
        RootCauseMatch("responsetime", "service", Compare(Field("name"), "=", name))
        for name in names
    ]

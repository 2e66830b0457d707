"""Which rows of `rollups` count the units that service(…){…}, edge(…){…} and rootcause…{…} look for.

A trace that matches has such a unit, and what is counted of its minute contains it. A condition
that rollups do not tell is left out: they say where to look, not what matches.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from store.clickhouse.queries import Sql, joined, parenthesized
from store.clickhouse.queries.registry import numbers_in
from store.clickhouse.queries.rules import SETTLED_ACCOUNT
from store.clickhouse.search import causes
from store.clickhouse.search.bounds import UNKNOWN, Values, conjunction, disjunction
from store.clickhouse.search.unit_rows import (
    IN_FRONT,
    NodeColumns,
    may_be_in_front,
    node_columns,
)
from store.filters.ast import EdgeMatch, Expression, NodeMatch, Or, RootCauseMatch, ServiceMatch
from store.filters.states import ANY_STATE, possible_states
from store.minutes import SeriesKind
from store.model import NodeKey, State
from store.rules.other_names import OTHER_NAMES

_WORK = numbers_in("kind", (SeriesKind.NODE, SeriesKind.BACKGROUND))
"""Of rows of `rollups`: units of nodes."""
_CALLS = Sql(f"kind = {SeriesKind.CALLS:d}")
_NODE = node_columns()
_SOURCE = NodeColumns({**node_columns("source_").key, "account": SETTLED_ACCOUNT.text})
_COLUMNS = {
    State.OK: "ok",
    State.ERROR: "error",
    State.THROTTLE: "throttle",
    State.FAULT: "fault",
    State.IN_PROGRESS: "in_progress",
}


class RolledUpUnits(NamedTuple):
    """Units of nodes or edges in `rollups`: the condition on rows that count some, and the number of them in a row."""

    condition: Sql
    number: Sql


def rolled_up_units(term: Expression) -> RolledUpUnits | None:
    """The units that a term needs; None if it needs none."""
    return _units(term, Values())


def _units(term: Expression, values: Values) -> RolledUpUnits | None:
    """Of a service, only units in some states: others are found as soon by its rows."""
    match term:
        case Or(terms):
            return _any_of([_units(each, values) for each in terms])
        case ServiceMatch(selector, condition) if possible_states(condition) != ANY_STATE:
            ends = _units_of(selector, values)
        case EdgeMatch(source, target, condition):
            both = [_counted(source, _SOURCE, values), _counted(target, _NODE, values, named=True)]
            ends = conjunction([_CALLS, *both])
        case RootCauseMatch() if len(causes.possible_states(term)) < len(State):
            return _some(_on_path(term, values), causes.possible_states(term))
        case _:
            return None
    return _some(ends, possible_states(condition))


def _some(ends: Sql, states: Collection[State]) -> RolledUpUnits:
    number = _number(states)
    return RolledUpUnits(conjunction([ends, Sql(f"{number.text} > 0")]), number)


def _on_path(match: RootCauseMatch, values: Values) -> Sql:
    """Units of the services that an element of a root cause may be."""
    meant = causes.service_condition(match, UNKNOWN, values, "rollup")
    others = values.text("name = <others>", others=(OTHER_NAMES, "String"))
    return conjunction([_WORK, disjunction([meant, others])])


def _any_of(parts: Sequence[RolledUpUnits | None]) -> RolledUpUnits | None:
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return None
    numbers = [
        Sql(f"if({part.condition.text}, {part.number.text}, 0)", part.condition.parameters)
        for part in known
    ]
    return RolledUpUnits(disjunction(each.condition for each in known), joined(" + ", numbers))


def _units_of(selector: NodeMatch, values: Values) -> Sql:
    """Units of a node. Those of what is in front of a root are the calls it makes."""
    own = conjunction([_WORK, _counted(selector, _NODE, values, named=True)])
    if not may_be_in_front(selector):
        return own
    calls = conjunction([_CALLS, IN_FRONT, _counted(selector, _SOURCE, values)])
    return disjunction([own, calls])


def _counted(match: NodeMatch, node: NodeColumns, values: Values, *, named: bool = False) -> Sql:
    """A node is meant (`store.filters.evaluate.selects`), maybe counted under `OTHER_NAMES`. ``named``:
    the column `names` has the other names that it goes by."""
    exact = isinstance(match, NodeKey)
    parts = [] if not (match.name or exact) else [_by_name(match.name, node, values, named=named)]
    wanted = {"account": match.account, "type": match.type}
    if isinstance(match, NodeKey):
        wanted["region"] = match.region
    parts += [
        values.text(f"{node.key[column]} = <value>", value=(value, "String"))
        for column, value in wanted.items()
        if value or exact
    ]
    return conjunction(parts)


def _by_name(name: str, node: NodeColumns, values: Values, *, named: bool) -> Sql:
    column = node.key["name"]
    tests = [f"{column} = <name>", f"{column} = <others>"]
    tests.append(f"endsWith({column}, <suffix>)")  # a service with a namespace
    if named:
        tests.append("has(names, <name>)")
    given = {"name": name, "others": OTHER_NAMES, "suffix": f"/{name}"}
    return parenthesized(
        values.text(" OR ".join(tests), **{key: (text, "String") for key, text in given.items()})
    )


def _number(states: Collection[State]) -> Sql:
    """How many units are in one of some states."""
    counts = [Sql(column) for state, column in _COLUMNS.items() if state in states]
    return parenthesized(joined(" + ", counts)) if counts else Sql("0")

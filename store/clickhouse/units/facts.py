"""The units of a scope: facts (`store.facts`) that are drawn by `store.draw`; SQL joins ids and knows no rule.

A trace whose ids are resolved by looking each up once in its bucket becomes facts by joins; the others,
``odd``, are read whole and resolved in Python. Temporary tables of one connection:

* ``odd``: the traces to read whole;
* ``owners``: the segments that streamed subsegments belong to, found by doubling the steps from parent to parent;
* ``facts``: one row for each row of the scope and each unit of an odd trace; ``drawing``: what each distinct
  fact draws, so that a join makes units of facts;
* ``odd_names``, ``many_names``, ``excess_names``: names of nodes in excess (`store.rules.other_names`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import count
from typing import Any, NamedTuple

from store.cases import Case, Peer
from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.queries import Sql
from store.clickhouse.units.aggregates import EDGE, LINK, NODE
from store.clickhouse.units.dependencies import UnitScope, create, drop
from store.clickhouse.units.whole_traces import NO_TRACES, WholeTraces, read_whole
from store.draw import UNDRAWN, Drawn, draw
from store.model import SYNTHETICS_AGENT, NodeKey, State, client_type
from store.rules import other_names
from store.rules.classify import failure_key
from store.units import NodeUnit, Unit

_TABLES = ("odd", "owners", "facts", "drawing", "odd_names", "many_names", "excess_names")
_PLAIN = Sql("trace_id NOT IN (SELECT trace_id FROM odd)")
_OWNED = Sql("LEFT ANY JOIN owners AS o ON c.refers_to = o.key")
_NO_NODE = NodeKey("", "", "")
MOST_DOUBLINGS = 3
"""Subsegments that nest in eight others or more are resolved in Python."""
MOST_KNOWN = 100_000
"""Cases, and facts, that a process remembers."""


class UnitRow(NamedTuple):
    """A unit without its figures, as queries/units/drawing.sql has it."""

    kind: int
    source: NodeKey
    target: NodeKey
    word: str
    active: bool
    state: State
    failure: str

    def columns(self) -> tuple[Any, ...]:
        """Its columns, of which source and target are four each."""
        kind, source, target, *others = self
        return kind, *source, *target, *others


_cases: dict[int, Case] = {}
_drawn: dict[int, tuple[UnitRow, ...]] = {}


def prepare(run: RunQuery, scope: UnitScope) -> UnitScope:
    """Fill the temporary tables that queries/units/units.sql reads, on this connection."""
    release(run)
    target = Sql(scope.target)
    create(run, "odd", queries.RESOLVED_IN_PYTHON.render({"target": target}))
    streamed = bool(run("SELECT 1 FROM scope_rows WHERE is_call AND streamed LIMIT 1"))
    if streamed:
        _find_owners(run)
    fragments = {
        "target": target,
        "plain": _PLAIN,
        "caller": Sql(
            f"if(c.streamed, greatest(o.case, {UNDRAWN}), {UNDRAWN})" if streamed else f"{UNDRAWN}"
        ),
        "owners": _OWNED if streamed else Sql(""),
    }
    create(run, "facts", queries.FACTS.render(fragments))
    found = run(
        "SELECT fact, any(parent), any(case), any(answer), max(weight) FROM facts GROUP BY fact"
    )
    drawn = [(fact, *row.columns()) for fact, row in _draw(run, [each[:4] for each in found])]
    is_odd = bool(run("SELECT 1 FROM odd LIMIT 1"))
    odd = read_whole(run, Sql("SELECT trace_id FROM odd"), scope.target) if is_odd else NO_TRACES
    more, figures = _of_whole(odd, scope)
    if figures:
        run(queries.ADD_FACTS.render(facts=f"[{','.join(map(str, figures))}]"))
    create(run, "drawing", queries.DRAWING.render(drawn=drawn + more))
    if scope.many_names:
        _find_excess(run, scope, odd)
    weights = (*(each[-1] for each in found), *(each[-1] for each in figures))
    return replace(scope, weighed=max(weights, default=1) > 1)


def release(run: RunQuery) -> None:
    """Drop the temporary tables of `prepare`."""
    drop(run, _TABLES)


def _find_owners(run: RunQuery) -> None:
    create(run, "owners", queries.OWNERS.render())
    for _ in range(MOST_DOUBLINGS):
        if not run("SELECT 1 FROM owners WHERE NOT done LIMIT 1"):
            return
        create(run, "farther_owners", queries.FARTHER_OWNERS.render())
        drop(run, ["owners"])
        create(run, "owners", Sql("SELECT * FROM farther_owners"))
        drop(run, ["farther_owners"])
    run("INSERT INTO odd SELECT DISTINCT trace_id FROM owners WHERE NOT done")


def _draw(run: RunQuery, facts: Collection[tuple[Any, ...]]) -> Iterator[tuple[int, UnitRow]]:
    """What distinct facts draw: rows of their numbers, parents, cases and answers."""
    found = {fact: _drawn.get(fact) for fact, *_ in facts}
    new = [each for each in facts if found[each[0]] is None]
    cases = _read_cases(run, {case for _, *cases in new for case in cases if case > UNDRAWN})
    for fact, above, self, below in new:
        parent = above if above <= UNDRAWN else cases[above].peer
        units = draw(parent, cases[self], cases[below].peer if below else None)
        found[fact] = tuple(_row(cases[self], unit) for unit in units)
    _remember(_drawn, {fact: found[fact] for fact, *_ in new})
    for fact, rows in found.items():
        for row in rows or ():
            yield fact, row


def _remember(known: dict[int, Any], more: dict[int, Any]) -> None:
    if len(known) + len(more) > MOST_KNOWN:
        known.clear()
    known.update(more)


def _row(case: Case, unit: Drawn) -> UnitRow:
    names = [name for name in unit.names if name]
    kind = NODE if unit.source is None else EDGE
    word = names[-1] if names and unit.names[-1] else ""
    return UnitRow(
        kind,
        unit.source or _NO_NODE,
        unit.target,
        word,
        unit.active,
        case.state,
        _failure(case.state, case.label),
    )


def _failure(state: State, label: str) -> str:
    return failure_key(state, label) if state > State.OK else ""


def _read_cases(run: RunQuery, numbers: Collection[int]) -> dict[int, Case]:
    """Cases by their numbers: those that are not known are read."""
    found = {number: case for number in numbers if (case := _cases.get(number)) is not None}
    missing = [number for number in numbers if number not in found]
    if missing:
        rows = run(queries.CASES.render(numbers=missing))
        read = {number: _case(columns) for number, *columns in rows}
        _remember(_cases, read)
        found.update(read)
    return found


def _case(columns: list[Any]) -> Case:
    is_call, streamed, *nodes, service, host, inferred, synthetic, state, status, exception = (
        columns
    )
    owner, node = NodeKey(*nodes[:4]), NodeKey(*nodes[4:])
    if is_call:
        peer = Peer(None if streamed else owner, node)
        return Case(peer, State(state), exception, status, called=service, host=host)
    client = client_type(SYNTHETICS_AGENT if synthetic else "")
    peer = Peer(node, enters=True)
    return Case(peer, State(state), exception, status, service, not inferred, client)


def _of_whole(
    traces: WholeTraces, scope: UnitScope
) -> tuple[list[tuple[Any, ...]], list[tuple[int, ...]]]:
    """Rows of ``drawing`` and of ``facts`` for the units of whole traces."""
    numbers: dict[UnitRow, int] = {}
    fresh = count()
    figures: list[tuple[int, ...]] = []
    for trace, unit in traces.units():
        if scope.wanted(unit.start):
            row = _unit_row(unit)
            number = numbers.get(row)
            if number is None:
                number = numbers[row] = next(fresh)
            duration = unit.end - unit.start
            whole = unit.last_end - unit.start if isinstance(unit, NodeUnit) else duration
            figures.append((number, trace, unit.start, duration, max(duration, whole), unit.weight))
    return [(number, *row.columns()) for row, number in numbers.items()], figures


def _unit_row(unit: Unit) -> UnitRow:
    failure = _failure(unit.state, unit.label)
    if isinstance(unit, NodeUnit):
        word = next(iter(unit.names - {unit.node.name}), unit.node.name)
        return UnitRow(NODE, _NO_NODE, unit.node, word, unit.active, unit.state, failure)
    kind = LINK if unit.link else EDGE
    return UnitRow(kind, unit.source, unit.target, unit.alias, False, unit.state, failure)


def _find_excess(run: RunQuery, scope: UnitScope, odd: WholeTraces) -> None:
    names = [
        (place.minute, place.account, name)
        for trace in odd.traces.values()
        for place, name in other_names.names_of(trace)
        if place.minute >= 0
    ]
    condition = {"whole_minutes": Sql(scope.whole_minutes)}
    most = other_names.MOST_NAMES
    create(run, "odd_names", queries.ODD_NAMES.render(names=names))
    create(run, "many_names", queries.MANY_NAMES.render(condition, most=most))
    create(
        run, "excess_names", queries.EXCESS_NAMES.render({**condition, "plain": _PLAIN}, most=most)
    )

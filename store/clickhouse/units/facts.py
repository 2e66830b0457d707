"""The units of a scope: facts (`store.facts`) that are drawn by `store.draw`; SQL joins ids and knows no rule.

A trace whose ids are resolved by looking each up once in the scope becomes facts by joins; the others,
``odd``, are read whole and resolved in Python. Temporary tables of one connection:

* ``odd``: the traces to read whole; ``linked``: documents of others with links to what caused them;
* ``owners``: the segments that streamed subsegments belong to, found by doubling the steps from parent to parent;
* ``pairs``: calls with the only call within each; ``joined``: those of them that are one;
* ``facts``: one row for each row of the scope and each unit of an odd trace; ``drawing``: what each distinct
  fact draws, so that a join makes units of facts;
* ``odd_names``, ``many_names``, ``excess_names``: names of nodes in excess (`store.rules.other_names`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from store.cases import Case, Peer
from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.queries import Sql
from store.clickhouse.queries.rules import FIRST_CASE
from store.clickhouse.units.aggregates import (
    BACKGROUND,
    EDGE,
    LINK,
    NODE,
    NODES,
    PLACES,
    name_in_row,
)
from store.clickhouse.units.dependencies import UnitScope, create, drop, many_names_statement
from store.clickhouse.units.one_call import join_calls
from store.clickhouse.units.whole_traces import NO_TRACES, WholeTraces, link_ends, read_whole
from store.draw import CAUSED, UNDRAWN, Drawn, Ends, draw, draw_link, draw_message
from store.facts import age_of_event
from store.model import NO_NODE, SYNTHETICS_AGENT, Fetched, Kind, NodeKey, State, client_type
from store.rules import other_names
from store.rules.classify import failure_key
from store.units import NodeUnit, Unit

_TABLES = (
    "odd", "owners", "farther_owners", "linked", "pairs", "joined", "facts", "drawing", "odd_names", "many_names", "excess_names",
)  # fmt: skip
_PLAIN = Sql("trace_id NOT IN (SELECT trace_id FROM odd)")
_RESOLVED = Sql(
    "trace_id NOT IN (SELECT trace_id FROM odd_traces WHERE is_odd UNION ALL SELECT trace_id FROM dependent_traces)"
)
_OTHERS = "trace_id NOT IN {known:Array(FixedString(16))}"
_DISTINCT = "SELECT fact, any(is_link), any(parent), any(case), any(answer), any(awaiting), max(weight) FROM facts GROUP BY fact"
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
        kind, source, target, word, active, state, failure = self
        counted = kind in NODES, active, PLACES[state], state.ended
        return kind, *source, *target, word, *counted, failure


class _Resolved:
    """Units that were resolved in Python: what distinct ones draw, and the figures of each."""

    def __init__(self) -> None:
        self._numbers: dict[UnitRow, int] = {}
        self.figures: list[tuple[int, ...]] = []
        """Rows of ``facts``."""

    def add_unit(self, trace: int, unit: Unit) -> None:
        """Add a unit of a trace, given by its hash."""
        duration = unit.end - unit.start
        whole = unit.last_end - unit.start if isinstance(unit, NodeUnit) else duration
        self.add(_unit_row(unit), trace, unit.start, duration, max(duration, whole), unit.weight)

    def add(self, row: UnitRow, *figures: int) -> None:
        """Add a unit: its trace, start, duration, last duration and weight."""
        self.figures.append((self._numbers.setdefault(row, len(self._numbers)), *figures))

    def drawn(self) -> Iterator[tuple[Any, ...]]:
        """Rows of ``drawing``."""
        return ((number, *row.columns()) for row, number in self._numbers.items())


_cases: dict[int, Case] = {}
_drawn: dict[int, tuple[UnitRow, ...]] = {}


def prepare(run: RunQuery, scope: UnitScope, known: WholeTraces = NO_TRACES) -> UnitScope:
    """Fill the temporary tables that queries/units/units.sql reads, on this connection. ``known``: traces without links
    that have been read."""
    release(run)
    target = Sql(scope.target)
    create(run, "odd", queries.RESOLVED_IN_PYTHON.render({"target": target}))
    if known.traces:
        run(Sql("INSERT INTO odd VALUES", rows=[(trace,) for trace in known.traces]))
    gets = queries.GETS_MESSAGES.render({"broker": Sql("owner_name")}).text
    [(inner, streamed, consuming)] = run(
        f"SELECT max(independent), max(streamed), max(NOT is_call AND {gets}) FROM scope_rows"
    )
    if streamed:
        _find_owners(run)
    work = {
        "owner": Sql("if(d.streamed, o.case, d.case)" if streamed else "d.case"),
        "owners": Sql("LEFT ANY JOIN owners AS o ON d.key = o.key" if streamed else ""),
    }
    linked = _find_linked(run, target, work)
    merged = join_calls(run, _PLAIN, _read_cases) if inner > 1 else None
    counting = queries.CALLS_OF_UNITS if merged is None else queries.JOINED_CALLS
    fragments = {
        "target": target,
        "plain": _PLAIN,
        "calls": counting.render({"target": target, "plain": _PLAIN}),
        "unlinked": Sql("key NOT IN (SELECT key FROM linked WHERE is_root)" if linked else "1"),
        "caller": Sql(
            f"if(c.streamed, greatest(o.case, {UNDRAWN}), {UNDRAWN})" if streamed else f"{UNDRAWN}"
        ),
        "owners": Sql("LEFT ANY JOIN owners AS o ON c.refers_to = o.key" if streamed else ""),
        "inner": _inner(inner, work, ""),
    }
    create(run, "facts", queries.FACTS.render(fragments))
    if linked:
        run(queries.ADD_LINKED.render({"caused": Sql(str(CAUSED))}))
    if consuming:
        untold = Sql("key NOT IN (SELECT key FROM linked)" if linked else "1")
        places = {"target": target, "plain": _PLAIN, "inner": _inner(inner, work, ", 0")}
        run(queries.ADD_MESSAGES.render({**places, "untold": untold}))
    found = run(_DISTINCT)
    facts = [each[:-1] for each in found]
    drawn = [(fact, *row.columns()) for fact, row in _draw(run, facts, merged or {})]
    others = Sql(f"SELECT trace_id FROM odd WHERE {_OTHERS}", {"known": sorted(known.traces)})
    is_odd = bool(run(Sql(f"{others.text} LIMIT 1", others.parameters)))
    here = scope.whole_minutes if scope.many_names else scope.target  # names of all of them count
    odd = read_whole(run, others, here) if is_odd else NO_TRACES
    odd = odd.with_unlinked(known)
    more = _Resolved()
    for trace, unit in odd.units():
        if scope.wanted(unit.start):
            more.add_unit(trace, unit)
    if linked:
        _add_unknown_ends(run, more)
    if more.figures:
        text = ",".join(map(str, more.figures))
        run(queries.ADD_FACTS.render(facts=f"[{text}]"))
    create(run, "drawing", queries.DRAWING.render(drawn=[*drawn, *more.drawn()]))
    if scope.many_names:
        _find_excess(run, scope, odd)
    weights = (*(each[-1] for each in found), *(each[-1] for each in more.figures))
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


def _inner(inner: int, work: dict[str, Sql], more: str) -> Sql:
    """Work inside services, if there is any, with more columns."""
    return queries.INNER_PARENTS.render({**work, "more": Sql(more)}) if inner else Sql("")


class _Linked(NamedTuple):
    """A link to what caused a document, with the document: a row of queries/units/unknown_ends.sql."""

    key: int
    other_trace: str
    other_id: int
    received: int
    link_weight: int
    case: int
    owner: int
    is_root: bool
    trace: int
    start: int
    duration: int
    last_duration: int
    weight: int
    slot: int

    @property
    def other(self) -> tuple[bytes, int]:
        return bytes.fromhex(self.other_trace), self.other_id


def _find_linked(run: RunQuery, target: Sql, work: dict[str, Sql]) -> bool:
    """Whether documents have links to what caused them: their clients and links depend on other traces.
    ``work``: fragments that say whose work a document is."""
    if not run("SELECT 1 FROM scope_links WHERE upstream = 1 LIMIT 1"):
        return False
    fragments = {"target": target, "plain": _PLAIN, "resolved": _RESOLVED, **work}
    create(run, "linked", queries.LINKED.render(fragments))
    return True


def _add_unknown_ends(run: RunQuery, into: _Resolved) -> None:
    """Draw the links whose other ends lie elsewhere, if they are stored, and the roots that have no other links."""
    linked = [_Linked(*row) for row in run(queries.UNKNOWN_ENDS.render())]
    if not linked:
        return
    ends = link_ends(run, {each.other for each in linked})
    cases = _read_cases(run, {n for each in linked for n in (each.case, each.owner) if n})
    roots = {each.key: each for each in linked if each.is_root}
    caused = {each.key for each in linked if each.other in ends}
    for each in linked:
        end, case = ends.get(each.other), cases[each.case]
        source = end.node if end else case.queue
        if source.name and each.owner:
            age = age_of_event(each.received or each.start, end.end) if end else 0
            for row in _link(case, Peer(source, enters=True), cases[each.owner].peer):
                into.add(row, each.trace, each.start, age, age, each.link_weight)
    for key, each in roots.items():
        case = cases[each.case]
        for unit in draw(CAUSED if key in caused else each.slot, case, None):
            figures = each.trace, each.start, each.duration, each.last_duration, each.weight
            into.add(_row(case, unit), *figures)


def _draw(
    run: RunQuery, facts: Collection[tuple[Any, ...]], merged: dict[int, Case]
) -> Iterator[tuple[int, UnitRow]]:
    """What distinct facts draw: rows of their numbers, parents, cases and answers. ``merged``: cases of no row."""
    found = {fact: _drawn.get(fact) for fact, *_ in facts}
    new = [each for each in facts if found[each[0]] is None]
    numbers = {n for _, _, *numbers, _ in new for n in numbers if n >= FIRST_CASE}
    cases = {**_read_cases(run, numbers - merged.keys()), **merged}
    for fact, is_link, above, self, below, awaiting in new:
        answer = cases[below].peer if below else None
        if is_link and answer:
            found[fact] = _link(cases[self], answer, cases[above].peer)
            continue
        parent = above if above < FIRST_CASE else cases[above].peer
        if is_link:
            found[fact] = _link_rows(cases[self], draw_message(parent, cases[self]))
            continue
        drawn = draw(parent, cases[self], answer, awaiting)
        found[fact] = tuple(_row(cases[self], unit) for unit in drawn)
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
    kind = EDGE if unit.source else BACKGROUND if unit.background else NODE
    word = names[-1] if names and unit.names[-1] else ""
    return UnitRow(
        kind,
        unit.source or NO_NODE,
        unit.target,
        word,
        unit.active,
        case.state,
        failure_key(case.state, case.label),
    )


def _link(case: Case, source: Peer, target: Peer) -> tuple[UnitRow, ...]:
    return _link_rows(case, draw_link(source, case.queue, target))


def _link_rows(case: Case, edges: Iterable[Ends]) -> tuple[UnitRow, ...]:
    failure = failure_key(case.state, case.label)
    return tuple(
        UnitRow(LINK, source, target, "", False, case.state, failure) for source, target in edges
    )


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
    is_call, streamed, *nodes, service, host = columns[:12]
    kind, fetched, has_parent, inferred, synthetic, state, status, exception = columns[12:]
    owner, node = NodeKey(*nodes[:4]), NodeKey(*nodes[4:])
    if is_call:
        peer = Peer(None if streamed else owner, node)
        return Case(peer, State(state), exception, status, called=service, host=host)
    agent = SYNTHETICS_AGENT if synthetic else ""
    queue, caller = (NO_NODE, owner) if kind == Kind.SERVER else (owner, NO_NODE)
    flags = {"has_parent": bool(has_parent), "has_queue": bool(queue.name)}
    client = client_type(agent, Kind(kind), **flags)
    peer = Peer(node, enters=True, kind=Kind(kind), fetched=Fetched(fetched))
    return Case(
        peer, State(state), exception, status, service, not inferred, client, "", "", queue, caller
    )


def _unit_row(unit: Unit) -> UnitRow:
    failure = failure_key(unit.state, unit.label)
    if isinstance(unit, NodeUnit):
        word = name_in_row(unit)
        kind = BACKGROUND if unit.background else NODE
        return UnitRow(kind, NO_NODE, unit.node, word, unit.active, unit.state, failure)
    kind = LINK if unit.link else EDGE
    return UnitRow(kind, unit.source, unit.target, unit.alias, False, unit.state, failure)


def _find_excess(run: RunQuery, scope: UnitScope, odd: WholeTraces) -> None:
    names = [
        (place.minute, place.account, name)
        for trace in odd.traces.values()
        for place, name in other_names.names_of(trace)
        if place.minute >= 0
    ]
    create(run, "odd_names", queries.ODD_NAMES.render(names=names))
    create(run, "many_names", many_names_statement(scope.whole_minutes))
    there = {"whole_minutes": Sql(scope.whole_minutes), "plain": _PLAIN}
    create(run, "excess_names", queries.EXCESS_NAMES.render(there, most=other_names.MOST_NAMES))

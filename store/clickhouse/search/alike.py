"""Counts traces without reading them: those that are alike in what is counted are one row of a statement.

Of most traces the rows say by themselves what the rules would make of them: the earliest segment is the entry, each segment a unit
and each call that no segment answers. Where another rule may apply, or rows lie elsewhere, or a filter is not decided in SQL
(`store.clickhouse.search.compile`), the trace is named as one that has to be read.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import BINARY_LIMITS, QueryRunner, RunQuery
from store.clickhouse.queries import Sql, in_traces, joined
from store.clickhouse.queries.rules import IS_SEGMENT
from store.clickhouse.search.bounds import ALWAYS, TRUE, conjunction, disjunction
from store.clickhouse.search.compile import compiled
from store.clickhouse.search.find_traces import NO_ID, Place, located, window_before
from store.clickhouse.search.scan_plan import newest_width
from store.clickhouse.search.scan_ranges import SCAN_RANGES
from store.clickhouse.search.unit_rows import HTTP, TEXTS
from store.cursor import decode_cursor, encode_cursor
from store.filters.group_by import SERVICE, STATE
from store.filters.keywords import ANNOTATION, MEMBERS
from store.layers import TOLERANCE
from store.model import CLIENT, NodeKey, State, TimeRange
from store.query import TraceHit, TraceQuery
from store.rules.annotations import annotation_item
from store.stats_query import AlikePart, AlikeTraces, AlikeUnit, StatsQuery
from store.times import SECOND

OFFSET = 1 << 62
"""What the statement adds to microseconds."""
MOST_PER_ROW = 2
"""Traces of a part per row that it has, at most: a part with room for so many is not cut."""
_NONE = "CAST([], 'Array(Tuple(String, String))')"
_STATUS = "if(status = 0, '', toString(status))"
_PLACES = {"account.id": "account", "region": "region"}
_OF_SEGMENT = {**TEXTS, **_PLACES, "http.status": _STATUS, "type": "type"}
_OF_CALL = {**_PLACES, "http.status": _STATUS, "type": "type", "operation": "operation"}
_OF_ENTRY = {**HTTP, "http.status": _STATUS}
_PAIR = "(toString(name), toString(service))"
"""A node's name and that of its service, which it may go by (`store.filters.group_by.StoredValues`)."""


_NO_CLIENT = f"NOT startsWith(type, '{CLIENT}')"
_KEY_TYPE = f"Tuple({', '.join(['String'] * len(NodeKey._fields))})"
_ENTRIES, _SEGMENTS, _CALLS = (
    each.render().text
    for each in (queries.ALIKE_ENTRIES, queries.ALIKE_SEGMENTS, queries.ALIKE_CALLS)
)
_DOUBTS = queries.ALIKE_UNIT_DOUBTS.render({"tolerance": Sql(str(TOLERANCE))}).text
_UNANSWERED = "arrayMap(call -> call.2, arrayFilter(call -> NOT has(documents.answering, call.1), calls.units))"


def alike_part(
    ask: QueryRunner, query: StatsQuery, *, rows: int, room: int, cursor: str | None
) -> AlikePart | None:
    """See `store.protocol.TraceReader.alike_traces`."""
    fragments = _fragments(query)
    if fragments is None:
        return None
    before = decode_cursor(cursor)
    window = window_before(query.window, before)
    if window.start >= window.end or room <= 0:
        return AlikePart([], [], None if window.start >= window.end else cursor)
    begin = _begin(ask, window, rows)
    slice = SCAN_RANGES[TraceQuery(query.window).axis](TimeRange(begin, window.end), query.window)
    bounds = ALWAYS
    if query.filter is not None:
        bounds = compiled(query.filter, slice.near_rows, sure=True, member=slice.member)
    far = in_traces(slice.far)
    may = TRUE if bounds is ALWAYS else disjunction([bounds.may, far])
    timed = slice.timed(slice.among(may), Sql("[]"))
    where = located(slice, before)
    place = (begin, NO_ID) if begin > window.start else None
    cut = _cut(ask, timed, where, room) if room < MOST_PER_ROW * rows else None
    if cut is not None:
        place, where = cut, [*where, _from(cut)]
    found = ask.with_limits(BINARY_LIMITS)(
        queries.ALIKE_TRACES.render(
            {
                **fragments.rendered(),
                "length": Sql(str(query.step)),
                "certain": TRUE if bounds.is_exact else bounds.must,
                "far": slice.far,
                "timed": timed,
                "where": joined(" AND ", where),
                "rows": conjunction([slice.near_rows, bounds.may]),
            },
            offset=OFFSET,
        )
    )
    alike = [
        AlikeTraces(step, [_unit(each) for each in units], traces, [*map(_times, times)])
        for plain, step, units, traces, times, _ in found
        if plain
    ]
    others = [
        TraceHit(bytes.fromhex(digits.decode()), at)
        for plain, *_, read in found
        if not plain
        for digits, at in read
    ]
    return AlikePart(alike, others, None if place is None else encode_cursor(*place))


def _unit(row: tuple[Sequence[Sequence[tuple[bytes, bytes]]], int]) -> AlikeUnit:
    values, state = row
    texts = (tuple((text.decode(), other.decode()) for text, other in each) for each in values)
    return AlikeUnit(tuple(texts), State(state))


def _times(packed: bytes) -> array[int]:
    """Microseconds, of which each took 8 bytes."""
    return array("q", (np.frombuffer(packed, "<i8") - OFFSET).tobytes())


def _begin(ask: RunQuery, window: TimeRange, rows: int) -> int:
    """Where the newest rows of a window begin."""
    begin = max(window.start, window.end - max(SECOND, newest_width(ask, window, rows)))
    return begin if begin > window.start else window.start


def _cut(ask: RunQuery, timed: Sql, where: Sequence[Sql], room: int) -> Place | None:
    """The place behind as many traces as there is room for; None if there is for all."""
    found = ask(
        queries.NTH_TRACE.render({"timed": timed, "where": joined(" AND ", where)}, offset=room - 1)
    )
    if len(found) < 2:
        return None
    digits, at = found[0]
    return at, bytes.fromhex(digits)


def _from(place: Place) -> Sql:
    """The condition that a trace does not come after a place."""
    return Sql(
        "(at, trace_id) >= ({cut_at:Int64}, {cut_id:FixedString(16)})",
        {"cut_at": place[0], "cut_id": place[1]},
    )


class _Fragments(NamedTuple):
    """Of alike_traces.sql. ``parameters``: of all of them."""

    doubtful: str
    of_documents: str
    of_calls: str
    units: str
    parameters: dict[str, object]

    def rendered(self) -> dict[str, Sql]:
        """With the parameters beside one of them."""
        texts = {name: Sql(getattr(self, name)) for name in self._fields[:-1]}
        return {**texts, "units": Sql(self.units, self.parameters)}


def _fragments(query: StatsQuery) -> _Fragments | None:
    """What is counted of each trace; None if rows do not have it."""
    prefixes: dict[str, object] = {
        f"prefix_{at}": annotation_item(key.field.key, 0).removesuffix("0")
        for at, key in enumerate(query.by)
        if key.field is not None and key.field.keyword == ANNOTATION
    }
    return _units(query, prefixes) if query.of_units else _entries(query, prefixes)


def _units(query: StatsQuery, prefixes: dict[str, object]) -> _Fragments:
    segment, call = [], []
    for at, key in enumerate(query.by):
        keyword = "" if key.field is None else key.field.keyword
        if key.name == SERVICE:
            segment.append(f"[{_PAIR}]")
            call.append(f"[{_PAIR}]")
        else:
            segment.append(_items(at) if keyword == ANNOTATION else _text(_OF_SEGMENT.get(keyword)))
            call.append(_text(_OF_CALL.get(keyword)))
    counted, parameters = _counted(query.nodes)
    return _Fragments(
        _DOUBTS,
        f"{_SEGMENTS}, groupArrayIf(({_list(segment)}, state, duration), {IS_SEGMENT.text} AND {counted}) AS units",
        f"{_CALLS}, groupArrayIf((id, ({_list(call)}, state, duration)), {counted}) AS units",
        f"arrayConcat(documents.units, {_UNANSWERED})",
        {**prefixes, **parameters},
    )


def _entries(query: StatsQuery, prefixes: dict[str, object]) -> _Fragments | None:
    values, documents, calls = [], [_ENTRIES], ["1"]
    of_nodes = False
    for at, key in enumerate(query.by):
        keyword = "" if key.field is None else key.field.keyword
        own = f"value_{at}"
        if key.name == STATE:
            values.append(_NONE)
        elif keyword == ANNOTATION:
            documents.append(f"groupUniqArrayArray({_items(at)}) AS {own}")
            values.append(f"documents.{own}")
        elif keyword in MEMBERS:
            documents.append(f"groupUniqArrayArray({_text(MEMBERS[keyword])}) AS {own}")
            values.append(f"documents.{own}")
        elif keyword == "operation":
            documents.append(f"groupUniqArrayArray({_text('operation')}) AS {own}")
            calls.append(f"groupUniqArrayArray({_text('operation')}) AS {own}")
            values.append(f"arrayDistinct(arrayConcat(documents.{own}, calls.{own}))")
        elif keyword in _OF_ENTRY:
            documents.append(
                f"argMinIf({_text(_OF_ENTRY[keyword])}, (start, id), {IS_SEGMENT.text}) AS {own}"
            )
            values.append(f"documents.{own}")
        elif key.name == SERVICE or keyword in _PLACES:
            of_nodes = True
            text = f"[{_PAIR}]" if key.name == SERVICE else _text(_PLACES[keyword])
            counted = _NO_CLIENT if key.name == SERVICE else "1"
            documents.append(
                f"groupUniqArrayArrayIf({text}, {IS_SEGMENT.text} AND {counted}) AS {own}"
            )
            calls.append(f"groupArrayIf((id, {text}), {counted}) AS {own}")
            unanswered = _UNANSWERED.replace("units", own)
            values.append(
                f"arrayDistinct(arrayConcat(documents.{own}, arrayFlatten({unanswered})))"
            )
        else:
            return None
    if of_nodes:
        documents.append(_SEGMENTS)
        calls.append(_CALLS)
    doubts = ["documents.segments = 0 OR documents.entry.1 != 0", *([_DOUBTS] if of_nodes else [])]
    sorted_values = [f"arraySort({each})" for each in values]
    return _Fragments(
        " OR ".join(doubts),
        ", ".join(documents),
        ", ".join(calls),
        f"[({_list(sorted_values)}, documents.entry.2, documents.entry.3)]",
        prefixes,
    )


def _counted(nodes: Collection[NodeKey]) -> tuple[str, dict[str, object]]:
    """The condition that a row is a unit of some nodes as the expression of a group finds them
    (`store.trace_stats`); without any of whatever is no client."""
    if not nodes:
        return _NO_CLIENT, {}
    condition = " OR ".join(
        f"(account, {name}, type, region) IN {{nodes:Array({_KEY_TYPE})}}"
        for name in ("name", "service")
    )
    return f"({condition})", {"nodes": sorted(map(tuple, nodes))}


def _list(values: Sequence[str]) -> str:
    """Values by dimension, of one type however many there are."""
    return f"CAST([{', '.join(values)}], 'Array(Array(Tuple(String, String)))')"


def _text(column: str | None) -> str:
    """The value of a column, none if that is empty."""
    if column is None:
        return _NONE
    return f"if({column} = '', {_NONE}, [(toString({column}), '')])"


def _items(at: int) -> str:
    """The annotations of the key of a dimension."""
    return (
        f"arrayMap(item -> (toString(item), ''), "
        f"arrayFilter(item -> startsWith(item, {{prefix_{at}:String}}), annotations))"
    )

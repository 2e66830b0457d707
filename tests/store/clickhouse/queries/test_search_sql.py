"""The rendered text of the statements that searches send, and the values that travel beside it."""

from __future__ import annotations

import pytest

from store.clickhouse import queries
from store.clickhouse.queries import Sql
from store.clickhouse.search.compile import compiled
from store.clickhouse.search.judge import row_locations
from store.clickhouse.search.scan_ranges import SCAN_RANGES
from store.filters.ast import Expression, Not
from store.filters.conditions import calls_along
from store.filters.parse import parse
from store.model import NodeKey, TimeRange
from store.query import Axis
from store.times import MINUTE

WINDOW = TimeRange(60 * MINUTE, 120 * MINUTE)
ROWS = Sql("minute = {minute:UInt32}", {"minute": 7})
SOURCE, TARGET = NodeKey("", "it's {a:UInt8} $b", "t"), NodeKey("1", "target", "")
ONE, TWO = bytes(15) + b"\1", bytes(15) + b"\2"


def one_line(sql: Sql) -> str:
    """The text with one space for any white space, none inside parentheses."""
    return " ".join(sql.text.split()).replace("( ", "(").replace(" )", ")")


FINISHED = (
    "independent = 0 AND state != 0 "
    "AND start + duration >= {span_start:Int64} AND start + duration < {%s:Int64}"
)
NEAR = "minute BETWEEN {first_minute:UInt64} AND {%s:UInt64} AND "
LONG = "minute < {first_minute:UInt64} AND duration >= {long_duration:Int64} AND "
ENDED = (
    f"SELECT trace_id FROM segments WHERE {NEAR % 'span_end_minute'}{FINISHED % 'span_end'} "
    f"UNION ALL SELECT trace_id FROM segments WHERE {LONG}{FINISHED % 'span_end'}"
)
EPOCH = "toInt64(byteSwap(reinterpretAsUInt32(trace_id))) * 1000000"
RANGES = {
    Axis.TRACE_ID: (
        (
            "((trace_id >= {span_first_id:FixedString(16)} AND trace_id < {span_end_id:FixedString(16)}) "
            "OR trace_id IN (SELECT trace_id FROM segments PREWHERE implausible_epoch = 1 "
            "WHERE minute BETWEEN {span_minute:UInt64} AND {span_last_minute:UInt64} "
            "AND start >= {span_start:Int64} AND start < {span_end:Int64}))"
        ),
        (
            f"SELECT trace_id, if(abs({EPOCH} - first) <= {{day:Int64}}, {EPOCH}, first) AS at, buckets "
            "FROM (SELECT trace_id, min(start) AS first, [] AS buckets FROM traces WHERE c = {c:UInt8} "
            "GROUP BY trace_id HAVING max(sampled) = 1)"
        ),
        {
            "span_first_id": (3600).to_bytes(4, "big") + bytes(12),
            "span_end_id": (7200).to_bytes(4, "big") + bytes(12),
            "span_minute": 60,
            "span_last_minute": 119,
            "span_start": WINDOW.start,
            "span_end": WINDOW.end,
        },
    ),
    Axis.EVENT: (
        (
            "trace_id IN (SELECT trace_id FROM traces "
            "WHERE updated >= {span_start:Int64} AND updated < {span_end:Int64})"
        ),
        (
            "SELECT trace_id, max(updated) AS at, [] AS buckets FROM traces WHERE c = {c:UInt8} "
            "GROUP BY trace_id HAVING max(sampled) = 1"
        ),
        {"span_start": WINDOW.start, "span_end": WINDOW.end},
    ),
    Axis.SERVICE: (
        f"trace_id IN ({ENDED})",
        (
            "SELECT trace_id, at, buckets FROM (SELECT trace_id, max(end) AS at FROM ("
            "SELECT trace_id, start + duration AS end FROM segments FINAL "
            f"WHERE {NEAR % 'window_end_minute'}{FINISHED % 'window_end'} "
            f"AND trace_id IN ({ENDED}) AND (c = {{c:UInt8}}) UNION ALL "
            "SELECT trace_id, start + duration AS end FROM segments FINAL "
            f"WHERE {LONG}{FINISHED % 'window_end'} "
            f"AND trace_id IN ({ENDED}) AND (c = {{c:UInt8}})) GROUP BY trace_id) AS ended "
            "ANY INNER JOIN (SELECT trace_id, [] AS buckets FROM traces "
            f"WHERE trace_id IN ({ENDED}) GROUP BY trace_id HAVING max(sampled) = 1) AS sampled "
            "USING trace_id"
        ),
        {
            "first_minute": 50,
            "span_end_minute": 120,
            "long_duration": 9 * MINUTE,
            "span_start": WINDOW.start,
            "span_end": WINDOW.end,
        },
    ),
}


@pytest.mark.parametrize("axis", Axis)
def test_scan_ranges(axis: Axis) -> None:
    member, timed, parameters = RANGES[axis]
    slice = SCAN_RANGES[axis](WINDOW, WINDOW)
    assert one_line(slice.member) == member
    assert slice.member.parameters == parameters
    rendered = slice.timed(Sql("c = {c:UInt8}", {"c": 1}), Sql("[]"))
    assert one_line(rendered) == timed
    assert rendered.parameters["c"] == 1
    among = one_line(slice.among(Sql("c")))
    assert among == ("c" if axis is Axis.SERVICE else f"{member} AND c")
    passed = f"(start < {{span_start:Int64}} AND abs({EPOCH} - start) > {{day:Int64}})"
    passed = passed if axis is Axis.TRACE_ID else "0"
    assert one_line(slice.far) == (
        "SELECT trace_id FROM traces "
        "PREWHERE bucket < {near_first:UInt64} OR bucket > {near_last:UInt64} "
        "WHERE ((bucket < {near_first:UInt64} AND (minute != 0 OR lo < {minute_length:Int64})) "
        f"OR bucket > {{near_last:UInt64}}) AND {member} AND NOT {passed}"
    )


def same(parameters: str, prefix: str = "") -> str:
    """The condition on a node's key, by the numbers of its parameters."""
    pairs = zip(NodeKey._fields, parameters, strict=True)
    parts = [f"{prefix}{column} = {{value_{number}:String}}" for column, number in pairs]
    return f"({' AND '.join(parts)})"


def rendered(filter: Expression, *, sure: bool) -> tuple[str, str]:
    """may and must."""
    bounds = compiled(filter, ROWS, sure=sure)
    return one_line(bounds.may), one_line(bounds.must)


def test_bounds_of_an_annotation() -> None:
    has = "has(annotations, {value_0:String})"
    rows = f"{ROWS.text} AND {has}"
    may = f"trace_id IN (SELECT trace_id FROM segments WHERE ({rows}))"
    must = (
        f"trace_id IN (SELECT trace_id FROM segments WHERE {ROWS.text} AND (trace_id, id) IN ("
        f"SELECT trace_id, id FROM segments WHERE {rows}) "
        f"GROUP BY trace_id, id HAVING argMax({has}, ver))"
    )
    test = parse('annotation[a] = "1"')
    assert rendered(test, sure=False) == (may, "0")
    assert rendered(test, sure=True) == (may, must)
    assert rendered(Not(test), sure=False) == ("1", f"NOT ({may})")
    assert rendered(Not(test), sure=True) == (f"NOT ({must})", f"NOT ({may})")
    assert compiled(test, ROWS, sure=True).may.parameters == {"minute": 7, "value_0": 'a="1"'}


def test_bounds_of_an_edge() -> None:
    """Streamed calls may belong to the source; only those of a segment surely do."""
    may, must = rendered(calls_along(SOURCE, TARGET), sure=False)
    own, target = same("0120", "owner_"), same("3400")
    called = f"(independent = 1 OR {own})"
    calls = f"SELECT trace_id FROM calls WHERE {ROWS.text} AND "
    assert must == "0"
    unanswered, answered, inner = may[1:-1].split(" OR trace_id IN ")
    assert f"FROM calls WHERE ({ROWS.text} AND ({called} AND {target}))" in unanswered
    answer = f"independent IN (0, 2) AND parent_id != 0 AND {target}"
    assert f"{calls}{called} AND (trace_id, id) IN (" in answered
    assert f"SELECT trace_id, parent_id FROM segments WHERE {ROWS.text} AND {answer}" in answered
    assert f"FROM segments WHERE {ROWS.text} AND {answer} AND (trace_id, parent_id) IN (" in inner
    assert f"WHERE {ROWS.text} AND (independent = 1 OR {same('0120')})" in inner
    assert "user_agent" not in may, "the source is no client"
    assert "before_name" not in may, "nor named by a root"
    named, _ = rendered(calls_along(NodeKey("", "mobile", "remote"), TARGET), sure=False)
    assert "before_name = {value" in named
    from_client, _ = rendered(calls_along(NodeKey("", "target", "client"), TARGET), sure=False)
    *_, root = from_client[1:-1].split(" OR trace_id IN ")
    assert "('' = {value_0:String} AND name = {value_1:String} AND if(" in root


def test_row_locations_are_one_list_and_ranges_for_long_traces() -> None:
    places = row_locations({ONE: [36, 59], TWO: range(24_000)})
    assert places.text == (
        "((minute BETWEEN {range_0_first:UInt32} AND {range_0_last:UInt32} "
        "AND trace_id = {range_0_trace:FixedString(16)}) "
        "OR (minute, bucket, trace_id) IN {places:Array(Tuple(UInt32, UInt64, FixedString(16)))})"
    )
    assert places.parameters == {
        "range_0_first": 0,
        "range_0_last": 1999,
        "range_0_trace": TWO,
        "places": [(3, 36, ONE), (4, 59, ONE)],
    }
    rendered = queries.LEAN_CALLS.render({"operation": Sql("operation"), "places": places})
    assert one_line(rendered) == (
        "SELECT hex(trace_id), document_id, independent, owner_account, owner_name, owner_type, "
        "owner_region, ver, id, start, start + duration, state, account, name, type, region, service, "
        "host, status, traced, '', 1, operation "
        f"FROM calls FINAL WHERE {places.text}"
    )
    assert rendered.parameters == places.parameters

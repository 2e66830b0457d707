"""Reads a TraceQL query: sets of spans, pipelines over them, metrics at their end.

https://grafana.com/docs/tempo/latest/traceql/; what is not supported is refused with its position.
"""

from __future__ import annotations

from functools import lru_cache
from typing import cast

from raymap.contrib.tempo.traceql.ast import (
    Attribute,
    Coalesce,
    GroupBy,
    Metrics,
    Pipeline,
    Query,
    Ranking,
    ScalarFilter,
    Select,
    SpanFilter,
    Spanset,
    SpansetOperation,
    Stage,
    Type,
)
from raymap.contrib.tempo.traceql.cursor import Cursor
from raymap.contrib.tempo.traceql.fields import (
    EQUALITY,
    ORDER,
    parse_attribute,
    parse_condition,
    parse_number,
)

NUMBERS = (Type.NUMBER, Type.ANY)
AGGREGATES = ("count", "avg", "max", "min", "sum")
COUNTS = ("rate", "count_over_time")
"""Functions of spans alone; the others are of a field."""
METRICS = (
    *COUNTS,
    "min_over_time",
    "max_over_time",
    "avg_over_time",
    "sum_over_time",
    "quantile_over_time",
    "histogram_over_time",
)
_UNSUPPORTED = ("compare",)
_RANKINGS = ("topk", "bottomk")
RELATIONS = tuple(
    f"{how}{relation}" for relation in (">>", "<<", ">", "<", "~") for how in ("", "&", "!")
)
MOST_FIELDS = 20
"""Attributes of a list, and quantiles."""


@lru_cache(maxsize=256)
def parse(text: str) -> Query:
    """A query; `TraceQLError`."""
    cursor = Cursor(text)
    pipeline, metrics = _pipeline(cursor)
    if cursor.take_if("with", kind="word"):
        _hints(cursor)
    if cursor.next.kind != "end":
        if metrics is not None and not cursor.has("|"):
            raise cursor.error("arithmetic and comparisons of metrics are not supported")
        cursor.fail_expecting("| or the end of the query")
    return Query(pipeline, metrics)


def _pipeline(cursor: Cursor) -> tuple[Pipeline, Metrics | None]:
    """Stages up to a closing parenthesis or the end, and metrics if they come last."""
    stages = [_stage(cursor)]
    while cursor.take_if("|"):
        if cursor.has(*METRICS, *_UNSUPPORTED, kind="word"):
            return Pipeline(tuple(stages)), _metrics(cursor)
        if cursor.has(*_RANKINGS, kind="word"):
            raise cursor.error(f"{cursor.next.text} follows a metrics function")
        cursor.count_condition()
        if cursor.take_if("coalesce", kind="word"):
            cursor.expect("(")
            cursor.expect(")")
            stages.append(Coalesce())
        else:
            stages.append(_stage(cursor))
    return Pipeline(tuple(stages)), None


def _stage(cursor: Cursor) -> Stage:
    if cursor.take_if("by", kind="word"):
        cursor.expect("(")
        field = parse_attribute(cursor)
        cursor.expect(")")
        return GroupBy(field)
    if cursor.take_if("select", kind="word"):
        return Select(_attributes(cursor))
    if cursor.has(*AGGREGATES, kind="word"):
        return _scalar_filter(cursor)
    if cursor.next.kind in ("word", "number"):
        raise cursor.error(
            f"expected {{, ( or a function such as count(), got {cursor.next.text!r}"
        )
    return _spansets(cursor)


def _spansets(cursor: Cursor) -> Spanset:
    found = _related(cursor)
    while operator := cursor.take_if("&&", "||"):
        found = SpansetOperation(operator.text, found, _related(cursor))
    return found


def _related(cursor: Cursor) -> Spanset:
    found = _spanset(cursor)
    while operator := cursor.take_if(*RELATIONS):
        found = SpansetOperation(operator.text, found, _spanset(cursor))
    return found


def _spanset(cursor: Cursor) -> Spanset:
    cursor.count_condition()
    if cursor.take_if("{"):
        condition = None if cursor.has("}") else parse_condition(cursor)
        cursor.expect("}")
        return SpanFilter(condition)
    opened = cursor.take_if("(")
    if opened is None:
        cursor.fail_expecting("'{'")
    with cursor.nested(opened):
        pipeline, metrics = _pipeline(cursor)
        if metrics is not None:
            raise cursor.error(
                "metrics in parentheses, and arithmetic of them, are not supported", opened
            )
        cursor.expect(")")
    only = pipeline.stages[0]
    alone = len(pipeline.stages) == 1 and isinstance(only, SpanFilter | SpansetOperation)
    return cast("Spanset", only) if alone else pipeline


def _scalar_filter(cursor: Cursor) -> ScalarFilter:
    name = cursor.take().text
    cursor.expect("(")
    field = None if name == "count" else parse_attribute(cursor, NUMBERS)
    cursor.expect(")")
    operator = cursor.take_if(*EQUALITY, *ORDER) or cursor.fail_expecting("a comparison")
    return ScalarFilter(name, field, operator.text, parse_number(cursor))


def _metrics(cursor: Cursor) -> Metrics:
    name = cursor.take()
    if name.text in _UNSUPPORTED:
        raise cursor.error(f"{name.text}() is not supported", name)
    cursor.expect("(")
    field, quantiles = None, []
    if name.text not in COUNTS:
        field = parse_attribute(cursor, NUMBERS)
    if name.text == "quantile_over_time":
        cursor.expect(",")
        quantiles = [_quantile(cursor)]
        while cursor.take_if(","):
            quantiles.append(_quantile(cursor))
        if len(quantiles) > MOST_FIELDS:
            raise cursor.error(f"more than {MOST_FIELDS} quantiles", name)
    cursor.expect(")")
    by = _attributes(cursor) if cursor.take_if("by", kind="word") else ()
    rankings = []
    while cursor.take_if("|"):
        rankings.append(_ranking(cursor))
    return Metrics(name.text, field, tuple(quantiles), by, tuple(rankings))


def _quantile(cursor: Cursor) -> float:
    start = cursor.next
    found = float(parse_number(cursor))
    if not 0 <= found <= 1:
        raise cursor.error(f"a quantile lies between 0 and 1, got {start.text}", start)
    return found


def _ranking(cursor: Cursor) -> Ranking:
    name = cursor.take_if(*_RANKINGS, kind="word") or cursor.fail_expecting("topk or bottomk")
    cursor.expect("(")
    start = cursor.next
    count = parse_number(cursor)
    if not isinstance(count, int) or not 1 <= count <= 1000:
        raise cursor.error("expected a whole number from 1 to 1000", start)
    cursor.expect(")")
    return Ranking(name.text == "topk", count)


def _attributes(cursor: Cursor) -> tuple[Attribute, ...]:
    """Attributes in parentheses."""
    cursor.expect("(")
    found = [parse_attribute(cursor)]
    while cursor.take_if(","):
        found.append(parse_attribute(cursor))
    if len(found) > MOST_FIELDS:
        raise cursor.error(f"more than {MOST_FIELDS} attributes")
    cursor.expect(")")
    return tuple(found)


def _hints(cursor: Cursor) -> None:
    """Hints such as ``with(sample=true)`` say how Tempo may be faster; nothing here depends on them."""
    cursor.expect("(")
    while True:
        if cursor.take().kind != "word":
            cursor.fail_expecting("the name of a hint")
        cursor.expect("=")
        if cursor.take().kind not in ("word", "number", "text"):
            cursor.fail_expecting("the value of a hint")
        if not cursor.take_if(","):
            break
    cursor.expect(")")

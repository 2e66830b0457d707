"""What a TraceQL query means, of one trace: the truth that the store's narrower searches are compared with."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

from raymap.contrib.tempo.traceql.ast import (
    Attribute,
    Coalesce,
    Comparison,
    Duration,
    Exists,
    FieldExpression,
    GroupBy,
    Literal,
    Logic,
    Not,
    Pipeline,
    ScalarFilter,
    Select,
    SpanFilter,
    SpansetOperation,
    Stage,
    Type,
    type_of_value,
)
from raymap.contrib.tempo.traceql.relations import related, united
from raymap.contrib.tempo.traceql.spans import SpanView, TraceView
from store.filters.evaluate import ORDER
from store.filters.patterns import compile_pattern

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    **ORDER,
    "=~": lambda text, pattern: fits(pattern, text),
    "!~": lambda text, pattern: not fits(pattern, text),
}
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
NEGATIVE = ("!=", "!~")


class SpanSet(NamedTuple):
    """Spans of a trace, and what a pipeline found of them: the value that they are grouped by, aggregates."""

    spans: Sequence[SpanView]
    attributes: Mapping[str, Any] = {}


def evaluate(pipeline: Pipeline, trace: TraceView) -> list[SpanSet]:
    """The sets of spans that a query finds in a trace, none if it does not match."""
    return _piped(pipeline, trace, [SpanSet(trace.spans)])


def satisfies(condition: FieldExpression | None, span: SpanView) -> bool:
    """Whether a span satisfies a condition."""
    return condition is None or _value(condition, span) is True


def fits(pattern: str, text: str) -> bool:
    """Whether a regular expression matches a whole text."""
    return compile_pattern(pattern).fullmatch(text) is not None


def _piped(pipeline: Pipeline, trace: TraceView, sets: list[SpanSet]) -> list[SpanSet]:
    for stage in pipeline.stages:
        sets = [each for each in _stage(stage, trace, sets) if each.spans]
    return sets


def _stage(stage: Stage, trace: TraceView, sets: list[SpanSet]) -> list[SpanSet]:
    match stage:
        case SpanFilter(condition):
            return [
                SpanSet([s for s in one.spans if satisfies(condition, s)], one.attributes)
                for one in sets
            ]
        case SpansetOperation():
            return [SpanSet(_operated(stage, trace, one), one.attributes) for one in sets]
        case Pipeline():
            return _piped(stage, trace, sets)
        case GroupBy(field):
            return [group for one in sets for group in _grouped(one, field)]
        case ScalarFilter():
            return [each for one in sets for each in _aggregated(stage, one)]
        case Coalesce():
            return [SpanSet(_all(sets))]
        case Select():
            return sets


def _operated(stage: SpansetOperation, trace: TraceView, one: SpanSet) -> list[SpanView]:
    left, right = (
        _all([each for each in _stage(side, trace, [one]) if each.spans])
        for side in (stage.left, stage.right)
    )
    if stage.operator == "&&":
        return united(left, right) if left and right else []
    if stage.operator == "||":
        return united(left, right)
    return related(stage.operator, trace, left, right)


def _all(sets: Sequence[SpanSet]) -> list[SpanView]:
    found: list[SpanView] = []
    for each in sets:
        found = united(found, each.spans) if found else list(each.spans)
    return found


def _grouped(one: SpanSet, field: Attribute) -> list[SpanSet]:
    groups: dict[Hashable, tuple[Any, list[SpanView]]] = {}
    for span in one.spans:
        value = span.value(field)
        groups.setdefault(key_of(value), (value, []))[1].append(span)
    label = f"by({field})"
    return [SpanSet(spans, {**one.attributes, label: value}) for value, spans in groups.values()]


def key_of(value: Any) -> Hashable:
    """A value as a key: 1, 1.0 and true are three."""
    return tuple(map(key_of, value)) if isinstance(value, list) else (type(value), value)


def _aggregated(stage: ScalarFilter, one: SpanSet) -> list[SpanSet]:
    if stage.field is None:
        found: Any = len(one.spans)
    else:
        values = [v for span in one.spans if is_number(v := span.value(stage.field))]
        if not values:
            return []
        found = _AGGREGATES[stage.aggregate](values)
        if all(isinstance(value, Duration) for value in values):
            found = Duration(round(found))
    if not _COMPARE[stage.operator](found, stage.value):
        return []
    return [SpanSet(one.spans, {**one.attributes, str(stage): found})]


_AGGREGATES: Mapping[str, Callable[[Sequence[float]], float]] = {
    "avg": lambda values: sum(values) / len(values),
    "max": max,
    "min": min,
    "sum": sum,
}


def is_number(value: Any) -> bool:
    """Whether it is a number or a duration."""
    return type_of_value(value) is Type.NUMBER


def _value(expression: FieldExpression, span: SpanView) -> Any:
    match expression:
        case Literal(value):
            return value
        case Attribute():
            return span.value(expression)
        case Comparison(name, left, right):
            return _compares(name, _value(left, span), _value(right, span))
        case Exists(field, wanted):
            return (_value(field, span) is not None) is wanted
        case Not(term):
            return _value(term, span) is False
        case Logic("&&", left, right):
            return _value(left, span) is True and _value(right, span) is True
        case Logic(_, left, right):
            return _value(left, span) is True or _value(right, span) is True


def _compares(name: str, left: Any, right: Any) -> bool:
    """Whether values of one type compare so; of lists one element has to, or every one for != and !~."""
    if isinstance(right, list) and not isinstance(left, list):
        return name not in ("=~", "!~") and _compares(_FLIPPED.get(name, name), right, left)
    if isinstance(left, list):
        each = (_compares(name, element, right) for element in left)
        return all(each) if name in NEGATIVE else any(each)
    kind = type_of_value(left)
    return kind is not None and kind is type_of_value(right) and _COMPARE[name](left, right)

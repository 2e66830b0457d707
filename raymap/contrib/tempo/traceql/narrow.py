"""What the store can exclude of a TraceQL query, as a filter's tree.

A `certain` filter is satisfied by every trace that the query finds. A `likely` one is by most of them: it asks the
indexes of annotations, operations and states, which do not know every span (`raymap.contrib.jaeger.search`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from raymap.contrib.jaeger.search import FAILED, at, lasting
from raymap.contrib.tempo.traceql.ast import (
    Attribute,
    Comparison,
    Exists,
    FieldExpression,
    Literal,
    Logic,
    Pipeline,
    Scope,
    SpanFilter,
    SpansetOperation,
    Stage,
    Status,
)
from store.filters.ast import (
    Compare,
    Expression,
    Field,
    Or,
    Selector,
    SentBy,
)
from store.filters.ast import (
    Exists as Present,
)
from store.filters.conditions import all_of
from store.otel.resource import UNKNOWN

STATUS_CODES = ("http.response.status_code", "http.status_code")
MICROSECOND = 1000
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OPERATORS = {"=": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "=~": "=~"}


def narrowed(stage: Stage, likely: bool = False) -> Expression | None:
    """What a trace satisfies in which a stage of a pipeline finds spans; None: nothing is known."""
    match stage:
        case SpanFilter(condition):
            if condition is None:
                return None
            service = next(_services(condition), "")
            return _condition(condition, Selector(name=service), likely)
        case Pipeline(stages):
            return all_of(*(narrowed(each, likely) for each in stages))
        case SpansetOperation("||", left, right):
            return _either(narrowed(left, likely), narrowed(right, likely))
        case SpansetOperation(operator, _, right) if operator.startswith("!"):
            return narrowed(right, likely)
        case SpansetOperation(_, left, right):
            return all_of(narrowed(left, likely), narrowed(right, likely))
    return None


def trace_id(pipeline: Pipeline) -> str | None:
    """The only trace that a query can find, if it names one: as text."""
    for stage in pipeline.stages:
        if isinstance(stage, SpanFilter) and stage.condition is not None:
            for each in _conjuncts(stage.condition):
                match each:
                    case Comparison("=", Attribute(Scope.INTRINSIC, "trace:id"), Literal(str(id))):
                        return id
    return None


def _conjuncts(condition: FieldExpression) -> Iterator[FieldExpression]:
    """What has to be true of a span, all of it."""
    match condition:
        case Logic("&&", left, right):
            yield from _conjuncts(left)
            yield from _conjuncts(right)
        case _:
            yield condition


def _services(condition: FieldExpression) -> Iterator[str]:
    """The names of services to which a span has to belong."""
    for each in _conjuncts(condition):
        match each:
            case Comparison("=", Attribute(Scope.RESOURCE, "service.name"), Literal(str(name))):
                yield name


def _either(one: Expression | None, other: Expression | None) -> Expression | None:
    return None if one is None or other is None else Or((one, other))


def _condition(condition: FieldExpression, service: Selector, likely: bool) -> Expression | None:
    """What a trace satisfies that has such a span. ``service``: the span's, with '' any."""
    below = partial(_condition, service=service, likely=likely)
    match condition:
        case Logic("&&", left, right):
            return all_of(below(left), below(right))
        case Logic("||", left, right):
            return _either(below(left), below(right))
        case Comparison(operator, Attribute() as field, Literal(value)):
            return _comparison(operator, field, value, service, likely)
        case Comparison(operator, Literal(value), Attribute() as field):
            flipped = _FLIPPED.get(operator, operator)
            return _comparison(flipped, field, value, service, likely)
        case Exists(Attribute(Scope.ANY | Scope.SPAN, name), True) if likely:
            return Present(Field("annotation", name))
    return None


def _comparison(
    operator: str, field: Attribute, value: Any, service: Selector, likely: bool
) -> Expression | None:
    match field:
        case Attribute(Scope.RESOURCE, "service.name") | Attribute(
            Scope.INTRINSIC, "rootServiceName"
        ):
            return _service(operator, value)
        case Attribute(Scope.INTRINSIC, "duration" | "traceDuration"):
            return (
                lasting(value / MICROSECOND) if operator in (">", ">=", "=") and value > 0 else None
            )
    return _likely(operator, field, value, service) if likely else None


def _service(operator: str, name: str) -> Expression | None:
    """What a service sent. A streamed subsegment whose segment is not there yet is of an unknown one."""
    if operator == "=" and name not in ("", UNKNOWN):
        return SentBy(name)
    return None


def _likely(operator: str, field: Attribute, value: Any, service: Selector) -> Expression | None:
    if operator not in _OPERATORS:
        return None
    match field:
        case Attribute(Scope.INTRINSIC, "status"):
            return at(service, FAILED) if (operator, value) == ("=", Status.ERROR) else None
        case Attribute(Scope.INTRINSIC, "name"):
            return _text(Field("operation"), operator, value)
        case Attribute(Scope.ANY | Scope.SPAN, name) if name in STATUS_CODES:
            is_number = isinstance(value, int) and not isinstance(value, bool)
            return (
                at(service, Compare(Field("http.status"), operator, value)) if is_number else None
            )
        case Attribute(Scope.ANY | Scope.SPAN, name) if name != "service.name":
            annotation = Field("annotation", name)
            if isinstance(value, str):
                return _text(annotation, operator, value)
            if isinstance(value, bool | int | float):
                return Compare(annotation, operator, value)
    return None


def _text(field: Field, operator: str, value: Any) -> Expression | None:
    if operator == "=~":
        return Compare(field, "=~", f"^(?:{value})$") if isinstance(value, str) else None
    return Compare(field, "=", value) if operator == "=" else None

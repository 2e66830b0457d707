"""The tree of a TraceQL query. Every node is frozen and hashable."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple, TypeAlias
from typing import Literal as Words

from msgspec import Struct


class Duration(int):
    """Nanoseconds that are written as a duration; compared with numbers, they are nanoseconds."""


class Status(Enum):
    """What a span says of its outcome."""

    UNSET = "unset"
    OK = "ok"
    ERROR = "error"


class SpanKind(Enum):
    """A kind of span."""

    UNSPECIFIED = "unspecified"
    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


Value: TypeAlias = str | bool | int | float | Status | SpanKind | None
"""A value; None is nil. Of attributes also lists."""


class Type(Enum):
    """What a value may be compared with; ``ANY``: known only from a span."""

    NUMBER = "a number or a duration"
    TEXT = "text"
    BOOLEAN = "true or false"
    STATUS = "a status"
    KIND = "a kind"
    ANY = "an attribute"


class Scope(Enum):
    """Where an attribute is looked for; ``ANY``: on the span, then on its resource."""

    ANY = ""
    SPAN = "span"
    RESOURCE = "resource"
    EVENT = "event"
    LINK = "link"
    INSTRUMENTATION = "instrumentation"
    INTRINSIC = "intrinsic"


INTRINSICS: dict[str, Type] = {
    "duration": Type.NUMBER,
    "name": Type.TEXT,
    "status": Type.STATUS,
    "statusMessage": Type.TEXT,
    "kind": Type.KIND,
    "rootName": Type.TEXT,
    "rootServiceName": Type.TEXT,
    "traceDuration": Type.NUMBER,
    "trace:id": Type.TEXT,
    "span:id": Type.TEXT,
    "span:parentID": Type.TEXT,
    "span:childCount": Type.NUMBER,
    "event:name": Type.TEXT,
    "event:timeSinceStart": Type.NUMBER,
    "link:traceID": Type.TEXT,
    "link:spanID": Type.TEXT,
    "instrumentation:name": Type.TEXT,
    "instrumentation:version": Type.TEXT,
    "nestedSetLeft": Type.NUMBER,
    "nestedSetRight": Type.NUMBER,
    "nestedSetParent": Type.NUMBER,
}
"""What every span has, by the names that Tempo answers with."""
OTHER_SPELLINGS = {
    "span:duration": "duration",
    "span:name": "name",
    "span:status": "status",
    "span:statusMessage": "statusMessage",
    "span:kind": "kind",
    "trace:duration": "traceDuration",
    "trace:rootName": "rootName",
    "trace:rootService": "rootServiceName",
}


class Attribute(Struct, frozen=True):
    """An attribute, or an intrinsic field by its name among `INTRINSICS`."""

    scope: Scope
    name: str

    def __str__(self) -> str:
        return self.name if self.scope is Scope.INTRINSIC else f"{self.scope.value}.{self.name}"


class Literal(Struct, frozen=True):
    value: Value


class Comparison(Struct, frozen=True):
    """``operator`` is one of = != < <= > >= =~ !~; of the last two ``right`` is a text."""

    operator: str
    left: FieldExpression
    right: FieldExpression


class Exists(Struct, frozen=True):
    """Whether a field has a value (``!= nil``), or has none."""

    field: FieldExpression
    wanted: bool


class Logic(Struct, frozen=True):
    operator: Words["&&", "||"]
    left: FieldExpression
    right: FieldExpression


class Not(Struct, frozen=True):
    term: FieldExpression


FieldExpression: TypeAlias = Attribute | Literal | Comparison | Exists | Logic | Not


class SpanFilter(Struct, frozen=True):
    """The spans that satisfy a condition; None: all."""

    condition: FieldExpression | None


class SpansetOperation(Struct, frozen=True):
    """``operator``: && or ||, or a relation such as >> with & or ! in front of it, maybe."""

    operator: str
    left: Spanset
    right: Spanset


class GroupBy(Struct, frozen=True):
    field: Attribute


class Coalesce(Struct, frozen=True):
    """One set of spans instead of groups."""


class Select(Struct, frozen=True):
    """Attributes to answer with."""

    attributes: tuple[Attribute, ...]


class ScalarFilter(Struct, frozen=True):
    """Sets of spans of which an aggregate compares so. ``field``: None of ``count``."""

    aggregate: str
    field: Attribute | None
    operator: str
    value: float

    def __str__(self) -> str:
        return f"{self.aggregate}({self.field or ''})"


Stage: TypeAlias = (
    "SpanFilter | SpansetOperation | Pipeline | GroupBy | Coalesce | Select | ScalarFilter"
)


class Pipeline(Struct, frozen=True):
    stages: tuple[Stage, ...]


Spanset: TypeAlias = SpanFilter | SpansetOperation | Pipeline


class Ranking(NamedTuple):
    """The series with the greatest values of each step, or the least."""

    most: bool
    series: int


class Metrics(Struct, frozen=True):
    """A function of the spans of each step. ``quantiles`` of ``quantile_over_time`` alone."""

    function: str
    field: Attribute | None
    quantiles: tuple[float, ...]
    by: tuple[Attribute, ...]
    rankings: tuple[Ranking, ...] = ()


class Query(NamedTuple):
    """Sets of spans, or what is counted of them."""

    pipeline: Pipeline
    metrics: Metrics | None = None


def type_of(expression: FieldExpression) -> Type | None:
    """What a field expression is; None of nil."""
    match expression:
        case Attribute(Scope.INTRINSIC, name):
            return INTRINSICS[name]
        case Attribute():
            return Type.ANY
        case Literal(value):
            return type_of_value(value)
    return Type.BOOLEAN


def type_of_value(value: Any) -> Type | None:
    """What a value may be compared with; None of nil, and of lists."""
    match value:
        case bool():
            return Type.BOOLEAN
        case int() | float():
            return Type.NUMBER
        case str():
            return Type.TEXT
        case Status():
            return Type.STATUS
        case SpanKind():
            return Type.KIND
    return None


def attributes_of(node: Stage | FieldExpression | None) -> Iterator[Attribute]:
    """The attributes that a query reads, in the order in which it names them."""
    match node:
        case Attribute():
            yield node
        case Comparison(_, left, right) | Logic(_, left, right) | SpansetOperation(_, left, right):
            yield from attributes_of(left)
            yield from attributes_of(right)
        case Exists(field) | Not(field) | GroupBy(field) | ScalarFilter(_, field):
            yield from attributes_of(field)
        case SpanFilter(condition):
            yield from attributes_of(condition)
        case Select(attributes):
            yield from attributes
        case Pipeline(stages):
            for stage in stages:
                yield from attributes_of(stage)

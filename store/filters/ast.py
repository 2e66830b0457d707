"""The tree of a filter expression. Every node is frozen and hashable, so trees can be cache keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import force_setattr

from store.model import NodeKey, State

Value: TypeAlias = str | float | bool


class Field(Struct, frozen=True):
    """What a comparison reads: a keyword, or an annotation by its key."""

    keyword: str
    key: str = ""

    def __str__(self) -> str:
        return f"annotation[{self.key}]" if self.keyword == "annotation" else self.keyword


class Selector(Struct, frozen=True):
    """Which nodes `service(…)` and `edge(…)` mean; empty members match anything."""

    name: str = ""
    type: str = ""
    account: str = ""


class And(Struct, frozen=True):
    terms: tuple[Expression, ...]


class Or(Struct, frozen=True):
    terms: tuple[Expression, ...]


class Not(Struct, frozen=True):
    term: Expression


class Bare(Struct, frozen=True):
    """A keyword alone: a flag's value, whether a text is set, whether an annotation is."""

    field: Field


class Exists(Struct, frozen=True):
    """A field has a value, whatever it is."""

    field: Field


class Compare(Struct, frozen=True):
    """``operator`` is one of = != < <= > >= contains beginswith endswith =~."""

    field: Field
    operator: str
    value: Value

    def __post_init__(self) -> None:
        force_setattr(self, "value", _parsed(self.value))


class OneOf(Struct, frozen=True):
    """A field equals one of several values."""

    field: Field
    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        force_setattr(self, "values", tuple(map(_parsed, self.values)))


def _parsed(value: Value) -> Value:
    """A value as `parse` has it: type checkers let an integer pass for a float, which stores know numbers by."""
    return float(value) if type(value) is int else value


class EntryState(Struct, frozen=True):
    """The entry segment ended in one of these states; false without an entry segment."""

    states: frozenset[State]


class Streamed(Struct, frozen=True):
    """Some subsegment came by itself, as X-Ray's SDKs send them; a span is none."""


class SentBy(Struct, frozen=True):
    """Some document was sent by a service of this name, whatever its namespace, even if it is no unit of the map: a call
    that names nothing, or local work, below a span that never arrived."""

    service: str


class MayHaveFailed(Struct, frozen=True):
    """Some document of a service, or of its parent's, that did not end well, has a call that did not, or contains local work,
    of which only the document says how it ended."""

    service: str


class MayHaveCalled(Struct, frozen=True):
    """Some call of a service, or of its parent's, that names a node so, whatever answers it, or some document of it that
    fetched messages, of which only the document says from where. With an empty service of any."""

    service: str
    called: str


NodeMatch: TypeAlias = Selector | NodeKey
"""Which nodes are meant: those that a selector describes, or exactly one."""


class ServiceMatch(Struct, frozen=True):
    """Some unit of a matching node satisfies the condition; without one, such a node occurs."""

    selector: NodeMatch
    condition: Expression | None = None


class EdgeMatch(Struct, frozen=True):
    """Some call between matching nodes satisfies the condition."""

    source: NodeMatch
    target: NodeMatch
    condition: Expression | None = None


class RootCauseMatch(Struct, frozen=True):
    """Some element of a root cause satisfies the condition.

    ``kind``: fault, error or responsetime. ``part``: service, entity or exception.
    """

    kind: str
    part: str
    condition: Expression


class RootCausePath(Struct, frozen=True):
    """A response-time root cause with exactly these services, each with exactly these entities."""

    services: tuple[tuple[str, tuple[str, ...]], ...]


FieldTest: TypeAlias = Bare | Exists | Compare | OneOf
Expression: TypeAlias = (
    And
    | Or
    | Not
    | FieldTest
    | EntryState
    | Streamed
    | SentBy
    | MayHaveFailed
    | MayHaveCalled
    | ServiceMatch
    | EdgeMatch
    | RootCauseMatch
    | RootCausePath
)

EVERYTHING = And(())
"""Every trace satisfies it."""


def walk(expression: Expression) -> Iterator[Expression]:
    """The expression and everything below it."""
    yield expression
    match expression:
        case And(terms) | Or(terms):
            for term in terms:
                yield from walk(term)
        case Not(term):
            yield from walk(term)
        case ServiceMatch(condition=condition) | EdgeMatch(condition=condition):
            if condition is not None:
                yield from walk(condition)
        case RootCauseMatch(condition=condition):
            yield from walk(condition)


def needs_documents(expression: Expression) -> bool:
    """Whether the raw documents are needed to decide: root causes are read from them."""
    return any(isinstance(e, RootCauseMatch | RootCausePath) for e in walk(expression))

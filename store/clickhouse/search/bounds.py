"""Pairs of SQL conditions that enclose a condition which SQL cannot express, or only at a cost."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from store.clickhouse.queries import Sql, joined, parenthesized

TRUE = Sql("1")
FALSE = Sql("0")


class Bounds(NamedTuple):
    """Whatever satisfies the condition satisfies ``may``; whatever satisfies ``must`` satisfies the
    condition."""

    may: Sql
    must: Sql

    @property
    def is_exact(self) -> bool:
        """Whether SQL expresses the condition."""
        return self.may.text == self.must.text


UNKNOWN = Bounds(TRUE, FALSE)
ALWAYS = Bounds(TRUE, TRUE)
NEVER = Bounds(FALSE, FALSE)


def exactly(condition: Sql) -> Bounds:
    """A condition that SQL expresses."""
    return Bounds(condition, condition)


def every(parts: Iterable[Bounds]) -> Bounds:
    """All of some conditions."""
    parts = list(parts)
    return Bounds(conjunction(p.may for p in parts), conjunction(p.must for p in parts))


def some(parts: Iterable[Bounds]) -> Bounds:
    """Any of some conditions."""
    parts = list(parts)
    return Bounds(disjunction(p.may for p in parts), disjunction(p.must for p in parts))


def negated(bounds: Bounds) -> Bounds:
    """What fails ``must`` may satisfy the opposite, and what fails ``may`` surely does."""
    return Bounds(negation(bounds.must), negation(bounds.may))


def conjunction(parts: Iterable[Sql]) -> Sql:
    """``AND``, without what is constant."""
    return _combined(parts, " AND ", neutral=TRUE, decisive=FALSE)


def disjunction(parts: Iterable[Sql]) -> Sql:
    """``OR``, without what is constant."""
    return _combined(parts, " OR ", neutral=FALSE, decisive=TRUE)


def negation(part: Sql) -> Sql:
    """``NOT``; of a constant the other one."""
    if part.text in (TRUE.text, FALSE.text):
        return FALSE if part.text == TRUE.text else TRUE
    return Sql(f"NOT {parenthesized(part).text}", part.parameters)


def _combined(parts: Iterable[Sql], separator: str, *, neutral: Sql, decisive: Sql) -> Sql:
    distinct = {part.text: part for part in parts if part.text != neutral.text}
    if decisive.text in distinct:
        return decisive
    if len(distinct) < 2:
        return next(iter(distinct.values()), neutral)
    return parenthesized(joined(separator, distinct.values()))


class Values:
    """Query parameters of one statement. Equal values share a parameter, so that equal conditions have
    equal texts, which ClickHouse then evaluates once."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, object], str] = {}

    def sql(self, value: object, type: str) -> Sql:
        """The place of a value."""
        name = self._names.setdefault((type, value), f"value_{len(self._names)}")
        return Sql(f"{{{name}:{type}}}", {name: value})

    def text(self, template: str, **values: tuple[object, str]) -> Sql:
        """A template with ``<name>`` for each value, given with its type."""
        places = {name: self.sql(*value) for name, value in values.items()}
        for name, place in places.items():
            template = template.replace(f"<{name}>", place.text)
        return Sql(template, joined("", places.values()).parameters)

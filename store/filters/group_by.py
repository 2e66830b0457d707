"""By what traces, or their units of work, are grouped: the values that a filter expression would find in them
(`store.filters.evaluate`), and the term that finds each again. Pure.

A trace has several values of what several of its segments report, and is in the group of each; one unit has one,
but for the names that a service goes by.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct

from store.filters.ast import (
    Bare,
    Exists,
    Expression,
    Field,
    RootCauseMatch,
    Selector,
    ServiceMatch,
    Value,
)
from store.filters.elements import elements
from store.filters.evaluate import TraceSubject
from store.filters.keywords import (
    ANNOTATION,
    GROUP_KEYWORDS,
    KEYWORDS,
    Kind,
    Scope,
)
from store.filters.parse import FilterError, parse
from store.filters.units import ServiceUnit, annotation_values
from store.model import State

MOST_KEYS = 3
"""Dimensions of one grouping."""
SHORT = {"method": "http.method", "status": "http.status", "account": "account.id"}
"""Names of dimensions beside the keywords themselves."""
SERVICE, STATE, EXCEPTION, CAUSE = "service", "state", "exception", "cause"
STATES = {
    State.IN_PROGRESS: "in_progress",
    State.OK: "ok",
    State.ERROR: "error",
    State.THROTTLE: "throttle",
    State.FAULT: "fault",
}
NO_CLIENT = 'NOT type BEGINSWITH "client"'
_OF_UNIT = {
    "ok": "ok",
    "error": "(error AND NOT throttle)",
    "throttle": "throttle",
    "fault": "fault",
    "in_progress": "partial",
}
_EXCEPTION, _CAUSE = "rootcause.fault.exception", "rootcause.fault.service"
_NAME, _LAST = Field("name"), Field("last")
_FIRST_INFINITE = "1.7976931348623157e308"
"""The greatest number that can be written: a greater one is infinite."""


class Key(Struct, frozen=True):
    """A dimension: by what it was requested, and the field that has its values, if it is one's."""

    name: str
    field: Field | None = None


class Cell(NamedTuple):
    """A value of a dimension. ``kind``: 1, "1" and true are three values, and none is a fourth."""

    kind: str
    value: Value = ""

    @property
    def plain(self) -> Value | None:
        """As JSON has it: whole numbers as such, none as null."""
        if self.kind == "none":
            return None
        number = self.value
        if isinstance(number, float) and number.is_integer() and abs(number) < 2**53:
            return int(number)
        if isinstance(number, float) and math.isinf(number):
            return str(number)
        return number


NONE = Cell("none")


class Values(NamedTuple):
    """The cells of a trace or a unit, and those among them that begin a group: a service is in the group of each
    name that it goes by, if that is the name of a node."""

    cells: frozenset[Cell]
    names: frozenset[Cell]


StoredValues = Sequence[tuple[str, str]]
"""Values as rows have them: texts and numbers, items of annotations, or names of nodes with those of their services; the
second is empty otherwise."""


def parse_keys(text: str, *, of_units: bool) -> tuple[Key, ...]:
    """Dimensions, comma-separated. Raises ValueError that names the nearest."""
    parts = [part.strip() for part in re.split(r",(?![^\[]*\])", text) if part.strip()]
    keys = tuple(_key(part, of_units) for part in parts)
    if len(keys) > MOST_KEYS:
        raise ValueError(f"at most {MOST_KEYS} dimensions, got {len(keys)}")
    if len(set(keys)) < len(keys):
        raise ValueError("a dimension is named twice")
    return keys


def key_names(*, of_units: bool) -> list[str]:
    """What may be grouped by."""
    scope = Scope.SERVICE if of_units else Scope.TRACE
    fields = [name for name in KEYWORDS if name not in SHORT.values() and _has_values(name, scope)]
    return [SERVICE, STATE, *SHORT, *([] if of_units else [EXCEPTION, CAUSE]), *fields]


def _has_values(keyword: str, scope: Scope) -> bool:
    known = KEYWORDS[keyword]
    is_read = known.kind is Kind.TEXT or keyword == "http.status"
    return is_read and scope in known.scope and keyword not in {"name", *GROUP_KEYWORDS}


def _key(name: str, of_units: bool) -> Key:
    lowered = name.lower()
    if lowered.startswith((f"{ANNOTATION}.", f"{ANNOTATION}[")):
        try:
            found = parse(f"{name} EXISTS")
        except FilterError as error:
            raise ValueError(f"{name[:60]!r} is no annotation: {error.message}") from None
        if isinstance(found, Exists):
            return Key(str(found.field), found.field)
    known = key_names(of_units=of_units)
    keyword = SHORT.get(lowered, lowered)
    scope = Scope.SERVICE if of_units else Scope.TRACE
    if lowered in (SERVICE, STATE) or (lowered in (EXCEPTION, CAUSE) and not of_units):
        return Key(lowered)
    if keyword in KEYWORDS and _has_values(keyword, scope):
        return Key(lowered, Field(keyword))
    near = difflib.get_close_matches(lowered, [*known, f"{ANNOTATION}.KEY"], 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    raise ValueError(f"{name[:60]!r} is no dimension; {hint}; or {ANNOTATION}.KEY")


def trace_values(key: Key, subject: TraceSubject) -> Values:
    """The values of a trace, `NONE` if there is none."""
    if key.field is not None:
        return _of_field(key.field, subject.values(key.field))
    if key.name == STATE:
        return _only(Cell("text", STATES[subject.entry.state]) if subject.entry else NONE)
    if key.name == SERVICE:
        units = [unit for unit in subject.services if not unit.node.is_client]
        return _named((unit.node.name, unit.names) for unit in units)
    if key.name == EXCEPTION:
        thrown = elements(subject.causes, "fault", "exception")
        return _of_field(_NAME, [name for each in thrown for name in each.values(_NAME)])
    last = [e for e in elements(subject.causes, "fault", "service") if True in e.values(_LAST)]
    return _named((str(names[-1]), map(str, names)) for e in last if (names := [*e.values(_NAME)]))


def unit_values(key: Key, unit: ServiceUnit) -> Values:
    """The values of a unit, `NONE` if there is none."""
    if key.field is not None:
        return _of_field(key.field, unit.values(key.field))
    if key.name == STATE:
        return _only(Cell("text", STATES[unit.state]))
    return _named([(unit.node.name, unit.names)])


def stored_values(key: Key, state: State, stored: StoredValues) -> Values:
    """The values of a trace or a unit that ended in a state, of what rows have of them (`StoredValues`)."""
    if key.field is None:
        if key.name == STATE:
            return _only(Cell("text", STATES[state]))
        return _named((name, (service,)) for name, service in stored)
    texts = [text for text, _ in stored]
    if key.field.keyword == ANNOTATION:
        return _of_field(key.field, annotation_values(texts, key.field.key))
    if key.field.keyword == "http.status":
        return _of_field(key.field, map(float, texts))
    return _of_field(key.field, texts)


def _only(cell: Cell) -> Values:
    return Values(frozenset((cell,)), frozenset((cell,)))


def _of_field(field: Field, values: Iterable[Value]) -> Values:
    is_annotation = field.keyword == ANNOTATION
    cells = frozenset(_cell(value) for value in values if is_annotation or value != "")
    return Values(cells, cells) if cells else _only(NONE)


def _named(nodes: Iterable[tuple[str, Iterable[str]]]) -> Values:
    cells: set[Cell] = set()
    names: set[Cell] = set()
    for name, others in nodes:
        cells.update(Cell("text", each) for each in (name, *others) if each)
        if name:
            names.add(Cell("text", name))
    return Values(frozenset(cells), frozenset(names)) if names else _only(NONE)


def _cell(value: Value) -> Cell:
    if isinstance(value, str):
        return Cell("text", value)
    return Cell("flag", value) if isinstance(value, bool) else Cell("number", float(value))


def reads(key: Key) -> Expression:
    """An expression that reads what the values of a trace are made of."""
    if key.field is not None:
        return Exists(key.field)
    if key.name == SERVICE:
        return ServiceMatch(Selector(name="any"))
    if key.name in (EXCEPTION, CAUSE):
        part = "exception" if key.name == EXCEPTION else "service"
        return RootCauseMatch("fault", part, Bare(_NAME))
    return Bare(Field("root"))


def trace_term(key: Key, cell: Cell) -> str:
    """The term of an expression that finds the traces with a value; '' for the state of the entry where only the
    parameter ``status`` of lists says it."""
    if key.field is not None:
        return _term(key.field, cell)
    if key.name == STATE:
        return (
            "NOT root" if cell == NONE else str(cell.value) if cell.value in ("ok", "fault") else ""
        )
    if key.name == SERVICE:
        return f"NOT service() {{ {NO_CLIENT} }}" if cell == NONE else f"service({_quoted(cell)})"
    if key.name == EXCEPTION:
        return f"{'NOT ' if cell == NONE else ''}{_EXCEPTION} {{ {_term(_NAME, cell, bare=True)} }}"
    if cell == NONE:
        return f"NOT {_CAUSE} {{ last }}"
    return f"{_CAUSE} {{ last AND {_term(_NAME, cell)} }}"


def unit_term(key: Key, cell: Cell) -> str:
    """The same of a unit, for a block."""
    if key.field is not None:
        return _term(key.field, cell)
    return _OF_UNIT[str(cell.value)] if key.name == STATE else _term(_NAME, cell)


def states_term(states: Iterable[State]) -> str:
    """What finds a unit in one of some states, for a block; '' of none."""
    terms = [_OF_UNIT[STATES[state]] for state in sorted(states)]
    return f"({' OR '.join(terms)})" if len(terms) > 1 else "".join(terms)


def all_terms(terms: Sequence[str]) -> str:
    """Their conjunction."""
    return " AND ".join(term for term in terms if term)


def _term(field: Field, cell: Cell, *, bare: bool = False) -> str:
    if cell == NONE:
        return f"{field} EXISTS" if bare else f"NOT {field} EXISTS"
    if cell.kind == "text":
        return f"{field} = {_quoted(cell)}"
    if cell.kind == "flag":
        return f"{field} = {'true' if cell.value else 'false'}"
    number = float(cell.value)
    if math.isinf(number):
        return f"{field} {'>' if number > 0 else '< -'} {_FIRST_INFINITE}".replace("- ", "-")
    return f"{field} = {cell.plain if isinstance(cell.plain, int) else repr(number)}"


def _quoted(cell: Cell) -> str:
    return quoted(str(cell.value))


def quoted(text: str) -> str:
    """A text as an expression has it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

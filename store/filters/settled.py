"""What the documents of a trace decide about a filter, whatever calls and links there are besides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from store.filters.ast import (
    And,
    Bare,
    Compare,
    EntryState,
    Exists,
    Expression,
    Not,
    OneOf,
    Or,
    SentBy,
    ServiceMatch,
    Streamed,
    walk,
)
from store.filters.evaluate import TraceSubject, satisfies, selects
from store.filters.keywords import MEMBERS
from store.layers import ENCLOSING
from store.model import Fetched, Kind, Trace

OF_DOCUMENTS = frozenset(("annotation", *MEMBERS))
"""Keywords that outside of blocks read documents alone."""
OF_ENTRY = frozenset(
    (
        *("ok", "error", "fault", "root", "responsetime", "http.status"),
        *("http.url", "http.method", "http.useragent", "http.clientip"),
    )
)
"""Keywords that outside of blocks read the entry segment."""


def settled(trace: Trace, expression: Expression) -> bool | None:
    """What `store.filters.evaluate.matches` says of a trace with all its calls and links, where the
    documents decide; else None. ``trace`` may lack its calls and links."""
    return _settled(expression, TraceSubject(trace))


def _settled(expression: Expression, subject: TraceSubject) -> bool | None:
    match expression:
        case And(terms):
            return _every(_settled(term, subject) for term in terms)
        case Or(terms):
            return _opposite(_every(_opposite(_settled(term, subject)) for term in terms))
        case Not(term):
            return _opposite(_settled(term, subject))
        case ServiceMatch():
            return _is_seen(expression, subject) or _has_unit(expression, subject) or None
        case Bare(field) | Exists(field) | Compare(field=field) | OneOf(field=field):
            if field.keyword not in OF_DOCUMENTS | OF_ENTRY:
                return None
        case EntryState() | Streamed() | SentBy():
            pass
        case _:
            return None
    entry = subject.entry
    if reads_entry(expression) and entry is not None and entry.parent_id:
        return None  # its parent may be a call
    return satisfies(expression, subject)


def reads_entry(expression: Expression) -> bool:
    """Whether something outside of blocks is about the entry segment."""
    match expression:
        case And(terms) | Or(terms):
            return any(map(reads_entry, terms))
        case Not(term):
            return reads_entry(term)
        case EntryState():
            return True
        case Bare(field) | Exists(field) | Compare(field=field) | OneOf(field=field):
            return field.keyword in OF_ENTRY
    return False


def _is_seen(match: ServiceMatch, subject: TraceSubject) -> bool:
    """Whether a segment alone shows that a node occurs, without the units of the trace: one that fetched nothing, and is no
    part of another's request, which a SERVER span may be (`store.layers`)."""
    if match.condition is not None:
        return False
    segments = [each for each in subject.documents if not each.independent]
    enclosing = Counter(each.node.name for each in segments if each.kind in ENCLOSING)
    return any(
        each.fetched is Fetched.NO
        and (each.kind is not Kind.SERVER or enclosing[each.node.name] == 1)
        and selects(match.selector, each.node, ())
        for each in segments
    )


def _has_unit(match: ServiceMatch, subject: TraceSubject) -> bool:
    """Whether a segment is such a unit. Whether it is the root may depend on calls, and so do clients and spans that
    enter their services; whether it is background work may depend on links."""
    condition = match.condition
    if condition is not None and any(
        isinstance(each, Bare | Compare) and each.field.keyword in ("root", "background")
        for each in walk(condition)
    ):
        return False
    return any(
        unit.document is not None
        and not unit.document.independent
        and unit.document.node == unit.node
        and selects(match.selector, unit.node, unit.names)
        and (condition is None or satisfies(condition, unit))
        for unit in subject.services
    )


def _every(verdicts: Iterable[bool | None]) -> bool | None:
    known = set(verdicts)
    return False if False in known else None if None in known else True


def _opposite(verdict: bool | None) -> bool | None:
    return None if verdict is None else not verdict

"""What a filter expression means, in plain Python (docs/xray-format.md §7.2): the truth for every store.

Outside of blocks a keyword reads the trace: its entry segment, or any segment where `keywords` says
so. Inside of service(){…} and edge(){…} it reads one unit, and all conditions hold of the same unit.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from typing import Any, Protocol

from store.filters.ast import (
    And,
    Bare,
    Compare,
    EdgeMatch,
    EntryState,
    Exists,
    Expression,
    Field,
    MayHaveCalled,
    MayHaveFailed,
    NodeMatch,
    Not,
    OneOf,
    Or,
    RootCauseMatch,
    RootCausePath,
    SentBy,
    ServiceMatch,
    Streamed,
    Value,
)
from store.filters.elements import elements, path_of
from store.filters.keywords import ANNOTATION, MEMBERS
from store.filters.patterns import is_found
from store.filters.units import (
    MICROSECONDS,
    CallUnit,
    ServiceUnit,
    annotation_values,
    trace_filter_units,
    unit_values,
)
from store.model import Document, Fetched, Independent, NodeKey, OwnedCall, State, Trace
from store.root_causes import RootCauses, root_causes
from store.summary import entry_of, is_partial, touched_nodes, trace_duration

ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
"""What operators mean of two values of one type."""
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    **ORDER,
    "contains": lambda text, part: part in text,
    "beginswith": str.startswith,
    "endswith": str.endswith,
    "=~": lambda text, pattern: is_found(pattern, text),
}


class Subject(Protocol):
    """What keywords are read from: a trace, a unit, an element of a root cause."""

    def values(self, field: Field) -> Iterable[Value]:
        """Every value of a field; a condition is met if one of them meets it."""
        ...


def matches(trace: Trace, expression: Expression) -> bool:
    """Whether a trace satisfies an expression.

    Root causes are read from raw documents: `store.filters.ast.needs_documents` tells.
    """
    return satisfies(expression, TraceSubject(trace))


def satisfies(expression: Expression, subject: Subject) -> bool:
    """Whether a trace, a unit or an element of a root cause satisfies an expression."""
    match expression:
        case And(terms):
            return all(satisfies(term, subject) for term in terms)
        case Or(terms):
            return any(satisfies(term, subject) for term in terms)
        case Not(term):
            return not satisfies(term, subject)
        case Bare(field):
            return _is_set(field, subject.values(field))
        case Exists(field):
            return any(v != "" or field.keyword == ANNOTATION for v in subject.values(field))
        case Compare(field, name, value):
            return _compares(name, value, subject.values(field))
        case OneOf(field, values):
            found = list(subject.values(field))
            return any(_compares("=", value, found) for value in values)
    assert isinstance(subject, TraceSubject), "the parser admits blocks on the trace only"
    match expression:
        case EntryState(states):
            return subject.entry is not None and subject.entry.state in states
        case Streamed():
            return subject.is_streamed
        case SentBy(service):
            return service in subject.senders
        case MayHaveFailed(service):
            return subject.may_have_failed(service)
        case MayHaveCalled(service, called):
            return subject.may_have_called(service, called)
        case ServiceMatch(selector, condition):
            units: Iterable[Subject] = (
                u for u in subject.services if selects(selector, u.node, u.names)
            )
        case EdgeMatch(source, target, condition):
            units = (
                u
                for u in subject.calls
                if selects(source, u.source, u.source_names) and selects(target, u.target, u.names)
            )
        case RootCauseMatch(kind, part, condition):
            units = elements(subject.causes, kind, part)
        case RootCausePath(services):
            return any(path_of(cause) == services for cause in subject.causes.response_time)
    return any(condition is None or satisfies(condition, unit) for unit in units)


def _is_set(field: Field, values: Iterable[Value]) -> bool:
    """A flag and a boolean annotation give their value; anything else whether there is one."""
    return (
        any(value is not False and value != "" for value in values)
        if (field.keyword != ANNOTATION)
        else any(value is not False for value in values)
    )


def _compares(name: str, value: Value, values: Iterable[Value]) -> bool:
    """Whether one value of the literal's own type compares so; of another type none does."""
    if value == "" and name == "contains":
        return any(isinstance(each, str) and each for each in values)
    compare = _COMPARE[name]
    return any(compare(each, value) for each in values if _same_type(each, value))


def _same_type(one: Value, other: Value) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return isinstance(one, bool) and isinstance(other, bool)
    return isinstance(one, str) == isinstance(other, str)


def selects(selector: NodeMatch, node: NodeKey, names: Iterable[str]) -> bool:
    """Whether a node is meant; ``names`` are others it goes by."""
    if isinstance(selector, NodeKey):
        return selector == node
    return (
        (not selector.name or selector.name == node.name or selector.name in names)
        and (not selector.type or selector.type == node.type)
        and (not selector.account or selector.account == node.account)
    )


class TraceSubject:
    """A trace as the keywords outside of blocks see it. Facts are computed when they are needed."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    @cached_property
    def services(self) -> list[ServiceUnit]:
        """Units of work, clients among them."""
        return self._units[0]

    @cached_property
    def calls(self) -> list[CallUnit]:
        """Calls between nodes, from the client included."""
        return self._units[1]

    @property
    def documents(self) -> Collection[Document]:
        """The documents."""
        return self._trace.documents.values()

    @property
    def is_streamed(self) -> bool:
        """Whether a subsegment came by itself."""
        documents = self._trace.documents.values()
        return any(each.independent == Independent.OF_PARENT for each in documents)

    @cached_property
    def senders(self) -> set[str]:
        """The services of documents, with and without their namespaces."""
        documents = self._trace.documents.values()
        return {name for each in documents for name in (each.service, each.node.name)}

    def may_have_failed(self, service: str) -> bool:
        """Whether work of a service is known to have failed, or only its documents say how it ended. With '' of any."""
        trace = self._trace
        return any(_may_have_failed(each, service) for each in trace.documents.values()) or any(
            owned.call.state != State.OK and _is_owner(owned, service)
            for owned in trace.calls.values()
        )

    def may_have_called(self, service: str, called: str) -> bool:
        """Whether a call of a service names a node so, or only a document says what it names. With '' of any."""
        trace = self._trace
        return any(
            owned.call.node.name == called and _is_owner(owned, service)
            for owned in trace.calls.values()
        ) or any(
            each.fetched != Fetched.NO and _may_be_of(each, service)
            for each in trace.documents.values()
        )

    @cached_property
    def causes(self) -> RootCauses:
        return root_causes(self._trace)

    @cached_property
    def entry(self) -> Document | None:
        """The entry segment."""
        return entry_of(self._trace)

    @cached_property
    def _states(self) -> set[State]:
        return {unit.state for unit in self.services} | {call.state for call in self.calls}

    @cached_property
    def _units(self) -> tuple[list[ServiceUnit], list[CallUnit]]:
        return trace_filter_units(self._trace)

    @cached_property
    def _nodes(self) -> dict[NodeKey, frozenset[str]]:
        return touched_nodes(self._trace)

    def values(self, field: Field) -> Iterable[Value]:
        """See `Subject.values`."""
        documents = self._trace.documents.values()
        match field.keyword:
            case "annotation":
                return [v for d in documents for v in annotation_values(d.annotations, field.key)]
            case "operation":
                calls = self._trace.calls.values()
                found = {*(d.operation for d in documents), *(c.call.operation for c in calls)}
                return found - {""}
            case keyword if (member := MEMBERS.get(keyword)) is not None:
                return [text for d in documents if (text := getattr(d, member))]
            case "name":
                return [n for node, names in self._nodes.items() for n in (node.name, *names)]
            case "type":
                return [node.type for node in self._nodes]
            case "account.id":
                return [node.account for node in self._nodes if node.account]
            case "region":
                return [node.region for node in self._nodes if node.region]
            case "duration":
                return [trace_duration(self._trace) / MICROSECONDS]
            case "partial":
                return [is_partial(self._trace)]
            case "inferred":
                return [any(unit.inferred for unit in self.services)]
            case "background":
                return [any(unit.background for unit in self.services)]
            case "throttle":
                return [State.THROTTLE in self._states]
            case "root":
                return [self.entry is not None]
        return self._entry_values(field.keyword)

    def _entry_values(self, keyword: str) -> Iterable[Value]:
        entry = self.entry
        if entry is None:
            return [False] if keyword in ("ok", "error", "fault") else []
        took = None if entry.in_progress else entry.end - entry.start
        return unit_values(keyword, entry.state, took, entry.http)


def _may_have_failed(document: Document, service: str) -> bool:
    if document.state == State.OK and not document.members:
        return False
    return _may_be_of(document, service)


def _may_be_of(document: Document, service: str) -> bool:
    """Whether a service may have sent a document."""
    any_service = not service or document.independent == Independent.OF_PARENT
    return any_service or service in (document.service, document.node.name)


def _is_owner(call: OwnedCall, service: str) -> bool:
    """Whether a service may have made a call."""
    name = call.owner.name if call.owner else service
    return not service or name == service or name.endswith(f"/{service}")

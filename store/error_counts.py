"""What each source says of a Lambda function's errors, and whether they contradict each other. Pure.

CloudWatch counts every error. A platform's record says how the platform saw an invocation end, which is a success also
where the handler raised; a log line says that it raised. So records and lines together are what CloudWatch counts. Spans
say it of the invocations that were sampled, and of each of them a line must say the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from store.invocation_evidence import evidence_in, handler_in, invocations_in, is_handler
from store.model import Document, State, Trace, is_derived
from store.rules.invocations import FUNCTION, pair_of
from store.verdict import fisher

LEAST = 0.001
"""Counts of different invocations contradict each other if chance makes such a difference in less than one of so many."""


class Counted(NamedTuple):
    """Errors among invocations."""

    errors: float
    invocations: float


Steps = Mapping[int, Counted]
"""By the start of the step."""


class Said(NamedTuple):
    """What spans say of an invocation, and its runtime's line: None where there is no record that would know of one."""

    trace_id: bytes
    failed: bool
    logged: bool | None


def total(steps: Iterable[Counted]) -> Counted:
    """The sum."""
    found = list(steps)
    return Counted(sum(each.errors for each in found), sum(each.invocations for each in found))


def contradict(one: Steps, other: Steps) -> bool:
    """Whether two sources contradict each other in the steps that both have.

    If both have the same number of invocations in each step, these are the same ones, and so must be the errors.
    Otherwise one counts a sample, or at other times: then by Fisher's exact test, two-sided (`LEAST`).
    """
    both = one.keys() & other.keys()
    if all(one[at].invocations == other[at].invocations for at in both):
        return any(one[at].errors != other[at].errors for at in both)
    first, second = (total(steps[at] for at in both) for steps in (one, other))
    return chance(first, second) < LEAST


def chance(one: Counted, other: Counted) -> float:
    """The probability of shares of errors so far apart, of one function."""
    a, n, b, m = (round(each) for each in (*one, *other))
    if not n or not m:
        return 1.0
    a, b = min(a, n), min(b, m)
    return min(1.0, 2 * min(fisher(a, n, b, m), fisher(b, m, a, n)))


def spans_of(traces: Iterable[Trace], function: str, *, now: int) -> Iterator[Said]:
    """What spans say of each invocation of a function: its own segment, as OpenTelemetry's layers and AWS report it, or
    the subsegment around the handler. ``now``: microseconds since the epoch."""
    for trace in traces:
        failures = _failures(trace, function, now)
        for document in trace.documents.values():
            telling = _telling(trace, document, function)
            if telling is not None:
                failed = telling.state == State.FAULT
                yield Said(trace.trace_id, failed, failures.get(document.id))


def _telling(trace: Trace, document: Document, function: str) -> Document | None:
    """The span that says how an invocation ended, if this is the segment of one."""
    key = document.node
    if document.independent or (key.name, key.type) != (function, FUNCTION):
        return None
    if not is_derived(document.version):
        return None if document.in_progress else document
    handler = handler_in(trace, document.id)
    return handler if handler is not None and is_handler(handler) else None


def _failures(trace: Trace, function: str, now: int) -> dict[int, bool]:
    """Whether a line says that it failed, of each invocation with a record, by the id of the function's segment."""
    found = {}
    for each in invocations_in(trace):
        if each.invocation.function == function:
            evidence = evidence_in(trace, each, now=now)
            id = evidence.function or pair_of(each.invocation, evidence).function
            found[id] = bool(each.invocation.failure)
    return found

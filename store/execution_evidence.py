"""Executions by their log and by the segments that AWS reported of them → which are the same. Pure.

Their traces differ: an execution's log names none. They have the execution's ARN in common where AWS's segment has it, else
the state machine and the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from store.model import Document, NodeKey, Trace, is_derived
from store.otel.stored_document import Json, derived_record, member, parse_document
from store.rules.execution_documents import RECORD
from store.rules.executions import MACHINE, place_of
from store.times import SECOND

NEAR = SECOND
"""By how much the beginning of a segment and that of its execution by its log differ at most, and their ends."""


class Reported(NamedTuple):
    """A segment of a state machine that was reported; the ARN of its execution, if it names it."""

    id: int
    node: NodeKey
    start: int
    end: int
    arn: str
    in_progress: bool


def reported_in(traces: Iterable[Trace]) -> list[Reported]:
    """Those in traces that were read with their raw documents."""
    found = []
    for trace in traces:
        for document in trace.documents.values():
            if (
                document.node.type != MACHINE
                or document.independent
                or is_derived(document.version)
            ):
                continue
            arn = member(parse_document(document), "aws").get("execution_arn")
            known = arn if isinstance(arn, str) else ""
            found.append(
                Reported(
                    document.id,
                    document.node,
                    document.start,
                    document.end,
                    known,
                    document.in_progress,
                )
            )
    return sorted(found, key=lambda each: (each.start, each.id))


def derived_in(traces: Iterable[Trace]) -> Iterator[Json]:
    """What identifies the executions of which a segment was derived, and counts (`store.rules.executions.values_of`)."""
    for trace in traces:
        for document in trace.documents.values():
            values = None if document.independent else _record(document)
            if values is not None:
                yield values


def _record(document: Document) -> Json | None:
    values = derived_record(document, RECORD)
    if not isinstance(values, dict) or not isinstance(values.get("arn"), str):
        return None
    is_time = all(isinstance(values.get(key), int) for key in ("start", "end"))
    return values if is_time else None


def reported_ones(executions: Iterable[Json], reported: Iterable[Reported]) -> set[str]:
    """The ARNs of executions that were reported: each segment is of one, the one that began nearest to it."""
    given = list(executions)
    found: set[str] = set()
    arns = {each["arn"] for each in given}
    for segment in reported:
        if segment.arn:
            found |= {segment.arn} & arns
            continue
        near = [
            (abs(each["start"] - segment.start), each["arn"])
            for each in given
            if each["arn"] not in found and _is_near(each, segment)
        ]
        if near:
            found.add(min(near)[1])
    return found


def _is_near(execution: Json, segment: Reported) -> bool:
    places = zip(
        place_of(execution["arn"]), (segment.node.account, segment.node.region), strict=True
    )
    if any(one and other and one != other for one, other in places):
        return False
    if abs(execution["start"] - segment.start) > NEAR:
        return False
    return segment.in_progress or abs(execution["end"] - segment.end) <= NEAR

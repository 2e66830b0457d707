"""How a document or a call ended: state, status, and the exception it is known by."""

from __future__ import annotations

from collections.abc import Sequence

from collector.decode.wire import Cause, ExceptionEntry, HttpBlock, Root, Unit
from store.model import State
from store.rules.aws_errors import exception_name
from store.rules.classify import classify

NO_TYPES: dict[str, str] = {}
"""Exceptions by id of a document in which nothing refers by id."""


def state_of(unit: Unit, status: int, exception: str) -> State:
    if status < 400 and not (unit.fault or unit.error or unit.throttle or unit.in_progress):
        return State.OK  # the result of classify, without the call
    return classify(
        error=unit.error or False,
        throttle=unit.throttle or False,
        fault=unit.fault or False,
        status=status,
        in_progress=unit.in_progress or False,
        exception=exception,
        aws=unit.namespace == "aws",
    )


def status_of(http: HttpBlock) -> int:
    response = http.response
    status = response.status if response is not None else None
    return status if status is not None and 0 < status < 1000 else 0


def deepest_exception(root: Root, state: State, own: str, types: dict[str, str]) -> str:
    """The exception that a failed document is known by in error breakdowns.

    Of the exceptions of its subsegments that ended as it did, and its ``own``, the deepest, the first
    in document order among equals: X-Ray's SDKs record an exception where it was thrown. Without
    one, that of a subsegment that failed in another way. `state_of` reads the document's own.
    """
    found, other = own, ""
    level = root.subsegments
    while level:
        here = there = ""
        for unit in level:
            if unit.cause is not None and (name := exception_of(unit.cause, types)):
                ended = state_of(unit, status_of(unit.http) if unit.http is not None else 0, name)
                if ended is state:
                    here = here or name
                elif ended > State.OK:
                    there = there or name
        found, other = here or found, there or other
        level = [child for unit in level for child in unit.subsegments or ()]
    return found or other


def exception_types(root: Root, units: Sequence[Unit]) -> dict[str, str]:
    """Exception id → name over the whole document; empty when nothing refers by id.

    Of several exceptions with one id the first that has a name counts, as in an export.
    """
    causes = [unit.cause for unit in (root, *units) if unit.cause is not None]
    if not any([isinstance(cause, str) for cause in causes]):  # noqa: C419
        return NO_TYPES
    names: dict[str, str] = {}
    for cause in causes:
        for entry in (cause.exceptions or ()) if isinstance(cause, Cause) else ():
            if entry.id is not None and not names.get(entry.id):
                names[entry.id] = _name_of(entry)
    return names


def exception_of(cause: Cause | str | None, types: dict[str, str]) -> str:
    """The name of the first exception of a cause that has one; an id leads to its exception."""
    if isinstance(cause, str):
        return types.get(cause, "")
    for entry in (cause.exceptions if cause is not None else None) or ():
        if name := _name_of(entry):
            return name
    return ""


def _name_of(entry: ExceptionEntry) -> str:
    return exception_name(entry.type or "", entry.message or "")

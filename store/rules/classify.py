"""The outcome of a unit: one function behind counts, colours, summaries and filters. For spans, the
flags that enter it are judged in `store.otel.status` and `store.otel.span_facts`.

Sources: docs/xray-format.md §5.6 (order of the flags) and §13 (several flags at once).
"""

from __future__ import annotations

from store.model import State
from store.rules.throttling_codes import THROTTLING_CODES


def classify(
    *,
    error: bool = False,
    throttle: bool = False,
    fault: bool = False,
    status: int = 0,
    in_progress: bool = False,
    exception: str = "",
    aws: bool = False,
) -> State:
    """The state of one segment or subsegment, from its flags, HTTP status (0: none) and exception.

    Python's and Node's SDKs set error *and* fault on every AWS 4xx, Go's fault alone (``aws``: the
    unit is a call of an AWS API); there the status decides, or each DynamoDB 400 would turn the map
    red. Otherwise fault, throttle, error, in this order. Without any flag the status speaks alone.
    """
    if in_progress:
        return State.IN_PROGRESS
    client_side = 400 <= status < 500
    error = error or (aws and fault and client_side)
    if fault and not (error and client_side):
        return State.FAULT
    if throttle or (status == 429 and (error or not fault)):
        return State.THROTTLE
    if error:
        return State.THROTTLE if is_throttling(exception) else State.ERROR
    if status >= 500:
        return State.FAULT
    return State.ERROR if client_side else State.OK


def is_throttling(exception: str) -> bool:
    """Whether an exception's name is an AWS throttling code; Java gives the whole class path."""
    return exception.rpartition(".")[2] in THROTTLING_CODES


def failure_label(exception: str, status: int) -> str:
    """What an error breakdown calls a failed unit: the exception's type, or the HTTP status.

    A status below 400 says nothing of the failure (a Lambda answers 200 for a function that
    failed), so that unit is ``No exception recorded``.
    """
    if exception:
        return exception
    return f"HTTP {status}" if status >= 400 else "No exception recorded"


def statuses_called(label: str) -> list[int]:
    """The HTTP statuses for which a failed unit without an exception has a label."""
    return [status for status in range(_STATUSES) if failure_label("", status) == label]


_STATUSES = 1000
"""Decoders take lesser numbers for an HTTP status."""

UNKNOWN_OUTCOME = "outcome unknown"
"""In place of the exception of what ended, but of which nothing says how (`store.rules.invocation_documents`). Its state is
ok, as AWS would have it."""


def failure_key(state: State, label: str) -> str:
    """A label with how the unit ended: the key of a count of failures, and of those that may have been one; '' of any
    other unit."""
    counted = state > State.OK or (state == State.OK and label == UNKNOWN_OUTCOME)
    return f"{int(state)}:{label}" if counted else ""


UNKNOWN = failure_key(State.OK, UNKNOWN_OUTCOME)
"""The key of units of which nothing says how they ended."""

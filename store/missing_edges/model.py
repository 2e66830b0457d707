"""The causes of missing edges, and what is found of them."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from store.model import NodeKey


class Cause(StrEnum):
    """Why two nodes that belong together are not joined, or not as they should be."""

    NO_EXIT_SPAN = "no_exit_span"
    """The caller records no call: its SDK does not instrument the client that it uses."""
    HEADER_NOT_PASSED = "header_not_passed"
    """The call is recorded, and the callee begins a trace of its own for it."""
    PARENT_MISSING = "parent_missing"
    """A request names a parent that never came."""
    NOT_SAMPLED = "not_sampled"
    """The call is recorded, and the callee, which reports other requests, did not record this one."""
    CLOCK_SKEW = "clock_skew"
    """The answer begins before the call, or after its end."""
    OTHER_ACCOUNT = "other_account"
    """The callee is traced, and reports to another account or tenant."""
    PLATFORM_RECORD_MISSING = "platform_record_missing"
    """Lambda or API Gateway has a segment of its own between the two, which did not come."""
    STILL_RUNNING = "still_running"
    """What is above, or below, has not ended."""


class Basis(StrEnum):
    """What a finding rests on."""

    IDS = "ids"
    """Ids, states and accounts that the documents name."""
    NAME = "name"
    """A service reports under the name, or at the host, that was called."""
    TIME = "time"
    """The work of the one lies inside that of the other, by far more often than by chance."""


class Finding(NamedTuple):
    """A cause between two nodes, with how many units of how many show it.

    ``caller``: None if it is not known. ``callee``: of a call to what does not report here None, and ``called`` its name.
    ``of``: the calls of the pair, or the requests of the callee, that were judged. ``trace_id``: one that shows it,
    ``other_trace_id``: that of the other end. ``skew``: median, microseconds.
    """

    cause: Cause
    basis: Basis
    caller: NodeKey | None
    callee: NodeKey | None
    called: str
    units: int
    of: int
    trace_id: bytes
    other_trace_id: bytes = b""
    skew: int = 0

"""The calls in many documents at once: what `collector.decode.calls` makes of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, count
from typing import Any

from collector.decode.calls import (
    end_of_call,
    further_nodes_of_call,
    node_of_call,
    operation_of,
    start_of_call,
    traced_of,
)
from collector.decode.columnar.envelopes import Identities, all_within, not_before
from collector.decode.ids import further_call_id, synthetic_id
from collector.decode.outcome import exception_of, state_of, status_of
from collector.decode.wire import Root, Unit
from store.columnar import CallColumns
from store.model import State
from store.rules.identity import CallNode


def calls_of(
    roots: list[Root],
    identities: Identities,
    units: list[Unit],
    owners: list[int],
    ids: list[int],
    inside: list[Sequence[Unit]],
    types: dict[int, dict[str, str]],
    services: list[CallNode],
) -> CallColumns:
    """The calls of all documents. An independent subsegment gets the node it calls
    in ``services``."""
    picked = [
        place
        for place, unit in enumerate(units)
        if (namespace := unit.namespace) == "remote" or namespace == "aws"
    ]
    calls = [units[place] for place in picked]
    of = [owners[place] for place in picked]
    call_ids = [ids[place] for place in picked]
    if not all(call_ids):
        firsts = list(accumulate(map(len, inside), initial=0))
        call_ids = [
            id or synthetic_id(identities.of(owner), place - firsts[owner])
            for id, owner, place in zip(call_ids, of, picked, strict=True)
        ]
    alone: list[int] = []
    if any(identities.independent):
        alone = [
            place
            for place, root in enumerate(roots)
            if identities.independent[place] and root.namespace in ("aws", "remote")
        ]
        calls = [*(roots[place] for place in alone), *calls]
        of = [*alone, *of]
        call_ids = [*(identities.ids[place] for place in alone), *call_ids]
    exceptions = [""] * len(calls)
    if types:
        exceptions = [
            "" if unit.cause is None else exception_of(unit.cause, types[owner])
            for unit, owner in zip(calls, of, strict=True)
        ]
    statuses = [0 if (http := unit.http) is None else status_of(http) for unit in calls]
    starts, ends, states = _times(calls, of, statuses, exceptions, identities)
    callers = [None if identities.independent[owner] else services[owner].node for owner in of]
    named = list(map(node_of_call, calls, callers))
    for place, (found, _) in zip(alone, named, strict=False):
        services[place] = found
    columns: list[Sequence[Any]] = [
        of,
        call_ids,
        starts,
        ends,
        states,
        [node for (node, _), _ in named],
        [service for (_, service), _ in named],
        [host for _, host in named],
        statuses,
        list(map(traced_of, calls)),
        exceptions,
        [1] * len(calls),
        list(map(operation_of, calls)),
    ]
    further = [
        (place, node)
        for place, (unit, caller) in enumerate(zip(calls, callers, strict=True))
        for node in (further_nodes_of_call(unit, caller) if unit.aws is not None else ())
    ]
    if further:
        columns = _with_further(columns, further, identities)
        call_ids = list(columns[1])
    if len(set(call_ids)) < len(call_ids):
        # Of calls with one id in one document the last counts.
        last = dict(zip(zip(columns[0], call_ids, strict=True), count(), strict=False))
        if len(last) < len(call_ids):
            columns = [[column[place] for place in last.values()] for column in columns]
    return CallColumns(*columns)


def _with_further(
    columns: list[Sequence[Any]], further: list[tuple[int, CallNode]], identities: Identities
) -> list[Sequence[Any]]:
    """The columns with calls that name several tables repeated for each: the same but for id, node
    and service."""
    owners, ids = columns[:2]
    numbers: dict[int, Iterator[int]] = {}
    rows: list[tuple[Any, ...]] = []
    by_place: dict[int, list[tuple[Any, ...]]] = {}
    for place, (node, service) in further:
        number = next(numbers.setdefault(place, count()))
        row = [column[place] for column in columns]
        row[1] = further_call_id(identities.trace_ids[owners[place]], ids[place], number)
        row[5], row[6], row[9] = node, service, False
        by_place.setdefault(place, []).append(tuple(row))
    for place, row_ in enumerate(zip(*columns, strict=True)):
        rows += [row_, *by_place.get(place, ())]
    return [list(column) for column in zip(*rows, strict=True)]


def _times(
    calls: list[Unit],
    of: list[int],
    statuses: list[int],
    exceptions: list[str],
    identities: Identities,
) -> tuple[list[int], list[int], list[State]]:
    """Start, end and state of each call."""
    begun: list[Any] = [unit.start_time for unit in calls]
    ended: list[Any] = [unit.end_time for unit in calls]
    flagged = [unit.fault or unit.error or unit.throttle or unit.in_progress for unit in calls]
    if any(flagged) or max(statuses, default=0) >= 400:
        states = list(map(state_of, calls, statuses, exceptions))
    else:
        states = [State.OK] * len(calls)  # what `state_of` answers
    if all_within(begun) and all_within(ended) and all(states):
        starts = [round(time * 1e6) for time in begun]
        return starts, not_before(starts, [round(time * 1e6) for time in ended]), states
    starts = [
        start_of_call(unit, identities.starts[owner]) for unit, owner in zip(calls, of, strict=True)
    ]
    both = list(map(end_of_call, calls, starts, states))
    return starts, [end for end, _ in both], [state for _, state in both]

"""From what traces show to the causes of missing edges."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from statistics import median_low

from store.missing_edges.evidence import CallSeen, Orphan, Seen, Work
from store.missing_edges.model import Basis, Cause, Finding
from store.missing_edges.timing import callers_by_time, entries_for_calls
from store.model import NodeKey, State

Pair = tuple[NodeKey, NodeKey | None]
Entries = Mapping[NodeKey, Sequence[Work]]


def missing_edges(
    seen: Seen,
    around: Seen | None = None,
    *,
    nodes: Collection[NodeKey] | None = None,
    since: Mapping[NodeKey, int] | None = None,
) -> list[Finding]:
    """The causes between nodes, those of most units first.

    ``around``: of all traces of a time, in which a caller that records no call is looked for. ``nodes``: only what
    concerns these. ``since``: from when on all requests of a node were read, microseconds; earlier calls of it are not
    judged.
    """
    entries = _entries(seen.works)
    made = _made(seen, entries, since or {})
    found = [
        *_of_calls(seen, made, since or {}),
        *_of_orphans(seen),
        *_of_placeholders(seen),
        *_of_skew(seen),
    ]
    if around is not None:
        explained = {work.trace_id for pairs in made.values() for _, work in pairs}
        found += _without_call(around, explained)
    if nodes is not None:
        found = [each for each in found if each.caller in nodes or each.callee in nodes]
    return sorted(found, key=lambda each: (-each.units, each.cause, each.called, each.trace_id))


def _entries(works: Iterable[Work]) -> dict[NodeKey, list[Work]]:
    found: dict[NodeKey, list[Work]] = {}
    for each in works:
        if each.is_entry:
            found.setdefault(each.node, []).append(each)
    return found


def _by_pair(calls: Iterable[CallSeen], since: Mapping[NodeKey, int]) -> dict[Pair, list[CallSeen]]:
    found: dict[Pair, list[CallSeen]] = {}
    for each in calls:
        if each.callee is None or each.call.start >= since.get(each.callee, 0):
            found.setdefault((each.caller, each.callee), []).append(each)
    return found


def _is_unanswered(call: CallSeen) -> bool:
    return call.answer is None and call.call.state is not State.IN_PROGRESS


def _made(
    seen: Seen, entries: Entries, since: Mapping[NodeKey, int]
) -> dict[Pair, list[tuple[CallSeen, Work]]]:
    """The unanswered calls of each pair, with the traces' beginnings that they made: in their own trace, where the id
    of that arrived without that of the call, else by the time."""
    found: dict[Pair, list[tuple[CallSeen, Work]]] = {}
    for pair, calls in _by_pair(seen.calls, since).items():
        begun = entries.get(pair[1], ()) if pair[1] else ()
        waiting = list(filter(_is_unanswered, calls))
        own = {each.trace_id: each for each in begun}
        joined = [(each, own[each.trace_id]) for each in waiting if each.trace_id in own]
        rest = [each for each in waiting if each.trace_id not in own]
        ids = {each.trace_id for each in waiting}
        found[pair] = joined + entries_for_calls(
            rest, [each for each in begun if each.trace_id not in ids]
        )
    return found


def _of_calls(
    seen: Seen,
    made: Mapping[Pair, Sequence[tuple[CallSeen, Work]]],
    since: Mapping[NodeKey, int],
) -> list[Finding]:
    found = []
    for (caller, callee), calls in _by_pair(seen.calls, since).items():
        waiting = list(filter(_is_unanswered, calls))
        pairs = made.get((caller, callee), ())
        if pairs:
            call, work = pairs[0]
            by_ids = call.trace_id == work.trace_id
            basis = Basis.IDS if by_ids else Basis.TIME
            ones = [each for each, _ in pairs]
            other = b"" if by_ids else work.trace_id
            found.append(_finding(Cause.HEADER_NOT_PASSED, basis, ones, calls, other))
        split = {each.call.id for each, _ in pairs}
        rest = [each for each in waiting if each.call.id not in split]
        if rest:
            cause = Cause.NOT_SAMPLED if callee else Cause.OTHER_ACCOUNT
            basis = Basis.NAME if callee else Basis.IDS
            others: Iterator[bytes] = chain(
                (each.trace_id for each in calls if each.answer),
                (each.trace_id for each in seen.works if each.node == callee),
            )
            found.append(_finding(cause, basis, rest, calls, next(others, b"")))
        running = [
            each
            for each in calls
            if each.answer is None and each.call.state is State.IN_PROGRESS and callee
        ]
        if running:
            found.append(_finding(Cause.STILL_RUNNING, Basis.IDS, running, calls))
    return found


def _finding(
    cause: Cause,
    basis: Basis,
    ones: Sequence[CallSeen],
    of: Sequence[CallSeen],
    other_trace: bytes = b"",
    skew: int = 0,
) -> Finding:
    first = ones[0]
    return Finding(
        cause,
        basis,
        first.caller,
        first.callee,
        first.call.host or first.call.node.name,
        len(ones),
        len(of),
        first.trace_id,
        other_trace,
        skew,
    )


def _of_orphans(seen: Seen) -> list[Finding]:
    requests: dict[NodeKey, int] = {}
    for work in seen.works:
        requests[work.node] = requests.get(work.node, 0) + 1
    alike: dict[tuple[Cause, NodeKey | None, NodeKey], list[Orphan]] = {}
    for each in seen.orphans:
        key = _cause_of(each), each.caller, each.document.node
        alike.setdefault(key, []).append(each)
    return [
        Finding(
            cause,
            Basis.IDS,
            caller,
            callee,
            callee.name,
            len(ones),
            max(len(ones), requests.get(callee, 0)),
            ones[0].trace_id,
        )
        for (cause, caller, callee), ones in alike.items()
    ]


def _cause_of(orphan: Orphan) -> Cause:
    if orphan.platform:
        return Cause.PLATFORM_RECORD_MISSING
    return Cause.STILL_RUNNING if orphan.running else Cause.PARENT_MISSING


def _of_placeholders(seen: Seen) -> list[Finding]:
    alike: dict[NodeKey, list[bytes]] = {}
    for each in seen.placeholders:
        alike.setdefault(each.document.node, []).append(each.trace_id)
    requests: dict[NodeKey, int] = {}
    for work in seen.works:
        requests[work.node] = requests.get(work.node, 0) + 1
    return [
        Finding(
            Cause.PLATFORM_RECORD_MISSING,
            Basis.IDS,
            None,
            node,
            node.name,
            len(ids),
            max(len(ids), requests.get(node, 0)),
            ids[0],
        )
        for node, ids in alike.items()
    ]


def _of_skew(seen: Seen) -> list[Finding]:
    found = []
    for calls in _by_pair(seen.calls, {}).values():
        skewed = [each for each in calls if each.skew]
        if skewed:
            skew = median_low(each.skew for each in skewed)
            answered = [each for each in calls if each.answer]
            found.append(_finding(Cause.CLOCK_SKEW, Basis.IDS, skewed, answered, skew=skew))
    return found


def _without_call(around: Seen, explained: Collection[bytes]) -> list[Finding]:
    """Services that begin traces inside of another's requests, which records no call of them."""
    entries = {
        node: [each for each in own if each.trace_id not in explained]
        for node, own in _entries(around.works).items()
    }
    return [
        Finding(
            Cause.NO_EXIT_SPAN,
            Basis.TIME,
            each.caller,
            each.callee,
            each.callee.name,
            len(each.pairs),
            each.of,
            each.pairs[0][0].trace_id,
            each.pairs[0][1].trace_id,
        )
        for each in callers_by_time(entries, around.works)
    ]

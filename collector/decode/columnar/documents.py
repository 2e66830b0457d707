"""Many documents → a `DocumentColumns`: what `decode_document` makes of each, in passes over all of them.

With packing it takes three quarters of the time (measured): one call into C says of hundreds that
they are as they should be. What is not goes through the functions that judge a document alone
(`document`, `flatten`), and rules are theirs and `store.rules`'; tests hold the two ways to each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, repeat
from typing import Any

from collector.decode.calls import operation_of
from collector.decode.columnar.calls import calls_of
from collector.decode.columnar.envelopes import Identities, identify_all, read_ids
from collector.decode.document import (
    MAX_NESTING,
    UNREADABLE,
    check_depth,
    count_openings,
    identify,
    read_root,
)
from collector.decode.flatten import (
    NO_SOURCE,
    Source,
    cached_item,
    deployed_of,
    embedded,
    items_of,
    links_of,
    place_of,
    source_of,
)
from collector.decode.ids import LATEST, Identity
from collector.decode.limits import SMALL_ITEM
from collector.decode.node_cache import segment_node_of
from collector.decode.outcome import (
    deepest_exception,
    exception_of,
    exception_types,
    state_of,
    status_of,
)
from collector.decode.rejected import Rejected
from collector.decode.wire import LinkEntry, Root, Unit, read_strictly
from store.column_types import Coded
from store.columnar import DocumentColumns
from store.model import NO_NODE, Fetched, Kind, Link, State
from store.rules.classify import UNKNOWN_OUTCOME
from store.rules.invocations import is_unknown, kind_of

_NO_UNITS: tuple[Unit, ...] = ()


def decode_columns(
    raws: Sequence[bytes], version: int
) -> tuple[DocumentColumns, list[tuple[int, Rejected]]]:
    """The documents that are valid, and the others with their places in ``raws``.

    A document's version is ``version`` and its place.
    """
    places: Sequence[int] = range(len(raws))
    rejected: list[tuple[int, Rejected]] = []
    roots = _read(raws)
    identities = None if roots is None else identify_all(roots)
    if roots is None or identities is None:  # one of them is unusual, and it is not known which
        found: list[tuple[int, Root, Identity]] = []
        for place, raw in enumerate(raws):
            try:
                root = read_root(raw) if roots is None else roots[place]
                found.append((place, root, identify(root)))
                check_depth(raw, root.id)
            except Rejected as rejection:
                rejected.append((place, rejection))
        wrong = {place for place, _ in rejected}
        found = [one for one in found if one[0] not in wrong]
        places = [place for place, _, _ in found]
        roots = [root for _, root, _ in found]
        identities = Identities.of_each([identity for _, _, identity in found])
    versions = [version + place for place in places]
    return _flatten(roots, identities, [raws[place] for place in places], versions), rejected


def _read(raws: Sequence[bytes]) -> list[Root] | None:
    """All documents, if there is nothing to say about any."""
    try:
        if (
            max(map(len, raws), default=0) > SMALL_ITEM
            or max(map(count_openings, raws)) > MAX_NESTING
        ):
            return None
        if not all(map(bytes.isascii, raws)):
            for raw in raws:
                raw.decode()
        return list(map(read_strictly, raws))
    except UNREADABLE:
        return None


def _flatten(
    roots: list[Root], identities: Identities, raws: Sequence[bytes], versions: list[int]
) -> DocumentColumns:
    """What `collector.decode.flatten.flatten` does, in the same order."""
    rows = len(roots)
    inside: list[Sequence[Unit]] = [root.subsegments or _NO_UNITS for root in roots]
    units = list(chain.from_iterable(inside))
    if any([unit.subsegments for unit in units]):  # noqa: C419
        inside = [embedded(few) if few else few for few in inside]
        units = list(chain.from_iterable(inside))
    counts = list(map(len, inside))
    owners = list(chain.from_iterable(map(repeat, range(rows), counts)))
    ids = read_ids([unit.id for unit in units])
    exceptions, types = _exceptions(roots, units, inside)

    https = [root.http for root in roots]
    statuses = [0 if http is None else status_of(http) for http in https]
    requests = [None if http is None else http.request for http in https]
    blocks = [root.aws for root in roots]
    inferred = [root.inferred or False for root in roots]
    services = [
        segment_node_of(root.name or "", root.origin or "", aws, alone, root.resource_arn or "")
        for root, aws, alone in zip(roots, blocks, inferred, strict=True)
    ]
    states = [
        state_of(root, status, exception)
        for root, status, exception in zip(roots, statuses, exceptions, strict=True)
    ]
    for place, known in types.items():
        if states[place] > State.OK and inside[place]:
            own = exceptions[place]
            exceptions[place] = deepest_exception(roots[place], states[place], own, known)
    for place, root in enumerate(roots):
        if (
            root.annotations
            and states[place] == State.OK
            and is_unknown(root.origin, root.annotations)
        ):
            exceptions[place] = UNKNOWN_OUTCOME
    calls = calls_of(roots, identities, units, owners, ids, inside, types, services)
    members = []
    member_counts = [0] * rows
    for unit, owner, id in zip(units, owners, ids, strict=True):
        if id and (namespace := unit.namespace) != "remote" and namespace != "aws":
            members.append(id)
            member_counts[owner] += 1
    annotation_counts, annotations = _annotations(roots, units, owners)
    places = [
        ("", "") if aws is None or (aws.ec2 is None and aws.ecs is None) else place_of(aws)
        for aws in blocks
    ]
    deployed = list(map(deployed_of, roots))
    sources = {
        place: source_of(aws.event_source_arn)
        for place, aws in enumerate(blocks)
        if aws is not None
        and aws.event_source_arn is not None
        and not identities.independent[place]
    }
    return DocumentColumns(
        raws=raws,
        versions=versions,
        trace_ids=identities.trace_ids,
        ids=identities.ids,
        parent_ids=identities.parent_ids,
        starts=identities.starts,
        ends=identities.ends,
        last_ends=_last_ends(identities.ends, inside),
        independent=identities.independent,
        inferred=inferred,
        sampled=[True] * rows,
        states=states,
        nodes=[service.node for service in services],
        services=[service.service for service in services],
        methods=[(r.method or "") if r is not None else "" for r in requests],
        urls=[(r.url or "") if r is not None else "" for r in requests],
        statuses=statuses,
        client_ips=[(r.client_ip or "") if r is not None else "" for r in requests],
        user_agents=[(r.user_agent or "") if r is not None else "" for r in requests],
        users=[root.user or "" for root in roots],
        resource_arns=[root.resource_arn or "" for root in roots],
        instance_ids=[instance for instance, _ in places],
        zones=[zone for _, zone in places],
        exceptions=exceptions,
        annotation_counts=annotation_counts,
        annotations=annotations,
        member_counts=member_counts,
        members=members,
        weights=[1] * rows,
        service_versions=[version for version, _ in deployed],
        environments=[environment for _, environment in deployed],
        kinds=Coded([Kind.NONE, Kind.SERVER, Kind.CONSUMER], _kinds(roots, identities, sources)),
        befores=_by_source(sources, 1, NO_NODE, rows),
        fetched=_by_source(sources, 2, Fetched.NO, rows),
        operations=list(map(operation_of, roots)),
        calls=calls,
        links=_links(roots, units, owners, identities, sources),
    )


def _kinds(roots: list[Root], identities: Identities, sources: Mapping[int, Source]) -> bytes:
    """0: none, 1: SERVER, 2: CONSUMER."""
    found = bytearray(
        kind_of(root.origin or "", is_segment=not independent) is Kind.SERVER
        for root, independent in zip(roots, identities.independent, strict=True)
    )
    for place, (kind, _, _) in sources.items():
        if kind:
            found[place] = 2
    return bytes(found)


def _by_source(sources: dict[int, Source], member: int, none: Any, rows: int) -> Sequence[Any]:
    """A member of the source of each document, few of which have one."""
    if not sources:
        return Coded([none], bytes(rows))
    return [sources.get(place, NO_SOURCE)[member] for place in range(rows)]


def _exceptions(
    roots: list[Root], units: list[Unit], inside: list[Sequence[Unit]]
) -> tuple[list[str], dict[int, dict[str, str]]]:
    """The exception of each document, and exception id → type of those that refer by id."""
    exceptions = [""] * len(roots)
    types: dict[int, dict[str, str]] = {}
    if all([unit.cause is None for unit in chain(roots, units)]):  # noqa: C419
        return exceptions, types
    for place, (root, few) in enumerate(zip(roots, inside, strict=True)):
        if root.cause is not None or any([unit.cause is not None for unit in few]):  # noqa: C419
            known = types[place] = exception_types(root, few)
            if root.cause is not None:
                exceptions[place] = exception_of(root.cause, known)
    return exceptions, types


def _last_ends(ends: list[int], inside: list[Sequence[Unit]]) -> list[int]:
    """The end of the last work inside each document."""
    last = []
    for end, few in zip(ends, inside, strict=True):
        latest = 0.0
        for unit in few:
            unit_end = unit.end_time
            if unit_end is not None and latest < unit_end < LATEST:
                latest = unit_end
        last.append(max(end, round(latest * 1e6)) if latest else end)
    return last


def _annotations(
    roots: list[Root], units: list[Unit], owners: list[int]
) -> tuple[list[int], list[str]]:
    """How many items each document has, and all of them."""
    given = [root.annotations for root in roots]
    inner = [
        (unit.annotations, owner)
        for unit, owner in zip(units, owners, strict=True)
        if unit.annotations
    ]
    if inner:
        items = [items_of(found) if found else [] for found in given]
        for found, owner in inner:
            items[owner] += items_of(found)
        distinct = [list(dict.fromkeys(few)) for few in items]
        return list(map(len, distinct)), list(chain.from_iterable(distinct))
    try:
        pairs = chain.from_iterable([found.items() for found in given if found])
        known: list[Any] = list(map(cached_item, pairs))
    except TypeError:  # a list or an object, which is no annotation
        known = [None]
    if None not in known:
        return [len(found) if found else 0 for found in given], known
    items = [items_of(found) if found else [] for found in given]
    return list(map(len, items)), list(chain.from_iterable(items))


def _links(
    roots: list[Root],
    units: list[Unit],
    owners: list[int],
    identities: Identities,
    of_sources: dict[int, Source],
) -> list[tuple[int, Link]]:
    sources: Iterable[tuple[int, Unit]] = chain(enumerate(roots), zip(owners, units, strict=True))
    given: dict[int, list[LinkEntry]] = {}
    for place, unit in sources:  # the segment's own come first
        if unit.links:
            given.setdefault(place, []).extend(unit.links)
    return [
        (place, link)
        for place in sorted(given)
        for link in links_of(
            given[place],
            identities.trace_ids[place],
            identities.ids[place],
            of_sources.get(place, NO_SOURCE),
        )
    ]

"""Documents as a struct of columns, so that rows are built without an object for each document.

One list for each property of `store.model.Document` and `Call`, with the same units.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import overload

from msgspec import Struct

from store.column_types import PackedTexts, SpanBody, parts_of_body
from store.model import Call, Document, Fetched, Http, Independent, Kind, Link, NodeKey, State


class BodyParts(Struct, gc=False):
    """Spans in parts that resemble their neighbours': the marked resource and the scope; what is left
    before the attributes (`store.otel.stored_span.cut_head`), or else all that stands there (``rests``);
    the attributes, unless they follow from the annotations; what stands behind them; the nanoseconds
    behind the microsecond of the start, times 1000, and behind that of the end."""

    marked: Sequence[bytes]
    scopes: Sequence[bytes]
    heads: Sequence[bytes]
    rests: Sequence[bytes]
    attribute_counts: Sequence[int]
    attributes: PackedTexts
    tails: Sequence[bytes]
    nanos: Sequence[int]


class CallColumns(Struct, gc=False):
    """Calls; ``owners`` are the indices of their documents in the `DocumentColumns`."""

    owners: Sequence[int]
    ids: Sequence[int]
    starts: Sequence[int]
    ends: Sequence[int]
    states: Sequence[State]
    nodes: Sequence[NodeKey]
    services: Sequence[str]
    hosts: Sequence[str]
    statuses: Sequence[int]
    traced: Sequence[bool]
    exceptions: Sequence[str]
    weights: Sequence[int]
    operations: Sequence[str]


class DocumentColumns(Struct, gc=False):
    """Documents. ``members`` and ``annotations`` are concatenated, with counts per document."""

    raws: Sequence[bytes]
    versions: Sequence[int]
    trace_ids: Sequence[bytes]
    ids: Sequence[int]
    parent_ids: Sequence[int]
    starts: Sequence[int]
    ends: Sequence[int]
    last_ends: Sequence[int]
    independent: Sequence[Independent | bool]
    inferred: Sequence[bool]
    sampled: Sequence[bool]
    states: Sequence[State]
    nodes: Sequence[NodeKey]
    services: Sequence[str]
    methods: Sequence[str]
    urls: Sequence[str]
    statuses: Sequence[int]
    client_ips: Sequence[str]
    user_agents: Sequence[str]
    users: Sequence[str]
    resource_arns: Sequence[str]
    instance_ids: Sequence[str]
    zones: Sequence[str]
    exceptions: Sequence[str]
    annotation_counts: Sequence[int]
    annotations: Sequence[str]
    member_counts: Sequence[int]
    members: Sequence[int]
    weights: Sequence[int]
    service_versions: Sequence[str]
    environments: Sequence[str]
    kinds: Sequence[Kind]
    befores: Sequence[NodeKey]
    fetched: Sequence[Fetched]
    operations: Sequence[str]
    calls: CallColumns
    links: Sequence[tuple[int, Link]]
    """Each with the index of its document."""
    parts: BodyParts | None = None
    """The raw documents in parts, if the decoder has them."""

    def __len__(self) -> int:
        return len(self.raws)


def columns_of(documents: Sequence[Document]) -> DocumentColumns:
    """The columns of documents."""
    https = [d.http for d in documents]
    return DocumentColumns(
        raws=[d.raw for d in documents],
        versions=[d.version for d in documents],
        trace_ids=[d.trace_id for d in documents],
        ids=[d.id for d in documents],
        parent_ids=[d.parent_id for d in documents],
        starts=[d.start for d in documents],
        ends=[d.end for d in documents],
        last_ends=[d.last_end for d in documents],
        independent=[d.independent for d in documents],
        inferred=[d.inferred for d in documents],
        sampled=[d.sampled for d in documents],
        states=[d.state for d in documents],
        nodes=[d.node for d in documents],
        services=[d.service for d in documents],
        methods=[http.method for http in https],
        urls=[http.url for http in https],
        statuses=[http.status for http in https],
        client_ips=[http.client_ip for http in https],
        user_agents=[http.user_agent for http in https],
        users=[d.user for d in documents],
        resource_arns=[d.resource_arn for d in documents],
        instance_ids=[d.instance_id for d in documents],
        zones=[d.availability_zone for d in documents],
        exceptions=[d.exception for d in documents],
        annotation_counts=[len(d.annotations) for d in documents],
        annotations=[item for d in documents for item in d.annotations],
        member_counts=[len(d.members) for d in documents],
        members=[member for d in documents for member in d.members],
        weights=[d.weight for d in documents],
        service_versions=[d.service_version for d in documents],
        environments=[d.environment for d in documents],
        kinds=[d.kind for d in documents],
        befores=[d.before for d in documents],
        fetched=[d.fetched for d in documents],
        operations=[d.operation for d in documents],
        calls=_calls(documents),
        links=[(place, link) for place, d in enumerate(documents) for link in d.links],
        parts=_parts([d.raw for d in documents]),
    )


def _parts(bodies: Sequence[bytes]) -> BodyParts | None:
    if not any(isinstance(body, SpanBody) for body in bodies):
        return None
    marked, scopes, heads, rests, attributes, tails, nanos = zip(
        *map(parts_of_body, bodies), strict=True
    )
    fields = PackedTexts([field for each in attributes for field in each])
    counts = list(map(len, attributes))
    return BodyParts(marked, scopes, heads, rests, counts, fields, tails, nanos)


def _calls(documents: Sequence[Document]) -> CallColumns:
    calls: list[Call] = [call for d in documents for call in d.calls]
    return CallColumns(
        owners=[place for place, d in enumerate(documents) for _ in d.calls],
        ids=[call.id for call in calls],
        starts=[call.start for call in calls],
        ends=[call.end for call in calls],
        states=[call.state for call in calls],
        nodes=[call.node for call in calls],
        services=[call.service for call in calls],
        hosts=[call.host for call in calls],
        statuses=[call.status for call in calls],
        traced=[call.traced for call in calls],
        exceptions=[call.exception for call in calls],
        weights=[call.weight for call in calls],
        operations=[call.operation for call in calls],
    )


def documents_of(columns: DocumentColumns) -> list[Document]:
    """The documents that have these columns: the inverse of `columns_of`."""
    calls, links = _by_document(columns)
    annotations, members = iter(columns.annotations), iter(columns.members)
    https = map(
        Http,
        columns.methods,
        columns.urls,
        columns.statuses,
        columns.client_ips,
        columns.user_agents,
    )
    return list(
        map(
            Document,
            columns.trace_ids,
            columns.ids,
            columns.parent_ids,
            columns.independent,
            columns.inferred,
            columns.starts,
            columns.ends,
            columns.last_ends,
            columns.states,
            columns.nodes,
            columns.services,
            https,
            columns.users,
            columns.resource_arns,
            columns.instance_ids,
            columns.zones,
            columns.exceptions,
            [tuple(islice(annotations, count)) for count in columns.annotation_counts],
            [tuple(islice(members, count)) for count in columns.member_counts],
            [tuple(calls.get(place, ())) for place in range(len(columns))],
            columns.raws,
            columns.versions,
            columns.sampled,
            [tuple(links.get(place, ())) for place in range(len(columns))],
            columns.weights,
            columns.service_versions,
            columns.environments,
            columns.kinds,
            columns.befores,
            columns.fetched,
            columns.operations,
        )
    )


class ColumnarDocuments(Sequence[Document]):
    """Documents decoded by column. `Document` objects are made on first access."""

    def __init__(self, columns: Sequence[DocumentColumns]) -> None:
        self.columns = columns
        self._count = sum(map(len, columns))
        self._documents: list[Document] | None = None

    @overload
    def __getitem__(self, place: int) -> Document: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Document]: ...
    def __getitem__(self, place: int | slice) -> Document | Sequence[Document]:
        if self._documents is None:
            self._documents = [one for few in self.columns for one in documents_of(few)]
        return self._documents[place]

    def __len__(self) -> int:
        return self._count


def _by_document(
    columns: DocumentColumns,
) -> tuple[dict[int, list[Call]], dict[int, list[Link]]]:
    """Calls and links by the index of their document."""
    calls: dict[int, list[Call]] = {}
    c = columns.calls
    for owner, *call in zip(
        c.owners, c.ids, c.starts, c.ends, c.states, c.nodes, c.services, c.hosts, c.statuses,
        c.traced, c.exceptions, c.weights, c.operations, strict=True,
    ):  # fmt: skip
        calls.setdefault(owner, []).append(Call(*call))
    links: dict[int, list[Link]] = {}
    for owner, link in columns.links:
        links.setdefault(owner, []).append(link)
    return calls, links

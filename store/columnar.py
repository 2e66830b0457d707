"""Documents as a struct of columns, so that rows are built without an object for each document.

One list for each property of `store.model.Document` and `Call`, with the same units.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from store.model import Call, Document, Link, NodeKey, State


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
    independent: Sequence[bool]
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
    calls: CallColumns
    links: Sequence[tuple[int, Link]]
    """Each with the index of its document."""

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
        calls=_calls(documents),
        links=[(place, link) for place, d in enumerate(documents) for link in d.links],
    )


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
    )

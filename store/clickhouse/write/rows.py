"""Documents → ClickHouse columns, each built by one pass in C over the batch, never row by row."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from operator import gt, sub, xor
from typing import Any, TypeVar

from store.clickhouse.connection.native_format import Columns
from store.clickhouse.write.encoded_columns import ArrayColumn, numbered
from store.column_types import Coded, PackedTexts, all_true, codes_of
from store.columnar import DocumentColumns
from store.model import ARRIVAL, COMPLETE, Independent, NodeKey, State
from store.times import SECOND

T = TypeVar("T")

SEGMENT_COLUMNS = (
    "trace_id, id, parent_id, start, duration, last_duration, independent, kind, fetched, inferred, sampled, state, "
    "account, name, type, region, service, method, url, status, client_ip, user_agent, user, "
    "resource_arn, instance_id, availability_zone, service_version, environment, exception, annotations, "
    "before_account, before_name, before_type, before_region, members, weight, received, ver, body, resource, scope, head, attributes, tail, nanos, operation"
)
CALL_COLUMNS = (
    "trace_id, id, document_xor, independent, start, duration, state, owner_account, owner_name, "
    "owner_type, owner_region, account, name, type, region, service, host, status, traced, exception, "
    "weight, received, ver, operation"
)
LINK_COLUMNS = (
    "trace_id, document_id, independent, other_trace, other_id, upstream, event_received, start, "
    "duration, state, account, name, type, region, status, exception, weight, received, ver"
)
_NO_NODE = NodeKey("", "", "")
_OF_PARENT = int(Independent.OF_PARENT)


def segment_columns(documents: DocumentColumns) -> Columns:
    """The columns of `segments`, as SEGMENT_COLUMNS names them."""
    return Columns(
        (
            documents.trace_ids,
            documents.ids,
            documents.parent_ids,
            documents.starts,
            list(map(sub, documents.ends, documents.starts)),
            _last_durations(documents),
            documents.independent,
            documents.kinds,
            documents.fetched,
            documents.inferred,
            documents.sampled,
            documents.states,
            *_nodes(documents.nodes),
            documents.services,
            documents.methods,
            documents.urls,
            documents.statuses,
            documents.client_ips,
            documents.user_agents,
            documents.users,
            documents.resource_arns,
            documents.instance_ids,
            documents.zones,
            documents.service_versions,
            documents.environments,
            documents.exceptions,
            ArrayColumn(documents.annotation_counts, documents.annotations),
            *_nodes(documents.befores),
            ArrayColumn(documents.member_counts, documents.members),
            documents.weights,
            *_versions(documents.versions, documents.states),
            *_bodies(documents),
            documents.operations,
        )
    )


def _last_durations(documents: DocumentColumns) -> list[int]:
    """Microseconds until the last work inside ended; 0 where none ended after the response."""
    if documents.last_ends is documents.ends or not any(
        map(gt, documents.last_ends, documents.ends)
    ):
        return [0] * len(documents)
    return [
        last - start if last > end else 0
        for start, end, last in zip(
            documents.starts, documents.ends, documents.last_ends, strict=True
        )
    ]


def call_columns(documents: DocumentColumns) -> Columns:
    """The columns of `calls`, as CALL_COLUMNS names them: a row for each call of each document."""
    calls, owners = documents.calls, documents.calls.owners
    return Columns(
        (
            _pick(documents.trace_ids, owners),
            calls.ids,
            list(map(xor, calls.ids, map(documents.ids.__getitem__, owners))),
            _pick(documents.independent, owners),
            calls.starts,
            list(map(sub, calls.ends, calls.starts)),
            calls.states,
            *_nodes(_pick(_owning_nodes(documents), owners)),
            *_nodes(calls.nodes),
            calls.services,
            calls.hosts,
            calls.statuses,
            calls.traced,
            calls.exceptions,
            calls.weights,
            *_versions(_pick(documents.versions, owners), calls.states),
            calls.operations,
        )
    )


def _owning_nodes(documents: DocumentColumns) -> Sequence[NodeKey]:
    """The nodes whose work is known; none for the others."""
    nodes, independent = documents.nodes, documents.independent
    if (
        isinstance(nodes, Coded)
        and isinstance(independent, Coded)
        and nodes.codes is independent.codes
    ):
        pairs = zip(independent.values, nodes.values, strict=True)
        return Coded(
            [_NO_NODE if kind == _OF_PARENT else node for kind, node in pairs], nodes.codes
        )
    if not any(independent):
        return nodes
    pairs = zip(independent, nodes, strict=True)
    return [_NO_NODE if kind == _OF_PARENT else node for kind, node in pairs]


def link_columns(documents: DocumentColumns) -> Columns:
    """The columns of `links`, as LINK_COLUMNS names them: a row for each link of each document."""
    if not documents.links:
        return Columns([] for _ in LINK_COLUMNS.split(","))
    owners = [owner for owner, _ in documents.links]
    links = [link for _, link in documents.links]
    states = _pick(documents.states, owners)
    starts = _pick(documents.starts, owners)
    return Columns(
        (
            _pick(documents.trace_ids, owners),
            _pick(documents.ids, owners),
            _pick(documents.independent, owners),
            [link.trace_id for link in links],
            [link.id for link in links],
            [link.upstream for link in links],
            [link.received for link in links],
            starts,
            list(map(sub, _pick(documents.ends, owners), starts)),
            states,
            *_nodes(_pick(documents.nodes, owners)),
            _pick(documents.statuses, owners),
            _pick(documents.exceptions, owners),
            [link.weight for link in links],
            *_versions(_pick(documents.versions, owners), states),
        )
    )


def _bodies(documents: DocumentColumns) -> list[Any]:
    """The documents as they were received, in parts if the decoder has them; nothing of those that are
    not sampled."""
    rows, parts = len(documents), documents.parts
    sampled = all_true(documents.sampled)
    if parts is not None and sampled:
        attributes = ArrayColumn(parts.attribute_counts, parts.attributes)
        shared = [parts.marked, parts.scopes, parts.heads]
        return [parts.rests, *shared, attributes, parts.tails, parts.nanos]
    raws = documents.raws
    if not sampled:
        raws = [raw if one else b"" for raw, one in zip(raws, documents.sampled, strict=True)]
    no_text, none = Coded([b""], bytes(rows)), Coded([0], bytes(rows))
    no_attributes = ArrayColumn([0] * rows, PackedTexts([]))
    return [raws, no_text, no_text, no_text, no_attributes, [b""] * rows, none]


def _pick(column: Sequence[T], indexes: Sequence[int]) -> Sequence[T]:
    if isinstance(column, Coded):
        codes = map(column.codes.__getitem__, indexes)
        return Coded(column.values, codes_of(codes, len(column.values)))
    return list(map(column.__getitem__, indexes))


def _nodes(nodes: Sequence[NodeKey]) -> list[Coded[str]]:
    """Accounts, names, types and regions. The decoder reuses one object per node, and comparing
    identities finds duplicates three times as fast as comparing strings."""
    if isinstance(nodes, Coded):
        return _node_fields(nodes.values, nodes.codes)
    ids = list(map(id, nodes))
    distinct = dict(zip(ids, nodes, strict=True))
    codes = numbered({key: code for code, key in enumerate(distinct)}, ids)
    return _node_fields(list(distinct.values()), codes)


def _node_fields(nodes: Sequence[NodeKey], codes: bytes | array[int]) -> list[Coded[str]]:
    fields: Iterable[Sequence[str]] = ((),) * len(NodeKey._fields)
    if nodes:
        fields = zip(*nodes, strict=True)
    return [Coded(list(values), codes) for values in fields]


def _versions(
    versions: Sequence[int], states: Sequence[State]
) -> tuple[Sequence[int], Sequence[int]]:
    """`received` in seconds, and `ver`: `store.model.precedence` of each, written out."""
    complete = all_true(states)
    if isinstance(versions, Coded) and complete:
        return (
            Coded([(version & ARRIVAL) // SECOND for version in versions.values], versions.codes),
            Coded([version + COMPLETE for version in versions.values], versions.codes),
        )
    received = [(version & ARRIVAL) // SECOND for version in versions]
    if complete:
        return received, [version + COMPLETE for version in versions]
    ranks = [
        version + COMPLETE if state else version
        for version, state in zip(versions, states, strict=True)
    ]
    return received, ranks


TYPES = {
    "trace_id": "FixedString(16)",
    "id": "UInt64",
    "parent_id": "UInt64",
    "document_id": "UInt64",
    "document_xor": "UInt64",
    "other_trace": "FixedString(16)",
    "other_id": "UInt64",
    "start": "Int64",
    "duration": "Int64",
    "last_duration": "Int64",
    "event_received": "Int64",
    "independent": "UInt8",
    "kind": "UInt8",
    "fetched": "UInt8",
    "inferred": "UInt8",
    "sampled": "UInt8",
    "upstream": "UInt8",
    "traced": "UInt8",
    "state": "UInt8",
    "status": "UInt16",
    "weight": "UInt32",
    "url": "String",
    "client_ip": "String",
    "user_agent": "String",
    "user": "String",
    "body": "String",
    "resource": "LowCardinality(String)",
    "scope": "LowCardinality(String)",
    "head": "LowCardinality(String)",
    "attributes": "Array(String)",
    "tail": "String",
    "nanos": "UInt32",
    "annotations": "Array(String)",
    "members": "Array(UInt64)",
    "received": "DateTime('UTC')",
    "ver": "UInt64",
}
"""ClickHouse types by column name, as in the schema, but for the dictionaries of arrays
(`store.clickhouse.connection.native_format.sent_type`)."""
DICTIONARY_COLUMNS = (
    "account, name, type, region, service, method, resource_arn, instance_id, availability_zone, "
    "service_version, environment, exception, owner_account, owner_name, owner_type, owner_region, host, "
    "before_account, before_name, before_type, before_region, operation"
)
TYPES |= dict.fromkeys(DICTIONARY_COLUMNS.split(", "), "LowCardinality(String)")


class Table:
    """A table, and the function that builds its columns from documents."""

    def __init__(self, name: str, names: str, build: Callable[[DocumentColumns], Columns]):
        self.name = name
        self.names = names
        self.types = [TYPES[column] for column in names.split(", ")]
        self.build = build


TABLES = (
    Table("calls", CALL_COLUMNS, call_columns),
    Table("links", LINK_COLUMNS, link_columns),
    Table("segments", SEGMENT_COLUMNS, segment_columns),
)
"""In insertion order. `segments` is last: a reader that sees a segment also finds its calls, and the
map counts a call only once its document is there
(`store.clickhouse.graph.service_graph`)."""

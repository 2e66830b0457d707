"""Walked spans → documents, for requests of few spans: columns cost more than they save there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from collector.decode.otlp.attribute_table import Attribute
from collector.decode.otlp.cases import SPAN_NAME, Case, joined_url
from collector.decode.otlp.groups import SpanGroup
from collector.decode.otlp.parts import parts_of
from collector.decode.otlp.walk import Walked
from store.column_types import SpanBody, SpanParts
from store.model import NO_HTTP, Call, Document, Http
from store.otel.adjusted_count import adjusted_count
from store.otel.derived_ids import derived_id
from store.otel.stored_span import mark, write_span
from store.rules.operations import operation_of_span


def documents_of_walked(walked: Walked, version: int, sampled: bool) -> list[Document]:
    """The documents of spans none of which is rejected."""
    documents = [
        _document(walked, row, found, version, sampled) if isinstance(found, Case) else found
        for row, found in enumerate(walked.found)
        if isinstance(found, Case | Document)
    ]
    _put_parts(walked, documents)
    return documents


def _put_parts(walked: Walked, documents: Sequence[Document]) -> None:
    """Tell the bodies of documents their parts, as far as they take these."""
    alone = {row: b"" for row, each in enumerate(documents) if not isinstance(each.raw, SpanBody)}
    own_ids = [not (isinstance(found, Case) and found.entry) for found in walked.found]
    heads, rests, counts, attributes, tails, nanos = parts_of(
        walked, own_ids, [each.end for each in documents], alone
    )
    first = 0
    for row, document in enumerate(documents):
        last = first + counts[row]
        if isinstance(document.raw, SpanBody):
            group = walked.groups[row]
            document.raw.parts = SpanParts(
                mark(group.shared, sampled=document.sampled),
                group.scope,
                heads[row],
                rests[row],
                attributes.parts[first:last],
                tails[row],
                nanos[row],
            )
        first = last


def _document(walked: Walked, row: int, case: Case, version: int, sampled: bool) -> Document:
    like, group, first = case.document, walked.groups[row], walked.firsts[row]
    resource, attributes = group.known.resource, walked.attributes
    trace_id, span_id = walked.trace_ids[row], walked.ids[row]
    start = walked.starts[row] // 1000
    end = start if case.in_progress else max(start, walked.ends[row] // 1000)
    state = walked.states[row]
    weight = adjusted_count(state, trace_id) if state else 1
    number = int.from_bytes(span_id, "big")
    sampled = sampled and case.chosen
    name = operation_of_span(walked.heads[row].name)
    return Document(
        trace_id,
        int.from_bytes(derived_id(trace_id, span_id), "big") if case.entry else number,
        int.from_bytes(walked.parent_ids[row], "big"),
        like.independent,
        False,
        start,
        end,
        end,
        like.state,
        like.node,
        like.service,
        like.http if like.http is NO_HTTP else _http(case, attributes, first),
        "" if case.user is None else attributes[first + case.user].text,
        resource.arn if like.resource_arn else "",
        resource.instance_id if like.instance_id else "",
        resource.availability_zone if like.availability_zone else "",
        like.exception,
        tuple([attributes[first + place].item for place in case.items]),
        (),
        tuple([_call(c, number, start, end, weight, name) for c in like.calls]),
        _stored(walked.raws[row], group, sampled),
        version,
        sampled,
        (),
        weight,
        resource.version if like.service_version else "",
        resource.environment if like.environment else "",
        like.kind,
        like.before,
        like.fetched,
        name if like.operation is SPAN_NAME else like.operation,
    )


def _call(like: Call, id: int, start: int, end: int, weight: int, name: str) -> Call:
    operation = name if like.operation is SPAN_NAME else like.operation
    return replace(like, id=id, start=start, end=end, weight=weight, operation=operation)


def _http(case: Case, attributes: Sequence[Attribute], first: int) -> Http:
    client, agent = case.client, case.agent
    return Http(
        case.document.http.method,
        _url(case, attributes, first),
        case.document.http.status,
        "" if client is None else attributes[first + client].text,
        "" if agent is None else attributes[first + agent].text,
    )


def _url(case: Case, attributes: Sequence[Attribute], first: int) -> str:
    if case.origin is None:
        return "" if case.url is None else attributes[first + case.url].text
    return joined_url(case, *[attributes[first + place].text for _, place in case.targets])


def _stored(raw: Any, group: SpanGroup, sampled: bool) -> bytes:
    return SpanBody(write_span(group.shared, group.scope, raw, sampled=sampled))

"""What an invocation's event came from, where AWS's own segment of the invocation does not say it. Pure.

Lambda writes a link for each header that the messages have, and nothing of what else an event came from: a stream, a
table, a bucket, a message without a header, further ones of the same sender. The layer saw the event
(`store.rules.event_sources`), but the segments derived from its records are replaced by AWS's. So the service's segment
is stored again, with that.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from store.model import Trace, is_relayed
from store.otel.stored_document import Json, member, parse_document
from store.rules.invocation_documents import links_of
from store.rules.invocations import Evidence, Invocation
from store.rules.links import MESSAGES


class Completed(NamedTuple):
    """A segment with what it lacked, and whether it was relayed to us (`store.model.relayed_version`)."""

    document: Json
    relayed: bool


def with_source(trace: Trace, invocation: Invocation, evidence: Evidence) -> Completed | None:
    """The segment of the service that AWS reported, with the source of its invocation's event, and of each link for how
    many messages it is; None if there is none, or it has that."""
    own = trace.documents.get(evidence.service)
    if not invocation.event_source or own is None or own.in_progress:
        return None
    segment = parse_document(own)
    block = member(segment, "aws")
    if "event_source_arn" in block:
        return None
    links = _merged(segment.get("links"), links_of(invocation))
    found = segment | {"aws": block | {"event_source_arn": evidence.bus or invocation.event_source}}
    return Completed(found | ({"links": links} if links else {}), is_relayed(own.version))


def _merged(own: Any, seen: list[Json]) -> list[Json]:
    """The links of AWS, with the number of messages that the event had of their senders; and those of other messages."""
    given = [link for link in own if isinstance(link, dict)] if isinstance(own, list) else []
    by_sender = {_sender(link): link for link in seen}
    merged = []
    for link in given:
        known = by_sender.pop(_sender(link), None)
        attributes = link.get("attributes")
        count = known["attributes"].get(MESSAGES) if known else None
        if count and isinstance(attributes, dict):
            link = link | {"attributes": attributes | {MESSAGES: count}}
        merged.append(link)
    return merged + list(by_sender.values())


def _sender(link: Json) -> tuple[str, str]:
    return str(link.get("trace_id", "")), str(link.get("id", "")).lower()

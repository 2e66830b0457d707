"""BatchGetTraces and GetTraceSummaries."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from api.context import Context
from api.errors import ApiError
from api.request import JsonBody
from api.xray.groups import filter_of
from api.xray.trace_summary import render_summary
from store.errors import InvalidCursor
from store.model import Trace
from store.parents import ParentIndex
from store.query import Axis, Page, TraceHit, TraceQuery
from store.root_causes import root_causes
from store.summary import summarize, trace_duration
from store.trace_documents import processed_documents
from store.trace_id import format_trace_id, parse_trace_id

PAGE_SEGMENTS = 10_000
PAGE_BYTES = 8 << 20
"""Bytes of documents after which no further segment is added to a page."""

Json = dict[str, Any]


class Position(NamedTuple):
    """The last segment of a page. Order is stable while documents are added, so the next page starts
    behind it."""

    trace_id: bytes
    segment: str


def encode_position(position: Position) -> str:
    """The NextToken for a position."""
    return base64.urlsafe_b64encode(position.trace_id + position.segment.encode()).decode()


def decode_position(token: str) -> Position | None:
    """The position in a NextToken, None for an empty one. Raises InvalidCursor."""
    if not token:
        return None
    try:
        given = base64.b64decode(token, altchars=b"-_", validate=True)
        position = Position(given[:16], given[16:].decode())
    except ValueError:
        position = Position(b"", "")
    if len(position.trace_id) != 16 or not position.segment:
        raise InvalidCursor("this NextToken was not given by this server")
    return position


def page_of(traces: Iterable[Trace], after: Position | None) -> tuple[list[Json], Position | None]:
    """Traces with their segments behind a position, and the end of the page; None on the last page.

    A trace that continues on the next page is in both, each time with other segments.
    """
    page: list[Json] = []
    count = size = 0
    last: Position | None = None
    for trace in traces:
        continued: list[Json] | None = None
        for document in _behind(after, trace):
            if count >= PAGE_SEGMENTS or size >= PAGE_BYTES:
                return page, last
            if continued is None:
                page.append(_trace(trace, continued := []))
            text = msgspec.json.encode(document).decode()
            continued.append({"Id": document["id"], "Document": text})
            last = Position(trace.trace_id, document["id"])
            count, size = count + 1, size + len(text)
    return page, None


def _trace(trace: Trace, segments: list[Json]) -> Json:
    return {
        "Id": format_trace_id(trace.trace_id),
        "Duration": round(trace_duration(trace) / 1_000_000, 3),
        "LimitExceeded": False,
        "Segments": segments,
    }


def _behind(after: Position | None, trace: Trace) -> list[Json]:
    documents = processed_documents(trace)
    if after is None or after.trace_id != trace.trace_id:
        return documents
    for number, document in enumerate(documents, 1):
        if document["id"] == after.segment:
            return documents[number:]
    raise InvalidCursor("the trace has changed since this NextToken was given: start again")


MAX_IDS = 5
"""Ids in a BatchGetTraces request (docs/xray-format.md §4.1)."""
PAGE = 100
"""Summaries in a page."""
COUNT_SECONDS = 0.5
"""After which the traces of a page are not counted."""


def known_ids(texts: Iterable[str]) -> dict[str, bytes]:
    """Valid trace ids by their original text; invalid ones are omitted."""
    ids: dict[str, bytes] = {}
    for text in texts:
        try:
            ids[text] = parse_trace_id(text)
        except ValueError:
            continue
    return ids


def batch_get_traces(context: Context, body: JsonBody) -> dict[str, Any]:
    """Traces in pages; unknown ids are returned as unprocessed, on the first page."""
    texts = list(dict.fromkeys(body.texts("TraceIds")))
    if len(texts) > MAX_IDS:
        raise ApiError(f"TraceIds may have {MAX_IDS} elements, got {len(texts)}")
    ids = known_ids(texts)
    wanted = list(dict.fromkeys(ids.values()))
    after = decode_position(body.text("NextToken"))
    if after is not None:
        if after.trace_id not in wanted:
            raise ApiError("NextToken belongs to a request with other TraceIds")
        return _page(_in_turn(context, wanted[wanted.index(after.trace_id) :]), after, [])
    found = context.store.get_traces(wanted, raw=True)
    unknown = [text for text in texts if ids.get(text) not in found]
    return _page((found[id] for id in wanted if id in found), None, unknown)


def _in_turn(context: Context, trace_ids: Sequence[bytes]) -> Iterator[Trace]:
    """Traces, each read when the page has room for it."""
    for trace_id in trace_ids:
        yield from context.store.get_traces([trace_id], raw=True).values()


def _page(traces: Iterable[Trace], after: Position | None, unknown: list[str]) -> dict[str, Any]:
    page, last = page_of(traces, after)
    reply = {"Traces": page, "UnprocessedTraceIds": unknown}
    return reply if last is None else {**reply, "NextToken": encode_position(last)}


def get_trace_summaries(context: Context, body: JsonBody) -> dict[str, Any]:
    """Summaries, newest first. ApproximateTime is the time of the oldest one in the page."""
    window = body.window()
    axis = Axis(body.choice("TimeRangeType", tuple(axis.value for axis in Axis)))
    share = _share(body)
    query = TraceQuery(window, axis, filter=filter_of(context, body.text("FilterExpression")))
    cursor = body.text("NextToken") or None
    # Root causes are read from the documents.
    page = context.store.find_traces(query, limit=PAGE, cursor=cursor, raw=True)
    found = [each for each in page.found if sampled(each.trace_id, share)]
    reach = page.found[-1].time if page.cursor and page.found else window.start
    summaries, processed = context.both(
        lambda: _summaries(context, found, axis, {} if page.linked else page.traces),
        lambda: _processed(context, query, cursor, page),
    )
    answer: dict[str, Any] = {
        "TraceSummaries": summaries,
        "ApproximateTime": reach / 1_000_000,
        "TracesProcessedCount": processed,
    }
    if page.cursor:
        answer["NextToken"] = page.cursor
    return answer


def _processed(context: Context, query: TraceQuery, cursor: str | None, page: Page) -> int:
    """How many traces a page decided about, matching or not; those examined, if counting takes too long."""
    if query.filter is None:
        return page.scanned
    every = TraceQuery(query.window, query.axis)
    found = context.store.count_traces(
        every, cursor=cursor, until=page.cursor, max_seconds=COUNT_SECONDS
    )
    return page.scanned if found is None else max(page.scanned, found)


def _summaries(
    context: Context, found: list[TraceHit], axis: Axis, known: Mapping[bytes, Trace]
) -> list[dict[str, Any]]:
    rest = [each.trace_id for each in found if each.trace_id not in known]
    traces = {**known, **(context.store.get_traces(rest, raw=True) if rest else {})}
    summaries = []
    for each in found:
        # A trace may have expired between the two queries.
        if each.trace_id in traces:
            matched = each.time if axis is Axis.EVENT else None
            trace = traces[each.trace_id]
            parents = ParentIndex(trace)
            summary, causes = summarize(trace, parents), root_causes(trace, parents)
            summaries.append(render_summary(summary, causes, matched))
    return summaries


def _share(body: JsonBody) -> float:
    """The sampling fraction: 1 unless a FixedRate is requested.

    PartialScan permits a server to skip traces; this one never does.
    """
    strategy = body.inner("SamplingStrategy")
    if strategy is None:
        return 1.0
    name = strategy.choice("Name", ("PartialScan", "FixedRate"))
    value = strategy.number("Value")
    if value is not None and not 0 <= value <= 1:
        raise ApiError(f"SamplingStrategy.Value must lie between 0 and 1, got {value}")
    if name == "PartialScan" or value is None or not body.flag("Sampling"):
        return 1.0
    return value


def sampled(trace_id: bytes, share: float) -> bool:
    """Whether a trace is in a sample of this fraction; deterministic by trace id."""
    if share >= 1:
        return True
    digest = hashlib.blake2b(trace_id, digest_size=8).digest()
    return int.from_bytes(digest, "big") < share * 2**64

"""Verifies the decoding: decodes the stored documents of a window a second time, and compares the map with that.

`store.clickhouse.graph.verify` compares rollups with rows, and so cannot notice what is wrong in the rows themselves.
Here the rows say only which documents there are, when each arrived, and what has no bytes any more. Units are drawn by
the pure reference. A minute is worked off in batches of traces, so that few documents are in memory at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.graph.service_graph import read_rolled
from store.clickhouse.graph.verify import Difference, differ
from store.clickhouse.pins import NOT_PINNED_COPY
from store.clickhouse.queries import Sql
from store.clickhouse.search.decode import ALL_MEMBERS, decode_document
from store.clickhouse.search.get_traces import located
from store.clickhouse.units.aggregates import Aggregate, Key, collect
from store.clickhouse.units.base_buckets import in_minutes
from store.clickhouse.units.unit_sums import Counted, CutUnit, cut_unit
from store.clickhouse.units.whole_traces import read_whole
from store.facts import FindTrace, LinkedIds, links_among
from store.model import Document, TimeRange, Trace
from store.rules.other_names import OTHER_NAMES
from store.second_decoder.traces import Sources, decode_again, decoded_trace
from store.times import MINUTE
from store.trace_id import format_trace_id
from store.units import all_units

TRACES = 200
"""Traces in memory at a time."""
DOCUMENTS = 500
"""Documents read at a time, each of a megabyte at most."""


class DecodedMinute(NamedTuple):
    """The comparison of one minute. ``left_out``: why it was not compared, else ''."""

    window: TimeRange
    sources: Sources
    figures: int
    differences: list[Difference]
    left_out: str = ""


def verify_decoding(run: RunQuery, window: TimeRange) -> Iterator[DecodedMinute]:
    """Compare whole minutes of a window, one at a time.

    What arrives in the meantime shows as a difference: verify a window that is complete.
    """
    first, last = window.start // MINUTE, (window.end - 1) // MINUTE
    rows = run(queries.VERIFY_MINUTES.render(first=first, last=last))
    for minute, counted, present in rows:
        if counted and not present:
            yield DecodedMinute(_range(minute), Sources(), 0, [], "its rows have expired")
        else:
            yield _minute(run, minute)


def _range(minute: int) -> TimeRange:
    return TimeRange(minute * MINUTE, (minute + 1) * MINUTE)


def _minute(run: RunQuery, minute: int) -> DecodedMinute:
    window = _range(minute)
    rolled_up: dict[Key, Aggregate] = {}
    collect(read_rolled(run, f"(width = 1 AND bucket = {minute})"), rolled_up)
    if any(OTHER_NAMES in (source.name, target.name) for _, source, target in rolled_up):
        return DecodedMinute(window, Sources(), 0, [], "names in excess are counted as one")
    here = in_minutes([minute])
    sources, counted, examples = Sources(), Counted(), dict[Key, bytes]()
    for ids in _batches(run, here):
        batch = _read(run, ids, here)
        sources += batch.sources
        for id, trace in batch.rows.items():
            by_rows = _units(trace, batch.known_rows, batch.hashes[id], window)
            by_bytes = _units(batch.decoded[id], batch.known, batch.hashes[id], window)
            for unit in by_bytes:
                counted.add(*unit)
            for key in _differing(by_rows, by_bytes):
                examples.setdefault(key, id)
    drawn = counted.finish()
    for aggregates in (rolled_up, drawn):
        for (_, _, target), aggregate in aggregates.items():
            aggregate.names -= {target.name}  # the node's own, which a graph adds
    found = differ(window, rolled_up, drawn).items()
    named = [_with_example(each, key, examples) for key, each in found]
    return DecodedMinute(window, sources, len(rolled_up.keys() | drawn.keys()), named)


def _with_example(found: Difference, key: Key, examples: dict[Key, bytes]) -> Difference:
    example = examples.get(key)
    return found if example is None else found._replace(trace=format_trace_id(example))


def _batches(run: RunQuery, here: str) -> Iterator[list[bytes]]:
    """The traces with anything that starts here, some at a time."""
    traces = queries.TRACES_IN_PIECES.render(
        {"rows": Sql(here), "not_pinned_copy": Sql(NOT_PINNED_COPY)}
    )
    found = run(Sql(f"SELECT DISTINCT hex(trace_id) FROM ({traces.text})", traces.parameters))
    ids = sorted(bytes.fromhex(digits) for (digits,) in found)
    for at in range(0, len(ids), TRACES):
        yield ids[at : at + TRACES]


class _Batch(NamedTuple):
    """Traces by their rows and by their bytes, with what is known of others for each of the two."""

    rows: dict[bytes, Trace]
    decoded: dict[bytes, Trace]
    known_rows: _Known
    known: _Known
    hashes: dict[bytes, int]
    sources: Sources


class _Known(NamedTuple):
    find: FindTrace
    linked_ids: LinkedIds


def _read(run: RunQuery, ids: Sequence[bytes], here: str) -> _Batch:
    """Some traces. What is at the other ends of their links is as its rows say: it is decoded where it starts."""
    listed = Sql("SELECT arrayJoin({ids:Array(FixedString(16))})", {"ids": list(ids)})
    whole = read_whole(run, listed, here)
    again = dict[bytes, dict[int, Document | None]]()
    for document in _documents(run, whole.traces):
        # A copy that began in another bucket stays beside the one that counts.
        if document.version == whole.traces[document.trace_id].documents[document.id].version:
            again.setdefault(document.trace_id, {})[document.id] = decode_again(document)
    sources = Sources()
    decoded = {}
    for id, trace in whole.traces.items():
        decoded[id], more = decoded_trace(trace, again.get(id, {}))
        sources += more
    known = {**whole.known, **decoded}
    return _Batch(
        whole.traces,
        decoded,
        _Known(whole.known.get, whole.linked_ids),
        _Known(known.get, links_among(known.values())),
        whole.hashes,
        sources,
    )


def _documents(run: RunQuery, traces: dict[bytes, Trace]) -> Iterator[Document]:
    """The documents of some traces that have their bytes, some at a time."""
    wanted = [(id, each) for id, trace in traces.items() for each in trace.documents]
    for at in range(0, len(wanted), DOCUMENTS):
        part = wanted[at : at + DOCUMENTS]
        place = located(sorted({id for id, _ in part}))
        condition = f"{place.text} AND {NOT_PINNED_COPY} AND id IN {{wanted:Array(UInt64)}}"
        places = Sql(condition, {**place.parameters, "wanted": sorted({id for _, id in part})})
        chosen = set(part)
        body = queries.BODY.render()
        for row in run(
            queries.SEGMENTS.render({"places": places, "body": body, "texts": ALL_MEMBERS})
        ):
            document = decode_document(row)
            if document.raw and (document.trace_id, document.id) in chosen:
                yield document


def _units(trace: Trace, known: _Known, hash: int, window: TimeRange) -> list[CutUnit]:
    units = all_units(trace, known.find, known.linked_ids)
    return [cut_unit(unit, hash) for unit in units if unit.start in window]


def _differing(one: list[CutUnit], other: list[CutUnit]) -> set[Key]:
    """The nodes and edges of which two readings of one trace have different units."""
    left, right = (Counter((key, repr(unit)) for key, unit, _ in units) for units in (one, other))
    return {key for key, _ in (left - right) + (right - left)}

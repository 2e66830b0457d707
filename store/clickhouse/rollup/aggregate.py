"""Aggregates the rows of buckets into `bucket_rollups`, and adds up their minutes in `rollups`.

A bucket is recomputed from its rows when its rows, or the rows elsewhere that its units depend on, are
not those of its last version; a result is never incremented. Any number of processes may aggregate the
same bucket at the same time: the newest version wins (`store.clickhouse.rollup.buckets`). The order of
the steps matters, since another process may act, or this one end, between any two of them:

1. the revision is taken first, then the fingerprints are read, then the rows: what arrives in between
   is counted again, not overlooked. Where rows elsewhere are read before their fingerprint, since they say what
   that is of, what was inserted meanwhile is no part of it;
2. references to rows elsewhere are recorded, then the buckets that depend on rows here are marked, then
   the versions are written: a version says that all of this is done;
3. what was seen is noted last (`looked`). Each bucket is compared once more when inserts and counts that
   were running by now have ended.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.pins import NOT_PINNED_COPY
from store.clickhouse.queries import Sql
from store.clickhouse.rollup import compaction, dirty, few_rows, large_traces
from store.clickhouse.rollup.bucket_state import (
    Minute,
    Version,
    bucket_versions,
    current_rows,
    read_minutes,
)
from store.clickhouse.rollup.buckets import (
    WIDTHS,
    AddedUp,
    FarRows,
    Fingerprint,
    added_up,
    combine,
    now,
    numbers_list,
    revision,
    values_list,
)
from store.clickhouse.rollup.crossing import crossing
from store.clickhouse.rollup.dirty import DirtyBucket
from store.clickhouse.rollup.large_traces import LargeTraces
from store.clickhouse.search.scan_ranges import bucket_of
from store.clickhouse.units import dependencies, facts
from store.clickhouse.units.aggregates import ALL_UNITS
from store.clickhouse.units.base_buckets import (
    BUCKET_OF,
    buckets_of,
    in_minutes,
    minutes_of,
    numbers_in,
    rows_in_buckets,
)
from store.clickhouse.units.whole_traces import NO_TRACES
from store.rules import other_names
from store.times import PER_MINUTE


def recount(run: RunQuery, due: Sequence[DirtyBucket], *, complete: bool = True) -> None:
    """Aggregate the buckets that are out of date, and the minutes that they belong to.

    Minutes whose rows have begun to expire are final. ``complete``: whether the server in use has all rows; what is
    counted without them is out of date as soon as it has.
    """
    instant = now(run)
    numbers = {each.bucket for each in due}
    minutes = [minute for minute in read_minutes(run, numbers) if not minute.has_expired]
    changed = {
        bucket for minute in minutes for bucket in minute.changed(numbers, complete=complete)
    }
    compare = {each.bucket for each in due if each.far}
    for minute in minutes:
        changed.update(_without_version(minute, compare - changed))
    minutes, folded = _with_excess_names(run, minutes, changed, compare)
    versions = {bucket for minute in minutes for bucket in minute.versions}
    unsure = (compare & versions) - changed
    if changed or unsure:
        _recount(run, minutes, changed, unsure, folded, instant, complete=complete)
    _add_up(run, minutes)
    dirty.note_looked(run, due)


def _without_version(minute: Minute, compare: Collection[int]) -> Collection[int]:
    """The buckets to count when rows elsewhere have changed and the versions of a minute have expired."""
    if minute.versions or minute.rows.keys().isdisjoint(compare):
        return ()
    return [bucket for bucket, rows in minute.rows.items() if rows.fingerprint.rows]


def _with_excess_names(
    run: RunQuery, minutes: list[Minute], changed: set[int], compare: Collection[int]
) -> tuple[list[Minute], set[int]]:
    """The minutes among these with names of nodes in excess (`store.rules.other_names`).

    Which names are in excess depends on all rows of a minute: such a minute is counted as a whole when
    something in it has changed, or when it no longer has too many. Its buckets are added to ``changed``.
    """
    found, folded = [], set()
    for minute in minutes:
        was = any(version.excess for version in minute.versions.values())
        due = [b for b in buckets_of(minute.number) if b in changed or b in compare]
        if due and (was or minute.named > other_names.MOST_NAMES):
            condition = in_minutes([minute.number])
            is_excess = bool(run(dependencies.many_names_statement(condition)))
            if was or is_excess:
                minute = minute._replace(rows=current_rows(run, buckets_of(minute.number)))
                if was != is_excess or not changed.isdisjoint(minute.rows):
                    changed.update(minute.rows)
            if is_excess:
                folded.add(minute.number)
        found.append(minute)
    return found, folded


def _recount(
    run: RunQuery,
    minutes: list[Minute],
    changed: set[int],
    unsure: set[int],
    folded: set[int],
    instant: int,
    *,
    complete: bool,
) -> None:
    """Aggregate ``changed`` buckets, and those of ``unsure`` whose rows elsewhere are not those of their version."""
    due = changed | unsure
    rows = {bucket: rows for minute in minutes for bucket, rows in minute.rows.items()}
    is_few = not folded and sum(rows[b].fingerprint.rows for b in due) <= few_rows.MOST
    few = few_rows.read(run, due) if is_few else None
    is_alone = few is None and not dependencies.resolve_dependencies(run, rows_in_buckets(due))
    large = None if few or is_alone else large_traces.read(run, due)
    if is_alone:
        far = seen = dict[int, FarRows]()
    else:
        far, seen = (few.far(),) * 2 if few else _far_rows(run, due, large, instant - dirty.GUARD)
    links = crossing(run, due)
    far, seen = links.added_to(far), links.added_to(seen)
    before = {bucket: version for minute in minutes for bucket, version in minute.versions.items()}
    if large:
        large.record()
    stale = set(changed)
    if links.is_whole:  # else they are compared again
        stale |= {b for b in unsure if far.get(b, FarRows()) != before[b].far}
    whole = {b for minute in folded.intersection(minutes_of(stale)) for b in buckets_of(minute)}
    if not whole <= stale:
        _recount(run, minutes, stale | whole, unsure - whole, folded, instant, complete=complete)
        return
    links.record()
    if stale:
        links.mark_elsewhere(stale)
        versions = [
            (
                bucket,
                *rows[bucket].fingerprint.counted(complete=complete),
                *seen.get(bucket, FarRows()),
                rows[bucket].named,
                int(bucket // PER_MINUTE in folded),
            )
            for bucket in sorted(stale)
        ]
        if few:
            few.record_references(stale)
            _mark(run, few.dependents(stale), stale)
            few.write(stale, versions, revision(instant))
        else:
            _count_many(run, stale, folded, versions, instant, large, is_alone=is_alone)
    if not few:
        dependencies.drop_scope(run)


def _count_many(
    run: RunQuery,
    stale: set[int],
    folded: set[int],
    versions: Sequence[tuple[int, ...]],
    instant: int,
    large: LargeTraces | None,
    *,
    is_alone: bool,
) -> None:
    """Aggregate buckets in SQL. ``is_alone``: their units depend on no rows elsewhere."""
    there = rows_in_buckets(stale)
    scope = dependencies.UnitScope(
        there,
        lambda start: bucket_of(start) in stale,
        in_minutes(minutes_of(stale)),
        many_names=any(minute in folded for minute in minutes_of(stale)),
    )
    scope = facts.prepare(run, scope, large.whole if large else NO_TRACES)
    came: dict[int, int] = {}
    if not is_alone:
        _record_references(run, stale)
        fragments = {
            "rows": Sql(there),
            "buckets": numbers_list(stale),
            "by_trace": _by_trace(large),
        }
        came = dict(run(queries.DEPENDENTS.render(fragments)))
        for bucket, last in (large.dependents(stale) if large else {}).items():
            came[bucket] = max(last, came.get(bucket, 0))
    _mark(run, came, stale)
    fragments = {"bucket": Sql(BUCKET_OF), "key": ALL_UNITS}
    run(scope.fill(queries.RECOUNT_BUCKETS, fragments, rev=revision(instant), versions=versions))
    facts.release(run)


def _by_trace(large: LargeTraces | None) -> Sql:
    """A condition on a trace: what depends on its rows is known by the trace."""
    return large.others if large else Sql("1")


def _far_rows(
    run: RunQuery, buckets: Collection[int], large: LargeTraces | None, before: int
) -> tuple[dict[int, FarRows], dict[int, FarRows]]:
    """The rows elsewhere that the units of buckets depend on, after `resolve_dependencies` of those buckets, and those
    among them that it has read, if they were inserted ``before``."""
    fragments = {
        "by_trace": _by_trace(large),
        "buckets": numbers_list(buckets),
        "not_pinned_copy": Sql(NOT_PINNED_COPY),
        "sender_rows": Sql(dependencies.sender_rows(rows_in_buckets(buckets))),
        "shared": dependencies.SHARED,
    }
    rows = run(queries.FAR_ROWS.render(fragments, before=before))
    far = {bucket: FarRows(*figures[:2]) for bucket, *figures in rows}
    seen = {bucket: FarRows(*figures[2:]) for bucket, *figures in rows}
    for bucket, more in (large.far if large else {}).items():
        for found in far, seen:
            found[bucket] = found.get(bucket, FarRows()).with_more(*more)
    return far, seen


def _record_references(run: RunQuery, buckets: Collection[int]) -> None:
    run(
        "INSERT INTO cross_bucket_refs (trace_id, bucket) SELECT trace_id, bucket "
        f"FROM odd_traces WHERE is_open AND bucket IN ({numbers_list(buckets).text})"
    )


def _mark(run: RunQuery, came: Mapping[int, int], buckets: Collection[int]) -> None:
    """Mark the buckets elsewhere that depend on rows of these, with when the newest of those rows came, and these for
    one more comparison."""
    looked: dict[int, int] = {}
    if came:
        looked.update(run(queries.LOOKED.render({"buckets": numbers_list(came)})))
    dirty.mark(
        run,
        {bucket: (last, looked.get(bucket, 0)) for bucket, last in came.items()},
        buckets,
        now(run),
    )


def _add_up(run: RunQuery, minutes: Iterable[Minute]) -> None:
    """Write the minutes that were added up from other revisions of their buckets than the newest."""
    before = {minute.number: minute for minute in minutes}
    if not before:
        return
    instant = now(run)
    found: dict[int, list[Version]] = {}
    for version in bucket_versions(run, before):
        found.setdefault(version.bucket // PER_MINUTE, []).append(version)
    stale: dict[int, list[Version]] = {}
    for number, versions in found.items():
        last = before[number].before
        if last is None or last.added_up != added_up([version.rev for version in versions]):
            stale[number] = versions
    if stale:
        _write_minutes(run, stale, instant)


def _write_minutes(run: RunQuery, minutes: Mapping[int, Sequence[Version]], instant: int) -> None:
    """Write minutes as the sums of buckets at these versions, and make their wide buckets out of date."""
    wides = sorted({(width, number // width * width) for number in minutes for width in WIDTHS})
    known = run(queries.WIDE_ROWS.render({"wides": values_list(wides)}))
    built_from = {(width, first): rows for width, first, rows in known}
    reopened = [(*wide, built_from.get(wide, 0)) for wide in wides]
    versions: list[tuple[int, ...]] = [
        (
            1,
            number,
            *combine(each.fingerprint for each in of_minute),
            *added_up([each.rev for each in of_minute]),
        )
        for number, of_minute in minutes.items()
    ]
    versions += [(*wide, *Fingerprint(rows), *AddedUp()) for *wide, rows in reopened]
    revisions = [(each.bucket, each.rev) for of_minute in minutes.values() for each in of_minute]
    buckets = Sql(numbers_in("bucket", [bucket for bucket, _ in revisions]))
    run(
        queries.ADD_UP_MINUTES.render(
            {"buckets": buckets}, rev=revision(instant), revisions=revisions, versions=versions
        )
    )
    finished = now(run)
    if finished - instant > compaction.QUIET // 4:
        # Another process may have downsampled without these.
        compaction.invalidate_parents(run, reopened, finished)

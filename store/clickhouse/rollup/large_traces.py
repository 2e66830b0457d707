"""Which buckets of large traces depend on which rows elsewhere.

A trace may last for hours and have rows in thousands of buckets. If each depended on all others, as those of a small
trace do, whatever arrives would have all of them counted anew. So what a bucket's units depend on is known by id
(`store.clickhouse.units.deciding`): a row elsewhere marks only the buckets that have looked up such a row, and these
are counted again only if their units of the trace are others then.

Traces with links are not among these: the ends of links are known by trace.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from hashlib import blake2b
from typing import Any

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.queries import Sql
from store.clickhouse.rollup.buckets import FarRows, numbers_list
from store.clickhouse.search.scan_ranges import bucket_of
from store.clickhouse.units import whole_traces
from store.clickhouse.units.base_buckets import rows_in_buckets
from store.units import NodeUnit, Unit

RECORDED = 3
"""In place of a relation: the lookups of the bucket are recorded. The number is stored."""


class LargeTraces:
    """The large traces with rows that decide on some buckets, and what these look up in them."""

    def __init__(self, run: RunQuery, ids: Collection[bytes], due: Collection[int]) -> None:
        self._run = run
        self._ids = sorted(ids)
        self._due = due
        here = rows_in_buckets(due)
        self.whole, self._lookups = whole_traces.read_near(run, self._ids, here)
        """Read once: what is counted is what the fingerprint is of."""
        self.far = _prints(self.whole.units(), due)
        """Of each bucket, in place of the rows elsewhere, its units of these traces."""

    @property
    def others(self) -> Sql:
        """A condition on a trace: it is none of these."""
        return Sql("trace_id NOT IN {large:Array(FixedString(16))}", {"large": self._ids})

    def record(self) -> None:
        """Record what the buckets have looked up."""
        rows = [(trace, RECORDED, bucket, bucket) for trace in self._ids for bucket in self._due]
        for (trace, bucket), lookups in self._lookups.items():
            rows += [(trace, *lookup, bucket) for lookup in lookups.needed]
        statement = "INSERT INTO deciding_ids (trace_id, relation, id, bucket) VALUES"
        self._run(Sql(statement, rows=rows))

    def dependents(self, buckets: Collection[int]) -> dict[int, int]:
        """Buckets elsewhere that depend on rows of these, and when the newest of those was inserted."""
        fragments = {"rows": Sql(rows_in_buckets(buckets)), "buckets": numbers_list(buckets)}
        return dict(self._run(queries.DEPENDENTS_BY_ID.render(fragments, large=self._ids)))


def read(run: RunQuery, due: Collection[int]) -> LargeTraces | None:
    """The large traces among those of `resolve_dependencies`, without links, if there are any."""
    rows = run(queries.LARGE_WITHOUT_LINKS.render(most=whole_traces.MOST_WHOLE))
    return LargeTraces(run, [bytes.fromhex(digits) for (digits,) in rows], due) if rows else None


def _prints(units: Iterator[tuple[int, Unit]], due: Collection[int]) -> dict[int, FarRows]:
    found: dict[int, FarRows] = defaultdict(FarRows)
    for trace, unit in units:
        bucket = bucket_of(unit.start)
        if bucket in due:
            found[bucket] = found[bucket].with_more(1, _print(trace, unit))
    return found


def _print(trace: int, unit: Unit) -> int:
    """A hash of a unit that is the same in every process."""
    counted: tuple[Any, ...] = unit.start, unit.end, unit.state, unit.label, unit.weight
    if isinstance(unit, NodeUnit):
        counted += unit.node, sorted(unit.names), unit.active, unit.last_end, unit.background
    else:
        counted += unit.source, unit.target, unit.alias, unit.link
    return int.from_bytes(blake2b(repr((trace, *counted)).encode(), digest_size=8).digest())

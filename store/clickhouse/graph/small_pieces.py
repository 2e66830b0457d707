"""The units of few rows, computed in Python from whole traces.

A statement over units is prepared by some ten others, each of which takes longer to plan than a few
hundred rows take to read.
"""

from __future__ import annotations

from collections.abc import Sequence

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import RunQuery
from store.clickhouse.pins import NOT_PINNED_COPY
from store.clickhouse.queries import Sql
from store.clickhouse.units.base_buckets import buckets_within, rows_in_buckets
from store.clickhouse.units.unit_sums import CutUnit, cut_unit
from store.clickhouse.units.whole_traces import read_whole
from store.model import TimeRange

SMALL = 3_000
"""Rows in the buckets or minutes that are read so at most: above, the statements are faster."""


def read(run: RunQuery, pieces: Sequence[TimeRange]) -> list[CutUnit]:
    """Each unit that starts in pieces of minutes, in which no names of nodes are in excess."""
    here = _starting_in(pieces)
    traces = queries.TRACES_IN_PIECES.render(
        {"rows": Sql(here), "not_pinned_copy": Sql(NOT_PINNED_COPY)}
    )
    return [
        cut_unit(unit, trace)
        for trace, unit in read_whole(run, traces, here).units()
        if any(unit.start in piece for piece in pieces)
    ]


def _starting_in(pieces: Sequence[TimeRange]) -> str:
    """A condition on rows: those that start in pieces of minutes."""
    times = " OR ".join(f"start >= {piece.start} AND start < {piece.end}" for piece in pieces)
    return f"({rows_in_buckets(buckets_within(pieces))} AND ({times}))"

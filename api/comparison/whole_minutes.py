"""The counts of the whole minutes of a window, as many as can be compared."""

from __future__ import annotations

import numpy as np

from api.comparison.sums import Counted
from api.errors import ApiError
from api.problems.replay import minutes_of
from store.minutes import MinuteCounts, MinuteStore, Series
from store.model import TimeRange
from store.times import MINUTE

MOST_ROWS = 600_000
"""Counts of a minute that both periods may have together: 100 MB while they are read."""


def read_minutes(
    store: MinuteStore, window: TimeRange, before: int = 0
) -> tuple[Counted, dict[int, Series]]:
    """The minutes, and what their series are. ``before``: counts that were read of another period. ApiError where that is
    too much."""
    first, last = first_and_last(window)
    minutes: list[MinuteCounts] = []
    for each in minutes_of(store, first, last):
        before += len(each.ids) // 8
        if before > MOST_ROWS:
            raise ApiError(
                f"the map is too large for periods of {window.minutes:g} minutes: both may have {MOST_ROWS:,} counts of a minute together, of nodes and edges; choose shorter ones"
            )
        minutes.append(each)
    ids = sorted({int(id) for each in minutes for id in np.frombuffer(each.ids, np.uint64)})
    return minutes, store.minute_series(ids, first, last)


def first_and_last(window: TimeRange) -> tuple[int, int]:
    """The minutes of a window of whole minutes."""
    return window.start // MINUTE, window.end // MINUTE - 1

"""The counts of a minute by the index of their series."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from api.problems.columns import Flags, Floats, Indices
from store.minutes import MinuteCounts

PER_DECADE = 25
PER_E = np.float32(PER_DECADE / np.log(10))
"""NumPy has a fast natural logarithm, and no other."""
DECADES = 9
BUCKETS = PER_DECADE * DECADES
"""Times from 1 µs to 1,000 s; longer ones are in the last bucket."""
FAULT, ERROR, THROTTLE = range(3)

Unsigned = NDArray[np.uint64]


class Minute(NamedTuple):
    """The counts of a minute, an element per series.

    ``requests``: finished units as they were observed, not as they were scaled up: what was sampled one in ten says as much
    as a tenth of the requests. ``failures`` (`FAULT`, `ERROR`, `THROTTLE`) in the same measure.
    ``owners``, ``buckets``, ``weights``: the histograms, an element per series and bucket. ``rows``, ``starts``: whose they are and where
    each begins.
    """

    number: int
    requests: Floats
    failures: Floats
    owners: Indices
    buckets: NDArray[np.int16]
    weights: Floats
    rows: Indices
    starts: Indices


class Places:
    """The index of each series, by its id."""

    def __init__(self) -> None:
        self._ids, self._places = np.zeros(0, np.uint64), np.zeros(0, np.intp)
        """Ascending, and where each is."""

    def __len__(self) -> int:
        return len(self._ids)

    def of(self, counts: MinuteCounts) -> tuple[Indices, list[int]]:
        """The index of each row, and the ids that were not known yet, which get the next ones."""
        ids = np.frombuffer(counts.ids, np.uint64)
        found, known = self._find(ids)
        if known.all():
            return found, []
        new = list(dict.fromkeys(ids[~known].tolist()))
        every = np.append(self._ids, np.array(new, np.uint64))
        places = np.append(self._places, np.arange(len(self._ids), len(every), dtype=np.intp))
        order = np.argsort(every)
        self._ids, self._places = every[order], places[order]
        return self._find(ids)[0], new

    def _find(self, ids: Unsigned) -> tuple[Indices, Flags]:
        if not len(self._ids):
            return np.zeros(len(ids), np.intp), np.zeros(len(ids), np.bool_)
        at = np.minimum(np.searchsorted(self._ids, ids), len(self._ids) - 1)
        return self._places[at], self._ids[at] == ids


def minute_of(counts: MinuteCounts, rows: Indices, size: int) -> Minute:
    """The counts of a minute whose rows have these indices, of which there are ``size``."""

    def column(data: bytes) -> NDArray[np.float64]:
        return np.frombuffer(data, np.uint64).astype(np.float64)

    def summed(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(rows, values, size).astype(np.float64)

    states = [
        summed(column(data)) for data in (counts.fault, counts.error, counts.throttle, counts.ok)
    ]
    finished = states[0] + states[1] + states[2] + states[3]
    weighed = np.maximum(finished + summed(column(counts.in_progress)), 1)
    scale = np.minimum(summed(column(counts.observed)) / weighed, 1)
    lengths = np.frombuffer(counts.lengths, np.uint64).astype(np.intp)
    filled = np.flatnonzero(lengths)
    owners = np.repeat(rows, lengths)
    times = np.maximum(np.frombuffer(counts.times, np.float32), 1)
    np.log(times, out=times)
    times *= PER_E
    times += np.float32(0.5)
    weights = np.frombuffer(counts.weights, np.float32)
    if scale.min(initial=1) < 1:
        weights = weights * scale.astype(np.float32)[owners]
    return Minute(
        counts.minute,
        (finished * scale).astype(np.float32),
        np.array([each * scale for each in states[:3]], np.float32),
        owners,
        np.minimum(times, BUCKETS - 1, out=times).astype(np.int16),
        weights,
        rows[filled],
        (np.cumsum(lengths) - lengths)[filled],
    )

"""The counts of a minute by the index of their series."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from api.problems.columns import Floats, Indices
from store.minutes import MinuteCounts

PER_DECADE = 25
DECADES = 9
BUCKETS = PER_DECADE * DECADES
"""Times from 1 µs to 1,000 s; longer ones are in the last bucket."""
FAULT, ERROR, THROTTLE = range(3)

Unsigned = NDArray[np.uint64]


class Minute(NamedTuple):
    """The counts of a minute, an element per series.

    ``requests``: finished units as they were observed, not as they were scaled up: what was sampled one in ten says as much
    as a tenth of the requests. ``failures`` (`FAULT`, `ERROR`, `THROTTLE`) in the same measure.
    ``owners``, ``buckets``, ``weights``: the histograms, an element per series and bucket.
    """

    number: int
    requests: Floats
    failures: Floats
    owners: Indices
    buckets: NDArray[np.int16]
    weights: Floats


def index_of(known: dict[int, int], counts: MinuteCounts) -> Indices:
    """The index of each row; a series that is not known yet gets the next one."""
    ids = np.frombuffer(counts.ids, np.uint64).tolist()
    found = list(map(known.get, ids))
    if None in found:
        found = [known.setdefault(id, len(known)) for id in ids]
    return np.array(found, np.intp)


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
    owners = np.repeat(rows, np.frombuffer(counts.lengths, np.uint64).astype(np.intp))
    times = np.frombuffer(counts.times, np.uint64).astype(np.float32)
    buckets = np.log10(np.maximum(times, 1)) * np.float32(PER_DECADE) + np.float32(0.5)
    weights = np.frombuffer(counts.weights, np.uint64).astype(np.float32)
    return Minute(
        counts.minute,
        (finished * scale).astype(np.float32),
        np.array([each * scale for each in states[:3]], np.float32),
        owners,
        np.minimum(buckets, BUCKETS - 1).astype(np.int16),
        weights * scale.astype(np.float32)[owners],
    )

"""The token bucket: how long each request waits."""

from __future__ import annotations

from itertools import pairwise

import pytest

from raymap.commands.import_source import TokenBucket


def test_requests_are_spread_and_a_pause_saves_no_more_than_the_burst() -> None:
    now = [100.0]
    bucket = TokenBucket(4.0, burst=2.0, clock=lambda: now[0])
    assert [bucket.reserve() for _ in range(4)] == [0.0, 0.0, 0.25, 0.5]
    now[0] += 60
    assert [bucket.reserve() for _ in range(3)] == [0.0, 0.0, 0.25]


def test_it_never_exceeds_its_rate() -> None:
    """A client that waits as it has to, and works a while after each request."""
    now = [0.0]
    bucket = TokenBucket(5.0, clock=lambda: now[0])
    times = []
    for work in [0.01, 0.5, 0.0, 0.19, 0.0] * 20:
        now[0] += bucket.reserve()
        times.append(now[0])
        now[0] += work
    gaps = [after - before for before, after in pairwise(times)]
    assert min(gaps) == pytest.approx(0.2)

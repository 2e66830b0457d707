"""What the time of day does to the shop: a slow wave of visitors, and hours that go wrong.

Pure functions of the epoch, so a back-filled past and the live present fit together.
"""

from __future__ import annotations

import math

WAVE_SECONDS = 1200.0
"""A day in small: one swell of visitors each twenty minutes."""


def visitors(at: float) -> float:
    """Share of the mean rate at this time; its mean over a wave is 1."""
    swell = 0.45 * math.sin(2 * math.pi * at / WAVE_SECONDS)
    return 1.0 + swell + 0.15 * math.sin(2 * math.pi * at / 170.0)


def _within(at: float, every: float, lasts: float, offset: float = 0.0) -> bool:
    return (at + offset) % every < lasts


def payments_ailing(at: float) -> bool:
    """The payment provider is slow and often answers 503."""
    return _within(at, every=660, lasts=90)


def orders_table_hot(at: float) -> bool:
    """A promotion writes faster than the table's provisioned capacity."""
    return _within(at, every=420, lasts=50, offset=200)


def gateway_flooded(at: float) -> bool:
    """A crawler uses up the stage's rate limit."""
    return _within(at, every=330, lasts=25, offset=90)


def just_deployed(at: float) -> bool:
    """New code, no warm containers: more cold starts."""
    return _within(at, every=900, lasts=40, offset=400)


def version(at: float) -> str:
    """The shop's version: a deployment each fifteen minutes."""
    return f"1.{_deployments(at)}.0"


def function_version(at: float, lot: float = 1.0) -> int:
    """The version of a function that a request gets. For five minutes after a deployment a tenth of them
    (``lot`` below 0.1) get the new one; a bad one is rolled back then."""
    newest = _deployments(at)
    in_use = newest - 2 if is_bad(newest - 1) else newest - 1
    if _within(at, every=900, lasts=300, offset=400):
        return newest if lot < 0.1 else in_use
    return in_use if is_bad(newest) else newest


def last_deployment(at: float) -> float:
    """When the version was deployed that is the newest at this time."""
    return (at + 400) // 900 * 900 - 400


def is_bad(version: int) -> bool:
    """Every third version has a bug."""
    return version % 3 == 0


def _deployments(at: float) -> int:
    return int((at + 400) // 900) % 1000 + 3

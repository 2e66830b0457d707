"""What the time does to the shop: a slow wave of visitors, deployments, and hours that go wrong.

Pure functions of the epoch and of when the demo began: its past is calm, so that what is usual can be learnt from it,
and the first thing to go wrong is a bad deployment.
"""

from __future__ import annotations

import math
from typing import NamedTuple

WAVE_SECONDS = 1200.0
"""A day in small: one swell of visitors each twenty minutes."""
FIRST_DEPLOYMENT = 240.0
DEPLOYMENT_EVERY = 900.0
CANARY_SECONDS = 300.0
"""How long a part of the requests gets a new version; a bad one is rolled back then."""
CANARY_SHARE = 0.5
CALM_SECONDS = 1200.0
"""In which nothing goes wrong but the first deployment."""


class Change(NamedTuple):
    """What a pipeline did to the functions with canaries; ``state``: ``canary``, ``complete`` or ``rolled back``."""

    at: float
    version: int
    state: str


class Calendar:
    """What happens, and when. ``begun``: when the demo began, epoch seconds."""

    def __init__(self, begun: float = 0.0) -> None:
        self.begun = begun

    def visitors(self, at: float) -> float:
        """Share of the mean rate at this time; its mean over a wave is 1."""
        since = at - self.begun
        swell = 0.45 * math.sin(2 * math.pi * since / WAVE_SECONDS)
        return 1.0 + swell + 0.15 * math.sin(2 * math.pi * since / 170.0)

    def payments_ailing(self, at: float) -> bool:
        """The payment provider is slow and often answers 503."""
        return self._within(at, every=660, lasts=90)

    def orders_table_hot(self, at: float) -> bool:
        """A promotion writes faster than the table's provisioned capacity."""
        return self._within(at, every=420, lasts=50, offset=200)

    def gateway_flooded(self, at: float) -> bool:
        """A crawler uses up the stage's rate limit."""
        return self._within(at, every=330, lasts=25, offset=90)

    def just_deployed(self, at: float) -> bool:
        """New code, no warm containers: more cold starts."""
        return at - self._deployed(self._latest(at)) < 40

    def version(self, at: float) -> str:
        """The shop's version: a deployment each fifteen minutes."""
        return f"1.{self._version(self._latest(at))}.0"

    def function_version(self, at: float, lot: float = 1.0) -> int:
        """The version of a function that a request gets: during a canary the new one if ``lot`` is below `CANARY_SHARE`."""
        newest = self._latest(at)
        canary = at - self._deployed(newest) < CANARY_SECONDS
        if lot < CANARY_SHARE if canary else not _is_bad(newest):
            return self._version(newest)
        return self._version(newest - 2 if _is_bad(newest - 1) else newest - 1)

    def is_bad(self, version: int) -> bool:
        """Whether a version fails for some requests: the first of the demo, and every third one from then on."""
        return _is_bad(version - self._version(0))

    def latest_change(self, at: float) -> Change:
        """What has changed last."""
        newest = self._latest(at)
        deployed = self._deployed(newest)
        if at - deployed < CANARY_SECONDS:
            return Change(deployed, self._version(newest), "canary")
        state = "rolled back" if _is_bad(newest) else "complete"
        return Change(deployed + CANARY_SECONDS, self.function_version(at), state)

    def _within(self, at: float, every: float, lasts: float, offset: float = 0.0) -> bool:
        since = at - self.begun
        return since >= CALM_SECONDS and (since + offset) % every < lasts

    def _latest(self, at: float) -> int:
        """The number of the latest deployment; that of the first one of the demo is 0."""
        return int((at - self.begun - FIRST_DEPLOYMENT) // DEPLOYMENT_EVERY)

    def _deployed(self, number: int) -> float:
        return self.begun + FIRST_DEPLOYMENT + number * DEPLOYMENT_EVERY

    def _version(self, number: int) -> int:
        """Another one when the demo is started again."""
        return 1000 + int(self.begun // DEPLOYMENT_EVERY) % 1000 + number


def _is_bad(number: int) -> bool:
    return number >= 0 and number % 3 == 0

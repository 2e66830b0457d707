"""Service level objectives as stored. Pure."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

MAX_OBJECTIVES = 200


class Indicator(StrEnum):
    """What makes a request good."""

    AVAILABILITY = "AVAILABILITY"
    """That it ended without a fault."""
    LATENCY = "LATENCY"
    """Its response time."""


class Objective(Struct, frozen=True, omit_defaults=True):
    """``goal`` percent of the requests of a service, or of one ``operation`` ('': all), are to be good, counted over the
    last ``duration`` units of time.

    ``threshold``: milliseconds of a good request's latency, itself included if ``inclusive``. ``warning``: percent of
    the error budget, below which what remains is worth a warning. Microseconds since the epoch.
    """

    name: str
    service: str
    environment: str
    indicator: Indicator
    operation: str = ""
    threshold: float = 0.0
    inclusive: bool = False
    goal: float = 99.0
    warning: float = 50.0
    duration: int = 7
    unit: str = "DAY"
    description: str = ""
    created: int = 0
    modified: int = 0

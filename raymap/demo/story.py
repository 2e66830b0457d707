"""Which pattern comes next, and when: a pure function of seed, number and time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from random import Random

from raymap.demo.clock import Calendar
from raymap.demo.patterns import development, etl, graphql, loyalty, web
from raymap.demo.trace import Trace

_WEIGHTS: dict[Callable[[Trace], None], float] = {
    web.front_page: 22,
    web.product_page: 20,
    web.place_order: 14,
    web.show_order: 10,
    web.sign_in: 8,
    web.upload_image: 5,
    graphql.query: 16,
    development.try_api: 4.5,
    etl.sales_etl: 0.5,
    loyalty.earn_points: 7,
    loyalty.ask_assistant: 3,
    loyalty.expire_points: 0.4,
}
THIN = 0.2
"""Share of its traces that a distant past has: enough to learn from them what is usual."""
SPAWNED = 0.43
"""Traces that an arrival sets off by events, on average; measured over 6,000 arrivals."""
ALWAYS = Calendar()
"""Of a demo that began long ago."""


class Story:
    def __init__(self, seed: int | None, rate: float, calendar: Calendar = ALWAYS) -> None:
        self._seed = Random(seed).getrandbits(64)
        self._calendar = calendar
        self._arrivals = rate / (1 + SPAWNED)

    def trace(self, number: int, at: float) -> Trace:
        """The trace of the arrival of this number, complete."""
        random = Random(f"{self._seed}:{number}")
        trace = Trace(at, random, self._calendar)
        (pattern,) = random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
        pattern(trace)
        return trace

    def forward(self, start: float) -> Iterator[Trace]:
        """Arrivals from now on."""
        pauses = Random(f"{self._seed}:forward")
        at, number = start, 0
        while True:
            at += pauses.expovariate(self._arrivals * self._calendar.visitors(at))
            yield self.trace(number, at)
            number += 1

    def backward(self, start: float, seconds: float, busy: float = math.inf) -> Iterator[Trace]:
        """Arrivals of the last `seconds`, the newest first; those before `busy` seconds are fewer."""
        pauses = Random(f"{self._seed}:backward")
        at, number = start, 0
        while True:
            share = 1.0 if at > start - busy else THIN
            at -= pauses.expovariate(share * self._arrivals * self._calendar.visitors(at))
            number -= 1
            if at < start - seconds:
                return
            yield self.trace(number, at)

"""Round durations in words: the ticks of an axis of response times."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from math import ceil, floor

MS = 1_000.0
SECOND = 1_000 * MS
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
UNITS = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s"), (MS, "ms"), (1.0, "µs"))
DECADES = (
    *(power * unit for unit in (1.0, MS) for power in (1, 10, 100)),
    *(SECOND, 10 * SECOND, MINUTE, 10 * MINUTE, HOUR, 10 * HOUR),
    *(DAY * 10**power for power in range(5)),
)
"""Microseconds, ascending, about ten times apart."""
ROUND = (
    *(factor * unit for unit in (1.0, MS) for factor in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
    *(factor * unit for unit in (SECOND, MINUTE) for factor in (1, 2, 5, 10, 30)),
    *(factor * HOUR for factor in (1, 2, 5, 12)),
    *(factor * DAY * 10**power for power in range(5) for factor in (1, 2, 5)),
)
"""Microseconds, ascending: what a clock makes round."""
FEWEST, MOST, MOST_EVEN = 3, 6, 5
"""Ticks of an axis: as many as have room in a panel. Words like 2 min 30 s, which multiples have, are wide."""


def log_ticks(low: float, high: float) -> list[float]:
    """Round durations (microseconds) that are about equally far apart on a logarithmic axis; of a short one, multiples
    of a round duration."""
    for rungs in (DECADES, ROUND):
        inside = rungs[bisect_left(rungs, low) : bisect_right(rungs, high)]
        if len(inside) >= FEWEST:
            return list(inside[:: ceil(len(inside) / MOST)])
    return even_ticks(low, high)


def even_ticks(low: float, high: float) -> list[float]:
    """The multiples of a round duration between two (microseconds), of the finest that gives no more than five."""
    step = next(
        (each for each in ROUND if floor(high / each) - ceil(low / each) < MOST_EVEN), ROUND[-1]
    )
    return [number * step for number in range(ceil(low / step), floor(high / step) + 1)]


def words(microseconds: float) -> str:
    """250 µs, 1.5 ms, 10 s, 1 min 10 s, 2 h: three digits; from a minute on whole seconds, two units at most."""
    if microseconds == 0:
        return "0 ms"
    if microseconds < MINUTE:
        size, unit = next((each for each in UNITS if microseconds >= each[0]), UNITS[-1])
        return f"{float(f'{microseconds / size:.3g}'):g} {unit}"
    rest, parts = round(microseconds / SECOND), []
    for size, unit in UNITS[:4]:
        amount, rest = divmod(rest, int(size / SECOND))
        parts.append((amount, unit))
    first = next(at for at, (amount, _) in enumerate(parts) if amount)
    return " ".join(f"{amount} {unit}" for amount, unit in parts[first : first + 2] if amount)


def between(low: float, high: float) -> str:
    """What lies between two durations: 502 to 533 ms, 900 ms to 1.1 s."""
    first, last = words(low), words(high)
    number, _, unit = first.partition(" ")
    return f"{number if last.split(' ')[1:] == [unit] else first} to {last}"

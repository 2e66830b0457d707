"""Partitions of a minute: which one a trace belongs to, and the rows of some, in SQL.

The rows of traces whose ids have an epoch in the same few seconds form a partition, which is a range
of the sort key (`store.clickhouse.rollup.partitions` says what they are for).
"""

from __future__ import annotations

from collections.abc import Collection

SECONDS = 3
"""Seconds per partition."""
LAST = 60 // SECONDS + 2
"""The partition of traces that began after the minute; partition 1 is for those from before it."""
ALL = 0
"""Stands for all partitions where the partition is not known."""


def partition_of(trace_id: str, minute: str) -> str:
    """An SQL expression for the partition of a trace in a minute."""
    second = f"toInt64(byteSwap(reinterpretAsUInt32({trace_id}))) - toInt64({minute}) * 60"
    number = f"intDiv({second} + {SECONDS}, {SECONDS}) + 1"
    return f"toUInt8(least(greatest({number}, 1), {LAST}))"


def row_condition(minute: int, partitions: Collection[int]) -> str:
    """A condition on rows: partitions of a minute, as ranges of consecutive ones where possible."""
    ranges: list[list[int]] = []
    for partition in sorted(partitions):
        if ranges and ranges[-1][1] == partition - 1:
            ranges[-1][1] = partition
        else:
            ranges.append([partition, partition])
    tests = [_between(minute, first, last) for first, last in ranges]
    some = "" if "" in tests else f" AND ({' OR '.join(tests)})"
    return f"(minute = {minute}{some})"


def _between(minute: int, first: int, last: int) -> str:
    """A condition on trace ids, whose first four bytes are the epoch and compare as bytes.

    Empty when all ids match: ClickHouse fails on some constant conditions.
    """
    low, high = minute * 60 + (first - 2) * SECONDS, minute * 60 + (last - 1) * SECONDS
    tests = []
    if first > 1 and low >= 1 << 32:
        return f"minute < {minute}"  # beyond the 32 bits of the epoch: no rows
    if first > 1:
        tests.append(f"trace_id >= {_epoch_prefix(low)}")
    if last < LAST and high < 1 << 32:
        tests.append(f"trace_id < {_epoch_prefix(high)}")
    return " AND ".join(tests)


def _epoch_prefix(second: int) -> str:
    return f"toFixedString(unhex('{second:08x}'), 16)"

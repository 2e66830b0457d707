"""Which cell contains a trace: the one rule, in Python and in SQL.

The last eight bytes of an id are random in W3C, X-Ray and 64-bit Zipkin ids alike; the first ones are a time in two of
them, and zero in the third.
"""

from __future__ import annotations


def owner_of(trace_id: bytes, cells: int) -> int:
    """The place of a trace's cell among so many."""
    return int.from_bytes(trace_id[8:]) % cells


def owner_sql(column: str, cells: int) -> str:
    """The same in ClickHouse, of a column FixedString(16)."""
    return f"(reinterpretAsUInt64(reverse(substring({column}, 9, 8))) % {cells:d})"

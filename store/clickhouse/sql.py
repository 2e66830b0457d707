"""SQL text built from values: literals, keys, and the one expression that mirrors a Python rule."""

from __future__ import annotations

from collections.abc import Iterable

from store.model import NodeKey


def text(value: str) -> str:
    """A string literal."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\0", "\\0")
    return f"'{escaped}'"


def trace_literal(trace_id: bytes) -> str:
    """A trace id as a FixedString(16)."""
    return f"toFixedString(unhex('{trace_id.hex()}'), 16)"


def trace_list(trace_ids: Iterable[bytes]) -> str:
    """A parenthesised list of trace ids."""
    return "(" + ", ".join(trace_literal(trace_id) for trace_id in trace_ids) + ")"


def node_tuple(node: NodeKey) -> str:
    """A node key as a tuple of three strings."""
    return f"({text(node.account)}, {text(node.name)}, {text(node.type)})"


def bucket(column: str) -> str:
    """`store.rules.histogram.bucket` of a column of microseconds, for times up to 10^15."""
    steps = ", ".join(f"{column} < {10 ** (digits + 3)}, {10**digits}" for digits in range(12))
    step = f"multiIf({steps}, 1000000000000)"
    return f"toUInt64(intDiv({column} + intDiv({step}, 2), {step}) * {step})"

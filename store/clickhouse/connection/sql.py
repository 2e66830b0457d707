"""SQL text built from values: literals, keys, and the one expression that mirrors a Python rule."""

from __future__ import annotations

import re
from collections.abc import Iterable

from store.model import NodeKey


def bind(statement: str, **values: int | str) -> str:
    """A statement with its ``:name`` places filled in; numbers and ready SQL only."""
    return re.sub(r"(?<![:\w]):([a-z_]+)\b", lambda match: str(values[match[1]]), statement)


def identifier(name: str) -> str:
    """A quoted name of a database, table or column."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def text(value: str) -> str:
    """A string literal."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\0", "\\0")
    return f"'{escaped}'"


def trace_literal(trace_id: bytes) -> str:
    """A trace id, to be compared with a FixedString(16): a literal, for a list of calls takes longer
    to read than to answer."""
    return "'" + "".join(f"\\x{byte:02x}" for byte in trace_id) + "'"


def trace_list(trace_ids: Iterable[bytes]) -> str:
    """A parenthesised list of trace ids."""
    return "(" + ", ".join(trace_literal(trace_id) for trace_id in trace_ids) + ")"


def node_tuple(node: NodeKey) -> str:
    """A node key as a tuple of three strings."""
    return f"({text(node.account)}, {text(node.name)}, {text(node.type)})"


def power(column: str) -> str:
    """The power of ten of a bucket's step: 1 below 1,000, 10 below 10,000, for times up to 10^15."""
    powers = ", ".join(f"{column} < {10 ** (digits + 3)}, {10**digits}" for digits in range(12))
    return f"multiIf({powers}, 1000000000000)"


def bucket(column: str, power_of_it: str) -> str:
    """`store.rules.histogram.bucket` of a column of microseconds, given the name of its `power`.

    Written out in one expression the power stands in it a dozen times, which takes longer to plan
    than a minute takes to count.
    """
    leading = f"intDiv({column}, {power_of_it})"
    step = f"({power_of_it} * multiIf({leading} < 200, 5, {leading} < 500, 10, 20))"
    rounded = f"intDiv({column} + intDiv({step}, 2), {step}) * {step}"
    return f"toUInt64(if({column} < 100, {column}, {rounded}))"

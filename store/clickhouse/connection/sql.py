"""SQL text built from values: names, string literals and trace ids."""

from __future__ import annotations

from collections.abc import Iterable


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

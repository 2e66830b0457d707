"""Values as SQL text: no value ends its literal."""

from __future__ import annotations

import pytest

from store.clickhouse.connection.sql import identifier, text, trace_list, trace_literal


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        ("plain", "'plain'"),
        ("it's", r"'it\'s'"),
        ("\\", r"'\\'"),
        ("\\'", r"'\\\''"),
        ("a\0b", r"'a\0b'"),
        ("", "''"),
    ],
)
def test_text(value: str, literal: str) -> None:
    assert text(value) == literal


@pytest.mark.parametrize(
    ("name", "quoted"),
    [("rollups", "`rollups`"), ("a`b", r"`a\`b`"), ("a\\", r"`a\\`"), ("a b; DROP", "`a b; DROP`")],
)
def test_identifier(name: str, quoted: str) -> None:
    assert identifier(name) == quoted


def test_trace_ids() -> None:
    one, other = bytes(range(16)), b"'\\" + bytes(14)
    assert trace_literal(one) == "'" + "".join(f"\\x{i:02x}" for i in range(16)) + "'"
    assert trace_literal(other).startswith(r"'\x27\x5c\x00")
    assert trace_list([one, other]) == f"({trace_literal(one)}, {trace_literal(other)})"
    assert trace_list([]) == "()"

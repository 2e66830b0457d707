"""Aligned columns."""

from __future__ import annotations

import pytest

from raymap.commands.tables import print_table


def test_columns_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([("", "rows"), ("traces", "12,000"), ("map", "7")], right={1})
    assert capsys.readouterr().out == "          rows\ntraces  12,000\nmap          7\n"

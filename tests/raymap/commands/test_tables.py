"""Aligned columns, and lists."""

from __future__ import annotations

import pytest

from raymap.commands.tables import print_list, print_table


def test_columns_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([("", "rows"), ("traces", "12,000"), ("map", "7")], right={1})
    assert capsys.readouterr().out == "          rows\ntraces  12,000\nmap          7\n"


def test_a_list_for_people_and_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    def show(*items: int, as_json: bool = False) -> None:
        print_list(
            items,
            as_json=as_json,
            public=lambda item: {"n": item},
            head=("n",),
            row=lambda item: (str(item),),
            empty="there are none",
        )

    show(1, 2)
    assert capsys.readouterr().out == "n\n1\n2\n"
    show(1, as_json=True)
    show(as_json=True)
    assert capsys.readouterr().out == '[{"n": 1}]\n[]\n'
    show()
    assert capsys.readouterr().out == ""

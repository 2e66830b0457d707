"""Prints rows as aligned columns on standard output."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from raymap.errors import print_status

Item = TypeVar("Item")


def print_list(
    items: Sequence[Item],
    *,
    as_json: bool,
    public: Callable[[Item], object],
    head: Sequence[str],
    row: Callable[[Item], Sequence[str]],
    empty: str,
    right: Collection[int] = (),
) -> None:
    """A table for people, or ``public`` of each item for programs; for people ``empty`` without items."""
    if as_json:
        print(json.dumps([public(item) for item in items]))
    elif items:
        print_table([head, *map(row, items)], right)
    else:
        print_status(empty)


def print_table(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> None:
    """Columns as wide as their widest cell; those in ``right`` are aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())

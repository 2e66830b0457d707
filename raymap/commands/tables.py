"""Prints rows as aligned columns on standard output."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def print_table(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> None:
    """Columns as wide as their widest cell; those in ``right`` are aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())

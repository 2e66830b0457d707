"""Text for terminals: colours where a person reads, columns as wide as the window."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

COLOURS = {"ok": "32", "error": "33", "throttle": "35", "fault": "31", "in_progress": "2"}
"""By status, as on the map: green, yellow, purple, red."""
DIM, BOLD = "2", "1"
LEAST = 8
"""Columns that a cell which is cut keeps."""
READABLE = 24
"""Columns of a name that are worth more than a figure that others tell as well."""


class Cell(str):
    """A text with the code of its colour."""

    colour = ""

    def __new__(cls, text: object, colour: str = "") -> Cell:
        """Control characters, which what sent traces may have written, are shown as such."""
        made = super().__new__(cls, printable(str(text)))
        made.colour = colour
        return made


def printable(text: str) -> str:
    """The text without what would move a terminal's cursor, or turn text."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def coloured() -> bool:
    """Whether a person reads standard output, and wants colours (https://no-color.org)."""
    return (
        sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )


def width() -> int:
    """Columns of the terminal; without one there is no limit."""
    if not sys.stdout.isatty() and not os.environ.get("COLUMNS"):
        return 1_000
    return max(20, shutil.get_terminal_size().columns)


def paint(text: str, colour: str) -> str:
    """The text in a colour, if there are any."""
    return f"\033[{colour}m{text}\033[0m" if colour and text.strip() and coloured() else text


def columns_of(text: str) -> int:
    """How wide a text is drawn: East Asian characters take two columns, combining ones none."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)


def cut(text: str, room: int) -> str:
    """The beginning of a text that fits, with an ellipsis if it is not all."""
    if columns_of(text) <= room:
        return text
    while text and columns_of(text) > room - 1:
        text = text[:-1]
    return f"{text}…" if room > 0 else ""


def table(
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[int] = (),
    shrink: Sequence[int] = (),
    drop: int | None = None,
    spare: Sequence[int] = (),
) -> list[str]:
    """Lines of aligned columns; those in ``shrink`` are cut, the first of them first, where the window is narrow, and the
    last one, ``drop``, is left out where it is empty or would be cut. Those in ``spare``, in this order, are left out
    sooner than that the first one is cut to less than `READABLE`."""
    widths = [max(map(columns_of, column)) for column in zip(*rows, strict=True)]
    excess = sum(widths) + 2 * (len(widths) - 1) - width()
    if drop is not None and (excess > 0 or not any(row[drop] for row in rows[1:])):
        return table([row[:drop] for row in rows], right=right, shrink=shrink, spare=spare)
    shown = set(range(len(widths)))
    for column in spare:
        name = widths[shrink[0]]
        if name - excess < min(name, READABLE):
            shown.remove(column)
            excess -= widths[column] + 2
    for column in shrink:
        less = min(max(0, excess), max(0, widths[column] - LEAST))
        widths[column] -= less
        excess -= less
    return [_line(row, widths, right, shown) for row in rows]


def _line(
    row: Sequence[str], widths: Sequence[int], right: Collection[int], shown: Collection[int]
) -> str:
    cells = []
    for at, (text, room) in enumerate(zip(row, widths, strict=True)):
        if at not in shown:
            continue
        fitting = cut(str(text), room)
        space = " " * (room - columns_of(fitting))
        painted = paint(fitting, text.colour if isinstance(text, Cell) else "")
        last = at == len(row) - 1
        cells.append(space + painted if at in right else painted + ("" if last else space))
    return "  ".join(cells).rstrip()


def head(*names: str) -> list[Cell]:
    """The first row of a table."""
    return [Cell(name, DIM) for name in names]


def milliseconds(value: float | None) -> str:
    """A duration with three digits that matter."""
    if value is None:
        return "–"
    if value >= 60_000:
        return f"{value / 60_000:.1f} min"
    if value >= 1_000:
        return f"{value / 1_000:.2f} s"
    return f"{value:.0f} ms" if value >= 100 else f"{value:.1f} ms"


def rate(value: float | None) -> str:
    """How often a minute, as the console says it: what occurred never reads as 0."""
    if value is None:
        return "–"
    if value == 0:
        return "0"
    return "<0.1" if value < 0.05 else f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def share(part: float | None, whole: float | None) -> str:
    """A percentage; one that is not whole never reads as 0 or 100, as in the console."""
    if not whole or part is None:
        return "–"
    if 0 < part < whole / 1000:
        return "<0.1 %"
    return ">99.9 %" if 0.999 * whole < part < whole else f"{100 * part / whole:.1f} %"


def clock(seconds: float) -> str:
    """An instant, in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%m-%d %H:%M:%S}"


def time_of_day(seconds: float) -> str:
    """An instant of a day that is known, in UTC."""
    return clock(seconds)[6:]


def state_of(figures: dict[str, float | None]) -> Cell:
    """The worst of the outcomes that figures have, with its share; `–` without a request."""
    whole = figures["requests"]
    if not whole:
        return Cell("–", DIM)
    for status in ("fault", "throttle", "error"):
        if part := figures[status]:
            return Cell(f"{status} {share(part, whole)}", COLOURS[status])
    return Cell("unknown" if figures.get("unknown") == whole else "ok", COLOURS["ok"])

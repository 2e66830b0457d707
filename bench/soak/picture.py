"""Line charts one above the other over one time axis, as an SVG that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

COLOURS = ("#0b5fc4", "#ad0f22", "#3a9a6c", "#7450cf", "#b97a00", "#57606c", "#0f8a8a", "#b0418a")
_INK, _MUTE, _LINE = "#16191f", "#57606c", "#d0d7de"
_WIDTH, _PANEL, _GAP = 960, 190, 62
_LEFT, _RIGHT, _TOP = 76, 190, 62
_MOST_POINTS = 600
_LABEL_HEIGHT = 15


@dataclass(frozen=True, slots=True)
class Line:
    """A name and its points; a NaN is a gap."""

    name: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines with one unit; the axis begins at 0."""

    title: str
    lines: Sequence[Line]


def draw(title: str, subtitle: str, panels: Sequence[Panel], minutes: float) -> str:
    """The picture. The points' first numbers are minutes from 0 to ``minutes``."""
    height = _TOP + len(panels) * (_PANEL + _GAP)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" font-family="system-ui, sans-serif" font-size="12" '
        f'role="img" aria-label="{escape(title)}">'
    )
    parts = [
        head,
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(_LEFT, 24, title, size=16, weight=600),
        _text(_LEFT, 42, subtitle, colour=_MUTE),
    ]
    for number, panel in enumerate(panels):
        parts += _panel(panel, _TOP + number * (_PANEL + _GAP) + 24, max(minutes, 1e-9))
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, top: float, minutes: float) -> Iterator[str]:
    values = [y for line in panel.lines for _, y in line.points if math.isfinite(y)]
    step = nice_step(max(values, default=0.0) / 4)
    highest = step * max(1, math.ceil(max(values, default=0.0) / step))
    right, bottom = _WIDTH - _RIGHT, top + _PANEL

    def place(x: float, y: float) -> tuple[float, float]:
        return _LEFT + x / minutes * (right - _LEFT), bottom - y / highest * _PANEL

    yield _text(_LEFT, top - 9, panel.title, weight=600)
    for number in range(round(highest / step) + 1):
        y = place(0, number * step)[1]
        yield f'<path d="M{_LEFT} {y:.1f}H{right}" stroke="{_LINE}"/>'
        yield _text(_LEFT - 8, y + 4, f"{number * step:,.10g}", anchor="end", colour=_MUTE)
    x_step = nice_step(minutes / 8)
    for number in range(math.floor(minutes / x_step + 1e-9) + 1):
        x = place(number * x_step, 0)[0]
        yield f'<path d="M{x:.1f} {bottom}v5" stroke="{_MUTE}"/>'
        label = f"{number * x_step:g}" + (" min" if number == 0 else "")
        yield _text(x, bottom + 18, label, anchor="middle", colour=_MUTE)
    ends = []
    for line, colour in zip(panel.lines, COLOURS * len(panel.lines), strict=False):
        placed = [(*place(x, y), y) for x, y in _thinned(line.points)]
        yield _path(placed, colour, line.dashed)
        last = next((p for p in reversed(placed) if math.isfinite(p[2])), None)
        if last is not None:
            ends.append((last[1], line.name, colour))
    yield from _labels(ends, right + 8, bottom)


def _path(points: Sequence[tuple[float, float, float]], colour: str, dashed: bool) -> str:
    words, pen = [], "M"
    for x, y, value in points:
        if not math.isfinite(value):
            pen = "M"
            continue
        words.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L"
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    return (
        f'<path d="{"".join(words)}" fill="none" stroke="{colour}" stroke-width="1.6" '
        f'stroke-linejoin="round"{dashes}/>'
    )


def _labels(ends: list[tuple[float, str, str]], x: float, bottom: float) -> Iterator[str]:
    """Names beside the ends of their lines, moved apart where they would lie on each other."""
    heights: list[float] = []
    ordered = sorted(ends)
    for y, _, _ in ordered:
        heights.append(max(y, heights[-1] + _LABEL_HEIGHT) if heights else y)
    overhang = max(0.0, heights[-1] - bottom) if heights else 0.0
    floor = math.inf
    for number in reversed(range(len(heights))):  # what stands too low goes up, and pushes
        heights[number] = min(heights[number], bottom if overhang else math.inf, floor)
        floor = heights[number] - _LABEL_HEIGHT
    for height, (_, name, colour) in zip(heights, ordered, strict=True):
        yield _text(x, height + 4, name, colour=colour, weight=600)


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    every = max(1, math.ceil(len(points) / _MOST_POINTS))
    return [*points[:-1:every], *points[-1:]]


def nice_step(least: float) -> float:
    """The smallest of 1, 2 or 5 times a power of ten that is not below ``least``."""
    if least <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def _text(
    x: float,
    y: float,
    words: str,
    *,
    size: int = 12,
    weight: int = 400,
    anchor: str = "start",
    colour: str = _INK,
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'
    )

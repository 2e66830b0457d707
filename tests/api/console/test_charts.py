"""Charts: what is marked, what is counted, and an axis that shows the data."""

from __future__ import annotations

from math import log10
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.console.charts import (
    COLUMNS,
    MOST_FAILED_MARKS,
    MOST_MARKS,
    ROWS,
    Dot,
    duration_ticks,
    duration_words,
    histogram_figure,
    traces_figure,
)
from store.model import State, TimeRange

MS = 1_000
WINDOW = TimeRange(0, 900 * 1_000_000)


def dots(count: int, *, time: int = 50 * MS, state: State = State.OK) -> list[Dot]:
    step = (WINDOW.end - WINDOW.start) // count
    return [Dot(WINDOW.start + at * step, time, state, f"{state}-{at}") for at in range(count)]


def series(figure: Any, name: str) -> Any:
    return next(each for each in figure["data"] if each["name"] == name)


def y_range_ms(figure: Any) -> tuple[float, float]:
    low, high = figure["layout"]["yaxis"]["range"]
    return 10**low, 10**high


def test_an_in_progress_trace_does_not_stretch_the_axis() -> None:
    """It stands at the lower edge, as nothing is known of its response time."""
    figure = traces_figure([*dots(40), Dot(5, 0, State.IN_PROGRESS, "waiting")], WINDOW)
    low, high = y_range_ms(figure)
    assert low > 10
    assert high < 300
    assert series(figure, "in_progress")["y"] == [pytest.approx(low)]


def test_a_single_very_fast_trace_does_not_either() -> None:
    """One in more than a thousand lies at the edge, too."""
    figure = traces_figure([*dots(1500), Dot(5, 1, State.OK, "fast")], WINDOW)
    low, _ = y_range_ms(figure)
    assert low > 10
    assert min(series(figure, "ok")["y"]) == pytest.approx(low)


def test_up_to_two_thousand_traces_are_marks() -> None:
    """Each with the id that a click opens."""
    figure = traces_figure(dots(MOST_MARKS), WINDOW)
    assert [each["name"] for each in figure["data"]] == ["ok"]
    assert len(series(figure, "ok")["customdata"]) == MOST_MARKS


def test_more_are_a_heatmap_with_the_failed_ones_marked() -> None:
    """Every finished trace is counted once; the failed ones can still be clicked."""
    failed = dots(700, state=State.FAULT)
    figure = traces_figure([*dots(MOST_MARKS), *failed], WINDOW)
    grid = series(figure, "traces")
    assert (len(grid["z"]), len(grid["z"][0])) == (ROWS, COLUMNS)
    assert (len(grid["y"]), len(grid["x"])) == (ROWS + 1, COLUMNS + 1)
    assert sum(count or 0 for row in grid["customdata"] for count in row) == MOST_MARKS + 700
    newest = {dot.trace_id for dot in failed[-MOST_FAILED_MARKS:]}
    assert set(series(figure, "fault")["customdata"]) == newest


def test_a_heatmap_is_small() -> None:
    """5,000 marks are 376 kB."""
    figure = traces_figure(dots(5000), WINDOW)
    assert len(str(figure)) < 100_000


def test_the_time_axis_is_the_window() -> None:
    """So that it shows how far back the newest traces reach."""
    figure = traces_figure(dots(3)[2:], WINDOW)
    assert figure["layout"]["xaxis"]["range"] == [
        "1970-01-01T00:00:00.000000Z",
        "1970-01-01T00:15:00.000000Z",
    ]


def test_no_traces_are_an_empty_chart() -> None:
    """Its axes still make sense."""
    figure = traces_figure([], WINDOW)
    assert figure["data"] == []
    low, high = y_range_ms(figure)
    assert low < high


@pytest.mark.parametrize(
    ("microseconds", "words"),
    [(250, "250 µs"), (1_000, "1 ms"), (2e6, "2 s"), (90e6, "1.5 min"), (300_000, "300 ms")],
)
def test_a_tick_says_its_unit(microseconds: float, words: str) -> None:
    """Not `2` and `5` between 100 and 1000."""
    assert duration_words(microseconds) == words


@given(st.floats(1, 1e9), st.floats(3.9, 1e7))
def test_an_axis_has_a_few_ticks_inside_it(low: float, ratio: float) -> None:
    """Whatever it spans."""
    ticks = duration_ticks(low, low * ratio)
    assert 2 <= len(ticks) <= 12
    assert all(low <= tick <= low * ratio for tick in ticks)
    assert ticks == sorted(set(ticks))


def test_a_wide_histogram_has_the_same_ticks() -> None:
    """Its bins grow with the time, its axis is labelled like the others."""
    axis = histogram_figure({1_000: 5, 800_000: 3})["layout"]["yaxis"]
    assert axis["title"]["text"] == "requests"
    axis = histogram_figure({1_000: 5, 800_000: 3})["layout"]["xaxis"]
    assert axis["ticktext"] == ["1 ms", "10 ms", "100 ms"]
    assert axis["range"][0] == pytest.approx(log10(1), abs=0.01)

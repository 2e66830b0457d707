"""Charts: what is marked, what is counted, and an axis that shows the data."""

from __future__ import annotations

from math import log10
from typing import Any

import pytest

from api.console.charts import (
    COLUMNS,
    MOST_FAILED_MARKS,
    MOST_MARKS,
    ROWS,
    Dot,
    histogram_figure,
    over_time_figure,
    traces_figure,
)
from store.graph import Statistics
from store.model import State, TimeRange
from store.query import TimeBucket
from store.times import SECOND

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


def test_a_wide_histogram_has_the_same_ticks() -> None:
    """Its bins grow with the time, its axis is labelled like the others."""
    axis = histogram_figure({1_000: 5, 800_000: 3})["layout"]["yaxis"]
    assert axis["title"]["text"] == "requests"
    assert "dtick" not in axis
    axis = histogram_figure({1_000: 5, 800_000: 3})["layout"]["xaxis"]
    assert axis["ticktext"] == ["1 ms", "10 ms", "100 ms"]
    assert axis["range"][0] == pytest.approx(log10(1), abs=0.01)


def test_few_requests_have_no_halves_between_them() -> None:
    """Of a stack it is the whole that counts."""
    assert histogram_figure({1_000: 2})["layout"]["yaxis"]["dtick"] == 1
    window = TimeRange(0, 300 * SECOND)

    def axis(faults: int) -> Any:
        statistics = Statistics(ok=3, fault=faults)
        slices = [TimeBucket(0, statistics)]
        return over_time_figure(slices, window, 60 * SECOND, 0)["layout"]["yaxis"]

    assert axis(1)["dtick"] == 1
    assert "dtick" not in axis(2)


def test_a_bin_says_what_it_counts_and_no_bare_number() -> None:
    """A pointer's title is what the axis measures, not the bin's edge in ten digits."""
    figure = histogram_figure({70_000_000: 4, 71_000_000: 3})
    (bar,) = figure["data"]
    assert bar["hovertemplate"] == "%{customdata}: %{y}<extra></extra>"
    assert bar["customdata"][-1] == "1 min 10 s to 1 min 11 s"
    axis = figure["layout"]["xaxis"]
    assert axis["unifiedhovertitle"] == {"text": "Response time"}
    assert axis["ticktext"] == ["0 ms", "30 s", "1 min"]


@pytest.mark.parametrize(
    ("now", "meta"),
    [
        (
            10_000,
            {"unfinished": "1970-01-01T00:10:00.000000Z", "until": "1970-01-01T00:10:50.000000Z"},
        ),
        (
            625,
            {"unfinished": "1970-01-01T00:10:00.000000Z", "until": "1970-01-01T00:10:25.000000Z"},
        ),
        (600, None),
        (-5, None),
    ],
    ids=["the window ends", "the present", "a whole step", "all in the future"],
)
def test_the_newest_bar_says_that_it_is_not_finished(now: int, meta: object) -> None:
    """It looks like a drop otherwise. What the present cuts is not finished either, in a window that ends later."""
    window = TimeRange(0, 650 * SECOND)
    figure = over_time_figure([], window, 60 * SECOND, now * SECOND)
    assert figure["layout"].get("meta") == meta

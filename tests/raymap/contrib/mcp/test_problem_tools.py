"""What is said where no problem is known."""

from __future__ import annotations

import pytest

from raymap.contrib.mcp.problem_tools import _none


@pytest.mark.parametrize(
    ("counted", "until", "said"),
    [
        (23, None, "Learning what is usual: 23 of 60 minutes"),
        (60, 1.0, "Nothing unusual"),
        (60, None, "No problem is known: nothing was judged yet"),
    ],
)
def test_nothing_is_called_usual_in_the_first_hour_nor_before_anything_was_judged(
    counted: int, until: float | None, said: str
) -> None:
    found = {"minutes_counted": counted, "minutes_needed": 60, "judged_until": until}
    assert _none(found) == said

"""What is said where no problem is known."""

from __future__ import annotations

import pytest

from raymap.mcp.problem_tools import _none


@pytest.mark.parametrize(
    ("counted", "said"),
    [
        (23, "None found, but it is not known what is usual yet: 23 of 60 minutes."),
        (60, "Nothing unusual."),
    ],
)
def test_in_the_first_hour_nothing_is_called_usual(counted: int, said: str) -> None:
    assert _none({"minutes_counted": counted, "minutes_needed": 60}) == said

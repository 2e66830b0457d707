"""The count of tokens, and what is cut by it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymap.contrib.mcp.budget import count, fit, head


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("checkout", 3),
        ("1-6926a1b2", 8),  # 1 - 69 26 a 1 b 2
        ("p95 80 ms", 6),
        ("日本", 6),
        ('{"a": 1}', 8),
    ],
)
def test_count(text: str, tokens: int) -> None:
    assert count(text) == tokens


@given(st.text(), st.text())
def test_a_longer_text_has_no_fewer_tokens(text: str, more: str) -> None:
    assert count(text) <= count(text + more) <= count(text) + count(more)


@given(st.text(), st.integers(0, 30))
def test_head_is_the_longest_beginning_that_fits(text: str, budget: int) -> None:
    found = head(text, budget)
    assert text.startswith(found)
    assert count(found) <= budget
    assert found == text or count(text[: len(found) + 1]) > budget


@given(st.lists(st.text()), st.integers(0, 60))
def test_fit_takes_whole_lines_from_the_first_on(lines: list[str], budget: int) -> None:
    found = fit(lines, budget)
    assert found == lines[: len(found)]
    assert count("\n".join(found)) <= budget

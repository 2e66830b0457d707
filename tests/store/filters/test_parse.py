"""Reading filter expressions: what is admitted, and what an error says."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.filters.ast import And, Bare, Compare, Field, Not, Or
from store.filters.parse import FilterError, parse
from tests.store.filters.examples import FAILING, INVALID, MATCHING


@pytest.mark.parametrize("text", [*MATCHING, *FAILING])
def test_documented_forms_are_read(text: str) -> None:
    parse(text)


@pytest.mark.parametrize(("text", "position", "said"), INVALID)
def test_errors_say_where_and_what(text: str, position: int, said: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert said in str(caught.value)
    assert caught.value.position == position


def test_and_binds_tighter_than_or() -> None:
    a, b, c = (Bare(Field(name)) for name in ("ok", "fault", "error"))
    assert parse("ok OR fault AND error") == Or((a, And((b, c))))
    assert parse("ok fault error") == And((a, b, c))
    assert parse("!ok fault") == And((Not(a), b))
    assert parse("(ok OR fault) error") == And((Or((a, b)), c))


def test_literals_keep_their_type() -> None:
    assert parse("annotation.a = 1") == Compare(Field("annotation", "a"), "=", 1.0)
    assert parse('annotation.a = "1"') == Compare(Field("annotation", "a"), "=", "1")
    assert parse("annotation.a = TRUE") == Compare(Field("annotation", "a"), "=", True)
    assert parse(r'user = "a\"b\\c"') == Compare(Field("user"), "=", 'a"b\\c')
    assert parse("user = 12") == Compare(Field("user"), "=", "12")


TOKENS = st.sampled_from(
    ["ok", "service(", ")", "{", "}", "annotation.a", "=", '"x"', "AND", "OR", "!", "5", "#[", "]"]
)


@given(st.one_of(st.text(max_size=60), st.lists(TOKENS, max_size=14).map(" ".join)))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but a FilterError, with a position inside of the text."""
    position = 0
    with contextlib.suppress(FilterError):
        try:
            parse(text)
        except FilterError as error:
            position = error.position
            raise
    assert 0 <= position <= len(text)

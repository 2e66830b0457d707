"""Reading filter expressions: what is admitted, and what an error says."""

from __future__ import annotations

import contextlib
import time
from random import Random
from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.filters.ast import And, Bare, Compare, Exists, Field, Not, OneOf, Or
from store.filters.parse import FilterError, parse
from tests.store.filters.examples import FAILING, INVALID, MATCHING, TRANSLATED
from tests.store.filters.published import PUBLISHED, REFUSED
from tests.tiers import cases


@pytest.mark.parametrize("text", [*MATCHING, *FAILING])
def test_documented_forms_are_read(text: str) -> None:
    parse(text)


@pytest.mark.parametrize(("text", "position", "said"), INVALID)
def test_errors_say_where_and_what(text: str, position: int, said: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert said in str(caught.value)
    assert caught.value.position == position


@pytest.mark.parametrize(("text", "proposed"), TRANSLATED)
def test_other_languages_are_translated(text: str, proposed: str) -> None:
    """What an error proposes is an expression of this language."""
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert str(caught.value).endswith(f"; write {proposed}")
    assert caught.value.moved(3).message == caught.value.message
    parse(proposed)


def test_limits_say_where_they_are_exceeded() -> None:
    for text, position in (
        (" OR ".join(["ok"] * 101), 600),
        (f"user IN ({', '.join(['a'] * 100)}) AND ok", 313),
        ("!" * 101 + "ok", 100),
        (" ".join(["!ok"] * 101), 400),
    ):
        with pytest.raises(FilterError, match="at most") as caught:
            parse(text)
        assert caught.value.position == position, text


def test_negations_in_texts_and_operators_are_none() -> None:
    parse(f'user CONTAINS "{"!" * 101}"')
    assert parse('user != "not"')


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


def test_beyond_x_ray() -> None:
    assert parse("http.status IN (500, 503)") == OneOf(Field("http.status"), (500.0, 503.0))
    mixed = OneOf(Field("annotation", "a"), (1.0, "1", True))
    assert parse('annotation.a in (1, "1", true)') == mixed
    assert parse("annotation.a EXISTS") == Exists(Field("annotation", "a"))
    assert parse("!user exists ok") == And((Not(Exists(Field("user"))), Bare(Field("ok"))))
    assert parse('http.url =~ "^/a/[0-9]+$"') == Compare(Field("http.url"), "=~", "^/a/[0-9]+$")


MUTATIONS = cases(2000, "RAYMAP_TEST_MUTATIONS")


def test_mutated_expressions_are_read_or_refused() -> None:
    """Characters of published expressions dropped, doubled, swapped or replaced: nothing but a FilterError,
    in milliseconds."""
    random = Random(7)
    texts = [*PUBLISHED, *REFUSED, *MATCHING]
    times = []
    for _ in range(MUTATIONS):
        text = list(random.choice(texts))
        for _ in range(random.randint(1, 4)):
            at = random.randrange(len(text) + 1)
            text[at : at + random.randint(0, 3)] = random.choice(PIECES)
        begun = time.process_time()
        with contextlib.suppress(FilterError):
            parse("".join(text))
        times.append(time.process_time() - begun)
    assert quantiles(times, n=100)[98] < 0.05, "ten times what a quiet machine takes"


PIECES = (
    "",
    "",
    "(",
    ")",
    "{",
    '"',
    "\\",
    "!",
    " AND ",
    " in (",
    "=~",
    "#[",
    "é",
    "\0",
    "\ud800",
    "1e9",
    "'",
    "service(",
    ",",
)
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


def test_numbers_of_trees_made_in_python_are_as_parsed() -> None:
    """An integer is no number to a store's SQL: what is compared with it would match nothing."""
    status = Field("http.status")
    for made, text in (
        (Compare(status, "=", 404), "http.status = 404"),
        (OneOf(status, (404, 503)), "http.status IN (404, 503)"),
    ):
        assert repr(made) == repr(parse(text))
    assert Compare(Field("fault"), "=", True).value is True

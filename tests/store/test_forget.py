"""What a subject means."""

from __future__ import annotations

import pytest

from store.forget import Subject, of_annotation, of_user
from store.rules.annotations import annotation_item
from tests.builders import TRACE, segment


def test_users() -> None:
    ana = of_user("ana")
    assert ana.matches(segment(1, user="ana"))
    assert ana.matches(segment(1, annotations=(annotation_item("enduser.id", "ana"),)))
    assert not ana.matches(segment(1, user="anabel"))
    assert not ana.matches(segment(1, annotations=(annotation_item("name", "ana"),)))
    assert not Subject().matches(segment(1))


@pytest.mark.parametrize("value", ["7", 7])
def test_annotations_of_both_types(value: str | int) -> None:
    found = segment(1, annotations=(annotation_item("customer", value),))
    assert of_annotation("customer", "7").matches(found)
    assert not of_annotation("customer", "8").matches(found)
    assert of_annotation("customer", "null").items == ('customer="null"',)


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        ("ana@example.com", "https://h/?mail=ana%40example.com&x=1"),
        ("ana@example.com", "?back=https%3A%2F%2Fh%2F%3Fm%3Dana%2540example.com"),
        ("ana@example.com", "%61na@example%2ecom and 100%"),
        ("Jürgen Groß", "?name=J%C3%BCrgen+Gro%c3%9f"),
        ("Jürgen Groß", '{"name": "J\\u00fcrgen Gro\\u00df"}'),
        ("Jürgen Groß", '{"name": "J\\u00FCrgen Gro\\u00DF"}'),
        ("a/b", '{"path": "a\\/b"}'),
    ],
)
def test_a_text_is_found_however_it_is_encoded(text: str, raw: str) -> None:
    assert Subject(text=text).matches(segment(1, raw=raw.encode()))
    assert not Subject(text=text + "x").matches(segment(1, raw=raw.encode()))


def test_a_trace_and_a_text() -> None:
    assert Subject(trace_id=TRACE).matches(segment(1))
    assert Subject(text="ä b").matches(segment(1, raw="{ä b}".encode()))
    assert not Subject(text="ä c").matches(segment(1, raw="{ä b}".encode()))

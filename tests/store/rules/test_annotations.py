"""Annotation items keep key, value and type."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from store.rules.annotations import annotation_item, parse_annotation_item

VALUES = st.one_of(st.text(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(-1e9, 1e9))


@given(st.text(), VALUES)
def test_round_trip(key: str, value: str | bool | int | float) -> None:
    parsed = parse_annotation_item(annotation_item(key, value))
    assert parsed == (key, value)


def test_types_stay_apart() -> None:
    items = {annotation_item("k", value) for value in ("1", 1, True, "true")}
    assert items == {'k="1"', "k=1", "k=true", 'k="true"'}
    assert annotation_item("k", 2.0) == annotation_item("k", 2)

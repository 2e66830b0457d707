"""Which names are in excess, and what is said about them."""

from __future__ import annotations

import pytest

from store.model import NodeKey
from store.rules import other_names
from store.rules.other_names import Place, describe_excess, names_in_excess, rarest
from store.times import MINUTE
from tests.builders import T0, call, segment, trace_id, trace_of


def test_there_is_room() -> None:
    assert rarest({"a": 1, "b": 1}, 2) == frozenset()
    assert rarest({}, 0) == frozenset()


def test_the_most_frequent_remain() -> None:
    assert rarest({"a": 5, "b": 3, "c": 1, "d": 2}, 2) == {"c", "d"}


def test_equally_frequent_names_are_treated_alike() -> None:
    """So that the choice depends on the counts alone: fewer remain than there is room for."""
    assert rarest({"a": 5, "b": 3, "c": 3, "d": 1}, 2) == {"b", "c", "d"}
    assert rarest({"a": 1, "b": 1, "c": 1}, 2) == {"a", "b", "c"}


def test_names_count_per_minute_and_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """With each segment, each call, and each call made by it."""
    monkeypatch.setattr(other_names, "MOST_NAMES", 2)
    host = [call(0xC0 + i, node=NodeKey("", f"host-{i}", "remote")) for i in range(2)]
    elsewhere = call(0xD0, node=NodeKey("9", "queue", ""))
    later = call(0xD1, node=NodeKey("", "host-9", "remote"), start=T0 + MINUTE, end=T0 + MINUTE)
    busy = segment(0xA1, calls=(*host, elsewhere, later))
    again = segment(0xA2, trace_id=trace_id(2), calls=(host[0],))
    found = names_in_excess([trace_of(busy), trace_of(again)])
    assert found == {Place(T0 // MINUTE, ""): {"host-1"}}


def test_who_makes_them_up() -> None:
    """The busiest caller; of equally busy ones always the same."""
    said = describe_excess({"shop": 3, "cron": 3, "web": 1}, "host-1", "5 names a minute")
    assert said.startswith("shop calls nodes under more than 5 names a minute; ")
    said = describe_excess({}, "GET /users/0", "5 names")
    assert said.startswith("segments come under more than 5 names, such as GET /users/0; ")
    assert describe_excess({}, "", "5 names").startswith("segments come under more than 5 names; ")

"""Which differences follow from others."""

from __future__ import annotations

import pytest

from api.comparison.causes import Place, Trend, followed
from api.comparison.significance import Difference, Measure

FRONT, SHOP, TABLE, OTHER = range(4)
PLACES = [*(Place() for _ in range(4)), Place(FRONT, SHOP), Place(SHOP, TABLE), Place(SHOP, OTHER)]
FRONT_SHOP, SHOP_TABLE, SHOP_OTHER = 4, 5, 6


def differing(measure: Measure, *places: int, more: bool = True) -> list[Difference]:
    then, now = (1.0, 2.0) if more else (2.0, 1.0)
    return [Difference(place, measure, then, now, 0.001) for place in places]


def test_callers_of_what_fails_follow_from_it() -> None:
    found = differing(Measure.FAULT, FRONT, FRONT_SHOP, SHOP, SHOP_TABLE, TABLE)
    assert followed(found, PLACES) == {
        (place, Trend.FAILING): TABLE for place in (FRONT, FRONT_SHOP, SHOP, SHOP_TABLE)
    }


def test_an_edge_is_an_origin_where_its_target_is_well() -> None:
    assert followed(differing(Measure.P90, SHOP_TABLE, SHOP), PLACES) == {
        (SHOP, Trend.SLOWER): SHOP_TABLE
    }


def test_one_place_between_may_have_too_few_requests() -> None:
    found = differing(Measure.FAULT, FRONT, TABLE)
    assert followed(found, PLACES) == {}, "three are between"
    found = differing(Measure.FAULT, FRONT_SHOP, SHOP_TABLE)
    assert followed(found, PLACES) == {(FRONT_SHOP, Trend.FAILING): SHOP_TABLE}


def test_slowness_does_not_follow_from_faults_nor_better_from_worse() -> None:
    assert followed([*differing(Measure.P50, SHOP), *differing(Measure.FAULT, TABLE)], PLACES) == {}
    better = differing(Measure.FAULT, TABLE, more=False)
    assert followed([*differing(Measure.FAULT, SHOP), *better], PLACES) == {}


def test_who_is_called_by_a_busier_node_is_busier() -> None:
    found = differing(Measure.RATE, FRONT, SHOP, TABLE)
    assert followed(found, PLACES) == {(SHOP, Trend.MORE): FRONT, (TABLE, Trend.MORE): FRONT}
    edge = [*differing(Measure.RATE, TABLE), *differing(Measure.NEW, SHOP_TABLE)]
    assert followed(edge, PLACES) == {(TABLE, Trend.MORE): SHOP_TABLE}


@pytest.mark.parametrize("measure", [Measure.NEW, Measure.VANISHED])
def test_an_edge_to_a_new_node_follows_from_the_node(measure: Measure) -> None:
    found = differing(measure, SHOP_OTHER, OTHER, SHOP_TABLE, more=measure is Measure.NEW)
    assert followed(found, PLACES) == {(SHOP_OTHER, Trend(measure.value)): OTHER}


def test_a_circle_begins_somewhere() -> None:
    circle = [Place(), Place(), Place(0, 1), Place(1, 0)]
    found = followed(differing(Measure.FAULT, 0, 1, 2, 3), circle)
    assert found == {(place, Trend.FAILING): 0 for place in (1, 2, 3)}

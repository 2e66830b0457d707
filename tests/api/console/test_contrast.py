"""A set against a set, on simulated traces of a shop (`RAYMAP_TEST_CASES`: how many worlds)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

import pytest

from api.console.contrast import Term, contrast
from tests.tiers import cases

WORLDS = cases(1, "RAYMAP_TEST_CASES")
"""Each with every planted cause, and ten random parts."""
TRACES = 12_000 if WORLDS > 1 else 6_000


class Plant(NamedTuple):
    """A value with which a share of the payments fail."""

    field: str
    value: str
    share: float


PLANTS = (
    Plant("version", "payments v2", 0.5),
    Plant("annotation.customer", "c7", 0.9),
    Plant("annotation.tier", "gold", 0.15),
    Plant("annotation.currency", "GBP", 0.8),
    Plant("annotation.sdk", "ios 4.2", 0.2),
    Plant("availabilityzone", "eu-west-1a", 0.5),
    Plant("region", "us-west-2", 0.2),
    Plant("instance.id", "i-eu-west-1-3", 0.9),
)
PATHS = {
    "browse": ("/products", "GET", ("shop", "catalog", "catalog-table")),
    "checkout": (
        "/checkout",
        "POST",
        ("shop", "checkout", "payments", "payments-table", "notify"),
    ),
    "report": ("/report", "GET", ("report",)),
}
RESTATE = ("service", "http.url", "http.method", "http.status")


def term(field: str, value: object) -> Term:
    return Term(field, f"{field} = {value}")


def request(chance: random.Random) -> dict[str, str]:
    """One trace of a shop: everything is drawn as shops have it, regions and zones together."""
    region = chance.choice(["eu-west-1", "us-east-1", "us-east-1", "us-west-2"])
    kind = chance.choices(list(PATHS), [0.8, 0.17, 0.03])[0]
    usual = {"e": "EUR", "u": "USD"}[region[0]]
    return {
        "annotation.order_id": f"o-{chance.randrange(10**9)}",
        "user": f"u{chance.randrange(4000)}",
        "annotation.tier": "free" if chance.random() < 0.6 else "gold",
        "annotation.customer": f"c{min(int(chance.paretovariate(0.7)), 300)}",
        "availabilityzone": region + chance.choice("abc"),
        "region": region,
        "annotation.currency": usual if chance.random() < 0.97 else "GBP",
        "instance.id": f"i-{region}-{chance.randrange(6)}",
        "annotation.sdk": chance.choice(["ios 4.1", "ios 4.2", "android 7", "web"]),
        "version": f"payments v{2 if chance.random() < 0.1 else 1}" if kind == "checkout" else "",
        "kind": kind,
    }


def terms(made: dict[str, str], failed: bool) -> set[Term]:
    url, method, services = PATHS[made["kind"]]
    found = {term(field, value) for field, value in made.items() if field != "kind" and value}
    path = {term("service", name) for name in services}
    return found | path | {term("http.url", url), term("http.method", method)}


def payments(chance: random.Random, plant: Plant) -> tuple[list[set[Term]], list[set[Term]]]:
    """The payments that failed and those that did not."""
    sides: tuple[list[set[Term]], list[set[Term]]] = [], []
    for _ in range(TRACES):
        made = request(chance)
        if made["kind"] != "checkout":
            continue
        planted = made[plant.field] == plant.value and chance.random() < plant.share
        failed = planted or chance.random() < 0.004
        sides[not failed].append(terms(made, failed))
    return sides[0][:2000], sides[1][:2000]


@pytest.mark.slow
@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.field)
def test_what_was_planted_comes_first_and_nothing_restates_the_selection(plant: Plant) -> None:
    for world in range(WORLDS):
        found = contrast(*payments(random.Random(f"{plant.field} {world}"), plant))
        first = found.lines[0]
        assert term(plant.field, plant.value).filter in (first.filter, *first.same)
        listed = [name for line in found.lines for name in (line.filter, *line.same)]
        assert [name for name in listed if name.startswith((*RESTATE, "annotation.order_id"))] == []
        assert "annotation.order_id" in [each.field for each in found.distinct]


@pytest.mark.slow
def test_a_random_part_has_nothing_of_its_own() -> None:
    """At most one in a hundred random parts."""
    false = 0
    for world in range(10 * WORLDS):
        chance = random.Random(f"part {world}")
        traces = [terms(request(chance), failed=False) for _ in range(2200)]
        false += bool(contrast(traces[:200], traces[200:]).lines)
    assert false <= WORLDS // 10


def sets(rows: Sequence[str]) -> list[set[Term]]:
    """Traces from rows of ``field=value`` texts."""
    return [{Term(text.split("=")[0], text) for text in row.split()} for row in rows]


def test_few_traces_show_nothing() -> None:
    """Four of four against none of a hundred may be one customer's luck; five are a line."""
    rest = sets(["user=b"] * 100)
    assert contrast(sets(["user=a"] * 4), rest).lines == []
    (line,) = contrast(sets(["user=a"] * 5), rest).lines
    assert (line.filter, line.selected, line.rest) == ("user=a", 5, 0)


def test_a_twentieth_of_the_selection_is_needed() -> None:
    def lines(with_it: int) -> list[str]:
        some = sets(["user=a"] * with_it + ["user=b"] * (200 - with_it))
        return [each.filter for each in contrast(some, sets(["user=b"] * 2000)).lines]

    assert (lines(9), lines(10)) == ([], ["user=a"])


def test_terms_of_the_same_traces_are_one_line() -> None:
    """The field to read first names it; what selects others is a line of its own."""
    chosen = sets(["annotation.tier=gold service=vault user=a"] * 20 + ["user=z"] * 20)
    rest = sets(["user=b"] * 400)
    first, second = contrast(chosen, rest).lines
    assert (first.filter, first.same) == ("annotation.tier=gold", ["service=vault", "user=a"])
    assert (second.filter, second.same) == ("user=z", [])


def test_what_a_better_line_explains_is_none() -> None:
    """All failures are of the customer; its region is more frequent among them for that reason alone."""
    chosen = sets(["annotation.customer=c7 region=west"] * 80 + ["region=east"] * 10)
    rest = sets(["annotation.customer=c7 region=west"] * 4 + ["region=west", "region=east"] * 200)
    assert [each.filter for each in contrast(chosen, rest).lines] == ["annotation.customer=c7"]


def test_unique_values_are_one_line_but_a_frequent_one_is_found() -> None:
    """Each trace has its order; one customer of thousands has half of the failures."""
    chosen = sets([f"order=o{at} user={'u7' if at % 2 else f'u{at}'}" for at in range(40)])
    rest = sets([f"order=r{at} user=v{at}" for at in range(400)])
    found = contrast(chosen, rest)
    assert [each.filter for each in found.lines] == ["user=u7"]
    assert found.distinct == [("order", 40), ("user", 21)]


def test_what_all_selected_have_in_common_may_be_how_they_were_selected() -> None:
    chosen = sets(["service=payments user=a"] * 30 + ["service=payments user=b"] * 30)
    rest = sets(["service=shop user=b"] * 200)
    assert contrast(chosen, rest).lines[0].filter == "service=payments"
    found = contrast(chosen, rest, common_is_implied=True)
    assert [each.filter for each in found.lines] == ["user=a"]


def test_an_empty_set_differs_in_nothing() -> None:
    some = sets(["user=a"] * 9)
    assert contrast([], some) == contrast(some, []) == ([], [])

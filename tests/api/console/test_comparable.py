"""With which traces a selection is compared."""

from __future__ import annotations

import pytest

from api.console.comparable import comparable, without_outcome
from api.console.params import Failing, TraceFilter
from store.filters.ast import Expression
from store.filters.conditions import all_of
from store.filters.parse import parse
from store.model import State

ALL = TraceFilter("", "", frozenset(), None, None)
FAULT = frozenset((State.FAULT,))


def expression(text: str) -> Expression:
    found = parse(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "widened"),
    [
        ("fault", ""),
        ("fault OR error = true", ""),
        ("responsetime > 2 AND duration < 5", ""),
        ("NOT ok", ""),
        ("http.status = 503", ""),
        ('rootcause.fault.service { name = "a" }', ""),
        ('user = "a"', 'user = "a"'),
        ('fault AND user = "a"', 'user = "a"'),
        ('fault OR user = "a"', ""),
        ('NOT user = "a" AND error', 'NOT user = "a"'),
        ('NOT (user = "a" AND error)', ""),
        ('service("a") { fault }', 'service("a")'),
        ('service("a") { fault AND annotation.t = "x" }', 'service("a") { annotation.t = "x" }'),
        (
            'edge("a", "b") { responsetime > 1 } OR service("c") { throttle }',
            'edge("a", "b") OR service("c")',
        ),
    ],
)
def test_the_part_about_status_and_latency_goes(text: str, widened: str) -> None:
    assert without_outcome(expression(text)) == (parse(widened) if widened else None)


def test_failures_of_a_node_are_compared_with_its_other_traces() -> None:
    failing = Failing(State.FAULT, "HTTP 503")
    scope = expression('account.id = "1"')
    for filters in (
        ALL._replace(node="n1", states=FAULT),
        ALL._replace(node="n1", error=failing),
        ALL._replace(node="n1", states=FAULT, expression=scope),
    ):
        found = comparable(filters, filters.expression)
        assert found.filters == filters._replace(states=frozenset(), error=None)
        assert not found.which
        assert "http.status" in found.implied


def test_slow_traces_may_have_another_status() -> None:
    found = comparable(ALL._replace(expression=expression("responsetime > 1")), None)
    assert found.filters == ALL
    assert found.implied == {"responsetime"}


@pytest.mark.parametrize(
    ("text", "widened", "by_place"),
    [
        ('annotation.tier = "gold"', "annotation.tier EXISTS", False),
        ('user IN ("a", "b") AND NOT user = "c"', "user EXISTS", False),
        ('service("a") { annotation.t = "x" }', 'service("a") { annotation.t EXISTS }', False),
        ('service("a") AND user = "b"', "user EXISTS", True),
        ('name = "a"', "", True),
        ("annotation.tier", "", False),
    ],
)
def test_a_filter_by_values_is_compared_with_other_values(
    text: str, widened: str, by_place: bool
) -> None:
    """Within the scope of the console, and at the same node; what the filter names is no news."""
    for scope in (None, expression('account.id = "1"')):
        some = expression(text)
        filters = ALL._replace(node="n1", expression=all_of(scope, some))
        found = comparable(filters, scope)
        rest = expression(widened) if widened else None
        assert found.filters == filters._replace(expression=all_of(scope, rest))
        assert found.by_place == by_place
        names = ("annotation.tier", "user", "name")
        assert {name for name in names if name in text} <= found.implied


def test_all_traces_of_a_node_are_compared_with_those_elsewhere() -> None:
    scope = expression('account.id = "1"')
    found = comparable(ALL._replace(edge="n1:n2", expression=scope), scope)
    assert found.filters == ALL._replace(expression=scope)
    assert found.by_place

"""A graph is used again only where making it anew would give the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from store.clickhouse.graph.known_graphs import KnownGraphs
from store.clickhouse.graph.window_plan import Slot
from store.clickhouse.units.aggregates import EDGE, NODE, Aggregate, Key, graph_of, sum_of
from store.graph import Statistics
from store.model import NO_NODE, SETTLE_SLOT, NodeKey, client_of, unconfirmed

SLOTS = frozenset([Slot(1, 7, 3)])
SHOP, TABLE = NodeKey("", "shop", ""), NodeKey("", "stock", "AWS::DynamoDB::Table")


def counted(start: int = 0, *, active: bool = True) -> Aggregate:
    """One unit."""
    statistics = Statistics(ok=1, total_time=9, histogram={9: 1}, observed=1)
    return Aggregate(frozenset(), active, start, start + 9, 1, statistics, {})


def window(arrived: int, began: int) -> dict[Key, Aggregate]:
    """A root whose parent is unknown, and a call of a table: the slots in which these arrived, and began."""
    return {
        (NODE, NO_NODE, SHOP): counted(),
        (EDGE, unconfirmed(client_of(SHOP), arrived), SHOP): counted(),
        (NODE, NO_NODE, TABLE): counted(began * SETTLE_SLOT, active=False),
    }


@given(
    st.integers(0, 4),
    st.integers(0, 4),
    st.lists(st.none() | st.integers(0, 6 * SETTLE_SLOT), min_size=2, max_size=6),
)
def test_every_graph_equals_one_made_anew(
    arrived: int, began: int, settled: list[int | None]
) -> None:
    known, parts = KnownGraphs(), [window(arrived, began), {}]
    for before in settled:
        assert known.graph(SLOTS, parts, before) == graph_of(sum_of(parts), before)


def test_a_graph_in_which_everything_is_settled_is_used_again() -> None:
    known, parts = KnownGraphs(), [window(arrived=2, began=1)]
    young = known.graph(SLOTS, parts, 2 * SETTLE_SLOT)
    assert not young.edges
    first = known.graph(SLOTS, parts, 3 * SETTLE_SLOT)
    assert first.edges
    assert known.graph(SLOTS, parts, 9 * SETTLE_SLOT) is first
    assert known.graph(SLOTS, parts, None) is first
    assert known.graph(frozenset([Slot(1, 7, 4)]), parts, None) is not first


def test_a_window_that_cuts_minutes_is_made_anew() -> None:
    known, parts = KnownGraphs(), [window(0, 0)]
    assert known.graph(None, parts, None) is not known.graph(None, parts, None)
    assert known.graph(frozenset(), parts, None) is not known.graph(frozenset(), parts, None)

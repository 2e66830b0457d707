"""Subsegments that come as documents of their own."""

from __future__ import annotations

from store.model import (
    NodeKey,
    State,
    TimeRange,
)
from store.protocol import Store
from store.times import MINUTE
from tests.builders import T0, call, segment, subsegment
from tests.store.contract.nodes import BACKEND, FRONTEND, HOUR


class SubsegmentContract:
    """Every store passes every test."""

    def test_streamed_subsegments_find_their_segment(self, store: Store) -> None:
        """Python's SDK sends finished leaves first, each a document of its own, any depth."""
        leaf = subsegment(0x52, parent_id=0x51, calls=(call(0x52),))
        middle = subsegment(0x51, parent_id=0x11, members=(0x15,))
        store.put([leaf], "a")
        assert set(store.service_graph(HOUR).services) == {BACKEND}
        store.put([middle], "b")
        assert store.service_graph(HOUR).edges == {}
        store.put([segment(0xA1, members=(0x11,))], "c")
        graph = store.service_graph(HOUR)
        assert graph.edges[FRONTEND, BACKEND].statistics.total == 1
        assert len(graph.edges) == 2

    def test_streamed_below_a_call(self, store: Store) -> None:
        """A call contains what is nested below it: its document's segment made the nested call, too. Also
        if the call is in another minute, and if a later copy of the document leaves it out."""
        table = NodeKey("", "table", "AWS::DynamoDB::Table")
        start = T0 + 70_000_000
        outer = call(0x11, start=start, end=start + 9_000)
        below = subsegment(
            0x52, parent_id=0x11, start=start, calls=(call(0x52, start=start, node=table),)
        )
        minutes = TimeRange(T0, T0 + 3 * MINUTE)
        store.put([below], "a")
        assert store.service_graph(minutes).edges == {}
        store.put([segment(0xA1, calls=(outer,), state=State.IN_PROGRESS)], "b")
        assert store.service_graph(minutes).edges[FRONTEND, table].statistics.total == 1
        store.put([segment(0xA1, version=T0 + 300_000)], "c")
        assert store.service_graph(minutes).edges[FRONTEND, table].statistics.total == 1
        # Another document's call by that id, the last one, takes what is below along.
        other = segment(0xB1, name="other", calls=(outer,), version=T0 + 400_000)
        store.put([other], "d")
        graph = store.service_graph(minutes)
        assert {key for key in graph.edges if key[1] == table} == {(other.node, table)}

    def test_orphans_in_a_circle(self, store: Store) -> None:
        """Nonsense parents end, and neither node nor edge comes of them."""
        one = subsegment(0x51, parent_id=0x52, calls=(call(0x51),))
        two = subsegment(0x52, parent_id=0x51)
        child = segment(0xB1, name="child", parent_id=0x52)
        store.put([one, two, child], "a")
        graph = store.service_graph(HOUR)
        assert set(graph.services) == {BACKEND, NodeKey("", "child", "")}
        assert graph.edges == {}

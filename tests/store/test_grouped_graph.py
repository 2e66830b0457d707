"""Which nodes a grouped map has; the contract and the agreement test what they count."""

from __future__ import annotations

from store.graph import ServiceGraph
from store.grouped_graph import graph_of_grouped
from store.grouped_units import GroupedKey
from store.memory import MemoryStore
from store.model import Link, NodeKey
from store.rules.dimensions import Dimension
from tests.builders import T0, call, segment, subsegment, trace_id
from tests.store.contract.nodes import HOUR

TABLE = NodeKey("", "orders", "AWS::DynamoDB::Table")


def test_young_calls_of_unknown_callers_are_left_out_as_on_the_whole_map() -> None:
    """Also where a link comes from the node that they lead to, which remains as its end."""
    store = MemoryStore()
    made = call(0x51, node=TABLE, status=200)
    store.put([subsegment(0x51, 0xA1, trace_id=trace_id(1), calls=(made,))], "a")
    graphs: list[tuple[ServiceGraph, ServiceGraph]] = []
    for token in ("b", "c"):
        for settled in (None, T0):
            units = store.grouped_units(HOUR, Dimension.STATUS)
            split = graph_of_grouped(units, settled)
            graphs.append((store.service_graph(HOUR, settled_before=settled), split))
        links = (Link(trace_id(1), 0x51),)
        store.put([segment(0xB1, trace_id=trace_id(2), name="worker", links=links)], token)
    for whole, split in graphs:
        nodes = {key.node if isinstance(key, GroupedKey) else key for key in split.services}
        assert nodes == set(whole.services)
        of_table = [each for key, each in split.services.items() if key.name == TABLE.name]
        expected = whole.services[TABLE].statistics.ok if of_table else 0
        assert sum(each.statistics.ok for each in of_table) == expected
    assert [len(split.services) for _, split in graphs] == [1, 0, 2, 2]

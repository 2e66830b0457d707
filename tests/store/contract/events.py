"""What arrives apart from what it belongs to, and a little later: the event of a function, the record of a gateway."""

from __future__ import annotations

import pytest

from store.grouped_graph import graph_of_grouped
from store.model import (
    JOIN_SLOTS,
    SETTLE_SLOT,
    Http,
    Link,
    NodeKey,
    State,
    derived_version,
    relayed_version,
)
from store.protocol import Store
from store.rules.dimensions import Dimension
from store.times import MINUTE, SECOND
from tests.builders import T0, call, segment, trace_id
from tests.store.contract.nodes import CLIENT as ENTERING
from tests.store.contract.nodes import FRONTEND, HOUR
from tests.store.contract.series import edge_series

SERVICE = NodeKey("", "clickstream", "AWS::Lambda")
CLIENT = NodeKey("", "clickstream", "client")
STREAM = NodeKey("", "clicks", "AWS::Kinesis::Stream")
ARRIVED = T0 + 40 * SECOND
PAIR = (CLIENT, SERVICE)


class EventContract:
    """Every store passes every test."""

    @pytest.mark.parametrize("version", [ARRIVED, relayed_version(ARRIVED)])
    def test_a_function_without_a_caller_awaits_its_event(self, store: Store, version: int) -> None:
        """Lambda's own segment does not say that a stream invoked it. What does arrives apart, about as soon."""
        store.put([segment(0xA1, node=SERVICE, version=version)], "a")
        for settled, count in (
            (ARRIVED, 0),
            (ARRIVED + JOIN_SLOTS * SETTLE_SLOT, 0),
            (ARRIVED + (JOIN_SLOTS + 1) * SETTLE_SLOT, 1),
            (None, 1),
        ):
            graph = store.service_graph(HOUR, settled_before=settled)
            drawn = graph.edges[PAIR].statistics.total if PAIR in graph.edges else 0
            series = edge_series(store, [PAIR], HOUR, MINUTE, settled_before=settled)
            assert drawn == sum(each.statistics.total for each in series) == count
            assert graph.services[SERVICE].statistics.total == 1
            assert graph.services[SERVICE].root is (count == 1)
        known = segment(0xA1, node=SERVICE, before=STREAM, version=version + SECOND)
        store.put([known], "b")
        for settled in (T0, None):
            graph = store.service_graph(HOUR, settled_before=settled)
            assert not graph.edges
            assert graph.links.keys() == {(STREAM, SERVICE)}

    def test_a_root_is_as_young_as_its_arrival(self, store: Store) -> None:
        """It may have taken long, or be delivered late: what it waits for does so, too."""
        late, later = T0 + 10 * MINUTE, T0 + 10 * MINUTE + JOIN_SLOTS * SETTLE_SLOT
        store.put([segment(0xA1, parent_id=0xC1, version=late)], "a")
        link = Link(trace_id(9), 0xC1)
        store.put([segment(0xA2, trace_id=trace_id(2), links=(link,), version=late)], "b")
        joined = {"node": SERVICE, "version": derived_version(late, 20)}
        store.put([segment(0xA3, trace_id=trace_id(3), parent_id=0xC1, **joined)], "c")
        store.put([segment(0xA4, trace_id=trace_id(4), links=(link,), **joined)], "d")
        for settled, count in (
            (late, 0),
            (late + SETTLE_SLOT, 2),
            (later, 2),
            (later + SETTLE_SLOT, 4),
        ):
            edges = store.service_graph(HOUR, settled_before=settled).edges
            assert sum(each.statistics.total for each in edges.values()) == count

    def test_other_roots_have_their_clients_at_once(self, store: Store) -> None:
        """What was derived of a record has been joined to its trace; the event of a function is its service's."""
        function = NodeKey("", "clickstream", "AWS::Lambda::Function")
        gateway = NodeKey("", "shop/prod", "AWS::ApiGateway::Stage")
        derived = derived_version(ARRIVED, 20)
        store.put(
            [
                segment(0xA1, node=SERVICE, version=derived),
                segment(0xA2, trace_id=trace_id(2), node=function, version=ARRIVED),
                segment(0xA3, trace_id=trace_id(3), node=gateway, version=ARRIVED),
            ],
            "a",
        )
        edges = store.service_graph(HOUR, settled_before=T0).edges
        assert {target for _, target in edges} == {SERVICE, function, gateway}

    def test_one_in_progress_awaits_its_event(self, store: Store) -> None:
        http = Http(user_agent="x")
        store.put(
            [segment(0xA1, node=SERVICE, http=http, state=State.IN_PROGRESS, version=ARRIVED)], "a"
        )
        assert not store.service_graph(HOUR, settled_before=ARRIVED).edges
        assert PAIR in store.service_graph(HOUR, settled_before=ARRIVED + MINUTE).edges

    def test_a_host_awaits_what_answers_under_its_name(self, store: Store) -> None:
        """A gateway's own record comes later than the segment that called it by its host. What answered such calls
        before will answer these; one that it does not answer is drawn in the end."""
        stage = NodeKey("", "shop/prod", "AWS::ApiGateway::Stage")
        api = NodeKey("", "api.example.com", "remote")
        later = T0 + 30 * SECOND

        def calls(number: int, start: int, answered: bool) -> None:
            own = trace_id(number)
            made = call(0xC1, node=api, host=api.name, start=start, end=start + 9)
            found = [segment(0xA1, trace_id=own, start=start, end=start + 9, calls=(made,))]
            if answered:
                found.append(
                    segment(
                        0xB1, trace_id=own, parent_id=0xC1, node=stage, start=start, end=start + 9
                    )
                )
            store.put(found, f"{number} {answered}")

        calls(1, later, False)
        assert api in store.service_graph(HOUR, settled_before=T0).services, "nothing known better"
        calls(2, T0, True)
        other = NodeKey("", "other.example.com", "remote")
        store.put(
            [segment(0xA1, trace_id=trace_id(3), start=later, end=later + 9,
                     calls=(call(node=other, host=other.name, start=later, end=later + 9),))],
            "3",
        )  # fmt: skip
        for settled, count in ((later, 0), (later + SETTLE_SLOT, 1), (None, 1)):
            graph = store.service_graph(HOUR, settled_before=settled)
            pairs = {(FRONTEND, stage), (FRONTEND, other), (ENTERING, FRONTEND)}
            assert graph.edges.keys() - {(FRONTEND, api)} == pairs
            drawn = (FRONTEND, api) in graph.edges, api in graph.services
            assert drawn == (count == 1, count == 1)
            units = store.grouped_units(HOUR, Dimension.STATUS)
            names = {key.name for key in graph_of_grouped(units, settled).services}
            assert names == {key.name for key in graph.services}
        calls(1, later, True)
        graph = store.service_graph(HOUR)
        assert graph.edges[FRONTEND, stage].statistics.total == 2
        assert api not in graph.services

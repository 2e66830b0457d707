"""What was sampled stands for more, on the map only."""

from __future__ import annotations

from store.model import (
    Link,
    NodeKey,
    State,
    TimeRange,
)
from store.otel.adjusted_count import LARGEST
from store.protocol import Store
from store.query import Axis, Failure, TraceQuery
from store.times import DAY, MINUTE
from tests.builders import T0, TRACE, call, segment, trace_id
from tests.store.contract.failures import node_failures
from tests.store.contract.nodes import BACKEND, CLIENT, FRONTEND, HOUR


class WeightContract:
    """Every store passes every test."""

    def test_no_accepted_weight_and_duration_wraps(self, store: Store) -> None:
        """Two spans of eight thousand years, each standing for a million, in two minutes."""
        longest = 253_402_300_799_000_000
        for number in range(2):
            start = T0 + number * MINUTE
            one = segment(trace_id=trace_id(number + 1), start=start, end=longest, weight=LARGEST)
            store.put([one], f"{number}")
        expected = LARGEST * (2 * longest - 2 * T0 - MINUTE)
        assert expected > 1 << 64
        graph = store.service_graph(HOUR)
        for each in (graph.services[FRONTEND], graph.edges[CLIENT, FRONTEND]):
            assert each.statistics.total_time == expected
            assert each.statistics.total == 2 * LARGEST
        minutes = TimeRange(T0 + 1, T0 + 2 * MINUTE - 1)  # cuts both
        assert store.service_graph(minutes).services[FRONTEND].statistics.total == LARGEST
        series = store.node_series([FRONTEND], HOUR, DAY)
        assert [each.statistics.total_time for each in series] == [expected]

    def test_what_was_sampled_counts_as_what_it_stands_for(self, store: Store) -> None:
        """Counts, times and traces a minute are adjusted; units, traces and revisions are not."""
        caller = {"weight": 8, "calls": (call(0xC1, weight=8, state=State.FAULT),)}
        store.put([segment(0xA1, state=State.ERROR, last_end=T0 + 300_000, **caller)], "a")
        store.put([segment(0xA2, state=State.IN_PROGRESS, weight=4)], "b")
        store.put([segment(0xA3, trace_id=trace_id(2), parent_id=9, weight=3)], "c")
        store.put([segment(0xA4, trace_id=trace_id(3)), segment(0xB4, trace_id=trace_id(4))], "d")
        joined = Link(TRACE, 0xC1, weight=5)
        worker = segment(1, name="worker", trace_id=trace_id(5), links=(joined,), weight=5)
        store.put([worker], "e")
        graph = store.service_graph(HOUR)
        frontend = graph.services[FRONTEND]
        counts = frontend.statistics
        assert (counts.error, counts.ok, counts.in_progress) == (8, 3 + 1 + 1, 4)
        assert (counts.observed, counts.total_time) == (5, 13 * 100_000)
        assert counts.histogram == {100_000: 13}
        assert frontend.durations == {100_000: 5, 300_000: 8}
        assert frontend.trace_minutes == 4 + 3 + 1 + 1
        for inferred in (graph.services[BACKEND], graph.edges[FRONTEND, BACKEND]):
            assert (inferred.statistics.fault, inferred.statistics.observed) == (8, 1)
        assert node_failures(store, BACKEND) == [Failure("No exception recorded", State.FAULT, 8)]
        assert graph.links[BACKEND, NodeKey("", "worker", "")].statistics.ok == 5
        (slice,) = store.node_series([FRONTEND], HOUR, MINUTE)
        assert slice.statistics == counts
        assert len(store.find_traces(TraceQuery(HOUR), limit=9).found) == 5
        assert store.get_traces([TRACE])[TRACE].revision == 2

    def test_what_is_not_sampled_counts_and_is_no_trace(self, store: Store) -> None:
        store.put([segment(0xA1, sampled=False, calls=(call(0xC1),))], "a")
        assert store.service_graph(HOUR).services[FRONTEND].statistics.total == 1
        assert store.service_graph(HOUR).edges[FRONTEND, BACKEND].statistics.total == 1
        assert store.get_traces([TRACE], raw=True) == {}
        for axis, window in ((Axis.TRACE_ID, HOUR), (Axis.EVENT, HOUR), (Axis.SERVICE, HOUR)):
            assert store.find_traces(TraceQuery(window, axis), limit=9).found == []
        store.put([segment(0xB1, parent_id=0xC1)], "b")
        assert set(store.get_traces([TRACE])[TRACE].documents) == {0xA1, 0xB1}
        assert len(store.find_traces(TraceQuery(HOUR), limit=9).found) == 1

"""Units of which nothing says how they ended."""

from __future__ import annotations

from store.model import NodeKey, State
from store.protocol import Store
from store.query import UnitQuery
from store.rules.classify import UNKNOWN, UNKNOWN_OUTCOME
from tests.builders import call, segment, subsegment, trace_id
from tests.store.contract.nodes import HOUR

FUNCTION = NodeKey("", "checkout", "AWS::Lambda::Function")
SERVICE = NodeKey("", "checkout", "AWS::Lambda")


class UnknownContract:
    """Tests of outcomes that are not known."""

    def test_what_may_have_failed_is_counted_apart(self, store: Store) -> None:
        """It is ok to X-Ray's API; of a failure it is known how it ended."""
        store.put(
            [
                segment(1, node=FUNCTION, exception=UNKNOWN_OUTCOME),
                segment(2, node=FUNCTION, trace_id=trace_id(2)),
                segment(3, node=FUNCTION, trace_id=trace_id(3), state=State.FAULT, exception="E"),
            ],
            "a",
        )
        stats = store.service_graph(HOUR).services[FUNCTION]
        assert (stats.statistics.ok, stats.statistics.fault, stats.unknown) == (2, 1, 1)
        assert stats.failures == {UNKNOWN: 1, "4:E": 1}
        unknown = UnitQuery(
            HOUR, nodes=frozenset({FUNCTION}), states=frozenset({State.OK}), label=UNKNOWN_OUTCOME
        )
        assert [hit.trace_id for hit in store.find_units(unknown, limit=9).found] == [
            segment().trace_id
        ]

    def test_a_function_that_its_callers_alone_know_may_have_failed(self, store: Store) -> None:
        """Lambda answers 200 for one that raised; a refused call is known to have failed."""
        calls = [
            (1, call(0xC1, node=SERVICE, service="Lambda")),
            (2, call(0xC2, node=SERVICE, service="Lambda", state=State.THROTTLE)),
        ]
        store.put(
            [segment(number, trace_id=trace_id(number), calls=(each,)) for number, each in calls],
            "a",
        )
        assert store.service_graph(HOUR).services[SERVICE].unknown == 1
        reported = segment(0xF, trace_id=trace_id(1), parent_id=0xC1, node=SERVICE)
        store.put([reported, subsegment(0xE, parent_id=0xF, trace_id=trace_id(1))], "b")
        assert store.service_graph(HOUR).services[SERVICE].unknown == 0

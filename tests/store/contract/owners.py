"""Work inside a service that names its service: spans, whose owner no segment above them needs to say."""

from __future__ import annotations

from typing import Any

from store.filters.conditions import calls_along
from store.model import Document, Independent, Link, NodeKey
from store.protocol import Store
from store.query import TraceQuery, UnitQuery
from store.summary import summarize
from tests.builders import T0, call, segment, subsegment, trace_id
from tests.store.contract.nodes import BACKEND, FRONTEND, HOUR

WORKER = NodeKey("", "worker", "")
DATABASE = NodeKey("", "db", "Database::SQL")


def span(id: int, parent_id: int, node: NodeKey = WORKER, **change: Any) -> Document:
    """Work inside a service."""
    given = {"independent": Independent.OF_SENDER, "node": node, "service": "work", **change}
    return segment(id, parent_id=parent_id, **given)


class OwnerContract:
    """Every store passes every test."""

    def test_a_call_is_its_own_services(self, store: Store) -> None:
        """Wherever its parent is: below another service's, below work without a name, or not there."""
        query = (call(0x52, node=DATABASE, host="db"),)
        store.put([span(0x52, 0xA1, calls=query), segment(0xA1)], "a")
        graph = store.service_graph(HOUR)
        assert graph.edges[WORKER, DATABASE].statistics.total == 1
        assert (FRONTEND, DATABASE) not in graph.edges
        nameless = subsegment(0x61, 0x52, calls=(call(0x61),))
        store.put([nameless, span(0x71, 0x61, FRONTEND, calls=(call(0x71),))], "b")
        edges = store.service_graph(HOUR).edges
        assert {key for key in edges if key[1] == BACKEND} == {(FRONTEND, BACKEND)}
        assert edges[WORKER, FRONTEND].statistics.total == 1  # the nameless call

    def test_a_call_without_its_parent(self, store: Store) -> None:
        """A job that still runs: who calls is known, and no request or client is counted for it; what lists
        and series say of the edge is what the map says."""
        job = span(0x52, 0x99, calls=(call(0x52),))
        store.put([job, span(0x51, 0x99)], "a")
        graph = store.service_graph(HOUR)
        assert graph.edges.keys() == {(WORKER, BACKEND)}
        assert graph.services[BACKEND].statistics.total == 1
        edge = frozenset([(WORKER, BACKEND)])
        (found,) = store.find_units(UnitQuery(HOUR, edges=edge), limit=9).found
        assert (found.trace_id, found.units) == (job.trace_id, 1)
        query = TraceQuery(HOUR, filter=calls_along(WORKER, BACKEND))
        assert [each.trace_id for each in store.find_traces(query, limit=9).found] == [job.trace_id]
        store.put([segment(0x99, node=WORKER)], "b")
        graph = store.service_graph(HOUR)
        assert graph.services[WORKER].statistics.total == 1
        assert graph.edges[WORKER, BACKEND].statistics.total == 1

    def test_a_segment_below_work_without_a_call(self, store: Store) -> None:
        """It is called by the service of that work; by a call with its id, if that has one."""
        store.put(
            [segment(0xA1), span(0x51, 0xA1), segment(0xB1, parent_id=0x51, node=BACKEND)], "a"
        )
        edges = store.service_graph(HOUR).edges
        assert (WORKER, BACKEND) in edges
        assert (FRONTEND, BACKEND) not in edges
        late = call(0x51, start=T0 + 2_000, end=T0 + 9_000)
        again = span(0x51, 0xA1, calls=(late,), version=T0 + 900_000)
        store.put([again], "b")
        edge = store.service_graph(HOUR).edges[WORKER, BACKEND]
        assert edge.statistics.total_time == 7_000

    def test_the_end_of_a_link(self, store: Store) -> None:
        """Work inside a service stands for it, also where nothing above it has arrived."""
        sent, received = trace_id(1), trace_id(2)
        link = (Link(sent, 0x51),)
        store.put([span(0x51, 0x99, trace_id=sent)], "a")
        store.put([span(0x61, 0x98, FRONTEND, trace_id=received, links=link)], "b")
        assert store.service_graph(HOUR).links.keys() == {(WORKER, FRONTEND)}

    def test_annotations_are_the_services(self, store: Store) -> None:
        """A filter that names service and annotation finds the spans of that service."""
        work = span(0x51, 0xA1, annotations=('tier="gold"',))
        store.put([segment(0xA1), work], "a")
        (trace,) = store.get_traces([work.trace_id]).values()
        assert summarize(trace).annotations == {"tier": {'"gold"': {WORKER}}}

"""Documents that arrive more than once: which copy counts."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from store.model import (
    MAX_RANK,
    Link,
    NodeKey,
    State,
    derived_version,
    part_version,
    relayed_version,
)
from store.protocol import Store
from store.times import MINUTE
from tests.builders import T0, TRACE, call, segment, trace_id
from tests.store.contract.nodes import BACKEND, FRONTEND, HOUR


class CopyContract:
    """Every store passes every test."""

    def test_resent_segment_counts_once(self, store: Store) -> None:
        """SDKs resend after a timeout; the map must not show the call twice."""
        store.put([segment(0xA1, calls=(call(0xC1),))], "a")
        store.put([segment(0xA1, calls=(call(0xC1),))], "b")
        graph = store.service_graph(HOUR)
        assert graph.services[FRONTEND].statistics.total == 1
        assert graph.edges[FRONTEND, BACKEND].statistics.total == 1

    def test_a_repeated_put_changes_nothing(self, store: Store) -> None:
        """A collector repeats a batch whose answer it did not get."""
        for _ in range(2):
            store.put([segment(0xA1, calls=(call(0xC1),))], "same")
        trace = store.get_traces([TRACE])[TRACE]
        assert trace.revision == 1
        assert store.service_graph(HOUR).edges[FRONTEND, BACKEND].statistics.total == 1

    def test_what_was_stored_last_changes_with_each_arrival_alone(self, store: Store) -> None:
        """Also with a copy that a merge makes one with the first."""
        seen = [store.last_arrival()]
        for token in "abc":
            store.put([segment(0xA1)], token)
            seen.append(store.last_arrival())
        assert seen[0] == 0
        assert len(set(seen)) == 4
        store.put([segment(0xA1)], "c")
        assert store.last_arrival() == seen[-1]

    def test_a_late_in_progress_copy_never_replaces_the_finished_segment(
        self, store: Store
    ) -> None:
        store.put([segment(0xA1, state=State.FAULT, version=T0)], "a")
        store.put([segment(0xA1, state=State.IN_PROGRESS, version=T0 + 9)], "b")
        statistics = store.service_graph(HOUR).services[FRONTEND].statistics
        assert (statistics.fault, statistics.in_progress) == (1, 0)
        assert store.get_traces([TRACE])[TRACE].documents[0xA1].state == State.FAULT

    @pytest.mark.parametrize("moved", [0, 2 * MINUTE])
    def test_a_call_is_in_the_document_of_its_newest_copy(self, store: Store, moved: int) -> None:
        """What a link to it caused is that document, wherever the other copy starts."""
        first, second = (
            call(0xC1, start=at, end=at, state=State.IN_PROGRESS) for at in (T0 + moved, T0)
        )
        link = Link(TRACE, 0xC1, upstream=False)
        store.put([segment(1, name="first", calls=(first,), version=T0)], "a")
        store.put([segment(2, name="second", calls=(second,), version=T0 + 1)], "b")
        store.put([segment(7, trace_id=trace_id(2), name="sender", links=(link,))], "c")
        graph = store.service_graph(HOUR)
        clients = {target.name for source, target in graph.edges if source.is_client}
        assert clients == {"first", "sender"}

    @pytest.mark.parametrize("completed_first", [True, False])
    @pytest.mark.parametrize("moved", [0, 2 * MINUTE])
    @pytest.mark.parametrize("upstream", [True, False])
    def test_links_are_those_of_the_winning_copy(
        self, store: Store, completed_first: bool, moved: int, upstream: bool
    ) -> None:
        """A copy in progress links to another trace, its completion does not: neither does the map."""
        other = segment(7, trace_id=trace_id(2), name="other")
        link = Link(trace_id(2), 7, upstream=upstream)
        began = T0 + moved
        copies = [
            segment(1, state=State.IN_PROGRESS, start=began, end=began, links=(link,), version=T0),
            segment(1, version=T0 + 9),
        ]
        for number, document in enumerate([other, *(copies[::-1] if completed_first else copies)]):
            store.put([document], f"copy-{number}")
            store.service_graph(HOUR)
        graph = store.service_graph(HOUR)
        assert dict(graph.links) == {}
        assert (NodeKey("", "other", "client"), other.node) in graph.edges
        assert dict(store.get_traces([TRACE])[TRACE].links) == {}
        assert store.get_traces([trace_id(2)])[trace_id(2)].caused == frozenset()

    @pytest.mark.parametrize("reported_first", [True, False])
    @pytest.mark.parametrize("moved", [0, 2 * MINUTE])
    def test_a_reported_segment_replaces_a_derived_one_and_counts_once(
        self, store: Store, reported_first: bool, moved: int
    ) -> None:
        """Whichever arrives first, wherever the derived copy starts, and counted in between or not."""
        node = NodeKey("1", "reported", "AWS::Lambda::Function")
        reported = segment(1, parent_id=9, node=node, version=T0)
        assumed = [
            replace(
                segment(1, parent_id=8, name="assumed", start=T0 + moved, end=T0 + moved + 5),
                version=derived_version(T0 + later, rank),
            )
            for later, rank in ((10, 1), (20, 11))
        ]
        order = [reported, *assumed] if reported_first else [*assumed, reported]
        for number, document in enumerate(order):
            store.put([document], f"copy-{number}")
            store.service_graph(HOUR)
        counted = store.service_graph(HOUR).services
        assert {
            key: each.statistics.total for key, each in counted.items() if not key.is_client
        } == {node: 1}
        (read,) = store.get_traces([TRACE])[TRACE].documents.values()
        assert (read.parent_id, read.version) == (9, T0)

    @pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)])
    def test_a_reported_segment_wins_over_a_relayed_one_and_that_over_a_derived_one(
        self, store: Store, order: tuple[int, int, int]
    ) -> None:
        """Whichever arrives first, with one call in the segment and by itself, counted in between or not."""
        copies = [
            [segment(1, name="reported", calls=(call(0xC1),), version=T0)],
            [
                segment(1, name="relayed", version=relayed_version(T0 + 9)),
                replace(
                    segment(0xC1, parent_id=1, calls=(call(0xC1),)),
                    independent=True,
                    version=relayed_version(T0 + 9),
                ),
            ],
            [segment(1, name="derived", version=derived_version(T0 + 20, MAX_RANK))],
        ]
        for number in order:
            store.put(copies[number], f"copy-{number}")
            store.service_graph(HOUR)
        found = store.service_graph(HOUR)
        assert {key.name for key in found.services if not key.is_client} == {
            "reported",
            BACKEND.name,
        }
        assert [
            each.statistics.total for key, each in found.services.items() if not key.is_client
        ] == [1, 1]
        assert {
            t.name: e.statistics.total for (s, t), e in found.edges.items() if not s.is_client
        } == {BACKEND.name: 1}

    @pytest.mark.parametrize("whole_first", [True, False])
    @pytest.mark.parametrize("moved", [0, 2 * MINUTE])
    def test_the_whole_replaces_a_part(self, store: Store, whole_first: bool, moved: int) -> None:
        """Of a span and of the call it makes, whichever arrives first and wherever the part starts."""
        at = T0 + moved
        part = segment(1, start=at, end=at, calls=(call(0xC1, start=at, end=at),))
        failed = call(0xC1, state=State.FAULT)
        whole = segment(1, end=T0 + 50_000, state=State.FAULT, calls=(failed,), version=T0)
        copies = [replace(part, version=part_version(T0 + 9)), whole]
        for number, document in enumerate(copies[::-1] if whole_first else copies):
            store.put([document], f"copy-{number}")
            store.service_graph(HOUR)
        graph = store.service_graph(HOUR)
        found = graph.services[FRONTEND].statistics
        assert (found.ok, found.fault, found.total_time) == (0, 1, 50_000)
        called = graph.edges[FRONTEND, BACKEND].statistics
        assert (called.ok, called.fault, called.total_time) == (0, 1, 10_000)

    @pytest.mark.parametrize("better_first", [True, False])
    def test_of_derived_copies_the_greater_rank_counts(
        self, store: Store, better_first: bool
    ) -> None:
        better = segment(1, name="better", version=derived_version(T0, 3))
        lesser = segment(
            1, name="lesser", start=T0 + 2 * MINUTE, version=derived_version(T0 + 9, 1)
        )
        for document in (better, lesser) if better_first else (lesser, better):
            store.put([document], document.service)
        names = {key.name for key in store.service_graph(HOUR).services}
        assert names == {"better"}
        trace = store.get_traces([TRACE])[TRACE]
        assert trace.documents[1].version == better.version
        assert trace.updated == T0 + 9

"""Background work: roots that serve no request, counted apart from the requests of their nodes."""

from __future__ import annotations

import pytest

from store.filters.parse import parse
from store.graph import ServiceStats, Statistics, Work
from store.model import Document, Kind, Link, NodeKey, State, TimeRange
from store.protocol import Store
from store.query import Entities, TraceQuery, UnitQuery
from store.rules.histogram import bucket
from store.times import MINUTE, SECOND
from tests.builders import FRONTEND, T0, TRACE, call, segment, trace_id
from tests.store.contract.nodes import HOUR

JOB = 20 * MINUTE
WHOLE = {bucket(JOB + MINUTE): 1}
QUEUE = NodeKey("", "orders", "Messaging::Kafka")


def job(number: int = 9, id: int = 0xB1, **change: object) -> Document:
    """A failed job of 20 minutes, whose last work ended a minute after it."""
    given = {"end": T0 + JOB, "last_end": T0 + JOB + MINUTE, "state": State.FAULT}
    change = {"kind": Kind.INTERNAL, "trace_id": trace_id(number), **given, **change}
    return segment(id, **change)


def work_of(total: Statistics) -> tuple[int, int, int]:
    """Finished units, failed ones, and their time."""
    return total.total, total.fault, total.total_time


def listed(store: Store, *, background: bool, node: NodeKey = FRONTEND) -> list[tuple[bytes, int]]:
    """The traces of a node's list, with their numbers of units."""
    query = UnitQuery(HOUR, nodes=frozenset([node]), background=background)
    found = store.find_units(query, limit=9).found
    return [(each.trace_id, each.units) for each in found]


def in_series(store: Store, entities: Entities) -> tuple[int, int, int]:
    """What a series of an hour counts."""
    buckets = store.entity_series(entities, HOUR, 60 * MINUTE)
    return work_of(buckets[0].statistics) if buckets else (0, 0, 0)


def _both(store: Store) -> ServiceStats:
    """The node after two requests and a job, each in a trace of its own."""
    store.put([segment(0xA1), segment(0xA2, trace_id=trace_id(2), kind=Kind.SERVER)], "requests")
    store.put([job(calls=(call(0xC1),))], "job")
    return store.service_graph(HOUR).services[FRONTEND]


class BackgroundContract:
    """Every store passes every test."""

    def test_a_job_is_no_request(self, store: Store) -> None:
        stats = _both(store)
        assert work_of(stats.requests.statistics) == (2, 0, 200_000)
        assert stats.requests.trace_minutes == 2
        assert stats.requests.durations == {100_000: 2}
        assert stats.requests.failures == {}
        assert work_of(stats.background.statistics) == (1, 1, JOB)
        assert stats.background.trace_minutes == 1
        assert stats.background.durations == WHOLE
        assert stats.background.failures == {"4:No exception recorded": 1}
        assert stats.ring is stats.requests
        assert not stats.is_background
        assert (stats.start, stats.end) == (T0, T0 + JOB)

    def test_lists_and_series_of_each(self, store: Store) -> None:
        _both(store)
        node = frozenset([FRONTEND])
        assert listed(store, background=False) == [(TRACE, 1), (trace_id(2), 1)]
        assert listed(store, background=True) == [(trace_id(9), 1)]
        assert in_series(store, Entities(nodes=node)) == (2, 0, 200_000)
        assert in_series(store, Entities(background=node)) == (1, 1, JOB)
        assert in_series(store, Entities(nodes=node, background=node)) == (3, 1, JOB + 200_000)
        counted = store.counted_window(HOUR)
        (bucket,) = counted.series(Entities(background=node), 60 * MINUTE)
        assert work_of(bucket.statistics) == (1, 1, JOB)
        store.put([job(2, 0xB1), job(2, 0xB2)], "jobs in the trace of a request")
        assert listed(store, background=False) == [(TRACE, 1), (trace_id(2), 1)]
        assert listed(store, background=True) == [(trace_id(9), 1), (trace_id(2), 2)]
        failed = UnitQuery(HOUR, nodes=node, states=frozenset([State.FAULT]))
        assert store.find_units(failed, limit=9).found == []

    def test_a_node_with_jobs_alone_shows_them(self, store: Store) -> None:
        store.put([job(calls=(call(0xC1),))], "job")
        graph = store.service_graph(HOUR)
        stats = graph.services[FRONTEND]
        assert stats.is_background
        assert stats.requests == Work()
        assert work_of(stats.statistics) == (1, 1, JOB)
        assert (stats.trace_minutes, stats.durations) == (1, WHOLE)
        assert stats.failures == {"4:No exception recorded": 1}
        callee = graph.services[call().node]
        assert (callee.is_background, callee.statistics.total) == (False, 1)

    def test_a_running_job(self, store: Store) -> None:
        store.put([job(state=State.IN_PROGRESS)], "started")
        stats = store.service_graph(HOUR).services[FRONTEND]
        assert stats.is_background
        assert (stats.statistics.in_progress, stats.statistics.total) == (1, 0)
        store.put([segment(0xA1, state=State.IN_PROGRESS)], "request")
        assert not store.service_graph(HOUR).services[FRONTEND].is_background

    @pytest.mark.parametrize("kind", Kind)
    def test_kinds(self, store: Store, kind: Kind) -> None:
        """X-Ray's documents have none, and no background work."""
        store.put([segment(0xA1, kind=kind)], "a")
        stats = store.service_graph(HOUR).services[FRONTEND]
        is_background = kind in (Kind.INTERNAL, Kind.CLIENT, Kind.PRODUCER)
        assert stats.is_background is is_background
        assert listed(store, background=is_background) == [(TRACE, 1)]
        assert listed(store, background=not is_background) == []

    def test_what_has_a_cause_is_no_background_work(self, store: Store) -> None:
        """A parent, a message, a link: known, or yet to come. A link that leads onwards is none."""
        link = Link(trace_id(50), 0x51)
        store.put(
            [
                job(1, parent_id=0x99),
                job(2, before=QUEUE),
                job(3, links=(link,)),
                job(4, links=(Link(trace_id(6), 0xB1),)),
                job(5),
                job(6, links=(Link(trace_id(5), 0xB1, upstream=False),)),
            ],
            "a",
        )
        stats = store.service_graph(HOUR).services[FRONTEND]
        assert (stats.requests.statistics.total, stats.background.statistics.total) == (5, 1)
        assert listed(store, background=True) == [(trace_id(6), 1)]
        requested = {id for id, _ in listed(store, background=False)}
        assert requested == {trace_id(number) for number in range(1, 6)}

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("background", (2, 5)),
            ("background = true", (2, 5)),
            ("background = false", (1, 3, 4)),
            ("!background", (1, 3, 4)),
            ("background AND fault", (2,)),
            ("background OR throttle", (2, 5)),
            ('service("frontend") {background}', (2, 5)),
            ('service("frontend") {background and fault}', (2,)),
            ('service("frontend") {background = false}', (1, 3, 4, 5)),
            ('service("frontend") {!background and !fault}', (1, 3, 5)),
            ('service("backend") {background}', ()),
            ('edge("", "frontend") AND background', (5,)),
        ],
    )
    def test_filters(self, store: Store, text: str, found: tuple[int, ...]) -> None:
        """A request, a job, a poll, a caused job, a job in the trace of a request; with links in the store, and without."""
        store.put([segment(0xA1, trace_id=trace_id(1), kind=Kind.SERVER), job(2)], "a")
        store.put([job(3, before=QUEUE, state=State.OK)], "b")
        store.put([segment(0xA1, trace_id=trace_id(5)), job(5, state=State.OK)], "c")
        query = TraceQuery(HOUR, filter=parse(text))

        def numbers() -> set[int]:
            listed = store.find_traces(query, limit=9).found
            return {
                number
                for number in range(9)
                for each in listed
                if each.trace_id == trace_id(number)
            }

        assert numbers() == set(found) - {4}
        store.put([job(4, links=(Link(trace_id(1), 0xA1),))], "d")
        assert numbers() == set(found)

    def test_minutes_and_weights(self, store: Store) -> None:
        """A trace in several buckets of a minute counts once, by its lightest weight, of each sort."""
        later = {"start": T0 + 20 * SECOND, "end": T0 + 21 * SECOND}
        store.put([job(1, 0xB1, weight=4), job(1, 0xB2, weight=3, **later)], "jobs")
        store.put([segment(0xA1, weight=2), segment(0xA2, **later)], "requests")
        store.put([job(2, 0xB1, start=T0 + 23 * SECOND, end=T0 + 24 * SECOND)], "more")
        for window in (HOUR, TimeRange(T0 - SECOND, T0 + 22 * SECOND)):
            stats = store.service_graph(window).services[FRONTEND]
            others = window is HOUR
            assert stats.background.trace_minutes == 3 + others
            assert stats.background.statistics.observed == 2 + others
            assert stats.background.statistics.fault == 7 + others
            assert (stats.requests.trace_minutes, stats.requests.statistics.ok) == (1, 3)

    def test_versions_count_requests(self, store: Store) -> None:
        """Of what a version reported; its jobs if there are no requests."""
        store.put([job(1, service_version="1"), job(2, service_version="2")], "jobs")
        alone = store.version_statistics([FRONTEND], HOUR)
        assert {version: each.statistics.fault for version, each in alone.items()} == {
            "1": 1,
            "2": 1,
        }
        assert len(store.version_series([FRONTEND], HOUR, "1", MINUTE)) == 1
        link = Link(trace_id(50), 0x51)
        store.put([job(3, service_version="3", links=(link,))], "caused")
        store.put([segment(0xA1, service_version="2", kind=Kind.SERVER)], "request")
        both = store.version_statistics([FRONTEND], HOUR)
        figures = {v: (each.statistics.fault, each.statistics.ok) for v, each in both.items()}
        assert figures == {"2": (0, 1), "3": (1, 0)}
        assert store.version_series([FRONTEND], HOUR, "1", MINUTE) == []
        ((_, found),) = store.version_series([FRONTEND], HOUR, "2", MINUTE)
        assert found.total == 1

    def test_verified(self, store: Store) -> None:
        """Series without a distinction have both."""
        _both(store)
        (bucket,) = store.node_series([FRONTEND], HOUR, 60 * MINUTE)
        assert bucket.statistics.total == 3

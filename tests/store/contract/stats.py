"""Traces and their units by dimensions (`store.trace_stats`)."""

from __future__ import annotations

import json
import math
from typing import Any

from store.filters.conditions import all_of, entered_with
from store.filters.group_by import NONE, STATES, Cell, parse_keys
from store.filters.parse import parse
from store.model import Document, NodeKey, State
from store.protocol import Store
from store.query import TraceQuery
from store.rules.annotations import annotation_item
from store.stats_groups import Stats
from store.stats_query import StatsQuery
from store.trace_stats import group_filter, trace_stats
from tests.builders import T0, call, http, segment, trace_id
from tests.store.contract.nodes import HOUR

CHECKOUT = NodeKey("", "shop/checkout", "")
TABLE = NodeKey("123456789012", "orders", "AWS::DynamoDB::Table", "eu-central-1")
NAMED = {name: state for state, name in STATES.items()}


def shop(number: int, *tiers: Any, state: State = State.OK, took: int = 100) -> list[Document]:
    """A frontend calls a checkout of a namespace, which reads a table; ``tiers``: annotations of the checkout."""
    id, start = trace_id(number), T0 + number * 1_000_000
    request = call(0xC1, start=start, end=start + 80, node=CHECKOUT, state=state)
    read = call(0xC2, start=start, end=start + 50, node=TABLE, service="DynamoDB", status=200)
    status = {State.FAULT: 503, State.ERROR: 404, State.THROTTLE: 429}.get(state, 200)
    own: dict[str, Any] = {"trace_id": id, "start": start, "state": state, "http": http(status)}
    raw = {
        "id": f"{0xA1:016x}",
        "name": "frontend",
        "fault": state is State.FAULT,
        "cause": {"exceptions": [{"id": "e1", "type": f'Odd"{number % 2}\\', "message": "no"}]},
    }
    raw |= {"start_time": start / 1e6, "end_time": (start + took) / 1e6}
    return [
        segment(
            0xA1,
            calls=(request,),
            end=start + took,
            service_version=str(number % 3),
            user=f"user {number % 2}",
            operation=f"POST /orders/{number % 2}",
            raw=json.dumps(raw).encode(),
            **own,
        ),
        segment(
            0xB1,
            calls=(read,),
            end=start + 80,
            node=CHECKOUT,
            service="checkout",
            parent_id=0xC1,
            operation="check",
            annotations=tuple(annotation_item("tier", tier) for tier in tiers),
            raw=b'{"id": "00000000000000b1", "name": "checkout"}',
            **own,
        ),
    ]


def story() -> list[Document]:
    """Traces of which some have several values, one of another type, none, or no entry."""
    quoted = segment(
        0xA1,
        trace_id=trace_id(20),
        annotations=(
            annotation_item("odd key", 'say "no\\yes"\n'),
            annotation_item("n", 10**400),
            annotation_item("quoted", ""),
        ),
    )
    huge = segment(
        0xA1,
        trace_id=trace_id(21),
        name="checkout",
        annotations=(annotation_item("n", -(10**400)),),
    )
    huge_float = segment(0xA1, trace_id=trace_id(22), annotations=(annotation_item("n", 1.5e22),))
    running = segment(0xA1, trace_id=trace_id(23), state=State.IN_PROGRESS, user="user 0")
    orphan = segment(0xB9, trace_id=trace_id(24), parent_id=0x77, independent=1, name="lost")
    return [
        *shop(1, "gold", took=100_000),
        *shop(2, "gold", "silver", state=State.FAULT, took=300_000),
        *shop(3, 1, True, "1", state=State.FAULT),
        *shop(4, state=State.THROTTLE),
        *shop(5, 1.5, state=State.ERROR),
        quoted,
        huge,
        huge_float,
        running,
        orphan,
    ]


def counted(store: Store, by: str, filter: str = "", **change: Any) -> Stats:
    keys = parse_keys(by, of_units=change.get("of_units", False))
    expression = parse(filter) if filter else None
    return trace_stats(store, StatsQuery(HOUR, expression, keys, **change))


def sizes(stats: Stats) -> dict[Any, int]:
    """Counts by the values of the first dimension, those of several dimensions as tuples."""
    groups = {tuple(cell.plain for cell in key): each.count for key, each in stats.groups.items()}
    return {key[0] if len(key) == 1 else key: count for key, count in groups.items()}


def listed(store: Store, stats: Stats, key: Any, filter: str = "") -> int | None:
    """How many traces the list has by what selects those of a group."""
    found, status = group_filter(stats.query, filter, key)
    if found is None:
        return None
    entry = entered_with([NAMED[status]]) if status else None
    query = TraceQuery(HOUR, filter=all_of(entry, parse(found) if found else None))
    return len(store.find_traces(query, limit=1000).found)


def assert_each_is_listed(store: Store, by: str, filter: str = "", **change: Any) -> None:
    stats = counted(store, by, filter, **change)
    assert stats.groups
    for key, group in stats.groups.items():
        assert listed(store, stats, key, filter) == group.traces, (by, filter, key)


class StatsContract:
    def test_traces_are_counted_by_what_any_of_their_segments_reports(self, store: Store) -> None:
        store.put(story(), "a")
        stats = counted(store, "annotation.tier")
        assert {cell: group.count for (cell,), group in stats.groups.items()} == {
            Cell("text", "gold"): 2,
            Cell("text", "silver"): 1,
            Cell("number", 1.0): 1,
            Cell("flag", True): 1,
            Cell("text", "1"): 1,
            Cell("number", 1.5): 1,
            NONE: 6,
        }
        assert stats.examined == stats.total.count == 10
        assert stats.bound is None

    def test_the_figures_of_traces_are_those_of_their_entries(self, store: Store) -> None:
        store.put([d for n in range(1, 4) for d in shop(n, took=n * 100_000)], "a")
        store.put(shop(4, state=State.FAULT, took=400_000), "b")
        store.put([segment(0xA1, trace_id=trace_id(5), state=State.IN_PROGRESS)], "c")
        (group,) = counted(store, "").groups.values()
        assert group.count == group.traces == 5
        assert group.share(State.FAULT) == 0.25, "of the finished ones"
        assert [group.quantile(q) for q in (0.5, 0.75, 0.76, 0.99)] == [
            200_000,
            300_000,
            400_000,
            400_000,
        ]

    def test_the_units_of_a_node_each_have_one_value(self, store: Store) -> None:
        store.put(story(), "a")
        stats = counted(store, "operation,state", of_units=True, nodes=(CHECKOUT,))
        assert sizes(stats) == {
            ("check", "ok"): 1,
            ("check", "fault"): 2,
            ("check", "throttle"): 1,
            ("check", "error"): 1,
        }

    def test_units_in_some_states_alone(self, store: Store) -> None:
        """And each group's filter finds the traces in which one ended so."""
        store.put(story(), "a")
        failed = frozenset((State.FAULT, State.ERROR))
        change: dict[str, Any] = {"of_units": True, "nodes": (CHECKOUT,), "states": failed}
        stats = counted(store, "operation", **change)
        assert sizes(stats) == {"check": 3}
        assert stats.total.count == 3
        assert_each_is_listed(store, "operation,state", **change)
        only = counted(store, "annotation.tier", of_units=True, states=frozenset((State.THROTTLE,)))
        assert sizes(only) == {None: 2}

    def test_units_of_all_nodes_by_service(self, store: Store) -> None:
        store.put(story(), "a")
        stats = counted(store, "service", of_units=True)
        assert sizes(stats) == {
            "frontend": 8,
            "shop/checkout": 5,
            "orders": 5,
            "checkout": 6,  # what service("checkout") finds: those of the namespace, too
        }

    def test_each_group_is_a_list_of_as_many_traces(self, store: Store) -> None:
        """`tests/store/test_trace_stats.py` has all dimensions."""
        store.put(story(), "a")
        for by, change in (
            ("annotation.tier,state", {}),
            ("service", {}),
            ("operation,version", {"of_units": True, "nodes": (CHECKOUT, TABLE)}),
        ):
            assert_each_is_listed(store, by, 'user = "user 0" OR annotation.tier EXISTS', **change)

    def test_a_store_reads_enough_to_count_as_whole_traces_do(self, store: Store) -> None:
        store.put(story(), "a")
        for of_units, named in (
            (False, ("annotation.tier", "operation", "service", "method", "exception", "state")),
            (True, ("version", "type", "annotation.n")),
        ):
            for by in named:
                query = StatsQuery(HOUR, None, parse_keys(by, of_units=of_units), of_units)
                page = store.find_traces(TraceQuery(HOUR), limit=100)
                whole = store.get_traces([hit.trace_id for hit in page.found], raw=True)
                expected = Stats(query)
                for hit in page.found:
                    expected.add(whole[hit.trace_id], hit.time)
                expected.finish()
                found = trace_stats(store, query)
                assert found.groups.keys() == expected.groups.keys(), by
                for key, group in found.groups.items():
                    other = expected.groups[key]
                    assert (group.states, sorted(group.times)) == (
                        other.states,
                        sorted(other.times),
                    )

    def test_a_bound_is_stated_with_what_was_counted(self, store: Store) -> None:
        store.put([d for number in range(1, 8) for d in shop(number)], "a")
        query = StatsQuery(HOUR, None, parse_keys("user", of_units=False))
        stats = trace_stats(store, query, most=3)
        assert (stats.examined, stats.bound) == (3, "traces")
        assert sum(group.count for group in stats.groups.values()) == 3
        assert trace_stats(store, query, most=7).bound is None
        hits = store.find_traces(TraceQuery(HOUR), limit=3).found
        assert stats.counted_from == hits[-1].time

    def test_steps_add_up(self, store: Store) -> None:
        store.put([d for number in range(1, 8) for d in shop(number)], "a")
        (group,) = counted(store, "", step=2_000_000).groups.values()
        assert sum(point.count for point in group.steps.values()) == group.count == 7
        assert math.gcd(*group.steps) % 2_000_000 == 0

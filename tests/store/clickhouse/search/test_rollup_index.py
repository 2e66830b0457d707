"""Searches that rollups tell where to look find what the memory store finds, whatever is counted so far."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.clickhouse import queries
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import Rows, RunQuery, Statement, execute
from store.clickhouse.queries import Sql, Template
from store.clickhouse.rollup import compaction
from store.clickhouse.search import causes, rollup_index, rollup_units, scan_plan
from store.clickhouse.search.rollup_index import IndexedMinutes, indexed_minutes
from store.clickhouse.search.rollup_units import rolled_up_units
from store.clickhouse.store import ClickHouseStore
from store.filters.ast import And, Expression, Or
from store.filters.parse import parse
from store.memory import MemoryStore
from store.model import Document, Kind, NodeKey, State, TimeRange
from store.query import TraceQuery
from store.rules import other_names
from store.times import MINUTE, SECOND
from tests.builders import T0, call, segment, trace_id
from tests.conftest import empty
from tests.store.clickhouse.search.test_find_traces import WINDOWS, all_pages, puts
from tests.store.filters.strategies import expressions, root_causes, unit_matches
from tests.store.test_agreement import ALL, deliveries
from tests.tiers import cases

counter = itertools.count()
EXAMPLES = cases(5)
FILTERS = int(os.environ.get("RAYMAP_TEST_FILTERS", "6"))


@contextmanager
def running(store: ClickHouseStore) -> Iterator[RunQuery]:
    """A query runner on a connection."""
    client = connect(store.address)

    def run(statement: Statement) -> Rows:
        rows: Rows = execute(client, statement)
        return rows

    yield run
    client.disconnect()


def count(store: ClickHouseStore, *, widen: bool = True) -> None:
    """Count everything, as if it had been stored long ago."""
    store.service_graph(ALL)
    with running(store) as run, pytest.MonkeyPatch.context() as patch:
        run("TRUNCATE TABLE dirty")
        patch.setattr(compaction, "QUIET", -SECOND)
        while widen and compaction.downsample(run):
            pass


def retain_forever(store: ClickHouseStore) -> None:
    """No row has begun to expire, however long ago T0 is."""
    with running(store) as run:
        run("INSERT INTO settings VALUES ('retention.traces', '10000', 1)")


def always_index(patch: pytest.MonkeyPatch, few: int = 1000) -> None:
    """Use rollups however short a window is, and probe for so many rows."""
    patch.setattr(scan_plan, "FAST_ROWS", -1)
    for name in ("LEAST_ROWS", "MOST_ROWS"):
        patch.setattr(scan_plan, name, few)


@pytest.mark.slow
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    batches=deliveries(moves=False),
    most_names=st.sampled_from((other_names.MOST_NAMES, other_names.MOST_NAMES, 2)),
    data=st.data(),
)
def test_any_filter_finds_the_same(
    clickhouse_store: ClickHouseStore,
    batches: list[list[Document]],
    most_names: int,
    data: st.DataObject,
) -> None:
    """Some batches are counted, some with wide buckets, others are not, and rows of their traces are
    anywhere; names are in excess; the index says enough after one minute or after many."""
    empty(clickhouse_store.address)
    retain_forever(clickhouse_store)
    memory = MemoryStore()
    counted, widened = (data.draw(st.integers(0, len(batches))) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(other_names, "MOST_NAMES", most_names)
        for number, batch in enumerate(batches, 1):
            puts((memory, clickhouse_store), [batch], data)
            if number <= counted:
                count(clickhouse_store, widen=number <= widened)
        always_index(patch, data.draw(st.sampled_from((2, 1000))))
        for _ in range(FILTERS):
            units = data.draw(st.one_of(unit_matches(), unit_matches(), root_causes()))
            others = data.draw(st.lists(unit_matches() | expressions(), max_size=2))
            terms = (units, *others)
            filter: Expression = And(terms) if data.draw(st.booleans()) else Or(terms)
            query = TraceQuery(data.draw(st.sampled_from(WINDOWS)), filter=filter)
            limit = data.draw(st.sampled_from((1, 9)))
            assert all_pages(clickhouse_store, query, limit) == all_pages(memory, query, limit)


def at(minute: int, number: int, **change: Any) -> Document:
    """A segment of a trace of its own, some minutes after T0."""
    start = T0 + minute * MINUTE
    change.setdefault("trace_id", trace_id(number, epoch=start // SECOND))
    return segment(number, start=start, end=start + 1000, **change)


def called(minute: int, **change: Any) -> Any:
    """A call that begins some minutes after T0."""
    start = T0 + minute * MINUTE
    return call(start=start, end=start + 1000, **change)


PATIENT = trace_id(5, epoch=T0 // SECOND + 90 * 60)
TABLE = NodeKey("", "table", "AWS::DynamoDB::Table")
ANCIENT = [at(minute, 1000 + minute) for minute in range(200)]
COUNTED = [
    *ANCIENT,
    at(65, 1, name="api", state=State.FAULT, raw=b'{"fault": true}'),
    at(131, 2, calls=(called(131, id=7, node=TABLE, host="db.host", state=State.THROTTLE),)),
    at(132, 3, name="api", service="alias", state=State.ERROR),
    at(133, 4, name="job", kind=Kind.INTERNAL, state=State.FAULT),
    at(90, 5, trace_id=PATIENT, calls=(called(90, id=9, state=State.THROTTLE),)),
]
AGAIN = [at(20, 6, name="again", state=State.FAULT)]
LATE = [
    at(100, 8, trace_id=PATIENT, name="late", parent_id=9),
    at(150, 9, name="new", state=State.FAULT),
]


@pytest.fixture
def stores(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> tuple[ClickHouseStore, MemoryStore]:
    """COUNTED in minutes and wide buckets, AGAIN in minutes only, LATE not counted."""
    retain_forever(clickhouse_store)
    memory = MemoryStore()
    memory.put([*COUNTED, *AGAIN, *LATE], "all")
    clickhouse_store.put(COUNTED, "counted")
    count(clickhouse_store)
    clickhouse_store.put(AGAIN, "again")
    count(clickhouse_store, widen=False)
    clickhouse_store.put(LATE, "late")
    always_index(monkeypatch)
    return clickhouse_store, memory


def differ(stores: tuple[ClickHouseStore, MemoryStore], text: str) -> bool:
    """Whether a search finds something else than it should; it should find something."""
    query = TraceQuery(ALL, filter=parse(text))
    clickhouse, memory = (all_pages(store, query, 20) for store in stores)
    assert memory
    return clickhouse != memory


def _statement(name: str, old: str, new: str) -> Callable[[pytest.MonkeyPatch], None]:
    """A fault in the text of a statement."""

    def change(patch: pytest.MonkeyPatch) -> None:
        template: Template = getattr(queries, name)
        assert old in template.text
        patch.setattr(queries, name, Template(name, template.text.replace(old, new)))

    change.__doc__ = f"{name}: {old} → {new}"
    return change


def _states(patch: pytest.MonkeyPatch) -> None:
    """Throttles are no errors."""
    wrong = lambda condition: frozenset((State.ERROR,))  # noqa: E731
    patch.setattr(rollup_units, "possible_states", wrong)


def _cause_states(patch: pytest.MonkeyPatch) -> None:
    """Faults cause errors only."""
    patch.setattr(causes, "possible_states", lambda match: (State.ERROR,))


def _names(patch: pytest.MonkeyPatch) -> None:
    """Other names of a node are left out."""
    wrong = lambda name, node, values, named: values.text(  # noqa: E731
        f"{node.key['name']} = <name>", name=(name, "String")
    )
    patch.setattr(rollup_units, "_by_name", wrong)


FAULTS: dict[Callable[[pytest.MonkeyPatch], None], Sequence[str]] = {
    # What waits to be counted is not looked for.
    _statement("UNSETTLED_MINUTES", "seen <= known", "0"): ['service("new") { fault }'],
    # A call that a late segment answers is looked for where the segment is.
    _statement("MINUTES_OF_TRACES", "WHERE trace_id IN", "WHERE 0 AND trace_id IN"): [
        'edge("frontend", "late") { throttle }'
    ],
    # Wide buckets that are out of date decide.
    _statement("ROLLED_UP_SLOTS", "= 0 AS outdated", "= 2 AS outdated"): [
        'service("again") { fault }'
    ],
    # Only calls, or only nodes, are looked for.
    _statement("ROLLED_UP_SLOTS", "kind IN (0, 1, 3)", "kind = 1"): [
        'service(id(type: "AWS::DynamoDB::Table")) { throttle }',
        'rootcause.fault.service { name = "api" }',
    ],
    _statement("ROLLED_UP_SLOTS", "kind IN (0, 1, 3)", "kind = 0"): [
        'edge("frontend", "table") { throttle }',
        'service(id(name: "api", type: "client")) { fault }',
    ],
    _statement("ROLLED_UP_SLOTS", "kind IN (0, 1, 3)", "kind IN (0, 1)"): [
        'service("job") { fault }'
    ],
    _states: ['edge("frontend", "table") { error }'],
    _cause_states: ['rootcause.fault.service { name = "api" AND !remote }'],
    _names: ['service("alias") { error }', 'edge("frontend", "db.host")'],
}
"""Faults in the index, and filters that each breaks."""


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.__doc__))
def test_a_wrong_index_is_noticed(
    stores: tuple[ClickHouseStore, MemoryStore],
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[pytest.MonkeyPatch], None],
) -> None:
    for text in FAULTS[fault]:
        assert not differ(stores, text)
    fault(monkeypatch)
    for text in FAULTS[fault]:
        assert differ(stores, text)


def test_times_that_expire_are_read_without_the_index(
    stores: tuple[ClickHouseStore, MemoryStore],
) -> None:
    """Late rows of a minute whose rows have begun to expire are not counted, but they are found."""
    clickhouse, _ = stores
    with running(clickhouse) as run:
        run("TRUNCATE TABLE rollups")
        run("INSERT INTO rollups (width, kind, bucket, complete) SELECT 60, 255, number * 60, 1 "
            f"FROM numbers({T0 // MINUTE // 60 - 30}, 90)")  # fmt: skip
    assert differ(stores, 'service("api") { fault }')
    with running(clickhouse) as run:
        run("INSERT INTO settings VALUES ('retention.traces', '1', 2)")
    assert not differ(stores, 'service("api") { fault }')


def minutes_of(store: ClickHouseStore, filter: Expression, enough: int = 1000) -> IndexedMinutes:
    units = rolled_up_units(filter)
    assert units is not None
    with running(store) as run:
        (found,) = indexed_minutes(run, [units], (T0 // MINUTE, T0 // MINUTE + 199), enough)
    assert found is not None
    return found


def test_few_minutes_are_read(clickhouse_store: ClickHouseStore) -> None:
    """One of the minutes in which there is such a unit, and enough of many."""
    retain_forever(clickhouse_store)
    clickhouse_store.put(COUNTED, "counted")
    count(clickhouse_store)
    first = T0 // MINUTE
    found = minutes_of(clickhouse_store, parse('service("api") { fault }'))
    assert found == IndexedMinutes([(first + 65, first + 65)], 0)
    assert found.condition == Sql(f"(minute IN ({first + 65}))")
    failed = minutes_of(clickhouse_store, parse('rootcause.fault.service { name = "api" }'))
    assert failed.ranges == [(first + 65, first + 65), (first + 132, first + 132)]
    common = minutes_of(clickhouse_store, parse('service("frontend") { ok }'))
    assert common == IndexedMinutes([(first, first + 199)], 0)
    assert common.condition == Sql(f"(minute BETWEEN {first} AND {first + 199})")
    newest = minutes_of(clickhouse_store, parse('service("frontend") { ok }'), enough=1)
    assert newest.reach
    assert newest.reach % 60 == 0
    assert newest == IndexedMinutes([(newest.reach, first + 199)], newest.reach)


@pytest.mark.parametrize(("hours", "most"), [(4, 1), (24, 2)])
def test_few_statements_are_planned(
    clickhouse_store: ClickHouseStore, hours: int, most: int
) -> None:
    """One for a few hours, of more another for the minutes of those with units."""
    retain_forever(clickhouse_store)
    clickhouse_store.put(COUNTED, "counted")
    count(clickhouse_store)
    units = rolled_up_units(parse('service("api") { fault }'))
    assert units is not None
    first, names = T0 // MINUTE, list[str]()
    with running(clickhouse_store) as run:

        def noted(statement: Statement) -> Rows:
            names.append(statement.name if isinstance(statement, Sql) else statement)
            return run(statement)

        (found,) = indexed_minutes(noted, [units], (first, first + 60 * hours - 1), 1000)
    assert found is not None
    assert (first + 65, first + 65) in found.ranges
    assert len(names) == most, names


def test_minutes_that_were_never_counted_are_read(clickhouse_store: ClickHouseStore) -> None:
    retain_forever(clickhouse_store)
    clickhouse_store.put(COUNTED, "counted")
    count(clickhouse_store)
    first = T0 // MINUTE
    with running(clickhouse_store) as run:
        run(
            f"DELETE FROM rollups WHERE width < 60 AND bucket BETWEEN {first + 65} AND {first + 69}"
        )
    found = minutes_of(clickhouse_store, parse('service("api") { fault }'))
    # Of the widths of 10 minutes from T0 - 40 minutes on, those that begin at 60 and 70 remain.
    assert found.ranges == [(first + 65, first + 69)]


def test_rollups_far_behind_are_not_read(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    clickhouse_store.put(COUNTED, "counted")
    monkeypatch.setattr(rollup_index, "MOST_UNSETTLED", 10)
    units = rolled_up_units(parse('service("api") { fault }'))
    assert units is not None
    with running(clickhouse_store) as run:
        assert indexed_minutes(run, [units], (T0 // MINUTE, T0 // MINUTE + 199), 1) == [None]
    always_index(monkeypatch)
    window = TimeRange(T0, T0 + 200 * MINUTE)
    page = clickhouse_store.find_traces(
        TraceQuery(window, filter=parse('service("api") { fault }')), limit=5
    )
    assert len(page.found) == 1

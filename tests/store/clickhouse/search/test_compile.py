"""The bounds in SQL enclose the evaluator, and a wrong compiler is noticed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from collector.decode.document import decode_document
from store.clickhouse import queries
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import execute
from store.clickhouse.queries import Sql, Template, joined
from store.clickhouse.search import bounds as algebra
from store.clickhouse.search import causes, field_tests, unit_rows
from store.clickhouse.search import compile as compiling
from store.clickhouse.search.bounds import Bounds, Values
from store.clickhouse.search.compile import Compiler
from store.clickhouse.search.field_tests import integer_range
from store.clickhouse.search.row_sets import RowSets
from store.clickhouse.store import ClickHouseStore
from store.filters.ast import (
    And,
    Compare,
    Expression,
    Field,
    Not,
    RootCauseMatch,
    RootCausePath,
)
from store.filters.elements import path_of
from store.filters.evaluate import matches
from store.filters.parse import parse
from store.memory import MemoryStore
from store.model import Document, State, Trace
from store.root_causes import root_causes
from store.times import SECOND
from store.trace_id import format_trace_id
from tests.builders import T0, call, segment, subsegment, trace_id
from tests.conftest import empty
from tests.store.filters.published import PUBLISHED, corpus
from tests.store.filters.strategies import enriched, expressions
from tests.store.test_agreement import deliveries
from tests.tiers import cases

TOGETHER = 20
"""Filters in one statement."""


def violations(
    clickhouse: ClickHouseStore, memory: MemoryStore, filters: Sequence[Expression], *, sure: bool
) -> Iterator[str]:
    """Filters whose bounds do not enclose their matches."""
    client = connect(clickhouse.address)
    for first in range(0, len(filters), TOGETHER):
        some = filters[first : first + TOGETHER]
        compiler = Compiler(RowSets(Sql("1"), sure=sure), Values())
        bounds = joined(", ", chain.from_iterable(map(compiler.trace, some)))
        source = "FROM (SELECT DISTINCT trace_id FROM traces)"
        text = f"SELECT hex(trace_id), array({bounds.text}) AS bounds {source}"
        for digits, values in execute(client, Sql(text, bounds.parameters)):
            for trace in memory.get_traces([bytes.fromhex(digits)]).values():
                for filter, may, must in zip(some, values[::2], values[1::2], strict=True):
                    if not must <= (match := matches(trace, filter)) <= may:
                        yield f"{filter} of {digits}: {must} <= {match} <= {may}"
    client.disconnect()


FILTERS = [
    parse(text)
    for text in (
        *(text for text in PUBLISHED if "group.name" not in text),
        "duration >= 6", "duration <= 6", "duration = 6", "duration != 6", "responsetime >= 6", "http.status != 429",
        "annotation.age >= 30", "annotation.age <= 20", "annotation.age != 20", "user != alice",
        "inferred AND ok", 'service("b") { !fault }', 'edge("a", "b") { !error AND responsetime > 0 }',
        'edge(id(name: "function-name", type: "AWS::Lambda"), "random-name")', 'service(id(type: "client")) { fault }',
        "user EXISTS", 'service("moved") { ok }', "user = early",
        'rootcause.fault.service { name = "ledger" }', 'rootcause.error.service { name = "pending" }',
        'rootcause.fault.service { type = "AWS::DynamoDB::Table" AND inferred }',
        'rootcause.fault.service { name = "twice" }', 'rootcause.fault.entity { name = "## book" }', 'rootcause.responsetime.service { name = "ledger" AND last }',
        'rootcause.json = #[{"Services": [{"Name": "pending", "EntityPath": [{"Name": "pending"}]}]}]',
        'service("lonely") { ok }', 'edge("parent", "lonely")', 'service("backend.example.com")', 'service("backend.example.com") { inferred }',
    )
]  # fmt: skip


def awkward() -> list[Document]:
    """A copy that another one in a later minute replaced; an answered call; a streamed subsegment's call;
    a segment whose parent is a call without a document; what fails while it is in progress."""
    moved, answered, orphan, failing = (trace_id(number) for number in (101, 102, 103, 104))
    early = {"trace_id": moved, "start": T0 + 70_000_000, "end": T0 + 70_000_000}
    return [
        segment(1, name="stale", state=State.IN_PROGRESS, user="early", version=T0 + 1, **early),
        segment(1, trace_id=moved, name="moved", version=T0 + 2),
        segment(1, trace_id=answered, name="parent", calls=(call(2),)),
        segment(3, trace_id=answered, name="lonely", parent_id=2),
        subsegment(4, 1, trace_id=answered, calls=(call(4, state=State.THROTTLE),)),
        segment(1, trace_id=orphan, name="lonely", parent_id=9, state=State.FAULT),
        segment(5, trace_id=orphan, name="a", parent_id=1, start=T0 + 5),
        *(
            decode_document(json.dumps(each).encode(), T0 + number)
            for number, each in enumerate(failures(failing))
        ),
    ]


def failures(trace: bytes) -> list[dict[str, Any]]:
    """A segment in progress whose call of a table failed and that of a ledger has no valid id, and local work; a
    call of it failed, as a copy of that in a later document did not."""
    start, both = T0 // SECOND, {"error": True, "fault": True}
    common = {"start_time": start, "end_time": start + 3, **both}
    table: dict[str, Any] = {"namespace": "aws", "aws": {"table_name": "ledger"}}
    calls = [
        {"id": f"{12:016x}", "name": "DynamoDB", **table, **common},
        {"id": "no id", "name": "ledger", "namespace": "remote", **common},
        {"id": f"{13:016x}", "name": "## book", **common},
    ]
    place = {"id": f"{11:016x}", "trace_id": format_trace_id(trace), "name": "pending"}
    first = {**place, "start_time": start, "in_progress": True, **both}
    second = {**place, "id": f"{14:016x}", "name": "later", "start_time": start}
    twice = {**common, "id": f"{15:016x}", "name": "twice", "namespace": "remote"}
    succeeded = {**twice, "error": False, "fault": False}
    return [
        {**first, "subsegments": [*calls, twice]},
        {**second, "end_time": start + 3, "subsegments": [succeeded]},
    ]


@pytest.fixture
def stores(clickhouse_store: ClickHouseStore) -> tuple[ClickHouseStore, MemoryStore]:
    memory = MemoryStore()
    for store in (memory, clickhouse_store):
        store.put([*corpus(), *awkward()], "corpus")
    client = connect(clickhouse_store.address)
    execute(client, "OPTIMIZE TABLE calls FINAL")  # a replaced row is gone
    client.disconnect()
    return clickhouse_store, memory


@pytest.mark.slow
def test_bounds_enclose(stores: tuple[ClickHouseStore, MemoryStore]) -> None:
    opposites = [Not(filter) for filter in FILTERS]
    assert list(violations(*stores, [*FILTERS, *opposites], sure=True)) == []
    assert list(violations(*stores, FILTERS, sure=False)) == []


FILTERS_EACH = 40
"""Filters on one set of traces: storing a set takes as long as some of them."""
EXAMPLES = -(-cases(120, "RAYMAP_TEST_CASES") // FILTERS_EACH)
counter = itertools.count()


@pytest.mark.slow
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a set takes too long to be shrunk
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(batches=deliveries(moves=False), data=st.data())
def test_bounds_enclose_any_filter(
    clickhouse_store: ClickHouseStore, batches: list[list[Document]], data: st.DataObject
) -> None:
    """Traces in progress, streamed, with replaced copies, several roots, missing values and links; filters of
    every form, and all that describe a root cause of one of the traces."""
    empty(clickhouse_store.address)
    memory = MemoryStore()
    known = [[data.draw(enriched(document)) for document in batch] for batch in batches]
    filters = [data.draw(expressions()) for _ in range(FILTERS_EACH)]
    for batch in known:
        for store in (memory, clickhouse_store):
            store.put(batch, f"bounds-{next(counter)}")
    traces = memory.get_traces(list({document.trace_id for batch in known for document in batch}))
    filters += dict.fromkeys(chain.from_iterable(map(descriptions, traces.values())))
    for sure in (True, False):
        assert list(violations(clickhouse_store, memory, filters, sure=sure)) == []


def descriptions(trace: Trace) -> Iterator[Expression]:
    """Filters that name what is on the paths of a trace's root causes."""
    found = root_causes(trace)
    paths = {"fault": found.fault, "error": found.error, "responsetime": found.response_time}
    yield from (RootCausePath(path_of(cause)) for cause in found.response_time)
    for kind, causes_of_kind in paths.items():
        for service in chain.from_iterable(cause.services for cause in causes_of_kind):
            node = service.node
            texts = {"name": node.name, "type": node.type, "account.id": node.account}
            tests = [Compare(Field(key), "=", value) for key, value in texts.items() if value]
            inferred = Compare(Field("inferred"), "=", service.inferred)
            yield RootCauseMatch(kind, "service", And((*tests, inferred)))
            for entity in service.entities:
                name = Compare(Field("name"), "=", entity.name)
                yield RootCauseMatch(kind, "entity", And((name, *tests[1:], inferred)))


def _swapped(patch: pytest.MonkeyPatch) -> None:
    """NOT does not swap the bounds."""
    wrong = lambda bounds: Bounds(  # noqa: E731
        algebra.negation(bounds.may), algebra.negation(bounds.must)
    )
    for module in (compiling, unit_rows):
        patch.setattr(module, "negated", wrong)


def _and_for_or(patch: pytest.MonkeyPatch) -> None:
    """OR needs all of its terms."""
    patch.setattr(compiling, "some", algebra.every)


def _or_for_and(patch: pytest.MonkeyPatch) -> None:
    """AND needs one of its terms."""
    patch.setattr(compiling, "every", algebra.some)


def _strict(patch: pytest.MonkeyPatch) -> None:
    """< for <=."""
    strict = {"<=": "<", ">=": ">"}

    def wrong(operator: str, value: float, scale: int) -> tuple[int, int]:
        return integer_range(strict.get(operator, operator), value, scale)

    for module in (compiling, field_tests):
        patch.setattr(module, "integer_range", wrong)


def _no_states(patch: pytest.MonkeyPatch) -> None:
    """The state of a unit is ignored where it decides."""
    patch.setattr(unit_rows, "in_states", lambda states: Sql("1"))


def _finished(patch: pytest.MonkeyPatch) -> None:
    """What is in progress has no root causes."""
    patch.setattr(causes, "possible_states", lambda match: (State.FAULT, State.ERROR))


def _reported(patch: pytest.MonkeyPatch) -> None:
    """Only reported segments are on the path of a root cause."""
    patch.setattr(RowSets, "unanswered", lambda sets, fits: algebra.NEVER)


def _entities(patch: pytest.MonkeyPatch) -> None:
    """Entities are called like their service."""
    service_condition = causes.service_condition
    patch.setattr(
        causes,
        "service_condition",
        lambda match, *rest: service_condition(
            msgspec.structs.replace(match, part="service"), *rest
        ),
    )


def _statement(name: str, old: str, new: str) -> Callable[[pytest.MonkeyPatch], None]:
    """A fault in the text of a statement."""

    def change(patch: pytest.MonkeyPatch) -> None:
        template: Template = getattr(queries, name)
        assert old in template.text
        patch.setattr(queries, name, Template(name, template.text.replace(old, new)))

    change.__doc__ = f"{name}: {old} → {new}"
    return change


FAULTS: dict[Callable[[pytest.MonkeyPatch], None], str] = {
    _swapped: "user = early",
    _and_for_or: "fault OR error",
    _or_for_and: "error AND !throttle",
    _strict: "duration <= 6",
    _no_states: 'service("example.com") {fault}',
    _finished: 'rootcause.error.service { name = "pending" }',
    _reported: 'rootcause.fault.service { name = "ledger" }',
    _entities: 'rootcause.fault.entity { name = "## book" }',
    # Replaced copies count as if they were current.
    _statement("NEWEST_COPIES", "argMax($condition, ver)", "max($condition)"): "user = early",
    # An answered call is a unit of the inferred node, an unanswered one is not.
    _statement(
        "SURELY_UNANSWERED", "(trace_id, id) NOT IN", "(trace_id, id) IN"
    ): 'service("backend.example.com") { inferred }',
    _statement(
        "UNANSWERED", "(trace_id, id) NOT IN", "(trace_id, id) IN"
    ): 'service(id(type: "remote")) { responsetime > 1 }',
    # Any segment is the entry.
    _statement("SURE_ENTRIES", "argMin(newest.3, (newest.2, id))", "max(1 - newest.3)"): "ok",
    # Segments without a parent have no client.
    _statement("ROOTS", "parent_id = 0 OR", "parent_id = 0 AND"): 'service(id(type: "client"))',
    _statement(
        "INNER_EDGES", "arrayPushFront(members, id)", "members"
    ): 'edge(id(name: "function-name", type: "AWS::Lambda"), "random-name")',
    _statement("LASTING", ">= $least", "> $least"): "duration >= 6",
    _statement(
        "ANSWERED", "AND $answer", "AND NOT ($answer)"
    ): 'edge("api.example.com", "backend.example.com")',
}
"""Faults in the compiler, and a filter of FILTERS that each breaks."""


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.__doc__))
def test_a_wrong_compiler_is_noticed(
    stores: tuple[ClickHouseStore, MemoryStore],
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[pytest.MonkeyPatch], None],
) -> None:
    fault(monkeypatch)
    filter = parse(FAULTS[fault])
    assert filter in FILTERS
    assert list(violations(*stores, [filter, Not(filter)], sure=True))


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">=", "="])
@pytest.mark.parametrize("value", [0.0, 0.1, 0.3, 1e-6, 5.0, -1.0, 1.1 * 3, 1e300, float("inf")])
def test_integer_ranges_are_exact(operator: str, value: float) -> None:
    """The integers next to the limit pass as Python's division and comparison say."""
    compare = {"<": float.__lt__, "<=": float.__le__, ">": float.__gt__, ">=": float.__ge__}
    low, high = integer_range(operator, value, 1_000_000)
    near = round(value * 1e6) if abs(value) < 1e12 else 0
    for number in range(near - 3, near + 4):
        passes = compare.get(operator, float.__eq__)(number / 1_000_000, value)
        assert (low <= number <= high) is passes, number

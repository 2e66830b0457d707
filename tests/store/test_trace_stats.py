"""Groups of traces, and the expressions that find them, on the reference store."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import stats_groups
from store.filters.group_by import (
    NONE,
    Cell,
    Key,
    StoredValues,
    Values,
    key_names,
    parse_keys,
    stored_values,
)
from store.memory import MemoryStore
from store.model import Document, NodeKey, State, TimeRange
from store.rules.annotations import annotation_item
from store.stats_groups import MOST_ENTRIES
from store.stats_query import AlikeTraces, AlikeUnit, StatsQuery
from store.trace_stats import group_filter, trace_stats
from tests.builders import segment
from tests.store.contract.nodes import HOUR
from tests.store.contract.stats import (
    CHECKOUT,
    TABLE,
    assert_each_is_listed,
    counted,
    listed,
    shop,
    sizes,
    story,
)
from tests.store.stories import stories

ANNOTATIONS = [f"annotation[{key}]" for key in ("tier", "n", "odd key", "quoted")]


def store_of(documents: list[Document]) -> MemoryStore:
    store = MemoryStore()
    store.put(documents, "a")
    return store


@pytest.mark.parametrize("of_units", [False, True])
@pytest.mark.parametrize("filter", ["", 'user = "user 0" OR annotation.tier EXISTS'])
def test_each_group_of_any_dimension_is_a_list_of_as_many_traces(
    of_units: bool, filter: str
) -> None:
    store = store_of(story())
    for by in [*key_names(of_units=of_units), *ANNOTATIONS, "service,operation,state", ""]:
        assert_each_is_listed(store, by, filter, of_units=of_units)


@pytest.mark.parametrize("node", [CHECKOUT, TABLE, NodeKey("", "frontend", "")])
def test_so_is_each_group_of_a_nodes_units(node: NodeKey) -> None:
    store = store_of(story())
    for by in key_names(of_units=True):
        assert_each_is_listed(store, by, of_units=True, nodes=(node,))


@given(st.tuples(stories(1, (1,)), stories(2, (1,)), stories(3, (1,))), st.booleans(), st.data())
def test_so_is_each_of_any_traces(
    batches: tuple[list[Document], ...], of_units: bool, data: st.DataObject
) -> None:
    documents = [document for batch in batches for document in batch]
    names = key_names(of_units=of_units)
    by = data.draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
    store = store_of(documents)
    stats = counted(store, ",".join(by), of_units=of_units)
    for key, group in stats.groups.items():
        assert listed(store, stats, key) == group.traces, key


@given(st.text(), st.text())
def test_any_text_is_found_again(value: str, other: str) -> None:
    documents = [
        segment(0xA1 + at, annotations=(annotation_item("a", text),))
        for at, text in enumerate((value, other))
    ]
    store = store_of(documents)
    stats = counted(store, "annotation.a")
    assert set(sizes(stats)) == {value, other}
    assert all(listed(store, stats, key) in (1, None) for key in stats.groups)


def test_a_value_that_no_expression_can_say_has_none() -> None:
    store = store_of([segment(annotations=(annotation_item("a", "x" * 3000),))])
    stats = counted(store, "annotation.a")
    ((key, _),) = stats.groups.items()
    assert group_filter(stats.query, "", key) == (None, "")


def test_what_would_fill_memory_ends_the_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.stats_groups.MOST_ENTRIES", 12)
    store = store_of([d for number in range(1, 8) for d in shop(number)])
    stats = counted(store, "operation,service")  # 4 operations or so of 3 services
    assert stats.bound == "groups"
    assert stats.examined == 1 < MOST_ENTRIES


@pytest.mark.parametrize(
    ("text", "of_units", "message"),
    [
        ("operatoin", False, "did you mean operation?"),
        ("anotation.tier", False, "did you mean annotation.KEY?"),
        ("http.mehtod", False, "did you mean method?"),
        ("exception", True, "no dimension"),
        ("fault", False, "no dimension"),
        ("user,user", False, "twice"),
        ("user,region,account,version", False, "at most 3"),
        ("annotation[", False, "annotation"),
    ],
)
def test_what_is_no_dimension_is_refused_with_the_nearest(
    text: str, of_units: bool, message: str
) -> None:
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        parse_keys(text, of_units=of_units)


def test_a_key_with_a_comma_is_one_dimension() -> None:
    (key,) = parse_keys("annotation[a, b]", of_units=False)
    assert key.field is not None
    assert key.field.key == "a, b"


def test_numbers_are_as_json_has_them() -> None:
    plain = [Cell("number", 5.0).plain, Cell("number", 1.5).plain, Cell("number", 1e300).plain]
    assert plain == [5, 1.5, 1e300]
    assert NONE.plain is None


def test_values_of_units_that_are_alike_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many rows have them in another combination."""
    made: list[State] = []

    def noted(key: Key, state: State, stored: StoredValues) -> Values:
        made.append(state)
        return stored_values(key, state, stored)

    monkeypatch.setattr(stats_groups, "stored_values", noted)
    failed, fine = (AlikeUnit(((("shop", "shop"),),), state) for state in (State.FAULT, State.OK))
    rows = [
        AlikeTraces(0, [failed], 1, [[5]]),
        AlikeTraces(0, [failed, fine, fine], 2, [[1, 2]] * 3),
    ]
    query = StatsQuery(TimeRange(0, 10), by=parse_keys("service", of_units=True), of_units=True)
    stats = stats_groups.Stats(query)
    assert stats.has_room(rows)
    for row in rows:
        stats.add_alike(row)
    assert made == [State.FAULT, State.OK]
    assert stats.groups[(Cell("text", "shop"),)].states == stats.total.states
    assert stats.total.states[State.FAULT] == 3
    assert sorted(stats.total.times) == [1, 1, 1, 2, 2, 2, 5]


def test_without_traces_there_are_no_groups() -> None:
    stats = trace_stats(MemoryStore(), StatsQuery(HOUR))
    assert (stats.groups, stats.examined, stats.bound) == ({}, 0, None)

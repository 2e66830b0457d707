"""Groups as boto3 sees them, and what the other operations make of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.xray import groups
from store.clickhouse.store import ClickHouseStore
from store.config import records
from store.config.change import change
from store.config.records import Group
from store.filters.ast import Expression
from store.filters.errors import FilterError
from store.filters.parse import parse
from store.memory import MemoryStore
from store.model import Document, Link, NodeKey, State
from store.protocol import Store
from store.times import SECOND
from tests.api.shop import END, START, order, shop
from tests.builders import T0, call, segment, trace_id
from tests.http_server import serve
from tests.xray_client import xray_client

Json = dict[str, Any]
WINDOW = {"StartTime": START, "EndTime": END}
FAULTS = 'service("front") { fault }'


def test_a_group_is_created_read_changed_and_deleted(xray: Any) -> None:
    insights = {"InsightsEnabled": True, "NotificationsEnabled": True}
    made = xray.create_group(
        GroupName="faults", FilterExpression=f" {FAULTS} ", InsightsConfiguration=insights
    )["Group"]
    arn = made["GroupARN"]
    assert arn.startswith("arn:aws:xray:local:000000000000:group/faults/")
    assert made == {
        "GroupName": "faults",
        "GroupARN": arn,
        "FilterExpression": FAULTS,
        "InsightsConfiguration": insights,
    }
    assert xray.get_group(GroupName="faults")["Group"] == made
    assert xray.get_group(GroupARN=arn)["Group"] == made
    assert [g["GroupName"] for g in xray.get_groups()["Groups"]] == ["Default", "faults"]
    changed = xray.update_group(GroupARN=arn, FilterExpression="error")["Group"]
    assert changed == made | {"FilterExpression": "error"}
    xray.delete_group(GroupName="faults")
    assert [g["GroupName"] for g in xray.get_groups()["Groups"]] == ["Default"]
    again = xray.create_group(GroupName="faults")["Group"]
    assert again["GroupARN"] != arn
    assert "FilterExpression" not in again


def test_default_contains_every_trace_and_stays(xray: Any) -> None:
    insights = {"InsightsEnabled": True, "NotificationsEnabled": False}
    changed = xray.update_group(GroupName="Default", InsightsConfiguration=insights)["Group"]
    assert changed["InsightsConfiguration"] == insights
    assert changed["GroupARN"] == "arn:aws:xray:local:000000000000:group/Default"
    for refused, body in (
        (xray.update_group, {"FilterExpression": "fault"}),
        (xray.delete_group, {}),
        (xray.create_group, {}),
    ):
        with pytest.raises(xray.exceptions.InvalidRequestException, match="Default"):
            refused(GroupName="Default", **body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"GroupName": "x" * 33}, "GroupName must have at most 32"),
        ({"GroupName": "a b"}, "GroupName may have letters"),
        ({"GroupName": "a", "FilterExpression": "ok AND"}, "FilterExpression: .* at position 7"),
        ({"GroupName": "a", "FilterExpression": "fualt"}, "at position 1; did you mean fault"),
        ({"GroupName": "a", "FilterExpression": 'group.name = "b"'}, "defined by groups"),
        (
            {"GroupName": "a", "FilterExpression": 'ok AND !(group.name IN ("a", "b"))'},
            "defined by groups",
        ),
        ({"GroupName": "a", "FilterExpression": 'group.arn IN ("arn:b")'}, "defined by groups"),
        (
            {"GroupName": "a", "InsightsConfiguration": {"NotificationsEnabled": True}},
            "requires InsightsEnabled",
        ),
        ({"GroupName": "a", "Tags": [{"Key": "aws:x", "Value": ""}]}, "reserved"),
    ],
)
def test_invalid_groups(xray: Any, body: Json, said: str) -> None:
    with pytest.raises(xray.exceptions.InvalidRequestException, match=said):
        xray.create_group(**body)
    assert len(xray.get_groups()["Groups"]) == 1


def test_names_are_unique_and_case_sensitive(xray: Any) -> None:
    xray.create_group(GroupName="a")
    xray.create_group(GroupName="A")
    with pytest.raises(xray.exceptions.InvalidRequestException, match="a group 'a' already"):
        xray.create_group(GroupName="a")


def with_groups(*names: str) -> MemoryStore:
    """A store with groups of this expression."""
    store = MemoryStore()
    made = [records.put(name, Group(name, f"arn:{name}", "fault")) for name in names]
    change(store, lambda *_: (None, made), time.time)
    return store


def test_there_are_1000_groups_besides_default() -> None:
    """X-Ray's 25 are not ours. A filter names the last of them; one more is refused."""
    store = with_groups(*(f"g{number}" for number in range(999)))
    with serve(create_app(store, version="1")) as url:
        xray = xray_client(url)
        xray.create_group(GroupName="last", FilterExpression="fault")
        assert len(xray.get_groups()["Groups"]) == 1001
        for name in ("last", "g17"):
            xray.get_trace_summaries(**WINDOW, FilterExpression=f'group.name = "{name}"')
        with pytest.raises(xray.exceptions.InvalidRequestException, match="1000 groups"):
            xray.create_group(GroupName="more")


def test_the_number_of_groups_is_a_setting() -> None:
    with serve(create_app(with_groups("a", "b"), version="1", max_groups=2)) as url:
        xray = xray_client(url)
        with pytest.raises(
            xray.exceptions.InvalidRequestException, match=r"2 groups.*--max-groups"
        ):
            xray.create_group(GroupName="c")


def test_only_the_groups_that_a_filter_names_are_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def counted(text: str) -> Expression:
        parsed.append(text)
        return parse(text)

    monkeypatch.setattr(groups, "parse", counted)
    store = with_groups(*"abc")
    assert groups.read_filter('group.name = "b"', store.read_configuration) == parse("fault")
    assert parsed == ["fault"]


def test_a_filter_may_name_several_groups() -> None:
    """In a list, too; one that is unknown is an error, as with `=`."""
    store = with_groups("a", "b")
    read = groups.read_filter('ok OR group.name IN ("a", "b")', store.read_configuration)
    assert read == parse("ok OR (fault OR fault)")
    with pytest.raises(FilterError, match="there is no group 'c'"):
        groups.read_filter('group.name IN ("a", "c")', store.read_configuration)


def test_unknown_groups(xray: Any) -> None:
    for call_it in (xray.get_group, xray.delete_group, xray.update_group):
        with pytest.raises(xray.exceptions.InvalidRequestException, match="no group 'blue'"):
            call_it(GroupName="blue")
        with pytest.raises(xray.exceptions.InvalidRequestException, match="one of them"):
            call_it()
    for graph in (xray.get_service_graph, xray.get_time_series_service_statistics):
        with pytest.raises(xray.exceptions.InvalidRequestException, match="no group 'blue'"):
            graph(**WINDOW, GroupName="blue")


class Clock:
    now = END + 600.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "clickhouse"])
def reading(request: pytest.FixtureRequest, clock: Clock) -> Iterator[tuple[Store, TestClient]]:
    """A store and a server on it."""
    store: Store = MemoryStore()
    if request.param == "clickhouse":
        store = request.getfixturevalue("clickhouse_store")
    with TestClient(create_app(store, version="0", clock=clock)) as client:
        yield store, client


def ask(client: TestClient, path: str, **body: Any) -> Any:
    response = client.post(path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


def linked() -> list[Document]:
    """A producer that failed, and its consumer in a trace of its own."""
    queue = NodeKey("", "jobs", "AWS::SQS::Queue")
    at = T0 + 70 * SECOND
    send = call(0xE1, node=queue, service="SQS", start=at, end=at + 1000)
    producer = segment(
        0xE0, trace_id=trace_id(500), name="producer", start=at, end=at + 9000,
        state=State.FAULT, calls=(send,), raw=b'{"id": "00000000000000e0", "name": "producer", "fault": true}',
    )  # fmt: skip
    taken = Link(trace_id(500), 0xE1, received=at + SECOND)
    start = at + 2 * SECOND
    worker = segment(
        0xF1, trace_id=trace_id(501), name="worker", start=start, end=start + 10, links=(taken,)
    )
    return [producer, worker]


EXPRESSIONS = (
    FAULTS,
    "fault",
    "error OR throttle",
    '!service("front")',
    'service("worker") OR service("producer")',
    'annotation.tier = "gold" AND http.status = 200',
    'edge("front", "stock")',
    'rootcause.fault.service { name = "producer" }',
)


def test_a_group_counts_exactly_the_traces_of_its_filter(
    reading: tuple[Store, TestClient],
) -> None:
    """Map and series by group are those of a store that has only the traces of the filter."""
    store, client = reading
    documents = [*shop(), *linked()]
    store.put(documents, "all")
    ask(client, "/CreateGroup", GroupName="g")
    only = MemoryStore()
    alone = TestClient(create_app(only, version="0", clock=lambda: END + 600.0))
    for expression in EXPRESSIONS:
        ask(client, "/UpdateGroup", GroupName="g", FilterExpression=expression)
        ids = ids_of(expression, client)
        only._traces.clear()
        only.put([d for d in documents if d.trace_id.hex() in ids], expression)
        assert_same_figures(client, alone)


def ids_of(expression: str, client: TestClient) -> set[str]:
    """The traces that a search finds by the group and by its expression."""
    listed = ask(client, "/TraceSummaries", **WINDOW, FilterExpression='group.name = "g"')
    ids = {summary["Id"].replace("-", "")[1:] for summary in listed["TraceSummaries"]}
    plain = ask(client, "/TraceSummaries", **WINDOW, FilterExpression=expression)
    assert plain["TraceSummaries"] == listed["TraceSummaries"]
    assert ids
    return ids


def assert_same_figures(client: TestClient, alone: TestClient) -> None:
    by_group = ask(client, "/ServiceGraph", **WINDOW, GroupName="g")
    assert by_group["Services"] == ask(alone, "/ServiceGraph", **WINDOW)["Services"]
    path, points = "/TimeSeriesServiceStatistics", "TimeSeriesServiceStatistics"
    for more in ({}, {"EntitySelectorExpression": "service()"}):
        by_group = ask(client, path, **WINDOW, **more, GroupName="g")
        assert by_group[points] == ask(alone, path, **WINDOW, **more)[points]


def test_a_part_of_a_window_counts_the_units_in_it(reading: tuple[Store, TestClient]) -> None:
    store, client = reading
    store.put(shop(), "all")
    ask(client, "/CreateGroup", GroupName="g", FilterExpression="fault OR error")
    found = ask(client, "/ServiceGraph", StartTime=START + 4, EndTime=START + 5, GroupName="g")
    (front,) = [s for s in found["Services"] if s.get("Root")]
    assert front["SummaryStatistics"]["TotalCount"] == 1
    assert front["SummaryStatistics"]["ErrorStatistics"]["TotalCount"] == 1


def test_a_window_over_a_change_contains_old_versions(
    reading: tuple[Store, TestClient], clock: Clock
) -> None:
    store, client = reading
    store.put(shop(), "all")
    ask(client, "/CreateGroup", GroupName="g", FilterExpression="fault")

    def is_mixed(start: float, end: float, path: str = "/ServiceGraph") -> bool:
        graph = ask(client, path, StartTime=start, EndTime=end, GroupName="g")
        mixed: bool = graph["ContainsOldGroupVersions"]
        return mixed

    assert not is_mixed(START, END)
    changed = clock.now
    ask(client, "/UpdateGroup", GroupName="g", FilterExpression="fault")
    assert not is_mixed(START, END)
    ask(client, "/UpdateGroup", GroupName="g", FilterExpression="error")
    for path in ("/ServiceGraph", "/TimeSeriesServiceStatistics"):
        assert is_mixed(changed - 60, changed + 60, path)
        assert is_mixed(START, END, path), "traces of an older version are shown by the newer"
        assert not is_mixed(changed + 60, changed + 120, path)


def test_too_many_traces_are_refused(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, client = clickhouse_store, TestClient(create_app(clickhouse_store, version="0"))
    monkeypatch.setattr("store.clickhouse.search.filtered_units.MAX_FILTERED_TRACES", 5)
    store.put([order(n, calls=()) for n in range(6)], "many")
    ask(client, "/CreateGroup", GroupName="g", FilterExpression="ok")
    response = client.post("/ServiceGraph", json={**WINDOW, "GroupName": "g"})
    assert response.status_code == 400
    assert "more than 5 traces" in response.json()["Message"]
    assert ask(client, "/ServiceGraph", **WINDOW)["Services"]

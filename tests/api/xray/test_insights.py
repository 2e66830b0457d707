"""Insights, requested by boto3, whose every answer must conform to AWS's model."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from fastapi import FastAPI

from api.app import create_app
from api.problems.watch import Watch
from api.xray.insight_groups import insight_groups
from store.memory import MemoryStore
from store.times import MINUTE
from tests.api.alarms.traffic import Clock
from tests.api.problems.traffic import minute_of
from tests.builders import T0

BEGAN, NOW, END = 70, 74, 100
START = T0 / 1e6
WINDOW = {"StartTime": START, "EndTime": START + END * 60}
UNKNOWN = "0c11f1a2-7b3c-4d5e-8f90-123456789abc"
INSIGHTS = {"InsightsEnabled": True, "NotificationsEnabled": False}


@pytest.fixture
def app(store: MemoryStore) -> FastAPI:
    clock = Clock()
    clock.at(END)
    return create_app(store, version="1", clock=clock)


@pytest.fixture
def watch(store: MemoryStore) -> Watch:
    return Watch(store, groups=partial(insight_groups, store))


def play(store: MemoryStore, first: int, last: int, faults: float) -> None:
    for minute in range(first, last):
        store.put(minute_of(minute, faults), f"{minute}")


def summaries(xray: Any, group: str, **more: Any) -> Any:
    return xray.get_insight_summaries(GroupName=group, **WINDOW, **more)["InsightSummaries"]


def test_faults_are_an_insight_of_the_groups_that_they_belong_to(
    store: MemoryStore, watch: Watch, xray: Any
) -> None:
    """After three minutes; of a group without insights there are none, nor of one that the failing traces are not in."""
    for name, expression, settings in (
        ("shop", 'service("shop")', INSIGHTS),
        ("other", 'service("other")', INSIGHTS),
        ("off", "", {**INSIGHTS, "InsightsEnabled": False}),
    ):
        xray.create_group(
            GroupName=name, FilterExpression=expression, InsightsConfiguration=settings
        )
    xray.update_group(GroupName="Default", InsightsConfiguration=INSIGHTS)
    play(store, 0, BEGAN, 0)
    play(store, BEGAN, NOW, 0.25)
    watch.round(T0 + NOW * MINUTE)
    (found,) = summaries(xray, "Default")
    (of_shop,) = summaries(xray, "shop")
    assert summaries(xray, "other") == summaries(xray, "off") == []
    assert found["InsightId"] != of_shop["InsightId"]
    assert (found["GroupName"], of_shop["GroupName"]) == ("Default", "shop")
    assert found["RootCauseServiceId"] == {"Name": "payments", "Names": ["payments"]}
    assert (found["State"], found["Categories"]) == ("ACTIVE", ["FAULT"])
    assert found["StartTime"].timestamp() == START + BEGAN * 60
    assert "EndTime" not in found
    assert "payments fails" in found["Summary"]
    clients = found["ClientRequestImpactStatistics"]
    assert clients == found["RootCauseServiceRequestImpactStatistics"]
    assert clients["TotalCount"] == 80 >= clients["FaultCount"] + clients["OkCount"]
    top = [each["ServiceId"]["Name"] for each in found["TopAnomalousServices"]]
    assert (top[0], sorted(top)) == ("payments", ["checkout", "payments", "shop"])
    assert found["LastUpdateTime"].timestamp() == START + (BEGAN + 3) * 60

    (whole,) = [xray.get_insight(InsightId=found["InsightId"])["Insight"]]
    assert whole == {name: each for name, each in found.items() if name != "LastUpdateTime"}
    graph = {"StartTime": START + BEGAN * 60, "EndTime": START + NOW * 60}
    edges = [
        edge
        for service in xray.get_service_graph(**graph)["Services"]
        if service.get("Type") == "client"
        for edge in service["Edges"]
    ]
    assert sum(each["SummaryStatistics"]["TotalCount"] for each in edges) == clients["TotalCount"]
    impact = xray.get_insight_impact_graph(InsightId=found["InsightId"], **graph)
    services = {each["ReferenceId"]: each for each in impact["Services"]}
    called = {
        each["Name"]: [services[edge["ReferenceId"]]["Name"] for edge in each["Edges"]]
        for each in services.values()
    }
    assert called == {"shop": ["checkout"], "checkout": ["payments"], "payments": []}
    assert impact["ServiceGraphEndTime"] - impact["ServiceGraphStartTime"] == (
        impact["EndTime"] - impact["StartTime"]
    )


def test_a_closed_insight_and_its_events(store: MemoryStore, watch: Watch, xray: Any) -> None:
    xray.update_group(GroupName="Default", InsightsConfiguration=INSIGHTS)
    play(store, 0, BEGAN, 0)
    play(store, BEGAN, NOW, 0.5)
    watch.round(T0 + NOW * MINUTE)
    play(store, NOW, END - 10, 0)
    watch.round(T0 + (END - 10) * MINUTE)
    assert summaries(xray, "Default", States=["ACTIVE"]) == []
    (found,) = summaries(xray, "Default", States=["CLOSED"])
    assert abs(found["EndTime"].timestamp() - START - NOW * 60) <= 60
    assert " requests failed" in found["Summary"].split(".")[1]  # shown by Grafana
    assert found["TopAnomalousServices"][0]["ServiceId"]["Name"] == "payments"  # read by it
    id = found["InsightId"]
    events = xray.get_insight_events(InsightId=id)["InsightEvents"]
    assert len(events) >= 2
    assert "until" in events[0]["Summary"]
    assert events[0]["EventTime"] > events[-1]["EventTime"]
    assert events[0]["ClientRequestImpactStatistics"] == found["ClientRequestImpactStatistics"]
    pages: list[Any] = []
    token: dict[str, str] = {}
    while True:
        page = xray.get_insight_events(InsightId=id, MaxResults=1, **token)
        pages += page["InsightEvents"]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert pages == events
    earlier = {"StartTime": START, "EndTime": START + BEGAN * 60}
    assert xray.get_insight_summaries(GroupName="Default", **earlier)["InsightSummaries"] == []


def test_what_is_refused(xray: Any) -> None:
    window = {"StartTime": START, "EndTime": START + 600}
    xray.create_group(GroupName="g", InsightsConfiguration={"InsightsEnabled": True})
    summaries = xray.get_insight_summaries(GroupName="g", States=["ACTIVE"], **window)
    assert summaries["InsightSummaries"] == []
    refused = xray.exceptions.InvalidRequestException
    for operation, more in (
        (xray.get_insight, {}),
        (xray.get_insight_events, {}),
        (xray.get_insight_impact_graph, window),
    ):
        with pytest.raises(refused, match=f"no insight {UNKNOWN}"):
            operation(InsightId=UNKNOWN, **more)
    with pytest.raises(refused, match="must be a UUID"):
        xray.get_insight(InsightId="x")
    with pytest.raises(refused, match="MaxResults must lie between 1 and 50"):
        xray.get_insight_events(InsightId=UNKNOWN, MaxResults=51)
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({}, "GroupName or GroupARN is missing"),
        ({"GroupName": "none"}, "no group 'none'"),
        ({"GroupName": "g", "States": ["OPEN"]}, "States may have"),
        ({"GroupName": "g", "MaxResults": 101}, "between 1 and 100"),
        ({"GroupName": "g", "NextToken": "x"}, "not given by this server"),
    )
    for more, said in wrong:
        with pytest.raises(refused, match=said):
            xray.get_insight_summaries(**window, **more)

"""`/api/v1/stats`: groups, what they link to, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

WINDOW: dict[str, Any] = {"from": "-10m", "to": "now"}


def get(client: TestClient, **query: Any) -> dict[str, Any]:
    answer = client.get("/api/v1/stats", params=WINDOW | query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refusal(client: TestClient, **query: Any) -> tuple[int, str, str]:
    answer = client.get("/api/v1/stats", params=WINDOW | query)
    return answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "query",
    [
        {"by": "annotation.tier"},
        {"by": "annotation.age,user", "filter": "NOT annotation.nothing EXISTS"},
        {"by": "state"},
        {"by": "service,state", "filter": "ok OR fault"},
        {"by": "status,method", "of": "requests"},
        {"by": "state", "node": "front"},
        {"by": "operation", "node": "stock", "filter": "fault"},
        {"by": "user", "region": "nowhere"},
        {"by": "method", "status": "fault"},
        {"by": "state", "status": "fault,ok"},
        {"by": "operation", "node": "stock", "status": "ok"},
        {"by": "service", "of": "requests", "status": "fault,error"},
        {"by": ""},
    ],
)
def test_a_group_leads_to_as_many_traces_as_it_counts(
    client: TestClient, query: dict[str, str]
) -> None:
    found = get(client, **query)
    assert found["complete"]
    assert found["groups"] or "region" in query or query.get("node") == "stock"
    for group in found["groups"]:
        link = {"filter": group["filter"], "status": group["status"], "limit": 1000}
        scope = {name: query[name] for name in ("region",) if name in query}
        listed = client.get("/api/v1/traces", params={**WINDOW, **link, **scope}).json()
        assert len(listed["traces"]) == group["traces"] > 0, (query, group)


def test_a_group_of_what_the_filter_says_has_that_filter(client: TestClient) -> None:
    """A link that is followed again says nothing twice."""
    (group,) = get(client, by="user", filter='user = "alice"')["groups"]
    assert group["filter"] == 'user = "alice"'
    narrowed = '(ok) AND user = "alice"'
    assert get(client, by="user", filter=narrowed)["groups"][0]["filter"] == narrowed
    other = 'fault OR (ok) AND user = "alice"'
    groups = get(client, by="user", filter=other)["groups"]
    assert f'({other}) AND user = "alice"' in {group["filter"] for group in groups}


def test_only_some_outcomes(client: TestClient) -> None:
    """Of traces the entry's, of requests their own."""
    metrics = "count,fault"
    found = get(client, by="", metrics=metrics, status="fault")
    failed = found["total"]["metrics"]
    assert failed["count"] == failed["fault"] > 0
    both = get(client, by="", metrics=metrics, status="ok,fault")["total"]["metrics"]["count"]
    assert both > failed["count"]
    requests = get(client, by="state", of="requests", status="fault", metrics="count")
    assert [group["values"] for group in requests["groups"]] == [["fault"]]


def test_what_may_be_counted_by(client: TestClient) -> None:
    """Each dimension and metric is taken, and of requests there are fewer."""
    answer = client.get("/api/v1/stats/dimensions", params=WINDOW)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    names = {each["name"]: each["traces"] for each in found["dimensions"]}
    assert names["annotation.tier"] > 0
    assert names["operation"] is None
    assert found["most"] == 3
    for name in names:
        assert get(client, by=name)["by"]
    assert get(client, metrics=",".join(found["metrics"]))["metrics"] == found["metrics"]
    of = client.get("/api/v1/stats/dimensions", params={**WINDOW, "of": "requests"}).json()
    of_requests = {each["name"] for each in of["dimensions"]}
    assert names.keys() - of_requests == {"exception", "cause"}
    for name in of_requests:
        assert get(client, by=name, of="requests")["by"]


def test_the_figures_of_a_group(client: TestClient) -> None:
    metrics = "count,fault,fault_share,ok_share,per_minute,avg,p50,p99.9,max"
    found = get(client, by="state", metrics=metrics)
    groups = {group["values"][0]: group for group in found["groups"]}
    assert set(groups) >= {"ok", "fault"}
    fault = groups["fault"]["metrics"]
    assert list(fault) == metrics.split(",")
    assert fault["count"] == fault["fault"] == groups["fault"]["traces"]
    assert (fault["fault_share"], fault["ok_share"]) == (1.0, 0.0)
    assert fault["per_minute"] == pytest.approx(fault["count"] / 10, abs=1e-5)
    assert fault["p50"] <= fault["p99.9"] == fault["max"]
    assert sum(group["traces"] for group in groups.values()) == found["total"]["traces"]
    assert found["examined"] == found["total"]["metrics"]["count"]


def test_groups_are_sorted_by_a_metric_and_none_is_lost_unsaid(client: TestClient) -> None:
    found = get(client, by="service", sort="p95", metrics="p95")
    values = [group["metrics"]["p95"] for group in found["groups"]]
    assert values == sorted(values, reverse=True)
    cut = get(client, by="service", sort="p95", metrics="p95", limit=1)
    assert cut["groups"] == found["groups"][:1]
    assert cut["groups_total"] == found["groups_total"] == len(found["groups"]) > 1


def test_steps_of_a_series(client: TestClient) -> None:
    found = get(client, by="user", step="1m", metrics="count")
    assert found["step"] == 60
    for group in found["groups"]:
        assert sum(point["traces"] for point in group["points"]) == group["traces"]
        assert all(point["start"] % 60 == 0 for point in group["points"])


def test_requests_of_a_node_by_its_name(client: TestClient) -> None:
    found = get(client, node="front", by="method")
    assert found["of"] == "requests"
    assert 'name: "front", type: "AWS::ECS::Container"' in found["groups"][0]["filter"]


@pytest.mark.parametrize(
    ("query", "code", "said"),
    [
        ({"by": "operatoin"}, "UnknownDimension", "did you mean operation?"),
        ({"metrics": "fault_shar"}, "UnknownMetric", "did you mean fault_share?"),
        ({"sort": "q95"}, "UnknownMetric", "did you mean p95?"),
        ({"filter": "falt"}, "InvalidFilter", "fault"),
        ({"step": "1s", "from": "-7d"}, "InvalidRequest", "step must be longer"),
        ({"step": "soon"}, "InvalidRequest", "step"),
        ({"of": "traces", "node": "front"}, "InvalidRequest", "of=requests"),
        ({"metrics": ","}, "InvalidRequest", "metrics"),
    ],
)
def test_what_is_refused_is_named_with_the_nearest(
    client: TestClient, query: dict[str, str], code: str, said: str
) -> None:
    status, found, message = refusal(client, **query)
    assert (status, found) == (400, code)
    assert said in message


def test_an_unknown_node_and_one_of_two_of_a_name(client: TestClient) -> None:
    assert refusal(client, node="nothing")[:2] == (404, "NoSuchNode")
    status, code, message = refusal(client, node="resize")
    assert (status, code) == (409, "SeveralNodes")
    assert "AWS::Lambda::Function" in message

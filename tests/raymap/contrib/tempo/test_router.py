"""Answers have the shapes of tempopb, as Grafana's data source reads them."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from pydantic import TypeAdapter

from raymap.contrib.jaeger import search
from raymap.contrib.jaeger.spans import export_named
from raymap.contrib.tempo import metrics, schemas
from store.memory import MemoryStore
from tests.raymap.contrib.jaeger.conftest import NOW
from tests.raymap.contrib.tempo.conftest import client as client
from tests.raymap.contrib.tempo.traces import begins, documents, id_of

API = "/tempo/api"
A = id_of("A").hex()
BEGIN = begins("A") // 10**9


def get(client: TestClient, path: str, **query: Any) -> Any:
    answer = client.get(f"{API}/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_status(client: TestClient) -> None:
    assert client.get(f"{API}/echo").text == "echo"
    assert get(client, "status/buildinfo")["version"] == "1"


def test_a_search(client: TestClient) -> None:
    query = '{ .tier = "gold" } | select(resource.service.version, span.items)'
    found = get(client, "search", q=query, start=BEGIN - 60, end=NOW, limit=5, spss=1)
    TypeAdapter(schemas.TempoSearch).validate_python(found)
    [trace] = found["traces"]
    assert trace["traceID"] == A
    assert (trace["rootServiceName"], trace["rootTraceName"]) == ("web", "GET /checkout")
    assert (trace["startTimeUnixNano"], trace["durationMs"]) == (str(begins("A")), 500)
    assert trace["serviceStats"] == {
        "web": {"spanCount": 3, "errorCount": 2},
        "orders": {"spanCount": 2, "errorCount": 1},
    }
    assert trace["spanSets"] == [trace["spanSet"]]
    assert trace["spanSet"]["matched"] == 1
    [span] = trace["spanSet"]["spans"]
    assert span == {
        "spanID": "0000000000000003",
        "name": "POST /orders",
        "startTimeUnixNano": str(begins("A") + 110_000_000),
        "durationNanos": "180000000",
        "attributes": [
            {"key": "tier", "value": {"stringValue": "gold"}},
            {"key": "service.version", "value": {"stringValue": "2.1"}},
            {"key": "items", "value": {"intValue": "3"}},
        ],
    }
    assert int(found["metrics"]["inspectedSpans"]) >= 5


def test_spans_groups_and_aggregates_of_a_search(client: TestClient) -> None:
    query = '{ rootName = "GET /checkout" } | by(resource.service.name) | avg(duration) > 1ms'
    [trace] = get(client, "search", q=query, spss=2)["traces"]
    assert [(each["matched"], len(each["spans"])) for each in trace["spanSets"]] == [(3, 2), (2, 2)]
    assert trace["spanSets"][1]["attributes"] == [
        {"key": "by(resource.service.name)", "value": {"stringValue": "orders"}},
        {"key": "avg(duration)", "value": {"stringValue": "100ms"}},
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"tags": "service.name=orders"}, "FEA"),
        ({"tags": "service.name=ORD tier=gold"}, "A"),
        ({"tags": 'name="GET /"', "maxDuration": "100ms"}, "DB"),
        ({"tags": "error=true"}, "DA"),
        ({"tags": "status.code=ok"}, "FC"),
        ({"tags": "items=5"}, "E"),
        ({"tags": "retry=true"}, "E"),
        ({"minDuration": "400ms"}, "CA"),
        ({"limit": "2"}, "FE"),
        ({"start": str(BEGIN + 3600), "end": str(BEGIN + 7200)}, ""),
    ],
)
def test_a_search_without_traceql(client: TestClient, query: dict[str, str], expected: str) -> None:
    found = get(client, "search", **query)["traces"]
    assert [each["traceID"] for each in found] == [id_of(letter).hex() for letter in expected]


def test_a_search_that_ends_early_says_so(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "PAGE", 2)
    monkeypatch.setattr(search, "MOST_SCANNED", 3)
    answer = client.get(f"{API}/search", params={"q": "{ kind = server }"})
    assert 0 < len(answer.json()["traces"]) < 4
    assert "after 3 traces" in answer.headers["x-raymap-incomplete"]
    nothing = client.get(f"{API}/search", params={"q": '{ name = "no" }'})
    assert (nothing.status_code, nothing.json()["traces"]) == (200, [])
    assert "after 3 traces" in nothing.headers["x-raymap-incomplete"]


def test_tags(client: TestClient) -> None:
    scopes = {each["name"]: each["tags"] for each in get(client, "v2/search/tags")["scopes"]}
    assert {"service.name", "service.version"} <= set(scopes["resource"])
    assert {"tier", "items", "http.response.status_code"} <= set(scopes["span"])
    assert "service.name" not in scopes["span"]
    assert scopes["event"] == ["exception.message", "exception.type"]
    assert {"status", "duration", "trace:id"} <= set(scopes["intrinsic"])
    [only] = get(client, "v2/search/tags", scope="resource")["scopes"]
    assert only["name"] == "resource"
    narrower = get(client, "v2/search/tags", scope="span", q='{ name = "process mail" }')
    assert narrower["scopes"] == [{"name": "span", "tags": ["batch"]}]
    assert {"tier", "service.name", "status"} <= set(get(client, "search/tags")["tagNames"])


@pytest.mark.parametrize(
    ("tag", "query", "expected"),
    [
        ("resource.service.name", {}, ["jobs", "legacy", "mailer", "orders", "web"]),
        ("service.name", {"q": "{ status = ok }"}, ["mailer", "orders"]),
        (".tier", {}, ["gold", "silver"]),
        (".tier", {"q": "{ resource.service.name = `orders` && .tier = }"}, ["gold", "silver"]),
        ("span.tier", {"q": "{ resource.service.name = `orders` }"}, ["gold"]),
        ("status", {}, ["unset", "ok", "error"]),
        ("rootName", {}, ["GET /", "GET /a", "GET /checkout", "POST /orders", "nightly"]),
        ("event.exception.type", {}, ["OutOfStock"]),
        ("duration", {}, []),
        ("resource.service%2Ename", {"limit": 2}, ["jobs", "legacy"]),
    ],
)
def test_values_of_a_tag(
    client: TestClient, tag: str, query: dict[str, Any], expected: list[str]
) -> None:
    found = get(client, f"v2/search/tag/{tag}/values", **query)["tagValues"]
    assert [each["value"] for each in found] == expected
    older = get(client, f"search/tag/{tag}/values")["tagValues"]
    assert set(expected) <= set(older)


def test_types_of_values(client: TestClient) -> None:
    def types(tag: str) -> set[str]:
        found = get(client, f"v2/search/tag/{tag}/values")["tagValues"]
        return {each["type"] for each in found}

    assert types("status") == types("kind") == {"keyword"}
    assert (types("span.items"), types("span.retry"), types("name")) == (
        {"int"},
        {"bool"},
        {"string"},
    )
    assert types("span.ratio") == {"float"}


def test_a_trace_is_the_same_in_every_form(client: TestClient) -> None:
    store = MemoryStore()
    store.put(documents(), "all")
    trace = store.get_traces([id_of("A")], raw=True)[id_of("A")]
    spans = sorted(
        s.SerializeToString(deterministic=True) for s in _spans(export_named(trace))
    )  # fmt: skip
    protobuf = {"accept": "application/protobuf"}
    first = client.get(f"{API}/traces/{A}", headers=protobuf)
    assert first.headers["content-type"] == "application/protobuf"
    second = client.get(f"{API}/v2/traces/{A}", headers=protobuf).content
    length = len(first.content)
    assert (
        second == b"\x0a" + bytes([length & 0x7F | 0x80, length >> 7]) + first.content + b"\x12\x00"
    )
    forms = [
        TracesData.FromString(first.content),
        ParseDict({"resourceSpans": get(client, f"traces/{A}")["batches"]}, TracesData()),
        ParseDict(get(client, f"v2/traces/{A}")["trace"], TracesData()),
    ]
    for form in forms:
        assert sorted(s.SerializeToString(deterministic=True) for s in _spans(form)) == spans
    assert len(spans) == 5


def _spans(data: TracesData) -> list[Any]:
    return [s for part in data.resource_spans for scope in part.scope_spans for s in scope.spans]


WINDOW = {"start": BEGIN, "end": BEGIN + 60}


def values(series: dict[str, Any]) -> dict[int, float]:
    """Values by seconds after the begin."""
    return {int(s["timestampMs"]) // 1000 - BEGIN: s["value"] for s in series["samples"]}


def labels(series: dict[str, Any]) -> dict[str, Any]:
    return {each["key"]: next(iter(each["value"].values())) for each in series["labels"]}


def test_counts_and_rates(client: TestClient) -> None:
    query = {**WINDOW, "step": "20s", "q": "{ } | count_over_time()"}
    [series] = get(client, "metrics/query_range", **query)["series"]
    assert labels(series) == {"__name__": "count_over_time"}
    # Steps are open at their start, where the first span of A is, and closed at their end, where C and E begin.
    assert values(series) == {20: 4 + 1 + 1, 40: 2 + 3 + 1, 60: 1}
    [series] = get(client, "metrics/query_range", **{**query, "q": "{ } | rate()"})["series"]
    assert values(series) == {20: 0.3, 40: 0.3, 60: 0.05}


def test_groups(client: TestClient) -> None:
    query = {
        **WINDOW,
        "step": "60",
        "q": "{ } | count_over_time() by(resource.service.name, .tier)",
    }
    series = get(client, "metrics/query_range", **query)["series"]
    counts = {tuple(labels(each).values()): values(each)[60] for each in series}
    assert counts == {
        ("jobs", "nil"): 2, ("legacy", "nil"): 2, ("legacy", "silver"): 1, ("mailer", "nil"): 1,
        ("orders", "gold"): 1, ("orders", "nil"): 3, ("web", "nil"): 3,
    }  # fmt: skip
    top = get(client, "metrics/query_range", **{**query, "q": f"{query['q']} | topk(1)"})["series"]
    assert [values(each)[60] for each in top] == [3]


def test_quantiles_and_other_functions(client: TestClient) -> None:
    query = {**WINDOW, "step": "60", "exemplars": "10"}
    q = "{ kind = server } | quantile_over_time(duration, 0, 0.5, 1)"
    series = get(client, "metrics/query_range", q=q, **query)["series"]
    # Of 180, 50 and 100 ms: that of A's root is not in the window, which is open at its begin.
    assert [(labels(each)["p"], values(each)) for each in series] == [
        (0, {60: 0.05}), (0.5, {60: 0.1}), (1, {60: 0.18}),
    ]  # fmt: skip
    [exemplar] = series[-1]["exemplars"]
    assert exemplar["labels"][0]["key"] == "trace:id"
    for function, expected in (("max", 0.18), ("min", 0.05), ("avg", 0.11), ("sum", 0.33)):
        q = f"{{ kind = server }} | {function}_over_time(duration)"
        [series] = get(client, "metrics/query_range", q=q, **query)["series"]
        assert values(series) == {60: pytest.approx(expected)}
    q = "{ } | histogram_over_time(.items)"
    series = get(client, "metrics/query_range", q=q, **query)["series"]
    assert {labels(each)["__bucket"]: values(each)[60] for each in series} == {4.0: 1, 8.0: 2}


def test_an_instant(client: TestClient) -> None:
    query = {**WINDOW, "q": "{ status = error } | count_over_time() by(kind)"}
    found = get(client, "metrics/query", **query)["series"]
    assert {labels(each)["kind"]: each["value"] for each in found} == {"client": 1, "server": 2}


def test_steps_that_have_not_ended_are_left_out(client: TestClient) -> None:
    query = {"start": NOW - 100, "end": NOW + 50, "step": "20s", "q": "{ } | rate()"}
    [series] = get(client, "metrics/query_range", **query)["series"]
    assert max(values(series)) == NOW - BEGIN


def test_metrics_that_end_early_have_the_newest_steps(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "PAGE", 2)
    monkeypatch.setattr(search, "PAGE", 2)
    monkeypatch.setattr(metrics, "MOST_TRACES", 3)
    query: dict[str, Any] = {"start": BEGIN, "end": NOW, "step": "20s", "q": "{ } | rate()"}
    answer = client.get(f"{API}/metrics/query_range", params=query)
    body = answer.json()
    assert (answer.status_code, body["status"]) == (200, "PARTIAL")
    assert "after 3 traces" in body["message"]
    assert answer.headers["x-raymap-incomplete"] == body["message"]
    assert 20 not in values(body["series"][0])


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("search?q={}&tags=a", 400, "can't specify tags and q"),
        ("search?q={}|rate()", 400, "metrics/query_range"),
        ("search?limit=0", 400, "invalid limit"),
        ("search?start=9&end=3", 400, "start must be before end"),
        ("search?start=soon", 400, "invalid start"),
        ("search?tags=a=1 a=2", 400, "set twice"),
        ('search?tags=a="1', 400, "at pos 1"),
        ("search?minDuration=2s&maxDuration=1s", 400, "greater than minDuration"),
        ("v2/search/tags?scope=x", 400, "invalid scope"),
        ("v2/search/tag/a b/values", 400, "names no attribute"),
        ("metrics/query_range?q={}", 400, "no metrics"),
        ("metrics/query_range?q={}|rate()&step=1ms", 400, "more than 11,000 steps"),
        ("metrics/query_range?q={}|rate()&step=0", 400, "invalid step"),
        ("metrics/query_range?q={}|rate()&since=x", 400, "invalid since"),
        ("traces/xyz", 400, "trace id"),
        ("traces/" + "f" * 32, 404, "not found"),
        ("v2/traces/" + "f" * 32, 404, "not found"),
        ("nothing", 404, ""),
    ],
)
def test_errors_are_plain_text(client: TestClient, path: str, status: int, words: str) -> None:
    answer = client.get(f"{API}/{path}")
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/plain")
    assert words in answer.text

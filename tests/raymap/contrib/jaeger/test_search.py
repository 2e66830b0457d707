"""Traces are found as by Jaeger: one span of the service has all that is wanted."""

from __future__ import annotations

import json
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from raymap.contrib.jaeger import search
from raymap.contrib.jaeger.params import SpanQuery, parse_go_duration
from raymap.contrib.jaeger.schemas import JaegerTraces
from raymap.contrib.jaeger.spans import read_traces
from store.document_values import value_text
from store.memory import MemoryStore
from store.model import TimeRange
from tests.api.console.test_map import get
from tests.collector.otlp_samples import TRACE
from tests.raymap.contrib.jaeger.conftest import NOW, documents

BOTH = TRACE.hex()
SHOP = [BOTH]


def worker(*numbers: int) -> list[str]:
    return [(TRACE[:-1] + bytes([16 + number])).hex() for number in numbers]


ALL = worker(9, 8, 7, 6, 5, 4, 3, 2, 1)


def find(client: TestClient, **parameters: Any) -> list[str]:
    answer = client.get("/jaeger/api/traces", params=parameters)
    assert answer.status_code == 200, answer.text
    return [trace["traceID"] for trace in answer.json()["data"]]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"service": "worker/a"}, ALL),
        ({"service": "worker/a", "limit": 2}, worker(9, 8)),
        ({"service": "worker"}, []),
        ({"service": "worker/a", "operation": "job 1"}, worker(7, 4, 1)),
        ({"service": "worker/a", "operation": "step", "minDuration": "1ms"}, ALL),
        ({"service": "worker/a", "operation": "step", "minDuration": "1.5ms"}, []),
        ({"service": "worker/a", "minDuration": "350ms", "maxDuration": "0.5s"}, worker(5, 4)),
        ({"service": "worker/a", "minDuration": "", "maxDuration": "500us"}, []),
        # Local work failed, which no index knows.
        ({"service": "worker/a", "tags": {"error": "true"}}, worker(9, 7, 5, 3, 1)),
        ({"service": "worker/a", "tags": {"error": "true"}, "operation": "job 1"}, []),
        ({"service": "worker/a", "tags": {"shard": "4"}}, worker(4)),
        ({"service": "worker/a", "tag": "shard:4"}, worker(4)),
        ({"service": "worker/a", "tag": ["shard:4", "otel.scope.name:tests"]}, worker(4)),
        ({"service": "worker/a", "tag": ["shard:4", "otel.scope.name:other"]}, []),
        ({"service": "shop", "tags": {"http.response.status_code": "503"}}, SHOP),
        ({"service": "shop", "tags": {"http.status_code": "503", "error": "true"}}, SHOP),
        ({"service": "shop", "tags": {"http.status_code": "502"}}, []),
        ({"service": "shop", "tags": {"service.version": "1.2"}}, SHOP),
        ({"service": "shop", "tags": {"event": "cache miss"}}, SHOP),
        ({"service": "shop", "tags": {"retry": "false", "ratio": "0.5"}}, SHOP),
        ({"service": "front", "tags": {"tier": "gold", "age": "42", "first": "true"}}, SHOP),
        ({"service": "front", "tags": {"exception.type": "Refused"}}, SHOP),
        ({"service": "front", "tags": {"tier": "silver"}}, []),
        # One span has to have all of it.
        ({"service": "shop", "operation": "HGET", "tags": {"error": "true"}}, []),
        ({"service": "front", "lookback": "1s"}, []),
        ({"service": "front", "lookback": "5m"}, SHOP),
        ({"service": "front", "lookback": "custom"}, SHOP),
        ({"service": "front", "start": NOW * 10**6}, None),
        ({"service": "front", "start": (NOW - 90) * 10**6, "end": NOW * 10**6}, SHOP),
        ({"service": "front", "end": (NOW - 90) * 10**6}, []),
        ({"traceID": [BOTH, *worker(3)]}, [BOTH, *worker(3)]),
    ],
    ids=str,
)
def test_searches(
    client: TestClient, parameters: dict[str, Any], expected: list[str] | None
) -> None:
    sent = {k: json.dumps(v) if isinstance(v, dict) else v for k, v in parameters.items()}
    if expected is None:
        assert client.get("/jaeger/api/traces", params=sent).status_code == 400
    else:
        assert find(client, **sent) == expected


def test_the_shape_is_jaegers(client: TestClient) -> None:
    found = get(client, "/jaeger/api/traces?service=worker/a&lookback=2d&raw=true", JaegerTraces)
    assert (found["total"], found["limit"], found["offset"], found["errors"]) == (9, 0, 0, None)


def test_a_missing_trace_is_named_beside_the_others(client: TestClient) -> None:
    missing = "f" * 32
    url = f"/jaeger/api/traces?traceID={missing}&traceID={BOTH}"
    found = get(client, url, JaegerTraces)
    assert [trace["traceID"] for trace in found["data"]] == [BOTH]
    assert found["errors"] == [{"code": 404, "msg": "trace not found", "traceID": missing}]


@pytest.mark.parametrize(
    ("limit", "words"), [("MOST_SCANNED", "after 3 traces"), ("MOST_SPANS", "after 3 spans")]
)
def test_a_search_that_ends_early_says_so(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, limit: str, words: str
) -> None:
    """As partial content: what was found is no error."""
    monkeypatch.setattr(search, "PAGE", 2)
    monkeypatch.setattr(search, limit, 3)
    found = get(client, "/jaeger/api/traces?service=worker/a", JaegerTraces)
    assert 0 < len(found["data"]) < 9
    assert found["errors"] is not None
    assert found["errors"][0]["code"] == 206
    assert words in found["errors"][0]["msg"]


def test_a_search_that_finds_nothing_in_time_is_partial(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SECONDS", 0.0)
    found = get(client, "/jaeger/api/traces?service=worker/a", JaegerTraces)
    assert (found["data"], found["total"]) == ([], 0)
    assert found["errors"] is not None
    assert found["errors"][0]["code"] == 206
    assert "after 0 s" in found["errors"][0]["msg"]


def test_a_tag_that_nothing_has_is_looked_for_in_few_traces(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index says that no trace has it; attributes beyond those of the index are looked at in the newest."""
    monkeypatch.setattr(search, "MOST_UNINDEXED", 4)
    found = get(client, "/jaeger/api/traces?service=worker/a&tag=shard:none", JaegerTraces)
    assert found["data"] == []
    assert found["errors"] is not None
    assert "after 4 traces" in found["errors"][0]["msg"]


def test_traces_without_an_index_are_searched_for_at_once(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second pass asks the store once, whatever the limit of the search is."""
    limits: list[int] = []
    find_traces = MemoryStore.find_traces

    def counted(store: MemoryStore, query: Any, *, limit: int, cursor: str | None) -> Any:
        limits.append(limit)
        return find_traces(store, query, limit=limit, cursor=cursor)

    monkeypatch.setattr(MemoryStore, "find_traces", counted)
    url = "/jaeger/api/traces?service=worker/a&tag=shard:none&limit=2"
    assert get(client, url, JaegerTraces)["data"] == []
    assert limits == [2, search.MOST_UNINDEXED]


def test_a_search_for_failures_reads_those_alone(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five of nine traces failed in local work: the others are not read, and the search is complete."""
    monkeypatch.setattr(search, "MOST_SCANNED", 6)
    url = "/jaeger/api/traces?service=worker/a&tag=error:true"
    found = get(client, url, JaegerTraces)
    assert [trace["traceID"] for trace in found["data"]] == worker(9, 7, 5, 3, 1)
    assert found["errors"] is None


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "parameter 'service' is required"),
        ("service=a&limit=0", "between 1 and 1500"),
        ("service=a&limit=many", "limit"),
        ("service=a&minDuration=5", "'minDuration': expected a duration"),
        ("service=a&maxDuration=fast", "'maxDuration'"),
        ("service=a&maxDuration=-1s", "'maxDuration'"),
        ("service=a&minDuration=2s&maxDuration=1s", "greater than 'minDuration'"),
        ("service=a&start=x", "'start': expected a whole number of microseconds"),
        ("service=a&end=99999999999999999999", "'end'"),
        ("service=a&start=5&end=5", "start must be before end"),
        ("service=a&tag=error", "expecting key:value"),
        ("service=a&tags=%7B", "expecting a JSON object"),
        ("service=a&tags=%7B%22a%22:1%7D", "expecting a JSON object"),
        ("traceID=xyz", "trace id"),
        ("&".join(["traceID=1"] * 51), "50 times, got 51"),
    ],
)
def test_bad_searches(client: TestClient, query: str, words: str) -> None:
    answer = client.get(f"/jaeger/api/traces?{query}")
    assert answer.status_code == 400
    body = answer.json()
    assert (body["data"], body["errors"][0]["code"]) == (None, 400)
    assert words in body["errors"][0]["msg"]


def test_go_durations() -> None:
    said = {
        "1.2s": 1.2e6,
        "100ms": 1e5,
        "1m30s": 9e7,
        ".5h": 1.8e9,
        "5µs": 5,
        "7us": 7,
        "9ns": 0.009,
    }
    assert {text: parse_go_duration(text, "") for text in said} == pytest.approx(said)


def test_a_search_whose_time_is_up_stops_within_a_page(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "time", SimpleNamespace(monotonic=count().__next__))
    monkeypatch.setattr(search, "SECONDS", 3)
    found = get(client, "/jaeger/api/traces?service=worker/a", JaegerTraces)
    assert 0 < len(found["data"]) < 9
    assert found["errors"] is not None
    assert "after 3 s" in found["errors"][0]["msg"]


@pytest.mark.parametrize("on", ["memory", "clickhouse"])
def test_a_number_is_found_by_an_index(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, on: str
) -> None:
    """Without the second pass, which reads the newest traces: a page may be all that there is time for."""
    store = MemoryStore() if on == "memory" else request.getfixturevalue("clickhouse_store")
    store.put(documents(), "all")
    client = TestClient(create_app(store, version="1", clock=lambda: NOW))
    monkeypatch.setattr(search, "MOST_UNINDEXED", 0)
    monkeypatch.setattr(search, "SECONDS", 300.0)
    assert find(client, service="shop", tag="http.status_code:503") == SHOP
    assert find(client, service="worker/a", tag="shard:4") == worker(4)
    assert find(client, service="worker/a", tag="shard:none") == []


def test_every_span_is_found_by_all_that_its_answer_says() -> None:
    """What is compared are OpenTelemetry's spans, what is shown are Jaeger's: both mean the same."""
    store = MemoryStore()
    store.put(documents(), "all")
    queries = 0
    for read in read_traces(store, [TRACE, *map(bytes.fromhex, worker(3, 4))]):
        for span in read.trace["spans"]:
            process = read.trace["processes"][span["processID"]]
            tags = [*span["tags"], *process["tags"], *(f for log in span["logs"] for f in log["fields"])]  # fmt: skip
            exactly = SpanQuery(
                process["serviceName"],
                span["operationName"],
                {tag["key"]: value_text(tag["value"]) for tag in tags},
                span["duration"],
                span["duration"],
                TimeRange(0, 1),
                1,
            )
            assert search.matches(read.exported, exactly)
            others = [exactly._replace(operation="other"), exactly._replace(service="other")]
            others.append(exactly._replace(shortest=span["duration"] + 1, longest=None))
            others += [exactly._replace(tags={tag["key"]: "other"}) for tag in tags]
            assert not any(search.matches(read.exported, each) for each in others)
            queries += len(others)
    assert queries > 50

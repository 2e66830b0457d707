"""Prometheus' query API over the edges of the map: expressions with values that were computed by hand, in both stores."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from raymap.contrib.prometheus.evaluate import bucket_quantile
from store.model import Document, Kind, NodeKey, State
from store.times import MINUTE, SECOND
from tests.builders import T0, call, segment, subsegment, trace_id

API = "/prometheus/api/v1"
BEGIN = T0 // MINUTE * MINUTE
NOW = BEGIN // SECOND + 600
RATE = "traces_service_graph_request_total"
STATE = "traces_service_graph_request_state_total"
FAILED = "traces_service_graph_request_failed_total"
SERVER = "traces_service_graph_request_server_seconds"


def request(number: int, minute: int, took: int, state: State = State.OK) -> list[Document]:
    """A user calls front, which calls pay in a tenth of the time."""
    id, start = trace_id(number), BEGIN + minute * MINUTE + number * SECOND
    front, pay = NodeKey("", "front", ""), NodeKey("", "pay", "")
    given: dict[str, Any] = {"trace_id": id, "start": start, "state": state}
    inner = call(0xC1, start=start, end=start + took // 10, node=pay, state=state)
    own = {"node": front, "service": "front", "kind": Kind.SERVER}
    below = {"independent": 2, "node": front, "service": "front", "kind": Kind.CLIENT}
    return [
        segment(0xA1, end=start + took, **own, **given),
        subsegment(0xC1, 0xA1, end=start + took // 10, calls=(inner,), **below, **given),
        segment(
            0xB1,
            parent_id=0xC1,
            end=start + took // 10,
            **{**own, "node": pay, "service": "pay"},
            **given,
        ),
    ]


STORY = [
    # Minute 1: 4 requests of 80 ms; minute 2: 2 of 400 ms, of which one fault; minute 3: none; minute 4: 6 of 2 s.
    *(request(number, 1, 80_000) for number in range(1, 5)),
    request(5, 2, 400_000),
    request(6, 2, 400_000, State.FAULT),
    *(request(number, 4, 2_000_000) for number in range(7, 13)),
]


@pytest.fixture(params=["memory_store", "clickhouse_store"])
def client(request: pytest.FixtureRequest) -> Iterator[TestClient]:
    store = request.getfixturevalue(request.param)
    store.put([document for documents in STORY for document in documents], "story")
    with TestClient(create_app(store, version="1.2.3", clock=lambda: float(NOW))) as found:
        yield found


@pytest.fixture
def memory_store() -> Any:
    from store.memory import MemoryStore

    return MemoryStore()


def value_of(client: TestClient, query: str, time: int = NOW) -> Any:
    """Of a scalar its text; of a vector the texts by labels."""
    answer = client.get(f"{API}/query", params={"query": query, "time": time})
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    if data["resultType"] == "scalar":
        return data["result"][1]
    return {
        tuple(f"{name}={value}" for name, value in each["metric"].items()): each["value"][1]
        for each in data["result"]
    }


ENTRY = ("client=user", "connection_type=virtual_node", "server=front")
CALL = ("client=front", "server=pay")
VALUES = [
    ("1 + 2 * 3", "7"),
    ("-2 * (3 - 1) / 4", "-1"),
    ("1 / 0", "+Inf"),
    ("0 / 0", "NaN"),
    ("0x10", "16"),
    ("1e3", "1000"),
    (f"increase({RATE}[10m])", {ENTRY: "12", CALL: "12"}),
    (f'increase({RATE}{{client="user"}}[10m])', {ENTRY: "12"}),
    (f'increase({RATE}{{client!="user"}}[10m])', {CALL: "12"}),
    (f'increase({RATE}{{server=~"fr.*"}}[10m])', {ENTRY: "12"}),
    (f'increase({RATE}{{server!~"fr.*|x"}}[10m])', {CALL: "12"}),
    (f'increase({RATE}{{server=~"fron"}}[10m])', {}),
    (f'increase({{__name__="{FAILED}", server="pay"}}[10m])', {CALL: "1"}),
    (f'rate({RATE}{{client="user"}}[10m])', {ENTRY: "0.02"}),
    (f'rate({RATE}{{client="user"}}[2m])', {}),
    (f"sum(rate({RATE}[10m]))", {(): "0.04"}),
    (f"sum by (server) (increase({RATE}[10m]))", {("server=front",): "12", ("server=pay",): "12"}),
    (f"sum(increase({RATE}[10m])) by (nothing)", {(): "24"}),
    (f"count(increase({RATE}[10m]))", {(): "2"}),
    (f"max(increase({FAILED}[10m])) - min(increase({FAILED}[10m]))", {(): "0"}),
    (f"avg(increase({RATE}[10m]))", {(): "12"}),
    (
        f'sum by (state) (increase({STATE}{{server="front"}}[10m]))',
        {
            ("state=ok",): "11",
            ("state=error",): "0",
            ("state=throttle",): "0",
            ("state=fault",): "1",
        },
    ),
    (
        f"100 * sum by (server) (increase({FAILED}[10m])) / sum by (server) (increase({RATE}[10m]))",
        {("server=front",): repr(100 / 12), ("server=pay",): repr(100 / 12)},
    ),
    (f"increase({SERVER}_count[10m])", {ENTRY: "12"}),
    (f'increase({SERVER}_bucket{{le="0.1"}}[10m])', {(*ENTRY[:2], "le=0.1", ENTRY[2]): "4"}),
    (f'increase({SERVER}_bucket{{le="+Inf"}}[10m])', {(*ENTRY[:2], "le=+Inf", ENTRY[2]): "12"}),
    # 4 up to 0.1 s, 2 in (0.25, 0.5], 6 in (1, 2.5]: the 9th of 12 is the middle of the last.
    (f"histogram_quantile(0.75, sum by (le) (rate({SERVER}_bucket[10m])))", {(): "1.75"}),
    (f"histogram_quantile(0.25, sum by (le) (increase({SERVER}_bucket[10m])))", {(): "0.0875"}),
]


@pytest.mark.parametrize(("query", "expected"), VALUES)
def test_an_expression_has_the_value_that_was_computed_by_hand(
    client: TestClient, query: str, expected: Any
) -> None:
    found = value_of(client, query)
    if isinstance(expected, str):
        assert found == expected
        return
    assert found.keys() == expected.keys()
    for labels, text in expected.items():
        assert float(found[labels]) == pytest.approx(float(text)), labels


def test_a_range_ends_with_the_last_whole_minute(client: TestClient) -> None:
    query = f'increase({RATE}{{client="user"}}[1m])'
    at = {minute: value_of(client, query, BEGIN // SECOND + minute * 60) for minute in range(1, 7)}
    assert [each.get(ENTRY) for each in at.values()] == [None, "4", "2", None, "6", None]
    assert value_of(client, query, BEGIN // SECOND + 2 * 60 + 59) == {ENTRY: "4"}


def test_steps(client: TestClient) -> None:
    query = f'increase({RATE}{{client="user"}}[2m])'
    span: dict[str, Any] = {"start": NOW - 600, "end": NOW - 120, "step": "1m"}
    for answer in (
        client.get(f"{API}/query_range", params={"query": query, **span}),
        client.post(f"{API}/query_range", data={"query": query, **span}),
    ):
        data = answer.json()["data"]
        assert data["resultType"] == "matrix"
        [series] = data["result"]
        assert series["metric"] == dict(each.split("=") for each in ENTRY)
        assert [at for at, _ in series["values"]] == list(range(NOW - 600, NOW - 119, 60))
        texts = [text for _, text in series["values"]]
        assert texts == ["0", "0", "4", "6", "2", "6", "6", "0", "0"]


def test_names(client: TestClient) -> None:
    def data(path: str, **params: Any) -> Any:
        answer = client.get(f"{API}/{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    assert data("labels") == ["__name__", "client", "connection_type", "le", "server", "state"]
    assert data("label/server/values") == ["front", "pay"]
    assert data("label/client/values", **{"match[]": f'{RATE}{{server="pay"}}'}) == ["front"]
    assert data("label/absent/values") == []
    assert {RATE, STATE, FAILED, f"{SERVER}_bucket"} <= set(data("label/__name__/values"))
    assert data("series", **{"match[]": f'{FAILED}{{client="front"}}'}) == [
        {"__name__": FAILED, "client": "front", "server": "pay"}
    ]
    assert len(data("series", **{"match[]": '{server="front"}'}, limit=3)) == 3
    for path in ("labels", "label/__name__/values"):
        cut = client.get(f"{API}/{path}", params={"limit": 2}).json()
        assert (len(cut["data"]), cut["warnings"]) == (2, ["results truncated due to limit"])
    assert data("metadata")[RATE][0]["type"] == "counter"
    assert data("metadata", metric=SERVER)[SERVER][0]["unit"] == "seconds"
    assert data("status/buildinfo")["version"] == "1.2.3"


def test_names_are_those_that_a_scrape_has(client: TestClient) -> None:
    scraped = {
        line.split()[2]
        for line in client.get("/api/v1/metrics").text.splitlines()
        if line.startswith("# TYPE") and "_created" not in line
    }
    assert scraped == set(client.get(f"{API}/metadata").json()["data"])


REFUSED = [
    ("", "1:1: parse error: no expression found in input"),
    (RATE, "1:1: parse error: a counter is read by rate"),
    (f"{RATE}[5m]", "1:1: parse error: a range of a counter"),
    (f"rate({RATE})", f"1:{len(RATE) + 6}: parse error: unexpected ')'"),
    (f"rate({RATE}[30s])", f"1:{len(RATE) + 7}: parse error: requests are counted by the minute"),
    (f"rate({RATE}[5m:1m])", f"1:{len(RATE) + 9}: parse error: subqueries"),
    (f"rate({RATE}[5m] offset 1h)", "'offset' is not supported"),
    ("irate(a[5m])", "1:1: parse error: function 'irate' is not supported"),
    ("topk(3, rate(a[5m]))", "1:1: parse error: function 'topk'"),
    ("sum without (a) (rate(b[5m]))", "1:5: parse error: 'without' is not supported"),
    ("rate(a[5m]) > 1", "1:13: parse error: '>' is not supported"),
    ("rate(a[5m]) or rate(b[5m])", "1:13: parse error: 'or' is not supported"),
    ("rate(a[5m]) / on (c) rate(b[5m])", "1:15: parse error: 'on' is not supported"),
    ("1 +\n  %", "2:3: parse error: unexpected '%'"),
    ("sum(1)", "1:5: parse error: expected type instant vector"),
    ("histogram_quantile(rate(a[5m]), 1)", "1:20: parse error: expected type scalar"),
    ('rate({a=""}[5m])', "1:6: parse error: vector selector must contain"),
    ('rate({a=~"("}[5m])', "1:10: parse error: error parsing regexp"),
    ("rate({a>1}[5m])", "1:8: parse error: expected one of"),
    ('rate(a{b="c"', "unexpected end of input"),
    ("rate(a[5m]) ~", "1:13: parse error: unexpected character: '~'"),
    ("(" * 100, "nested deeper"),
    ("1" * 20_000, "at most 10,000 characters"),
]


@pytest.fixture(scope="module")
def empty_client() -> Iterator[TestClient]:
    from store.memory import MemoryStore

    with TestClient(create_app(MemoryStore(), version="1", clock=lambda: float(NOW))) as found:
        yield found


@pytest.mark.parametrize(("query", "message"), REFUSED)
def test_the_rest_is_refused_with_its_position(
    empty_client: TestClient, query: str, message: str
) -> None:
    answer = empty_client.get(f"{API}/query", params={"query": query})
    assert answer.status_code == 400
    body = answer.json()
    assert (body["status"], body["errorType"]) == ("error", "bad_data")
    assert message in body["error"], body


@pytest.mark.parametrize(
    ("path", "params", "status", "kind"),
    [
        ("query", {"query": "1", "time": "now"}, 400, "bad_data"),
        ("query_range", {"query": "1", "start": 1, "end": 2}, 400, "bad_data"),
        ("query_range", {"query": "1", "start": 2, "end": 1, "step": 1}, 400, "bad_data"),
        ("query_range", {"query": "1", "start": 1, "end": 20_000, "step": 1}, 400, "bad_data"),
        ("query", {"query": "rate(a[4w])"}, 422, "execution"),
        ("series", {}, 400, "bad_data"),
        ("label/a/values", {"limit": "x"}, 400, "bad_data"),
        ("rules", {}, 404, "not_found"),
    ],
)
def test_errors_have_prometheus_form(
    empty_client: TestClient, path: str, params: dict[str, Any], status: int, kind: str
) -> None:
    answer = empty_client.get(f"{API}/{path}", params=params)
    assert (answer.status_code, answer.json()["errorType"]) == (status, kind), answer.text


def test_a_body_that_is_too_large_is_refused(empty_client: TestClient) -> None:
    answer = empty_client.post(f"{API}/query", data={"query": "1 +" * 40_000})
    assert (answer.status_code, answer.json()["status"]) == (413, "error")


@pytest.mark.parametrize(
    ("share", "counts", "expected"),
    [
        (0.5, [2, 4, 4], 1.0),
        (1.0, [2, 2, 4], 2.0),
        (0.0, [2, 4, 4], 0.0),
        (1.5, [2, 4, 4], math.inf),
        (-1.0, [2, 4, 4], -math.inf),
        (0.5, [0, 0, 0], math.nan),
    ],
)
def test_quantiles_are_those_of_prometheus(share: float, counts: Any, expected: float) -> None:
    import numpy as np

    found = bucket_quantile(share, [1.0, 2.0, math.inf], np.array(counts, dtype=float))
    assert found == pytest.approx(expected, nan_ok=True)

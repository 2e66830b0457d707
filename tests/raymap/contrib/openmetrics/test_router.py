"""GET /api/v1/metrics as Prometheus reads it."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from raymap.contrib.openmetrics.numbers import Pair
from store.memory import MemoryStore
from store.model import NodeKey
from store.times import SECOND
from tests.api.shop import FRONT, TABLE, shop
from tests.builders import T0, call, segment, trace_id

OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
ODD = 'quote " slash \\ line\nbreak'
PREFIX = "traces_service_graph_request"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Clock:
    now = T0 / SECOND


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def client(clock: Clock) -> TestClient:
    store = MemoryStore()
    odd = call(77, node=NodeKey("", ODD, "remote"))
    store.put([*shop(), segment(76, name="lone", trace_id=trace_id(76), calls=(odd,))], "shop")
    return TestClient(create_app(store, version="1", clock=lambda: clock.now))


def scrape(client: TestClient) -> Samples:
    """By the strict parser of OpenMetrics, which checks the histograms."""
    answer = client.get("/api/v1/metrics", headers={"Accept": OPENMETRICS})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    families = openmetrics.text_string_to_metric_families(answer.text)  # type: ignore[no-untyped-call]
    return {(s.name, frozenset(s.labels.items())): s.value for f in families for s in f.samples}


TYPES = {"front": FRONT.type, "orders": TABLE.type, ODD: "remote"}


def labels(client: str, server: str, connection_type: str = "", **more: str) -> frozenset[tuple[str, str]]:  # fmt: skip
    pair = Pair(client, server, connection_type, client_type=TYPES.get(client, ""), server_type=TYPES.get(server, ""))  # fmt: skip
    return frozenset({**pair._asdict(), **more}.items())


def test_scrapes(client: TestClient, clock: Clock) -> None:
    """Nothing until the first minute has settled; then its edges, in both formats."""
    assert scrape(client) == {}
    clock.now += 180
    found = scrape(client)
    entry = labels("user", "front", "virtual_node")
    assert found[f"{PREFIX}_total", entry] == 6
    assert found[f"{PREFIX}_failed_total", entry] == 3
    assert found[f"{PREFIX}_created", entry] == T0 / SECOND
    states = {
        state: found[f"{PREFIX}_state_total", labels("user", "front", "virtual_node", state=state)]
        for state in ("ok", "error", "throttle", "fault")
    }
    assert states == {"ok": 3, "error": 1, "throttle": 1, "fault": 1}
    for family, pair, count, total in (
        ("server", entry, 6, 0.6),
        ("client", labels("front", "orders", "database"), 6, 0.03),
        ("client", labels("front", "stock"), 6, 0.24),
    ):
        name = f"{PREFIX}_{family}_seconds"
        assert found[f"{name}_count", pair] == count
        assert found[f"{name}_sum", pair] == pytest.approx(total)
        assert found[f"{name}_bucket", pair | {("le", "+Inf")}] == count
    table = labels("front", "orders", "database")
    buckets = {le: found[f"{PREFIX}_client_seconds_bucket", table | {("le", le)}] for le in ("0.005", "0.01")}  # fmt: skip
    assert buckets == {"0.005": 6, "0.01": 6}
    assert found[f"{PREFIX}_total", labels("lone", ODD, "virtual_node")] == 1
    # Where the server did not measure, there is no time of the server's.
    assert (f"{PREFIX}_server_seconds_count", table) not in found
    assert scrape(client) == found


def test_text_format(client: TestClient, clock: Clock) -> None:
    clock.now = max(clock.now, T0 / SECOND + 180)
    for accept in ("", "text/plain", "*/*", "text/plain;version=x", "application/openmetrics-text;version=?"):  # fmt: skip
        answer = client.get("/api/v1/metrics", headers={"Accept": accept})
        assert answer.status_code == 200, accept
        if "openmetrics" not in accept:
            assert answer.headers["content-type"].startswith("text/plain")
            families = {f.name: f for f in text_string_to_metric_families(answer.text)}
            assert families[PREFIX].type == "counter"
            assert families[f"{PREFIX}_client_seconds"].type == "histogram"


def test_parameters_are_refused(client: TestClient) -> None:
    answer = client.get("/api/v1/metrics?match=x")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "UnknownParameter")


def test_one_name_in_two_accounts_and_regions_has_series_of_its_own() -> None:
    clock, store = Clock(), MemoryStore()
    function = "AWS::Lambda::Function"
    dev = NodeKey("111111111111", "books", function, "eu-west-1")
    prod = NodeKey("222222222222", "books", function, "us-east-1")
    store.put(
        [
            segment(number, node=node, trace_id=trace_id(number), start=T0, end=T0 + 9_000)
            for number, node in enumerate((dev, prod, prod), 1)
        ],
        "books",
    )
    client = TestClient(create_app(store, version="1", clock=lambda: clock.now))
    scrape(client)
    clock.now += 180
    found = scrape(client)
    counts = {
        dict(each)["server_account"]: (
            dict(each)["server_region"],
            dict(each)["server_type"],
            value,
        )
        for (name, each), value in found.items()
        if name == f"{PREFIX}_total"
    }
    assert counts == {
        "111111111111": ("eu-west-1", function, 1),
        "222222222222": ("us-east-1", function, 2),
    }

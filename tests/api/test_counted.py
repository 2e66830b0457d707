"""What answers say of documents that are stored and not counted yet."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.counted import complete_until, freshness, incomplete_words
from api.graph.build import node_id
from api.schemas.declared import ComparisonReply
from api.schemas.details import EdgeDetail, NodeDetail
from api.schemas.map import ServiceMap
from api.schemas.metrics import NodeCharts, NodeMetrics
from api.schemas.v1 import (
    EdgePage,
    MapNumbers,
    PlaceList,
    ServicePage,
    StateList,
    TimeSeries,
    VerdictReply,
    VersionList,
    VersionsByNode,
)
from store.memory import MemoryStore
from store.model import TimeRange
from store.query import Backlog
from store.times import MINUTE, SECOND
from tests.api.console.test_map import get
from tests.api.shop import END, FRONT, START, TABLE, lambda_pair, order
from tests.builders import T0, segment

FIRST = T0 + 2 * MINUTE
SINCE = T0 + 3600 * SECOND
"""The back-fill arrived an hour after the windows had ended."""
WINDOW = f"from={START}&to={END}"
BEFORE = f"from={START}&to={START + 120}"
WHOLE = TimeRange(T0, T0 + 10 * MINUTE)


class Behind(MemoryStore):
    """A store that has not counted the documents of three minutes from `FIRST` on."""

    def backlog(self, window: TimeRange, *, least: int = 0) -> Backlog | None:
        if window.start >= FIRST + 3 * MINUTE or window.end <= FIRST or least > 60 * SECOND:
            return None
        return Backlog(3, FIRST, SINCE)


@pytest.fixture
def client() -> TestClient:
    store = Behind()
    store.put([*map(order, range(1, 9)), *lambda_pair()], "shop")
    return TestClient(create_app(store, version="0", clock=lambda: T0 / SECOND + 7200))


NODE = node_id(FRONT)
EDGE = f"{NODE}/{node_id(TABLE)}"
UNFILTERED = "metrics|places|versions|compare|verdict"
"""Without the parameter ``filter``."""
COUNTED: list[tuple[str, Any]] = [
    (f"/api/nodes/{NODE}?", NodeDetail),
    (f"/api/edges/{EDGE}?", EdgeDetail),
    (f"/api/nodes/{NODE}/metrics?", NodeCharts),
    (f"/api/v1/nodes/{NODE}/metrics?", NodeMetrics),
    (f"/api/v1/nodes/{NODE}/states?", StateList),
    ("/api/map?", ServiceMap),
    ("/api/v1/map?", MapNumbers),
    ("/api/v1/services?", ServicePage),
    ("/api/v1/edges?", EdgePage),
    ("/api/v1/timeseries?", TimeSeries),
    ("/api/v1/places?", PlaceList),
    ("/api/v1/declarations/compare?", ComparisonReply),
    (f"/api/v1/nodes/{NODE}/versions?", VersionList),
    (f"/api/v1/versions?nodes={NODE}&", VersionsByNode),
    ("/api/v1/verdict?service=front&candidate=2&", VerdictReply),
]


@pytest.mark.parametrize(("url", "shape"), COUNTED, ids=[url for url, _ in COUNTED])
def test_a_window_with_documents_that_wait_is_incomplete(
    client: TestClient, url: str, shape: Any
) -> None:
    """However long ago it ended."""
    short = get(client, url + WINDOW, shape)
    assert short["incomplete"] == {"minutes": 3, "since": SINCE / SECOND}
    assert short["data_until"] == FIRST / SECOND
    whole = get(client, url + BEFORE, shape)
    assert whole["incomplete"] is None
    assert whole["data_until"] == whole.get("to", START + 120)


def test_what_satisfies_a_filter_is_counted_from_rows(client: TestClient) -> None:
    filtered = [each for each in COUNTED if not re.search(UNFILTERED, each[0])]
    assert len(filtered) == 8
    for url, shape in filtered:
        assert get(client, f"{url}{WINDOW}&filter=ok", shape)["incomplete"] is None


@pytest.mark.parametrize("path", ["/ServiceGraph", "/TimeSeriesServiceStatistics"])
def test_x_rays_answers_say_it_in_a_header(client: TestClient, path: str) -> None:
    """Their bodies are AWS's model."""
    body = {"StartTime": START, "EndTime": END}
    answer = client.post(path, json=body)
    assert answer.status_code == 200
    assert answer.headers["x-raymap-incomplete"] == "minutes=3"
    assert "incomplete" not in answer.text
    whole = client.post(path, json={**body, "EndTime": START + 120})
    assert "x-raymap-incomplete" not in whole.headers
    group = client.post("/CreateGroup", json={"GroupName": "all", "FilterExpression": "ok"})
    assert group.status_code == 200
    filtered = client.post(path, json={**body, "GroupName": "all"})
    assert "x-raymap-incomplete" not in filtered.headers


def test_nothing_passes_while_minutes_wait(client: TestClient) -> None:
    url = "/api/v1/verdict?service=front&candidate=2&"
    reply = get(client, url + WINDOW, VerdictReply)
    assert reply["verdict"] == "insufficient"
    assert reply["reasons"][0] == "incomplete: 3 minutes are still being counted"


def test_when_a_window_is_complete() -> None:
    end = WHOLE.end
    assert complete_until(WHOLE, None) == end
    assert complete_until(WHOLE, Backlog(1, FIRST, SINCE)) == FIRST
    assert complete_until(WHOLE, Backlog(1, T0 - 5 * SECOND, SINCE)) == WHOLE.start
    assert freshness(WHOLE, None) == {"data_until": end / SECOND, "incomplete": None}
    assert (
        incomplete_words(Backlog(1, FIRST, SINCE)) == "incomplete: 1 minute is still being counted"
    )
    assert incomplete_words(Backlog(20_569, FIRST, SINCE)) == (
        "incomplete: 20,569 minutes are still being counted"
    )


@pytest.mark.parametrize(("waits", "edges"), [(0, 1), (10, 1), (60, 0)])
def test_a_missing_parent_may_wait_to_be_stored(waits: float, edges: int) -> None:
    """No client is drawn for its child meanwhile, beyond what documents usually wait."""
    store = MemoryStore()
    store.put([segment(2, parent_id=1)], "root")
    app = create_app(
        store,
        version="0",
        clock=lambda: T0 / SECOND + 45,
        ingest_status=lambda: {"oldest_s": waits},
    )
    shown = get(TestClient(app), f"/api/map?{BEFORE}", ServiceMap)
    assert len(shown["edges"]) == edges

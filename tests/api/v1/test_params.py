"""Windows with relative times, and cursors that pin them."""

from __future__ import annotations

import base64

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from store.memory import MemoryStore
from tests.api.shop import END, START, shop


def test_times_are_relative_or_absolute(client: TestClient) -> None:
    for start, end in (
        ("-10m", "now"),
        ("now-10m", "now"),
        (str(START), str(END)),
        ("2026-11-24T22:40:00Z", "2026-11-24T22:50:00Z"),
        ("2026-11-24T23:40:00+01:00", "2026-11-24T22:50:00"),
    ):
        found = client.get("/api/v1/services", params={"from": start, "to": end}).json()
        assert (found["from"], found["to"], len(found["services"])) == (START, END, 7), start


def test_the_last_hour_is_the_default(client: TestClient) -> None:
    found = client.get("/api/v1/traces").json()
    assert (found["from"], found["to"]) == (END - 3600, END)


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday",
        "from=-5",
        "from=-1fortnight",
        "from=now-",
        "to=now1h",
        "from=-9999y",
        "from=1790000000000",
        "from=now&to=-1h",
        "limit=0",
        "limit=1001",
        "cursor=x",
        "cursor=" + base64.urlsafe_b64encode(b'[0,1e400,"a"]').decode(),
        "cursor=" + base64.urlsafe_b64encode(b'[0,99999999999999999999,"a"]').decode(),
        "cursor=" + base64.urlsafe_b64encode(b'[5,5,"a"]').decode(),
        "cursor=" + base64.urlsafe_b64encode(b'[0,5,""]').decode(),
    ],
)
def test_other_values_are_refused_by_name(client: TestClient, query: str) -> None:
    response = client.get(f"/api/v1/services?{query}")
    assert response.status_code == 400
    assert query.partition("=")[0] in response.json()["error"]["message"]


def test_pages_have_each_element_once(store: MemoryStore) -> None:
    """Although the time goes on between two pages; clients are settled before the first."""
    store.put(shop(), "shop")
    now = float(START + 120)
    client = TestClient(create_app(store, version="1", clock=lambda: now))
    for kind in ("services", "edges", "traces"):
        whole = [each["id"] for each in client.get(f"/api/v1/{kind}?from=-10m").json()[kind]]
        assert len(whole) > 4
        found: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = client.get(f"/api/v1/{kind}?from=-10m&limit=2&cursor={cursor}").json()
            assert len(page[kind]) <= 2
            found += [each["id"] for each in page[kind]]
            cursor = page["next"]
            now += 300
        assert found == whole
        now = float(START + 120)

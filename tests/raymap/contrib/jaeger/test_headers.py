"""What Jaeger's routes share with all others: methods, and the header of a map that is still being counted."""

from __future__ import annotations

from fastapi.testclient import TestClient

from tests.api.shop import END, START
from tests.api.test_counted import client as client

SERVICES = "/jaeger/api/services"


def test_a_wrong_method_is_405_with_the_right_ones(client: TestClient) -> None:
    response = client.post(SERVICES)
    assert (response.status_code, response.headers.get("allow")) == (405, "GET, HEAD")


def test_head_is_a_get_without_its_body(client: TestClient) -> None:
    got, head = client.get(SERVICES), client.head(SERVICES)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "content-length"):
        assert head.headers[name] == got.headers[name]


def test_jaegers_dependencies_say_it_in_the_same_header(client: TestClient) -> None:
    """Their body is Jaeger's."""
    url = f"/jaeger/api/dependencies?lookback={(END - START) * 1000}&endTs="
    answer = client.get(f"{url}{END * 1000}")
    assert answer.status_code == 200
    assert answer.headers["x-raymap-incomplete"] == "minutes=3"
    whole = client.get(f"{url}{(START + 120) * 1000}")
    assert whole.status_code == 200
    assert "x-raymap-incomplete" not in whole.headers

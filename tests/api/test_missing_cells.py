"""Answers that lack a cell name it, and nothing else of them changes."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from api.missing_cells import HEADER, MissingCells
from api.recent_graphs import RecentGraph
from api.v1.history import NOTHING, UsualCache
from store.missing import gathering, note
from store.model import TimeRange


def client(body: Any, *, lacks: tuple[str, ...] = (), status: int = 200) -> TestClient:
    async def answer(_: Any) -> Response:
        note(lacks)
        return PlainTextResponse(body) if isinstance(body, str) else JSONResponse(body, status)

    app = Starlette(routes=[Route("/{path:path}", answer)])
    app.add_middleware(MissingCells)
    return TestClient(app)


@pytest.mark.parametrize("body", [{"a": 1}, {}])
def test_an_object_of_v1(body: dict[str, int]) -> None:
    answer = client(body, lacks=("cell 2", "cell 1")).get("/api/v1/map")
    assert answer.json() == {"missing": ["cell 1", "cell 2"], **body}
    assert answer.headers[HEADER] == "cell 1; cell 2"


@pytest.mark.parametrize(
    ("path", "body"), [("/api/map", {"a": 1}), ("/api/v1/metrics", "x 1"), ("/api/v1/x", [1])]
)
def test_others_have_the_header_alone(path: str, body: Any) -> None:
    answer = client(body, lacks=("cell 2",)).get(path)
    assert answer.headers[HEADER] == "cell 2"
    assert answer.text == client(body).get(path).text


def test_whole_answers_and_errors_are_as_they_were() -> None:
    assert HEADER not in client({"a": 1}).get("/api/v1/map").headers
    refused = client({"error": {}}, lacks=("cell 2",), status=503).get("/api/v1/map")
    assert refused.json() == {"error": {}}
    assert HEADER not in refused.headers


class Counted:
    window = TimeRange(0, 60)


def test_what_lacks_something_is_not_cached() -> None:
    recent, usual = RecentGraph[Counted](), UsualCache()
    with gathering():
        note(["cell 2"])
        recent.put("key", Counted.window, 0.0, Counted())
        assert usual.get("key", 1000.0, lambda: NOTHING) == NOTHING
    assert recent.get("key", Counted.window, 1.0) is None
    known: Any = ["whole"]
    assert usual.get("key", 1001.0, lambda: known) == known
    recent.put("key", Counted.window, 0.0, Counted())
    assert recent.get("key", Counted.window, 1.0) is not None

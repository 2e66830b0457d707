"""/api/v1/views."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.types import Receive, Scope, Send

from api.app import create_app
from api.may_edit import SIGNED_IN
from api.saved import MAX_QUERY
from api.v1.views import MAX_NAME, SavedViewLine, SavedViewList
from store.config import records
from store.memory import MemoryStore
from store.times import SECOND
from store.views import MAX_VIEWS, SavedView
from tests.api.console.test_map import get
from tests.builders import T0

PATH = "/api/v1/views"
QUERY = "range=1h&filter=service(%22front%22)&group_by=version"


class Site:
    """An app that two people use, with a clock."""

    def __init__(self) -> None:
        self.store, self.now = MemoryStore(), T0 // SECOND
        self.app = create_app(self.store, version="1", clock=lambda: float(self.now))
        self.client = self.of("ann")

    def of(self, name: str) -> TestClient:
        """The client of someone who is signed in."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            await self.app({**scope, SIGNED_IN: name}, receive, send)

        return TestClient(guarded)

    def put(self, view: str = "front", client: TestClient | None = None, **body: Any) -> Any:
        body = {"page": "map", "query": QUERY, **body}
        return (client or self.client).put(f"{PATH}/{view}", json=body)

    def views(self) -> list[SavedViewLine]:
        reply: SavedViewList = get(self.client, PATH, SavedViewList)
        return reply["views"]


@pytest.fixture
def site() -> Site:
    return Site()


def message(reply: Any) -> str:
    error = reply.json()["error"]
    assert reply.status_code == 400 or error["code"] == "Conflict"
    return str(error["message"])


def test_a_view_is_saved_listed_and_removed(site: Site) -> None:
    reply = site.put()
    assert reply.status_code == 200, reply.text
    (line,) = site.views()
    assert line == reply.json()
    assert (line["path"], line["revision"], line["by"]) == (f"/map?{QUERY}", 1, "ann")
    for _ in range(2):
        assert site.client.delete(f"{PATH}/front?revision=1").status_code == 204
    assert site.views() == []


def test_the_query_of_a_view_may_be_empty_or_begin_with_its_mark(site: Site) -> None:
    assert site.put("all", query="").json()["path"] == "/map"
    assert site.put("hour", page="traces", query="?range=1h").json()["path"] == "/traces?range=1h"


def test_a_change_of_what_another_has_changed_is_refused(site: Site) -> None:
    """Who was faster, and when; what they saved stays."""
    bob = site.of("bob")
    site.put()
    site.now += 60
    assert site.put(client=bob, query="range=5m", revision=1).json()["revision"] == 2
    late = site.put(query="range=24h", revision=1)
    assert late.status_code == 409
    assert "'front' was changed meanwhile, saved by bob at 20" in message(late)
    assert "(revision 2); this change is of 1" in message(late)
    removal = site.client.delete(f"{PATH}/front?revision=1")
    assert (removal.status_code, removal.json()["error"]["code"]) == (409, "Conflict")
    (line,) = site.views()
    assert (line["query"], line["created"], line["modified"]) == (
        "range=5m",
        site.now - 60,
        site.now,
    )
    assert site.put(query="range=24h", revision=2).json()["revision"] == 3


def test_two_of_one_name_are_not_made(site: Site) -> None:
    site.put()
    again = site.put(query="range=24h")
    assert again.status_code == 409
    assert "the view 'front' is there already, saved by ann at" in message(again)
    site.put("other")
    renamed = site.put("other", name="front", revision=1)
    assert (renamed.status_code, "already" in message(renamed)) == (409, True)
    assert [each["query"] for each in site.views()] == [QUERY, QUERY]


def test_a_view_is_renamed_at_once(site: Site) -> None:
    site.put()
    line = site.put(name="front page", revision=1).json()
    assert (line["name"], line["revision"]) == ("front page", 2)
    assert [each["name"] for each in site.views()] == ["front page"]
    gone = site.put(revision=1)
    assert (gone.status_code, message(gone)) == (
        409,
        "the view 'front' has been removed or renamed meanwhile",
    )


def test_of_concurrent_changes_one_is_made(site: Site) -> None:
    site.put()
    with ThreadPoolExecutor(8) as threads:
        statuses = list(
            threads.map(lambda n: site.put(query=f"n={n}", revision=1).status_code, range(16))
        )
    assert sorted(statuses) == [200] + [409] * 15
    assert site.views()[0]["revision"] == 2


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("n" * (MAX_NAME + 1), {}, f"the name must have 1 to {MAX_NAME} printable characters"),
        (" front", {}, "printable characters other than /"),
        ("a/b", {}, "printable characters other than /"),
        ("a", {"name": "b/c"}, "printable characters other than /"),
        ("a", {"page": "https://evil.example"}, "page must be one of compare, map, traces"),
        ("a", {"page": None}, "page is missing"),
        ("a", {"query": "x=" + "y" * MAX_QUERY}, f"query must have at most {MAX_QUERY} characters"),
        ("a", {"query": "x=1#y"}, "query must be that of an address"),
        ("a", {"query": "filter=a b"}, "query must be that of an address"),
        ("a", {"query": "filter"}, "query must be at most 50 fields"),
        ("a", {"query": "&".join(f"k{n}=1" for n in range(51))}, "query must be at most 50 fields"),
        ("a", {"query": 5}, "query must be a string"),
        ("a", {"revision": -1}, "revision must be a whole number"),
        ("a", {"revison": 1}, "'revison' is unknown of a view, expected name, page"),
    ],
)
def test_what_is_no_view_is_refused(
    site: Site, name: str, body: dict[str, Any], words: str
) -> None:
    reply = site.put(name, **body)
    assert reply.status_code == 400, reply.text
    assert words in message(reply)
    assert site.views() == []


def test_there_is_an_end_to_them(site: Site) -> None:
    made = [records.put(str(n), SavedView(str(n), "map", "", 1, T0, T0)) for n in range(MAX_VIEWS)]
    site.store.change_configuration(made, after=0, at=T0)
    reply = site.put()
    assert (reply.status_code, message(reply)) == (
        400,
        f"there are {MAX_VIEWS} views, the most there can be: remove one first",
    )
    assert site.put("7", revision=1).status_code == 200


def test_a_removal_says_of_what(site: Site) -> None:
    site.put()
    assert site.client.delete(f"{PATH}/front").status_code == 400
    assert len(site.views()) == 1

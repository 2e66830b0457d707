"""/api/v1/notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from msgspec.structs import replace
from starlette.types import Receive, Scope, Send

from api.app import create_app
from api.may_edit import SIGNED_IN
from api.schemas.notebooks import NotebookList, NotebookReply
from api.v1.notebook_drafts import MAX_NEW, MAX_WORDS
from api.v1.notebooks import MAX_TITLE
from store.clickhouse.store import ClickHouseStore
from store.config import records
from store.config.protocol import Change, Configuration
from store.memory import MemoryStore
from store.model import State
from store.notebooks import MAX_ENTRIES, MAX_NOTEBOOKS, MAX_REMOVED, Notebook, NotebookEntry
from store.protocol import Store
from store.times import SECOND
from store.trace_id import format_trace_id
from tests.api.console.test_map import get
from tests.api.v1.test_impact import NOW, request
from tests.builders import T0, trace_id

PATH = "/api/v1/notebooks"
START = T0 // SECOND
WINDOW = f"from={START}&to={NOW}"
TRACE = format_trace_id(trace_id(1, epoch=START))


class Site:
    """An app that two people use, with a clock, a shop's traces and notebooks."""

    def __init__(self, store: Store) -> None:
        self.store, self.now = store, NOW
        for number in range(8):
            documents = request(number, needs_stock=number < 2)
            if number == 0:
                documents[0] = replace(documents[0], state=State.FAULT)
            store.put(documents, str(number))
        self.app = create_app(store, version="1", clock=lambda: float(self.now))
        self.client = self.of("ann")

    def of(self, name: str) -> TestClient:
        """The client of someone who is signed in."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            await self.app({**scope, SIGNED_IN: name}, receive, send)

        return TestClient(guarded)

    def make(self, *entries: dict[str, Any], title: str = "Checkout") -> Any:
        reply = self.client.post(PATH, json={"title": title, "entries": entries})
        assert reply.status_code == 200, reply.text
        return reply.json()

    def put(self, book: Any, entries: Sequence[dict[str, Any]], **body: Any) -> Any:
        body = {"title": book["title"], "revision": book["revision"], **body, "entries": entries}
        return self.client.put(f"{PATH}/{book['id']}", json=body)

    def add(self, book: Any, **entry: Any) -> Any:
        return self.client.post(f"{PATH}/{book['id']}/entries", json=entry)

    def read(self, id: str) -> NotebookReply:
        reply: NotebookReply = get(self.client, f"{PATH}/{id}", NotebookReply)
        return reply

    def list(self) -> NotebookList:
        reply: NotebookList = get(self.client, PATH, NotebookList)
        return reply


def message(reply: Any, status: int = 400) -> str:
    assert reply.status_code == status, reply.text
    return str(reply.json()["error"]["message"])


def known(book: Any) -> list[dict[str, Any]]:
    """The entries of a notebook as a change names them."""
    return [{"id": each["id"]} | {"text": each["text"]} for each in book["entries"]]


class Notebooks:
    """What every store has to do; a subclass provides the store."""

    @pytest.fixture
    def site(self, store: Store) -> Site:
        return Site(store)

    def test_a_notebook_is_made_read_changed_and_removed(self, site: Site) -> None:
        made = site.make({"text": "Began with a *call*."})
        assert (made["title"], made["revision"], made["by"]) == ("Checkout", 1, "ann")
        book = site.read(made["id"])
        assert book == made
        (entry,) = book["entries"]
        assert (entry["kind"], entry["text"], entry["by"]) == (
            "words",
            "Began with a *call*.",
            "ann",
        )
        assert (entry["at"], entry["path"], entry["figures"]) == (NOW, "", None)
        site.now += 60
        changed = site.put(book, [{"id": entry["id"], "text": "Ended."}], title="Orders").json()
        assert changed == site.read(made["id"])
        assert (changed["title"], changed["revision"]) == ("Orders", 2)
        (entry,) = changed["entries"]
        assert (entry["text"], entry["added"], entry["modified"]) == ("Ended.", NOW, NOW + 60)
        (line,) = site.list()["notebooks"]
        assert (line["title"], line["entries"]) == ("Orders", 1)
        for _ in range(2):
            assert site.client.delete(f"{PATH}/{made['id']}?revision=2").status_code == 204
        assert site.list()["notebooks"] == []
        assert site.client.get(f"{PATH}/{made['id']}").status_code == 404
        assert site.store.read_configuration(large=True).values == {}

    def test_what_an_entry_shows_is_counted_when_it_is_added(self, site: Site) -> None:
        query = f"{WINDOW}&view=1,2,0.5&fold=0"
        book = site.make(
            {"page": "map", "query": query},
            {"trace": TRACE, "text": "This one."},
            {"page": "traces", "query": f"{WINDOW}&by=service&metrics=count,p95"},
        )
        view, trace, statistics = book["entries"]
        assert (view["kind"], view["path"], view["at"]) == ("view", f"/map?{query}", START)
        shown = view["figures"]
        assert shown["facts"][0] == ["Services", "3"]
        assert shown["rows"][0][:4] == ["web", "", "8", "12.5 %"]
        assert {row[0] for row in shown["rows"]} == {"web", "stock", "items"}
        assert shown["states"][0] == "fault"
        named = {(shown["rows"][a][0], shown["rows"][b][0], n) for a, b, n in shown["edges"]}
        assert named == {("web", "stock", "2"), ("stock", "items", "2")}
        assert (trace["kind"], trace["path"]) == ("trace", f"/traces/{TRACE}")
        assert trace["at"] == START
        rows, bars, depths = (trace["figures"][each] for each in ("rows", "bars", "depths"))
        assert len(rows) == len(bars) == len(depths)
        assert (rows[0][0], bars[0], depths[0]) == ("web", [0.0, 1.0], 0)
        assert statistics["figures"]["columns"] == ["service", "count", "p95"]
        assert statistics["figures"]["rows"][0] == ["web", "8", "1 s"]
        assert not any(each["expired"] for each in book["entries"])
        assert site.read(book["id"]) == book

    def test_figures_stay_when_the_rows_expire(self, site: Site) -> None:
        """An entry says that there are no traces any more, and what they were."""
        book = site.make({"page": "map", "query": WINDOW}, {"trace": TRACE}, {"text": "Why?"})
        stored = site.store.read_configuration(large=True)
        later = MemoryStore()
        changes = [Change(*key, value) for key, value in stored.values.items()]
        later.change_configuration(changes, after=0, at=T0)
        after = Site.__new__(Site)
        after.now = site.now
        after.app = create_app(later, version="1", clock=lambda: float(NOW))
        after.client = after.of("bob")
        entries = after.read(book["id"])["entries"]
        assert [each["expired"] for each in entries] == [True, True, False]
        assert [each["figures"] for each in entries] == [
            each["figures"] for each in book["entries"]
        ]
        text = after.client.get(f"{PATH}/{book['id']}/export").text
        assert text.count("The traces of this entry have expired since") == 2

    def test_an_empty_window_has_not_expired(self, site: Site) -> None:
        book = site.make({"page": "map", "query": "from=1000&to=2000"})
        (entry,) = book["entries"]
        assert (entry["figures"]["is_empty"], entry["expired"]) == (True, False)

    def test_entries_are_in_order_of_the_time_that_they_are_about(self, site: Site) -> None:
        book = site.make({"text": "c", "at": START + 3}, {"text": "a", "at": START + 1})
        book = site.add(book, text="b", at=START + 2).json()
        assert [each["text"] for each in book["entries"]] == ["a", "b", "c"]
        moved = [*known(book)[:2], {**known(book)[2], "at": START}]
        book = site.put(book, moved).json()
        assert [each["text"] for each in book["entries"]] == ["c", "a", "b"]

    def test_a_change_of_what_another_has_changed_is_refused(self, site: Site) -> None:
        """Who was faster, and when; what they wrote stays. Adding is refused to none."""
        book = site.make({"text": "one"})
        bob = site.of("bob")
        site.now += 60
        added = bob.post(f"{PATH}/{book['id']}/entries", json={"text": "two"}).json()
        assert (added["revision"], added["by"]) == (2, "bob")
        assert [each["by"] for each in added["entries"]] == ["ann", "bob"]
        late = site.put(book, known(book))
        assert "'Checkout' was changed meanwhile, saved by bob at 20" in message(late, 409)
        removal = site.client.delete(f"{PATH}/{book['id']}?revision=1")
        assert "this change is of 1" in message(removal, 409)
        assert site.read(book["id"]) == added

    def test_a_removed_entry_can_be_brought_back_with_its_figures(self, site: Site) -> None:
        book = site.make({"trace": TRACE}, *({"text": str(n)} for n in range(MAX_REMOVED)))
        (trace, *words) = known(book)
        without = site.put(book, words).json()
        assert len(without["entries"]) == site.list()["notebooks"][0]["entries"] == MAX_REMOVED
        back = site.put(without, [*words, trace]).json()
        assert back["entries"][0]["figures"] == book["entries"][0]["figures"]
        gone = site.put(back, []).json()
        again = site.put(gone, [trace, *words])
        assert "there is no entry" in message(again)
        removed = records.read(site.store.read_configuration(large=True), NotebookEntry)
        assert len(removed) == MAX_REMOVED

    def test_the_list_reads_no_entries(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """They may have two megabytes."""
        book = site.make({"text": "a"}, {"text": "b"})
        site.put(book, known(book)[:1])
        read = site.store.read_configuration

        def small(*, large: bool = False) -> Configuration:
            assert not large
            return read()

        monkeypatch.setattr(site.store, "read_configuration", small)
        assert [each["entries"] for each in site.list()["notebooks"]] == [1]

    def test_of_concurrent_additions_none_is_lost(self, site: Site) -> None:
        book = site.make()
        with ThreadPoolExecutor(4) as threads:
            replies = list(threads.map(lambda n: site.add(book, text=str(n)), range(8)))
        assert {reply.status_code for reply in replies} == {200}
        assert {each["text"] for each in site.read(book["id"])["entries"]} == set(
            map(str, range(8))
        )


class TestMemory(Notebooks):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()


class TestClickHouse(Notebooks):
    @pytest.fixture
    def store(self, clickhouse_store: ClickHouseStore) -> Store:
        return clickhouse_store


@pytest.fixture
def site() -> Site:
    return Site(MemoryStore())


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({}, "an entry needs text, page, trace or problem"),
        ({"text": " \n"}, "an entry needs text, page, trace or problem"),
        ({"text": "x" * (MAX_WORDS + 1)}, f"text must have at most {MAX_WORDS} characters"),
        ({"text": "a\x00b"}, "text must not have control characters"),
        ({"text": 5}, "text must be a string"),
        ({"text": "a", "at": "noon"}, "at "),
        ({"trace": "1-2-3"}, "trace id"),
        ({"trace": TRACE, "page": "map"}, "an entry shows one of page, trace and problem"),
        ({"query": WINDOW, "text": "a"}, "query needs the page that it is of"),
        ({"page": "map", "query": "range=1h"}, "query must have a fixed time: from and to"),
        ({"page": "map", "query": "from=2000&to=1000"}, "from must be before to"),
        ({"page": "map", "query": "from=nan&to=1000"}, "from "),
        ({"page": "map", "query": f"{WINDOW}&filter=service("}, "filter: "),
        ({"page": "map", "query": f"{WINDOW}&group_by=shoe"}, "group_by must be one of version"),
        ({"page": "traces", "query": f"{WINDOW}&by=shoe"}, "by: "),
        ({"page": "traces", "query": f"{WINDOW}&by=service&metrics=shoe"}, "metrics: 'shoe'"),
        ({"page": "https://evil.example", "query": WINDOW}, "page must be one of compare, map"),
        ({"page": "map", "query": f"{WINDOW}#x"}, "query must be that of an address"),
        ({"txt": "a"}, "'txt' is unknown of a new entry"),
        ({"id": "5f", "page": "map"}, "'page' is unknown of a stored entry"),
        ({"id": "5f", "text": "a"}, "there is no entry '5f' in this notebook"),
    ],
)
def test_what_is_no_entry_is_refused(site: Site, entry: dict[str, Any], words: str) -> None:
    book = site.make({"text": "stays"})
    assert words in message(site.put(book, [*known(book), entry]))
    assert site.read(book["id"]) == book


def test_what_is_not_there_is_refused(site: Site) -> None:
    book = site.make()
    nothing = format_trace_id(trace_id(99))
    assert "there is no trace" in message(site.add(book, trace=nothing), 404)
    assert "there is no problem" in message(site.add(book, problem="x"), 404)
    assert "there is no notebook" in message(site.add({"id": "x"}, text="a"), 404)
    assert "there is no notebook" in message(site.put({**book, "id": "x"}, []), 404)
    assert site.client.get(f"{PATH}/x/export").status_code == 404
    assert site.client.delete(f"{PATH}/{book['id']}").status_code == 400


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"title": ""}, f"title must have 1 to {MAX_TITLE} printable characters"),
        ({"title": "t" * (MAX_TITLE + 1)}, "title must have 1 to"),
        ({"title": "a\nb"}, "title must have 1 to"),
        ({"title": "a", "entries": 5}, "entries must be a list"),
        ({"title": "a", "entries": ["x"]}, "entries[0] must be an object"),
        ({"title": "a", "revision": 1}, "'revision' is unknown of a new notebook"),
        (
            {"title": "a", "entries": [{"text": "b"}] * (MAX_ENTRIES + 1)},
            f"entries may have {MAX_ENTRIES} elements",
        ),
        (
            {"title": "a", "entries": [{"trace": TRACE}] * (MAX_NEW + 1)},
            f"entries may have {MAX_NEW} new views, traces and problems at a time",
        ),
    ],
)
def test_what_is_no_notebook_is_refused(site: Site, body: dict[str, Any], words: str) -> None:
    assert words in message(site.client.post(PATH, json=body))
    assert site.list()["notebooks"] == []


def test_an_entry_is_named_once(site: Site) -> None:
    book = site.make({"text": "a"})
    assert "entries must name each id once" in message(site.put(book, known(book) * 2))


def test_there_is_an_end_to_them(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    full = site.make(*({"text": str(n)} for n in range(MAX_ENTRIES)))
    assert f"has {MAX_ENTRIES} entries, the most" in message(site.add(full, text="one more"))
    others = [
        records.put(str(n), Notebook(str(n), "t", 1, T0, T0)) for n in range(MAX_NOTEBOOKS - 1)
    ]
    revision = site.store.read_configuration(large=True).revision
    site.store.change_configuration(others, after=revision, at=T0)
    most = message(site.client.post(PATH, json={"title": "a"}))
    assert most == f"there are {MAX_NOTEBOOKS} notebooks, the most there can be: delete one first"


def test_all_together_have_a_limit(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes them smaller is always accepted."""
    book = site.make({"text": "x" * 4000}, {"text": "y" * 4000})
    monkeypatch.setattr("api.notebooks.records.MAX_TOTAL", 6000)
    assert "all notebooks together may have 6,000 bytes" in message(site.add(book, text="more"))
    shorter = [{"id": each["id"], "text": "z"} for each in known(book)]
    assert site.put(book, shorter).status_code == 200

"""How far figures are to be trusted: exact, scaled, sampled, partial or skewed, and why."""

from __future__ import annotations

import json

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.graph.build import edge_id, node_id
from api.schemas.trust import Trusted
from api.schemas.v1 import MapNumbers
from api.v1.trust import TrustReply
from store.config.protocol import SamplingReport
from store.memory import MemoryStore
from store.model import Document, NodeKey, State
from store.times import SECOND
from tests.api.console.test_map import get
from tests.builders import T0, call, segment, trace_id

NOW = T0 // SECOND + 180
WINDOW = f"from={T0 // SECOND - 60}&to={NOW}"
SHOP, STOCK, PAY = (NodeKey("", name, "") for name in ("shop", "stock", "pay"))


def client_of(*documents: Document) -> tuple[TestClient, MemoryStore]:
    store = MemoryStore()
    store.put(documents, "all")
    return TestClient(create_app(store, version="1", clock=lambda: float(NOW))), store


def calls(number: int, name: str = "stock", ahead: int = 0, **change: object) -> list[Document]:
    """A request of the shop that calls a service whose clock is ahead by so many microseconds, and its answer."""
    at = T0 + number * SECOND // 10
    made = call(
        16 * number + 2,
        node=NodeKey("", name, "remote"),
        host=name,
        start=at + 10_000,
        end=at + 60_000,
    )
    times = {"start": at, "end": at + 100_000}
    answered = {"start": at + 20_000 + ahead, "end": at + 50_000 + ahead}
    trace = {"trace_id": trace_id(number), **change}
    return [
        segment(16 * number + 1, name="shop", calls=(made,), **times, **trace),
        segment(16 * number + 3, name=name, parent_id=16 * number + 2, **answered, **trace),
    ]  # fmt: skip


def trust_of(client: TestClient, more: str = "") -> dict[str, Trusted]:
    """What is not exact, by id."""
    reply: TrustReply = get(client, f"/api/v1/trust?{WINDOW}{more}", TrustReply)
    return {each["id"]: each for each in [*reply["nodes"], *reply["edges"]]}


def texts(trusted: Trusted) -> list[str]:
    return [each["text"] for each in trusted["doubts"]]


def test_exact_figures_have_no_doubts() -> None:
    client, _ = client_of(*calls(1), *calls(2))
    assert trust_of(client) == {}
    (shop,) = trust_of(client, f"&node={node_id(SHOP)}").values()
    assert (shop["trust"], shop["doubts"]) == ("exact", [])
    numbers: MapNumbers = get(client, f"/api/v1/map?{WINDOW}", MapNumbers)
    assert {each["trust"] for each in [*numbers["services"], *numbers["edges"]]} == {"exact"}


def test_units_that_stand_for_others_are_scaled() -> None:
    client, _ = client_of(*calls(1, weight=8), *calls(2))
    found = trust_of(client)
    assert texts(found[node_id(SHOP)]) == [
        "2 requests received stand for 9, by how they were sampled"
    ]
    assert {each["trust"] for each in found.values()} == {"scaled"}
    numbers: MapNumbers = get(client, f"/api/v1/map?{WINDOW}", MapNumbers)
    shop = next(each for each in numbers["services"] if each["name"] == "shop" and each["requests"])
    assert (shop["trust"], shop["doubts"]) == ("scaled", found[node_id(SHOP)]["doubts"])


def test_what_runs_is_partial_and_its_traces_are_listed() -> None:
    running = segment(1, name="shop", trace_id=trace_id(9), state=State.IN_PROGRESS)
    client, _ = client_of(*calls(1), running)
    shop = trust_of(client)[node_id(SHOP)]
    assert shop["trust"] == "partial"
    assert texts(shop) == ["1 of 2 requests has not ended"]
    status = shop["doubts"][0]["status"]
    listed = client.get(f"/api/v1/traces?{WINDOW}&node={node_id(SHOP)}&status={status}").json()
    assert len(listed["traces"]) == 1


def running(number: int, age: float) -> Document:
    """A request of the shop that began so many seconds ago and has not ended."""
    start = NOW * SECOND - round(age * SECOND)
    times = {"start": start, "end": start}
    id = trace_id(number, epoch=start // SECOND)
    return segment(16 * number + 1, name="shop", trace_id=id, state=State.IN_PROGRESS, **times)


@pytest.mark.parametrize("more", ["", "&filter=service(%22shop%22)"])
def test_what_is_just_running_is_no_doubt(more: str) -> None:
    """At any moment of a live map something is; a mark for it would be gone a moment later. The panel says it all the same."""
    client, _ = client_of(*calls(1), running(8, 1), running(9, 110))
    assert trust_of(client, more) == {}
    (shop,) = trust_of(client, f"{more}&node={node_id(SHOP)}").values()
    assert shop["trust"] == "exact"
    assert texts(shop) == ["2 of 3 requests have not ended yet, and began within 2 minutes"]
    for grouped in ("", "&group_by=version"):
        numbers: MapNumbers = get(client, f"/api/v1/map?{WINDOW}{more}{grouped}", MapNumbers)
        assert {each["trust"] for each in [*numbers["services"], *numbers["edges"]]} == {"exact"}


@pytest.mark.parametrize("more", ["", "&filter=service(%22shop%22)"])
def test_what_has_run_for_two_minutes_is(more: str) -> None:
    client, _ = client_of(*calls(1), running(8, 1), running(9, 130))
    shop = trust_of(client, more)[node_id(SHOP)]
    assert (shop["trust"], shop["doubts"][0]["units"]) == ("partial", 2)
    assert texts(shop) == ["2 of 3 requests have not ended, 1 of them for 2 minutes"]
    for grouped in ("", "&group_by=version"):
        numbers: MapNumbers = get(client, f"/api/v1/map?{WINDOW}{more}{grouped}", MapNumbers)
        assert "partial" in {each["trust"] for each in numbers["services"]}


def test_marks_stay_from_one_poll_of_a_live_map_to_the_next() -> None:
    """A request each second, which takes between one and sixty seconds, is called half-way, and is stored as it goes; one
    whose end was lost. Of twenty polls, fifteen seconds apart, each has the mark of that one."""
    store, now = MemoryStore(), NOW
    client = TestClient(create_app(store, version="1", clock=lambda: float(now)))
    store.put([running(99, 170)], "lost")
    found = []
    for second in range(300):
        start = NOW + second
        begun = {"trace_id": trace_id(second, epoch=start), "start": start * SECOND}
        id = 16 * second + 0x10001
        store.put([segment(id, name="shop", state=State.IN_PROGRESS, **begun)], f"begun {second}")
        child = segment(id + 1, name="stock", parent_id=id + 2, end=start * SECOND + 1, **begun)
        store.put([child], f"child {second}")
        for ended in range(second + 1):
            if ended + ended * 7 % 60 + 1 == second:
                at = {"start": (NOW + ended) * SECOND, "end": (NOW + second) * SECOND}
                made = call(16 * ended + 0x10003, node=NodeKey("", "stock", "remote"), **at)
                whole = {"trace_id": trace_id(ended, epoch=NOW + ended), "calls": (made,), **at}
                store.put([segment(16 * ended + 0x10001, name="shop", **whole)], f"end {ended}")
        now = start + 1
        if second % 15 == 14:
            window = f"from={NOW - 200}&to={now}"
            reply: TrustReply = get(client, f"/api/v1/trust?{window}", TrustReply)
            marked = [*reply["nodes"], *reply["edges"]]
            found.append({each["id"] for each in marked if each["trust"] == "partial"})
    assert len(found) == 20
    assert all(each == found[0] for each in found), found
    assert node_id(SHOP) in found[0]
    assert node_id(STOCK) not in found[0]


def test_requests_whose_parent_has_not_come_are_partial() -> None:
    client, _ = client_of(segment(1, name="stock", parent_id=77), *calls(2, "pay"))
    found = trust_of(client)
    assert texts(found[node_id(STOCK)]) == ["1 of 1 request names a parent that has not come"]


@pytest.mark.parametrize(("ahead", "words"), [(-42_000, "behind"), (62_000, "ahead")])
def test_a_clock_that_is_off_is_named_with_its_service(ahead: int, words: str) -> None:
    """Not those that most agree with; the clock is off by as much at least, as an answer lies within its call."""
    skewed = [each for number in range(4) for each in calls(number, ahead=ahead)]
    client, _ = client_of(*skewed, *calls(5, "pay"))
    found = trust_of(client)
    assert set(found) == {node_id(STOCK), edge_id(SHOP, STOCK)}
    (doubt,) = found[node_id(STOCK)]["doubts"]
    assert doubt["text"] == f"its clock is 32 ms {words}, in 4 of 4 calls with an answer".replace(
        "32", "32" if ahead < 0 else "22"
    )
    assert doubt["skew_ms"] == (-32 if ahead < 0 else 22)
    assert client.get(f"/api/v1/traces/{doubt['trace_id']}").status_code == 200
    (edge,) = found[edge_id(SHOP, STOCK)]["doubts"]
    assert words in edge["text"]
    assert edge["skew_ms"] == doubt["skew_ms"]


def test_of_two_clocks_nothing_says_which_is_off() -> None:
    client, _ = client_of(*(each for number in range(4) for each in calls(number, ahead=-42_000)))
    found = trust_of(client)
    assert texts(found[node_id(SHOP)]) == [
        "its clock and that of stock differ by 32 ms, in 4 of 4 calls with an answer"
    ]
    assert found[node_id(SHOP)]["doubts"][0]["skew_ms"] is None


def test_one_late_answer_is_no_clock() -> None:
    documents = [each for number in range(4) for each in calls(number)]
    client, _ = client_of(*documents, *calls(5, ahead=-42_000))
    assert trust_of(client) == {}


@pytest.mark.parametrize("member", ["rule_name", "sampling_rule_name"])
def test_what_sdks_did_not_sample_is_not_counted(member: str) -> None:
    """By the rule that segments name; also below the service that decided."""
    raw = json.dumps({"aws": {"xray": {member: "checkout"}}}).encode()
    other = segment(0x999, name="pay", trace_id=trace_id(9))
    client, store = client_of(*calls(1, raw=raw), other)
    at = (NOW - 20) * SECOND
    store.add_sampling_reports(
        [SamplingReport("checkout", "c" * 24, at, requests, sampled, 0) for requests, sampled in ((30, 4), (10, 1))],
        [],
    )  # fmt: skip
    found = trust_of(client)
    words = "5 of 40 requests of the sampling rule checkout were recorded, as SDKs report; only those are counted"
    for id in (node_id(SHOP), node_id(STOCK), edge_id(SHOP, STOCK)):
        assert texts(found[id]) == [words]
        assert found[id]["trust"] == "sampled"
    assert node_id(PAY) not in found


def test_one_place_is_judged_by_its_own_traces_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.v1.trust.MOST_TRACES", 2)
    skewed = [each for number in range(4) for each in calls(number, ahead=-42_000)]
    later = [each for number in range(5, 9) for each in calls(number, "pay")]
    client, _ = client_of(*skewed, *later)
    assert trust_of(client) == {}
    found = trust_of(client, f"&node={node_id(STOCK)}")
    assert texts(found[node_id(STOCK)]) == [
        "its clock is 32 ms behind, in 2 of 2 calls with an answer"
    ]


def test_one_place_and_nothing_else() -> None:
    client, _ = client_of(*calls(1), *calls(2, "pay"))
    reply: TrustReply = get(client, f"/api/v1/trust?{WINDOW}&edge={edge_id(SHOP, PAY)}", TrustReply)
    assert reply["nodes"] == []
    assert [each["name"] for each in reply["edges"]] == ["shop → pay"]
    for wrong, status in (("node=n0", 404), ("edge=n0", 400), ("node=a&edge=b:c", 400)):
        assert client.get(f"/api/v1/trust?{WINDOW}&{wrong}").status_code == status


def test_networkx_has_how_far_it_is_to_be_trusted() -> None:
    client, _ = client_of(*calls(1, weight=8))
    graph = client.get(f"/api/v1/map?{WINDOW}&format=node-link").json()
    assert {each.get("trust") for each in graph["nodes"]} == {"scaled", "exact"}

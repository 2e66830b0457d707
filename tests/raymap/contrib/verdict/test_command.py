"""`raymap verdict` against an app in this process: exit codes, sentences, JSON, waiting."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner, Result

from api.app import create_app
from raymap.cli import app
from raymap.contrib.verdict import command
from store.memory import MemoryStore
from store.model import State
from tests.api.v1.test_verdict import NOW, request
from tests.http_server import serve

ARGUMENTS = ["verdict", "--service", "checkout", "--baseline", "41", "--from", "-10m"]


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    store = MemoryStore()
    bad = [request(n, "42", State.FAULT if n % 5 == 0 else State.OK) for n in range(301, 401)]
    store.put([*(request(n, "41") for n in range(1, 301)), *bad], "a")
    store.put([request(n, "43") for n in range(401, 461)], "b")
    return store


@pytest.fixture(scope="module")
def url(store: MemoryStore) -> Iterator[str]:
    with serve(create_app(store, version="1", clock=lambda: NOW)) as url:
        yield url


def run(url: str, candidate: str, *more: str) -> Result:
    return CliRunner().invoke(app, [*ARGUMENTS, "--candidate", candidate, "--url", url, *more])


def test_exit_codes_say_it(url: str) -> None:
    assert [run(url, version).exit_code for version in ("43", "42", "44")] == [0, 1, 2]


def test_sentences(url: str) -> None:
    lines = run(url, "42").stdout.splitlines()
    assert lines[0] == "fail: checkout 42 against 41"
    assert lines[1].startswith("  faults: 20 of 100 requests (20.00%), before 0 of 300 (0.00%)")
    assert lines[2].startswith("  calls to orders failed in 20 of 100 requests")
    assert sum(line.startswith("  example: 1-") for line in lines) == 5


def test_json_is_the_servers_answer(url: str) -> None:
    answer = json.loads(run(url, "43", "--json").stdout)
    assert (answer["verdict"], answer["candidate"]["requests"]) == ("pass", 60)


def test_it_waits_for_enough_requests(
    url: str, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept = []

    def more_traffic(seconds: float) -> None:
        slept.append(seconds)
        store.put([request(n, "45") for n in range(500, 500 + 40 * len(slept))], f"c{len(slept)}")

    monkeypatch.setattr(command, "sleep", more_traffic)
    assert run(url, "45").exit_code == 2
    assert run(url, "45", "--wait", "5m").exit_code == 0
    assert slept == [command.PAUSE] * 2


@pytest.mark.parametrize(
    ("address", "more", "message"),
    [
        ("http://127.0.0.1:9", [], "No Raymap answers at http://127.0.0.1:9"),
        ("", ["--from", "soon"], "refused the request: from must be"),
        ("", ["--wait", "soon"], "'soon' is no duration"),
    ],
)
def test_no_answer_is_neither_pass_nor_fail(
    url: str, address: str, more: list[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(address or url, "42", *more).exit_code == command.NO_VERDICT
    assert message in capfd.readouterr().err


def test_what_answers_may_be_no_raymap() -> None:
    async def other(scope: object, receive: object, send: object) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b"<html>"})  # type: ignore[operator]

    with serve(other) as url:
        assert run(url, "42").exit_code == command.NO_VERDICT

"""TraceQL finds what it finds in Tempo, in both stores; what is not supported is refused with its position."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from raymap.contrib.jaeger import search
from raymap.contrib.tempo.traceql.parse import parse
from raymap.contrib.tempo.traceql.tokens import TraceQLError
from store.clickhouse.store import ClickHouseStore
from tests.raymap.contrib.tempo.conftest import client as client
from tests.raymap.contrib.tempo.conftest import client_of
from tests.raymap.contrib.tempo.expressions import FOUND, REFUSED
from tests.raymap.contrib.tempo.traces import LETTERS, id_of

NAMES = {id_of(letter).hex(): letter for letter in LETTERS}


def found(client: TestClient, query: str) -> str:
    answer = client.get(f"/tempo/api/search?q={quote(query)}&limit=100")
    assert answer.status_code == 200, answer.text
    assert "x-raymap-incomplete" not in answer.headers
    return "".join(sorted(NAMES[each["traceID"]] for each in answer.json()["traces"]))


@pytest.mark.parametrize("query", FOUND)
def test_finds(client: TestClient, query: str) -> None:
    assert found(client, query) == FOUND[query]


@pytest.mark.slow
def test_finds_the_same_in_clickhouse(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SECONDS", 300.0)  # however busy the machine is
    client = client_of(clickhouse_store)
    assert {query: found(client, query) for query in FOUND} == FOUND


@pytest.mark.parametrize("query", REFUSED)
def test_refuses(query: str) -> None:
    column, words = REFUSED[query]
    with pytest.raises(TraceQLError) as refused:
        parse(query)
    line = 2 if "\n" in query else 1
    assert f"at line {line}, col {column}: " in refused.value.message
    assert words in refused.value.message


def test_a_refusal_is_a_400_with_its_position(client: TestClient) -> None:
    answer = client.get("/tempo/api/search?q=" + quote("{ .a + 1 = 2 }"))
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text == (
        "invalid TraceQL query: parse error at line 1, col 6: arithmetic (+) on fields is not supported"
    )

"""What a set of traces has in common, against the rest."""

from __future__ import annotations

import random
from collections import Counter
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.console.differences import rank
from api.schemas.traces import TraceDifferences, TraceList
from store.filters.parse import parse
from store.memory import MemoryStore
from store.model import State
from store.times import SECOND
from tests.api.console.test_map import get
from tests.builders import T0, http, segment, trace_id

START = T0 // SECOND
WINDOW = f"from={START}&to={START + 600}"


@pytest.fixture
def client(app: FastAPI, store: MemoryStore) -> TestClient:
    """400 traces with many attributes; plus customers of version 2 fail, a few others, too."""
    chance = random.Random(5)
    documents = []
    for number in range(400):
        tier, version = chance.choice(("free", "plus", "gold")), chance.choice((1, 2))
        failed = (tier == "plus" and version == 2) or chance.random() < 0.03
        noise = tuple(f'n{at}="{chance.randrange(4)}"' for at in range(20))
        documents.append(
            segment(
                number + 1,
                trace_id=trace_id(number),
                state=State.FAULT if failed else State.OK,
                http=http(500 if failed else 200),
                annotations=(f'tier="{tier}"', f"version={version}", 'a b="x"', *noise),
            )
        )
    store.put(documents, "all")
    return TestClient(app)


def test_what_the_failed_have_in_common_comes_first(client: TestClient) -> None:
    """With counts of both sets, as terms that the filter can take; noise is not listed."""
    found = get(client, f"/api/traces/differences?{WINDOW}&status=fault", TraceDifferences)
    terms = [each["filter"] for each in found["attributes"]]
    assert set(terms[:3]) == {
        "http.status = 500",
        'annotation.tier = "plus"',
        "annotation.version = 2",
    }
    assert not any("annotation.n" in term for term in terms)
    assert found["selected"] + found["rest"] == 400
    for each in found["attributes"]:
        assert parse(each["filter"])
        both = quote(f"fault AND {each['filter']}")
        listed = get(client, f"/api/traces?{WINDOW}&filter={both}&limit=1000", TraceList)
        assert listed["total"] == each["selected"]


def test_a_random_part_has_nothing_of_its_own() -> None:
    """Over 100 splits of 1,000 traces with 60 attributes at most one false difference."""
    chance = random.Random(11)
    false = 0
    for _ in range(100):
        traces = [{f"a{at}" for at in range(60) if chance.random() < at / 60} for _ in range(200)]
        halves = traces[:60], traces[60:]
        counts = [Counter(term for trace in half for term in trace) for half in halves]
        false += len(rank(counts[0], 60, counts[1], 140))
    assert false <= 1


def test_an_empty_set_differs_in_nothing() -> None:
    assert rank(Counter(), 0, Counter(a=3), 5) == []
    assert rank(Counter(a=3), 5, Counter(), 0) == []

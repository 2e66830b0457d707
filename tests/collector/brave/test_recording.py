"""Sixty requests of two services that Brave reported: no query hangs at the wrong one, in whatever order posts arrive."""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from collector.decode.zipkin.spans import decode_zipkin
from store.memory import MemoryStore
from store.model import TimeRange

REQUESTS = 60
Spans = Sequence[dict[str, Any]]
POSTS: list[Spans] = json.loads(
    gzip.decompress((Path(__file__).parent / "recorded.json.gz").read_bytes())
)
EACH: list[Spans] = [[span] for post in POSTS for span in post]
EDGES = {("front", "front"): REQUESTS, ("front", "back"): REQUESTS, ("back", "db"): REQUESTS}
"""The first is from the client of `front`."""


def calls(posts: Sequence[Spans]) -> dict[tuple[str, str], int]:
    """The calls by the names of the ends of their edges."""
    store = MemoryStore()
    for number, post in enumerate(posts):
        found = decode_zipkin(json.dumps(post).encode(), 10**15 + number)
        assert found.rejected == []
        store.put(list(found.documents), str(number))
    edges = store.service_graph(TimeRange(0, 1 << 60)).edges
    return {(a.name, b.name): each.statistics.total for (a, b), each in edges.items()}


@pytest.mark.parametrize(
    "posts",
    [
        pytest.param(POSTS, id="as recorded"),
        pytest.param(POSTS[::-1], id="reversed"),
        pytest.param(EACH, id="one by one"),
        pytest.param(EACH[::-1], id="last first"),
        pytest.param(Random(1).sample(EACH, len(EACH)), id="shuffled"),
        pytest.param([*POSTS, *POSTS], id="twice"),
    ],
)
def test_each_query_is_of_the_service_that_made_it(posts: Sequence[Spans]) -> None:
    assert calls(posts) == EDGES


def test_the_recording_has_queries_apart_from_their_requests() -> None:
    """These hung at `front` as long as a parent alone said whose a call is."""
    post_of = {
        (span["traceId"], span["id"], span["localEndpoint"]["serviceName"]): number
        for number, post in enumerate(POSTS)
        for span in post
    }
    queries = [
        span for span in itertools.chain(*POSTS) if "db" in span.get("remoteEndpoint", {}).values()
    ]
    apart = [
        span
        for span in queries
        if post_of[span["traceId"], span["id"], "back"]
        < post_of[span["traceId"], span["parentId"], "back"]
    ]
    assert len(queries) == REQUESTS
    assert len(apart) > REQUESTS / 5

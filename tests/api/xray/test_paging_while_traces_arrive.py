"""Pages of GetTraceSummaries while traces arrive (`examples.clients.paging` is the same at size)."""

from __future__ import annotations

from collections import Counter

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.xray import traces
from store.clickhouse.store import ClickHouseStore
from store.model import Document
from store.times import SECOND
from store.trace_id import format_trace_id
from tests.builders import T0, segment, trace_id


@pytest.mark.parametrize(
    ("axis", "expression"), [("TraceId", 'service("frontend")'), ("Event", "")]
)
def test_each_trace_that_was_there_is_listed_once(
    clickhouse_store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch, axis: str, expression: str
) -> None:
    """Newer traces, others with earlier starts, and further copies of listed ones arrive meanwhile."""
    monkeypatch.setattr(traces, "PAGE", 3)
    client = TestClient(create_app(clickhouse_store, version="0", clock=lambda: T0 / SECOND + 900))
    before = [_at(n, 10 * n) for n in range(1, 13)]
    clickhouse_store.put(before, "before")
    window = {"StartTime": T0 / SECOND, "EndTime": T0 / SECOND + 900, "TimeRangeType": axis}
    body = {**window, "FilterExpression": expression} if expression else dict(window)
    listed: list[str] = []
    for page in range(20):
        answer = client.post("/TraceSummaries", json=body).json()
        listed += [summary["Id"] for summary in answer["TraceSummaries"]]
        if "NextToken" not in answer:
            break
        body["NextToken"] = answer["NextToken"]
        arriving = [_at(100 + 3 * page + n, n * 120 + page) for n in range(3)]
        clickhouse_store.put([*arriving, before[page % len(before)]], f"page-{page}")
    times = Counter(listed)
    assert {times[format_trace_id(document.trace_id)] for document in before} == {1}
    assert set(times.values()) == {1}


def _at(number: int, second: int) -> Document:
    start = T0 + second * SECOND
    return segment(
        number,
        trace_id=trace_id(number, epoch=start // SECOND),
        start=start,
        end=start + 1000,
        version=start + number,
    )

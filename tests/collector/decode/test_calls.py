"""The calls that subsegments are: node, times, id, name."""

from __future__ import annotations

from typing import Any

import pytest

from collector.decode.document import decode_document
from store.model import Call, NodeKey, State
from tests.collector.decode.subsegments import MILLISECOND, T, call, flat, sub
from tests.collector.samples import START, segment_bytes


def test_remote_call() -> None:
    """Its node is the host it names; times are its own."""
    assert call(http={"request": {"url": "http://x/"}, "response": {"status": 200}}) == Call(
        id=0xB1,
        start=T + MILLISECOND,
        end=T + 11 * MILLISECOND,
        state=State.OK,
        node=NodeKey("", "backend.example.com", "remote"),
        service="backend.example.com",
        host="backend.example.com",
        status=200,
        operation="/",
    )
    assert call(sql={}, name="orders@db").node == NodeKey("", "orders@db", "Database::SQL")


def test_traced_calls() -> None:
    """Said on the subsegment by the schema, in the request by the docs and Go's SDK."""
    assert call(traced=True).traced
    assert call(http={"request": {"traced": True}}).traced
    assert not call(http={"request": {"traced": False}}).traced


def test_calls_without_times() -> None:
    """A start that is missing is the segment's; an end before the start is no duration."""
    assert call(start_time=None).start == T
    assert call(start_time=-1).start == T
    backwards = call(end_time=START)
    assert backwards.end == backwards.start


def test_calls_without_an_id() -> None:
    """They get one that is the same whenever the document comes again, and unlike any other."""
    first, second = flat(sub(None), sub("x")).calls
    again, _ = flat(sub(None), sub("x")).calls
    assert first.id == again.id
    assert 0 != first.id != second.id != 0
    other = decode_document(segment_bytes("00000000000000a2", subsegments=[sub(None)]), 1)
    assert other.calls[0].id != first.id


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"sql": {"url": "jdbc:postgresql://db.example.com:5432/orders?x=1"}}, "orders@db.example.com"),
        ({"sql": {"url": "sqlite://srv/orders/cap/x.db"}}, "x.db"),
        ({"sql": {"url": "sqlite:////var/tmp/x.db"}}, "x.db"),
        ({"sql": {"url": "sqlite+pysqlite:////tmp/x.db?mode=ro"}}, "x.db"),
        ({"sql": {"url": "jdbc:sqlite:/tmp/x.db"}}, "x.db"),
        ({"sql": {"url": "sqlite:///:memory:"}}, ":memory:"),
        ({"sql": {"url": "sqlite://"}}, "sqlite"),
        ({"sql": {"connection_string": "mysql://me:pw@db/shop"}}, "shop@db"),
        ({"sql": {"url": "db.example.com:3306/orders"}}, "orders@db.example.com"),
        ({"sql": {"url": "jdbc:oracle:thin:@db:1521/orders"}}, "orders@db"),
        ({"sql": {"url": "mysql://me:p@ss@db/"}}, "db"),
        ({"sql": {"url": "sqlite:///tmp/x.db"}}, "x.db"),
        ({"sql": {"database_type": "sqlite"}}, "sqlite"),
        ({"sql": {}}, "unknown"),
        ({"http": {"request": {"url": "https://api.example.com:8443/x"}}}, "api.example.com"),
        ({"http": {"request": {"url": "https://API.example.com.:8443/x"}}}, "api.example.com"),
        ({"sql": {"url": "postgresql://DB.example.com.:5432/orders"}}, "orders@db.example.com"),
        ({"sql": {"url": "postgresql://[::1]:5432/orders"}}, "orders@::1"),
        ({"http": {"request": {"url": "https://[oops"}}}, "unknown"),
        ({}, "unknown"),
    ],
)  # fmt: skip
def test_calls_without_a_name(change: dict[str, Any], name: str) -> None:
    """Named by what they called (docs/xray-format.md §2.6); passwords never come into a name."""
    assert call(name=None, **change).host == name
    assert call(name=5, **change).host == name


def test_long_call_names_are_cut() -> None:
    """200 characters, as for segments."""
    assert len(call(name="n" * 5000).host) == 200

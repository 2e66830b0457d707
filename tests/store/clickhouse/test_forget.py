"""After forgetting no table contains anything of the subject, and the map is as if it had never been."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from clickhouse_driver import Client

from collector.journal.format import Kind
from collector.payloads import decode_request
from collector.submission import columns_in_chunks
from store.clickhouse import forget
from store.clickhouse.connection import sql
from store.clickhouse.store import ClickHouseStore
from store.clickhouse.write.inserts import encode
from store.forget import Subject, of_annotation, of_user
from store.memory import MemoryStore
from store.model import Document, Link, TimeRange
from store.rules.annotations import annotation_item
from store.rules.invocations import FUNCTION
from store.times import MINUTE
from tests.builders import T0, call, http, segment, trace_id
from tests.collector.otlp_samples import export, span
from tests.store.contract.logs import line

ANA = "ana-7f3a"
HOUR = TimeRange(T0 - 30 * MINUTE, T0 + 30 * MINUTE)
FIRST, SECOND, OTHER = trace_id(1), trace_id(2), trace_id(3)


def of_ana(trace: bytes) -> list[Document]:
    """A user's trace over two minutes: everything in it carries the name."""
    item = annotation_item("enduser.id", ANA)
    raw = f'{{"user": "{ANA}"}}'.encode()
    return [
        segment(0xA1, trace_id=trace, user=ANA, name=f"of-{ANA}", calls=(call(0xC1),), raw=raw),
        segment(
            0xA2, trace_id=trace, parent_id=0xC1, name="backend", start=T0 + MINUTE, end=T0 + MINUTE + 5,
            annotations=(item,), http=http(200, f"http://h/{ANA}"), raw=raw,
        ),
    ]  # fmt: skip


def of_bob() -> list[Document]:
    link = Link(SECOND, 0xA2, upstream=True)
    return [
        segment(0xB1, trace_id=OTHER, user="bob", name="shop", calls=(call(0xD1),)),
        segment(0xB2, trace_id=OTHER, parent_id=0xD1, name="backend", links=(link,)),
    ]


def tables_with(client: Client, text: str) -> list[str]:
    """Every table that has a text in any column of any row, expired versions included."""
    names = client.execute(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
    )
    found = sql.text(text)
    return [
        name
        for (name,) in names
        if client.execute(
            f"SELECT count() FROM {name} WHERE position(toString(tuple(*)), {found}) > 0"
        )[0][0]
    ]


def test_nothing_of_a_user_remains(client: Client, store: ClickHouseStore) -> None:
    store.put([*of_ana(FIRST), *of_bob()], "a")
    store.put(of_ana(SECOND), "b")
    store.put(of_ana(SECOND), "c")  # and superseded copies
    store.pin(FIRST, f"for {ANA}", T0)
    assert len(store.service_graph(HOUR).services) > 2
    assert set(tables_with(client, ANA)) >= {
        "segments", "calls", "pins", "rollups", "bucket_rollups",
    }  # fmt: skip

    found = forget.find(client, of_user(ANA))
    assert found == [FIRST, SECOND]
    removed = forget.forget(client, found)
    assert removed["segments"] == 2 * 2 + 2 + 2  # pinned copies; resent ones
    assert removed["pins"] >= 1
    assert tables_with(client, ANA) == []
    assert forget.find(client, of_user(ANA)) == []
    assert store.pins() == []

    memory = MemoryStore()
    memory.put(of_bob(), "a")
    graph, expected = store.service_graph(HOUR), memory.service_graph(HOUR)
    assert graph.services == expected.services
    assert graph.edges == expected.edges
    assert tables_with(client, ANA) == [], "counted again without the user"
    assert list(store.get_traces([FIRST, SECOND, OTHER])) == [OTHER]
    assert "operations" in tables_with(client, "backend"), "what others did is still listed"


def test_log_lines_that_name_no_trace_are_forgotten_too(
    client: Client, store: ClickHouseStore
) -> None:
    """Those of its requests, and of the log stream while it ran: what its page shows."""
    aws = {"request_id": "r1"}
    platform = {"raymap": {"platform_record": {"log_stream": "s1"}}}
    times = {"start_time": T0 / 1e6, "end_time": T0 / 1e6 + 3}
    known: dict[str, Any] = {"origin": FUNCTION, "user": ANA, "aws": aws, "metadata": platform}
    raw = {"id": f"{0xA1:016x}", "name": "checkout", **times, **known}
    document = segment(0xA1, trace_id=FIRST, user=ANA, end=T0 + 3, raw=json.dumps(raw).encode())
    store.put([document, *of_bob()], "a")
    unnamed = {"request_id": "", "log_stream": "s1"}
    of_ana_s = [
        line(f"request of {ANA}", 1),
        line(f"trace of {ANA}", 1, request_id="r3", trace_id=FIRST),
        line(f"request of the trace of {ANA}", 1, request_id="r3"),
        line(f"stream of {ANA}", 2, **unnamed),
    ]
    others = [
        line("another request", 2, request_id="r2", log_stream="s1"),
        line("another stream", 2, request_id="", log_stream="s2"),
        line("much later", 60, **unnamed),
    ]
    store.put_log_lines([*of_ana_s, *others], "l")
    assert "log_lines" in tables_with(client, ANA)
    removed = forget.forget(client, forget.find(client, of_user(ANA)))
    assert removed["log_lines"] == len(of_ana_s)
    assert tables_with(client, ANA) == []
    left = store.node_lines(["checkout"], TimeRange(T0, T0 + 2 * MINUTE), limit=9).lines
    assert sorted(each.body for each in left) == sorted(each.body for each in others)


def test_minutes_that_are_empty_afterwards(client: Client, store: ClickHouseStore) -> None:
    """They are not mistaken for minutes whose rows have expired."""
    store.put(of_ana(FIRST), "a")
    assert store.service_graph(HOUR).services
    forget.forget(client, forget.find(client, of_user(ANA)))
    assert not store.service_graph(HOUR).services
    assert tables_with(client, ANA) == []


def test_subjects(client: Client, store: ClickHouseStore) -> None:
    store.put([*of_ana(FIRST), *of_bob()], "a")
    assert forget.find(client, of_annotation("enduser.id", ANA)) == [FIRST]
    assert forget.find(client, Subject(trace_id=OTHER)) == [OTHER]
    assert forget.find(client, Subject(trace_id=SECOND)) == []
    assert forget.find(client, Subject(text=ANA)) == [FIRST]
    assert forget.find(client, Subject(text="'; --")) == []
    assert forget.find(client, of_user("bob")) == [OTHER]


@pytest.mark.parametrize(
    "raw",
    [
        "?mail=ana%40example.com",
        "?back=%3Fmail%3Dana%2540example.com",
        "ana\\u0040example.com",
        "100 % of ana@example.com",
    ],
)
def test_a_text_is_found_however_it_is_encoded(
    client: Client, store: ClickHouseStore, raw: str
) -> None:
    subject = Subject(text="ana@example.com")
    documents = [segment(0xA1, trace_id=FIRST, raw=f'{{"url": "{raw}"}}'.encode()), *of_bob()]
    store.put(documents, "a")
    matching = [each.trace_id for each in documents if subject.matches(each)]
    assert forget.find(client, subject) == matching == ([] if "u0040" in raw else [FIRST])


@pytest.mark.parametrize("others", [0, 40], ids=["stored whole", "stored in parts"])
def test_a_text_in_a_span_is_found(client: Client, store: ClickHouseStore, others: int) -> None:
    spans = [span(attributes={"url.full": "https://h/?m=ana%40example.com"})]
    spans += [
        span(trace_id=bytes([n]) * 16, attributes={"url.full": "https://h/"})
        for n in range(1, 1 + others)
    ]
    body = export(*spans, resource={"service.name": "shop", "host.name": "b%2Fc"})
    documents = decode_request(Kind.OTLP, body, time.time_ns() // 1000).documents
    store.put_encoded([encode(few) for few in columns_in_chunks(documents)], "a")
    everyone = sorted(each.trace_id for each in documents)
    expected = {"ana@example.com": [documents[0].trace_id], "b/c": everyone, "m=ana@h": []}
    found = {text: forget.find(client, Subject(text=text)) for text in expected}
    assert found == expected


def test_every_table_of_traces_is_known(client: Client) -> None:
    assert forget.tables(client)[0] == "pins"
    assert set(forget.tables(client)) >= {
        "pins", "segments", "calls", "links", "traces", "cross_bucket_refs", "crossing_refs",
        "deciding_ids",
    }  # fmt: skip

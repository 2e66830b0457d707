"""A trace whose root causes contain a text has rows that SQL finds by it, from any sender, in any spelling."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.decode.document import decode_document
from collector.decode.otlp.columns import decode_otlp_columns
from store.clickhouse.search import scan_plan
from store.clickhouse.search.bounds import TRUE, Values
from store.clickhouse.search.document_texts import text_bounds
from store.clickhouse.search.row_sets import RowSets
from store.clickhouse.store import ClickHouseStore
from store.filters.ast import (
    And,
    Compare,
    Expression,
    Field,
    Not,
    OneOf,
    Or,
    RootCauseMatch,
)
from store.filters.parse import parse
from store.memory import MemoryStore
from store.model import Document, Trace
from store.otel.from_xray import export_trace
from store.query import TraceQuery
from store.root_causes import root_causes
from store.times import SECOND
from store.trace_id import format_trace_id
from tests.builders import T0, trace_id
from tests.collector.otlp_samples import CLIENT, INTERNAL, SERVER, export, span
from tests.conftest import empty
from tests.store.clickhouse.search.test_compile import violations
from tests.store.clickhouse.search.test_find_traces import all_pages, probe_for
from tests.store.test_agreement import ALL
from tests.tiers import cases

TEXTS = (
    "KeyError", "a/b.Fail", 'says "no"', "back\\slash", "tab\there", "größe", "日本😀", "\x01x", "UPPER", "upper",
    "Caused by: nested.Error: lost", "unknown", "SQS", "sqs", "orders", "db.internal", "e",
)  # fmt: skip
NUMBERS = (1, 2, 3, 4)
HEX = "{:016x}".format
Json = dict[str, Any]
counter = itertools.count()
texts = st.sampled_from(TEXTS)


def _all_escaped(value: Any) -> str:
    """JSON in which each character of a text is escaped."""
    if isinstance(value, str):
        units = value.encode("utf-16-be")
        return (
            '"' + "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)) + '"'
        )
    if isinstance(value, dict):
        members = (f"{json.dumps(key)}:{_all_escaped(each)}" for key, each in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_all_escaped, value)) + "]"
    return json.dumps(value)


WRITERS: tuple[Callable[[Any], str], ...] = (
    json.dumps,
    lambda value: json.dumps(value, ensure_ascii=False),
    lambda value: json.dumps(value, ensure_ascii=False).replace("/", "\\/"),
    _all_escaped,
)


@st.composite
def xray_documents(draw: st.DrawFn, trace: bytes, parent: int) -> list[Document]:
    """A segment with local work and calls, some of which came by themselves, as an SDK or an exporter sends it."""
    id = draw(st.integers(1, 2**62))

    def unit(number: int, **others: Any) -> Json:
        exceptions = draw(st.lists(_exception(), max_size=2))
        cause = {"cause": {"exceptions": exceptions}} if exceptions else {}
        flags = draw(st.sampled_from(({}, {"fault": True}, {"error": True}, {"fault": True})))
        start = T0 / SECOND + number
        return {"id": HEX(id + number), "name": draw(texts), "start_time": start, "end_time": start + 9 - number, **flags, **cause, **others}  # fmt: skip

    inner = [
        unit(number, **draw(st.sampled_from(({}, {"namespace": "remote"}, {"namespace": "aws"}))))
        for number in (1, 2)
    ]
    streamed = inner[draw(st.integers(0, 2)) :]
    place = {"trace_id": format_trace_id(trace)}
    root = unit(0, **place, subsegments=inner[: len(inner) - len(streamed)])
    if parent:
        root["parent_id"] = HEX(parent)
    alone = [{**each, **place, "type": "subsegment", "parent_id": root["id"]} for each in streamed]
    write = draw(st.sampled_from(WRITERS))
    documents = [decode_document(write(each).encode(), T0 + 1) for each in (root, *alone)]
    if draw(st.booleans()):
        return documents
    exported = export_trace(documents, lossless=draw(st.booleans())).SerializeToString()
    return list(decode_otlp_columns(exported, T0 + 2).documents)


@st.composite
def _exception(draw: st.DrawFn) -> Json:
    value = st.one_of(texts, texts, st.sampled_from((None, 7, ["KeyError"])))
    return {"id": "e" * 16, "type": draw(value), "message": draw(value)}


@st.composite
def spans(draw: st.DrawFn, trace: bytes, parent: int) -> list[Document]:
    """A request with local work and calls of a database, a host and AWS, of which some say how they failed."""
    id = draw(st.integers(1, 2**62))

    def one(number: int, kind: int, parent: int, attributes: Mapping[str, Any]) -> Span:
        value = st.one_of(texts, texts, st.binary(max_size=6))
        thrown = {
            "exception.type": value,
            "exception.message": value,
            "exception.stacktrace": texts,
        }
        exceptions = draw(st.lists(st.fixed_dictionaries({}, optional=thrown), max_size=2))
        outcomes: tuple[bool | str, ...] = (False, True, *TEXTS)
        said = draw(
            st.fixed_dictionaries({}, optional={"error.type": value, "n": st.integers(0, 9)})
        )
        return span(
            kind,
            {**attributes, **said},
            id=id + number,
            parent=parent.to_bytes(8, "big") if parent else b"",
            failed=draw(st.sampled_from(outcomes)),
            exceptions=exceptions,
            trace_id=trace,
            name=draw(texts),
            start_time_unix_nano=(T0 + number) * 1000,
            end_time_unix_nano=(T0 + 9_000_000 - number) * 1000,
        )  # fmt: skip

    callees: tuple[Mapping[str, Any], ...] = (
        {"db.system": "postgresql", "db.namespace": draw(texts), "server.address": "db.internal"},
        {"server.address": draw(texts)},
        {"peer.service": draw(texts)},
        {"rpc.system": "aws-api", "rpc.service": draw(st.sampled_from(("SQS", "Secrets Manager", "a.b")))},
        {"rpc.system": "aws-api", "rpc.method": "S3/GetObject"},
        {},
    )  # fmt: skip
    sent = [one(0, SERVER, parent, {}), one(1, INTERNAL, id, {})]
    sent += [one(2, CLIENT, id, draw(st.sampled_from(callees)))]
    resource = {"service.name": draw(texts), "telemetry.sdk.language": "java"}
    return list(decode_otlp_columns(export(*sent, resource=resource), T0 + 3).documents)


@st.composite
def traces(draw: st.DrawFn, number: int) -> list[Sequence[Document]]:
    """Documents of two services, either of which may be X-Ray's or OpenTelemetry's."""
    trace = trace_id(number)
    first = draw(draw(st.sampled_from((xray_documents, spans)))(trace, 0))
    calls = [document.id for document in first]
    second = draw(
        draw(st.sampled_from((xray_documents, spans)))(trace, draw(st.sampled_from(calls)))
    )
    return [first, second]


def descriptions(trace: Trace) -> Iterator[Expression]:
    """Filters for what stands in a trace's root causes, and for parts of it."""
    causes = root_causes(trace)
    paths = {"fault": causes.fault, "error": causes.error, "responsetime": causes.response_time}
    for kind, found in paths.items():
        for entity in (
            e for cause in found for service in cause.services for e in service.entities
        ):
            yield from (
                RootCauseMatch(kind, "entity", test) for test in _tests("name", entity.name)
            )
            for each in entity.exceptions:
                name, message = _tests("name", each.name), _tests("message", each.message)
                yield from (RootCauseMatch(kind, "exception", test) for test in (*name, *message))
                if each.name and each.message:
                    yield RootCauseMatch(kind, "exception", And((name[0], message[-1])))
                    yield RootCauseMatch(kind, "exception", And((name[0], Not(message[-1]))))


def _tests(keyword: str, text: str) -> list[Expression]:
    if not text:
        return []
    field, half = Field(keyword), len(text) // 2
    return [
        Compare(field, "=", text),
        Compare(field, "contains", text[half:]),
        Compare(field, "beginswith", text[: half + 1]),
        Compare(field, "endswith", text[half:]),
        OneOf(field, ("never", text)),
        Or((Compare(field, "=", "never"), Not(Compare(field, "!=", text)))),
        Compare(field, "=~", "."),
    ]


OTHERS = [
    RootCauseMatch(kind, part, Compare(Field("name"), "contains", text))
    for kind in ("fault", "responsetime")
    for part in ("entity", "exception")
    for text in ("never", "r", "/", '"')
]


@pytest.mark.slow
@settings(
    max_examples=cases(8),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a set takes too long to be shrunk
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_whatever_matches_is_found(clickhouse_store: ClickHouseStore, data: st.DataObject) -> None:
    """X-Ray's documents in four spellings of JSON, streamed or whole, exported as spans, with exceptions that are no
    text; spans with bytes in place of texts, nested causes, names that are made of several attributes."""
    empty(clickhouse_store.address)
    memory = MemoryStore()
    for number in NUMBERS:
        for batch in data.draw(traces(number)):
            for store in (memory, clickhouse_store):
                store.put(batch, f"texts-{next(counter)}")
    known = memory.get_traces([trace_id(number) for number in NUMBERS])
    described = [*dict.fromkeys(chain.from_iterable(map(descriptions, known.values())))]
    filters = data.draw(st.lists(st.sampled_from([*described, *OTHERS]), max_size=16, unique=True))
    assert list(violations(clickhouse_store, memory, filters, sure=False)) == []
    with pytest.MonkeyPatch.context() as patch:
        probe_for(patch, 2)
        patch.setattr(scan_plan, "MOST_DOCUMENTS", data.draw(st.sampled_from((1, 1000))))
        for filter in filters[:3]:
            query = TraceQuery(ALL, filter=filter)
            assert all_pages(clickhouse_store, query, 2) == all_pages(memory, query, 2), filter


@pytest.mark.parametrize(
    ("condition", "has_texts"),
    [
        ('exception { name = "KeyError" }', True),
        ('exception { message CONTAINS "no" AND first }', True),
        ('exception { name = "a" OR message = "b" }', True),
        ('exception { name = "a" OR first }', False),
        ('exception { !(name = "a") }', False),
        ('exception { name != "a" }', False),
        ('exception { name =~ "a" }', False),
        ('exception { name CONTAINS "" }', False),
        ('exception { name = "/" }', False),
        ('exception { name = "a/" }', True),
        ('entity { name = "orders" AND remote }', True),
        ('entity { name = "SQS" }', False),
        ('entity { type = "remote" }', False),
        ('service { name = "orders" }', False),
    ],
)
def test_which_conditions_need_a_text(condition: str, has_texts: bool) -> None:
    match = parse(f"rootcause.fault.{condition}")
    assert isinstance(match, RootCauseMatch)
    bounds = text_bounds(match, RowSets(TRUE, sure=False), Values())
    assert (bounds.may.text != TRUE.text) is has_texts
    assert bounds.must.text == "0"


def test_sql_rules_out_what_has_no_such_text(clickhouse_store: ClickHouseStore) -> None:
    """No trace is read where a text occurs in none; with it, only those that contain it."""
    for number in range(8):
        cause = {"exceptions": [{"id": "e" * 16, "type": "KeyError" if number else "Ünique"}]}
        place = {"id": HEX(1), "trace_id": format_trace_id(trace_id(number)), "name": "shop"}
        times = {"start_time": T0 / SECOND, "end_time": T0 / SECOND + 1}
        content = json.dumps({**place, **times, "fault": True, "cause": cause}, ensure_ascii=False)
        clickhouse_store.put([decode_document(content.encode(), T0)], f"only-{number}")

    def scanned(condition: str) -> tuple[int, int]:
        query = TraceQuery(ALL, filter=parse(f"rootcause.fault.{condition}"))
        page = clickhouse_store.find_traces(query, limit=9, cursor=None)
        return len(page.found), page.scanned

    assert scanned('exception { name = "never" }') == (0, 0)
    assert scanned('entity { name = "never" }') == (0, 0)
    assert scanned('exception { name = "Ünique" }') == (1, 1)
    assert scanned('exception { name = "Ünique" } AND fault') == (1, 1)
    assert scanned('exception { name = "KeyError" OR message = "never" }') == (7, 7)

"""What the store excludes of a TraceQL query is nothing that the query finds; indexes are used."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raymap.contrib.jaeger.spans import ReadTrace, export_named
from raymap.contrib.tempo.traceql.ast import Query
from raymap.contrib.tempo.traceql.evaluate import evaluate
from raymap.contrib.tempo.traceql.narrow import narrowed
from raymap.contrib.tempo.traceql.parse import parse
from raymap.contrib.tempo.traceql.spans import TraceView
from store.filters.ast import Compare, EdgeMatch, Field, Selector, SentBy, ServiceMatch, walk
from store.filters.evaluate import matches
from store.memory import MemoryStore
from store.model import Trace
from tests.raymap.contrib.jaeger import conftest as jaeger
from tests.raymap.contrib.tempo.expressions import FOUND
from tests.raymap.contrib.tempo.traces import documents, id_of

FIELDS = ("name", "rootName", "statusMessage", ".tier", "span.tier", "resource.service.name",
          ".service.name", "rootServiceName", "resource.service.version", "event.exception.type")  # fmt: skip
TEXTS = (
    "web",
    "orders",
    "legacy",
    "front",
    "shop",
    "worker/a",
    "gold",
    "GET /",
    "nightly",
    "2.1",
    "",
)
NUMBERS = (
    ".items",
    "span.http.response.status_code",
    "duration",
    "traceDuration",
    ".shard",
    ".age",
)
VALUES = ("3", "200", "502", "42", "0.5", "10ms", "50ms", "300ms", "5s")


@cache
def traces() -> list[tuple[Trace, TraceView]]:
    """Traces as the store has them, and as TraceQL sees them."""
    store = MemoryStore()
    store.put([*documents(), *jaeger.documents()], "all")
    ids = [id_of(letter) for letter in "ABCDEF"] + [each.trace_id for each in jaeger.documents()]
    found = store.get_traces(list(dict.fromkeys(ids)), raw=True)
    return [(trace, TraceView(ReadTrace(id, export_named(trace)))) for id, trace in found.items()]


def conditions() -> st.SearchStrategy[str]:
    texts = st.builds(
        "{} {} `{}`".format, st.sampled_from(FIELDS), st.sampled_from(("=", "!=", "=~", "!~")),
        st.sampled_from(TEXTS),
    )  # fmt: skip
    numbers = st.builds(
        "{} {} {}".format, st.sampled_from(NUMBERS),
        st.sampled_from(("=", "!=", "<", "<=", ">", ">=")), st.sampled_from(VALUES),
    )  # fmt: skip
    others = st.sampled_from(("status = error", "status != ok", "kind = client", ".tier != nil"))
    return st.recursive(
        texts | numbers | others,
        lambda inner: (
            st.builds("({} {} {})".format, inner, st.sampled_from(("&&", "||")), inner)
            | inner.map("!({})".format)
        ),
        max_leaves=4,
    )


def queries() -> st.SearchStrategy[str]:
    filters = conditions().map("{{ {} }}".format)
    operators = ("&&", "||", ">>", "<<", ">", "<", "~", "!>>", "!>", "!~", "&>>", "&~")
    spansets = st.recursive(
        filters,
        lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(operators), inner),
        max_leaves=3,
    )
    return st.builds(
        "{}{}".format,
        spansets,
        st.sampled_from(("", " | count() > 1", " | { kind = server }", " | by(name) | coalesce()")),
    )


def check(query: Query) -> int:
    """How many traces a query finds; the store's filter may exclude none of them."""
    certain = narrowed(query.pipeline)
    found = 0
    for trace, view in traces():
        if evaluate(query.pipeline, view):
            assert certain is None or matches(trace, certain)
            found += 1
    return found


@settings(max_examples=400, deadline=None)
@given(queries())
def test_nothing_is_excluded_that_a_query_finds(text: str) -> None:
    check(parse(text))


@pytest.mark.parametrize("text", FOUND)
def test_nor_of_the_queries_by_hand(text: str) -> None:
    assert check(parse(text)) >= len(FOUND[text])


def narrow(text: str, likely: bool) -> set[object]:
    found = narrowed(parse(text).pipeline, likely)
    return set() if found is None else set(walk(found))


def test_what_excludes() -> None:
    assert narrow('{ resource.service.name = "web" }', False) == {SentBy("web")}
    long = Compare(Field("duration"), ">=", 0.5)
    assert narrow("{ duration > 1s }", False) == {long}
    assert long in narrow('{ name = "a" && duration > 1s } >> { }', False)
    assert narrow('{ resource.service.name = "web" || kind = server }', False) == set()
    assert narrow("{ status = error }", False) == set()


def test_what_is_likely() -> None:
    failed = narrow('{ resource.service.name = "web" && status = error }', True)
    web = Selector(name="web")
    assert any(isinstance(each, ServiceMatch) and each.selector == web for each in failed)
    assert any(isinstance(each, EdgeMatch) and each.source == web for each in failed)
    assert Compare(Field("annotation", "tier"), "=", "gold") in narrow('{ .tier = "gold" }', True)
    assert narrow('{ name =~ "GET.*" }', True) == {Compare(Field("operation"), "=~", "^(?:GET.*)$")}

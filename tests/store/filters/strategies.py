"""Documents with everything that filters read, and filters about them.

Strategies are cached, as Hypothesis validates each object before its first draw: of recursive ones,
that takes longer than the draw."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import msgspec
from hypothesis import strategies as st

from store import model
from store.filters.ast import (
    And,
    Bare,
    Compare,
    EdgeMatch,
    EntryState,
    Exists,
    Expression,
    Field,
    MayHaveCalled,
    MayHaveFailed,
    Not,
    OneOf,
    Or,
    RootCauseMatch,
    RootCausePath,
    Selector,
    SentBy,
    ServiceMatch,
    Streamed,
    Value,
)
from store.filters.keywords import (
    ANNOTATION,
    ANNOTATION_SCOPE,
    COMPARISONS,
    GROUP_KEYWORDS,
    KEYWORDS,
    OPERATORS,
    TEXT_OPERATORS,
    Kind,
    Scope,
)
from store.model import Call, Document, Http, NodeKey, State, client_of, client_type
from store.rules.annotations import annotation_item
from store.times import SECOND
from tests.builders import T0, trace_id

IDS = {
    trace_id(1): trace_id(1),
    trace_id(2): bytes.fromhex("f0e1d2c3") + trace_id(2)[4:],  # no epoch
    trace_id(3): trace_id(3, epoch=T0 // SECOND + 3600),
}
VALUES: tuple[Value, ...] = (
    "gold", "go", "", 'it\'s "\\ é\n', "7", "true", True, False, 7.0, 7.5, -0.1, 0.0, 2.0**60, 1e-7,
)  # fmt: skip
KEYS = ("tier", "k=%", "é.x")
ITEMS = tuple(
    annotation_item(key, value)
    for key in KEYS
    for value in (*VALUES, 2**60 + 1, 10**400, 9007199254740993)
)
URLS = ("", "http://shop/cart/1", "http://shop/a.json", "x\ny")
OPERATIONS = ("", "GET /cart/{id}", "GetItem")
USERS = ("", "ann", "bob")
HTTPS = tuple(
    Http(method, url, status, ip, agent)
    for method, url, status, ip, agent in (
        ("", "", 0, "", ""),
        ("GET", URLS[1], 200, "192.0.2.1", "curl/8"),
        ("POST", URLS[2], 503, "", "CloudWatchSynthetics/1"),
        ("", URLS[3], 429, "192.0.2.12", ""),
    )
)
NAMES = ("web", "api", "db", "fn", "table", "queue", "DynamoDB", "host.example.com", "client")
TYPES = ("", "AWS::Lambda", "AWS::Lambda::Function", "remote", "AWS::DynamoDB::Table", "AWS::SQS::Queue", "client", "client::Synthetics")  # fmt: skip
SECONDS = (0.0, 0.000001, 0.001, 0.0015, 1.0, 20.0, 60.5, 93_600.0)


CALLERS = [NodeKey(account, name, "remote") for account in ("", "1") for name in NAMES[:2]]


@st.composite
def enriched(draw: st.DrawFn, document: Document) -> Document:
    """A document of `tests.store.test_agreement` with all the rest: http, users, annotations, raw text; its
    copy in progress may start in another minute."""
    id = IDS.get(document.trace_id, document.trace_id)
    start, end = document.start, document.end
    if document.in_progress and id != IDS[trace_id(2)] and draw(st.integers(0, 3)) == 0:
        start, end = start + 70 * SECOND, start + 70 * SECOND
    http = draw(st.sampled_from(HTTPS))
    calls = tuple(draw(_called(call)) for call in document.calls)
    return msgspec.structs.replace(
        document,
        trace_id=id,
        start=start,
        end=max(start, end),
        last_end=max(start, end),
        http=http,
        calls=calls,
        node=document.node._replace(
            account=draw(st.sampled_from(("", "", "1"))), region=draw(st.sampled_from(("", "eu")))
        ),
        user=draw(st.sampled_from(USERS)),
        availability_zone=draw(st.sampled_from(("", "eu-1a"))),
        instance_id=draw(st.sampled_from(("", "i-1"))),
        resource_arn=draw(st.sampled_from(("", "arn:x:function:f"))),
        service_version=draw(st.sampled_from(("", "42"))),
        environment=draw(st.sampled_from(("", "prod"))),
        operation=draw(st.sampled_from(OPERATIONS)),
        kind=draw(
            st.sampled_from(
                (model.Kind.NONE, model.Kind.INTERNAL, model.Kind.SERVER, model.Kind.CONSUMER)
            )
        ),
        fetched=draw(st.sampled_from((*[model.Fetched.NO] * 4, *model.Fetched))),
        before=draw(
            st.sampled_from((model.NO_NODE, NodeKey("", "queue", "AWS::SQS::Queue"), *CALLERS))
        ),
        annotations=tuple(draw(st.lists(st.sampled_from(ITEMS), max_size=3, unique=True))),
        raw=_raw(document, calls, *(draw(st.booleans()) for _ in range(2))),
    )


@st.composite
def _called(draw: st.DrawFn, call: Call) -> Call:
    return msgspec.structs.replace(
        call,
        status=draw(st.sampled_from((0, 200, 429, 503))),
        traced=draw(st.booleans()),
        operation=draw(st.sampled_from(OPERATIONS)),
    )


def _raw(
    document: Document, calls: tuple[Call, ...], with_cause: bool, flagged_in_progress: bool
) -> bytes:
    def outcome(end: int, state: State) -> dict[str, Any]:
        if state is not State.IN_PROGRESS:
            return {"end_time": end / SECOND, **dict.fromkeys(_FLAGS.get(state, ()), True)}
        return {"in_progress": True, "fault": flagged_in_progress, "error": flagged_in_progress}

    content: dict[str, Any] = {
        "name": document.node.name,
        "start_time": document.start / SECOND,
        **outcome(document.end, document.state),
        "subsegments": [
            {
                "id": f"{call.id:016x}",
                "name": call.node.name,
                "namespace": "remote",
                "start_time": call.start / SECOND,
                **outcome(call.end, call.state),
            }
            for call in calls
            if call.id != document.id
        ],
    }
    if document.inferred:
        content["inferred"] = True
    if any(call.id == document.id for call in calls):
        content["namespace"] = "remote"
    if with_cause:
        content["cause"] = {"exceptions": [{"id": "e1", "type": "Denied", "message": "no way"}]}
    return json.dumps(content).encode()


_FLAGS = {
    State.FAULT: ("fault",),
    State.ERROR: ("error",),
    State.THROTTLE: ("error", "throttle"),
}


@cache
def selectors() -> st.SearchStrategy[Selector | NodeKey]:
    """By name, type or account, or exactly one node."""
    described = st.builds(
        Selector,
        st.sampled_from(("", *NAMES)),
        st.sampled_from(("", "", *TYPES)),
        st.sampled_from(("", "", "", "1")),
    )
    exact = st.builds(
        lambda name, type, region: NodeKey("", name, type, region),
        st.sampled_from(NAMES),
        st.sampled_from(TYPES),
        st.sampled_from(("", "eu")),
    )
    callers = st.sampled_from(CALLERS)
    clients = st.builds(
        lambda key, agent: client_of(key, client_type(agent)),
        exact,
        st.sampled_from(("", "CloudWatchSynthetics")),
    )
    return described | exact | clients | callers


@cache
def field_tests(scope: Scope) -> st.SearchStrategy[Expression]:
    """Comparisons of every keyword that has a meaning there."""
    keywords = sorted(k for k, each in KEYWORDS.items() if each.scope & scope)
    strategies = [_tests_of(Field(k)) for k in keywords if k not in GROUP_KEYWORDS]
    if scope & ANNOTATION_SCOPE:
        strategies += [st.sampled_from(KEYS).flatmap(_annotation_tests)] * 4
    return st.one_of(strategies)


def _tests_of(field: Field) -> st.SearchStrategy[Expression]:
    kind = KEYWORDS[field.keyword].kind
    operators = st.sampled_from(OPERATORS[kind])
    if kind is Kind.FLAG:
        return st.just(Bare(field)) | st.builds(Compare, st.just(field), operators, st.booleans())
    values: st.SearchStrategy[Any] = (
        st.sampled_from((0.0, 1.0, 200.0, 400.0, 429.0, 503.0, 0.5))
        if field.keyword in ("http.status", "index", "coverage")
        else st.sampled_from(SECONDS)
    )
    if kind is Kind.TEXT:
        values = st.sampled_from((*NAMES, *TYPES, *URLS, *USERS, "a", "shop/", "GET", "192", "1"))
        if field.keyword == "operation":
            values = st.sampled_from((*OPERATIONS, "GET", "Item"))
        tests = st.builds(_text_compare, st.just(field), operators, values)
        alone = st.sampled_from((Bare(field), Exists(field)))
    else:
        tests = st.builds(Compare, st.just(field), operators, values)
        alone = st.just(Exists(field))
    lists = st.lists(values, min_size=1, max_size=3).map(tuple)
    return st.one_of(tests, tests, alone, st.builds(OneOf, st.just(field), lists))


PATTERNS = ("^a", "o.*d$", "[0-9]+", "^$", "x.y", "(?i)SHOP", "\\bann\\b")


def _text_compare(field: Field, operator: str, value: str) -> Expression:
    if operator == "=~":
        value = PATTERNS[len(value) % len(PATTERNS)]
    return Compare(field, operator, value)


@cache
def _annotation_tests(key: str) -> st.SearchStrategy[Expression]:
    field = Field(ANNOTATION, key)

    def compared(value: Value) -> st.SearchStrategy[Expression]:
        if isinstance(value, str):
            operators: tuple[str, ...] = ("=", "!=", *TEXT_OPERATORS)
            return st.sampled_from(operators).map(lambda op: _text_compare(field, op, value))
        operators = ("=", "!=") if isinstance(value, bool) else COMPARISONS
        return st.sampled_from(operators).map(lambda op: Compare(field, op, value))

    lists = st.lists(st.sampled_from(VALUES), min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.sampled_from(VALUES).flatmap(compared),
        st.sampled_from((Bare(field), Exists(field))),
        st.builds(OneOf, st.just(field), lists),
    )


def combined(leaves: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    """With AND, OR and NOT."""
    tree: st.SearchStrategy[Expression] = st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda terms: And(tuple(terms))),
            st.lists(inner, min_size=1, max_size=3).map(lambda terms: Or(tuple(terms))),
            inner.map(Not),
        ),
        max_leaves=3,
    )
    return tree


@cache
def unit_matches() -> st.SearchStrategy[Expression]:
    """Nodes and edges, with and without a condition."""
    service, edge = (
        st.none() | combined(field_tests(scope)) for scope in (Scope.SERVICE, Scope.EDGE)
    )
    return st.one_of(
        st.builds(ServiceMatch, selectors(), service),
        st.builds(EdgeMatch, selectors(), selectors(), edge),
    )


@cache
def root_causes() -> st.SearchStrategy[Expression]:
    """Root causes, mostly those that name a service or an entity, and paths of one or two services."""
    names = st.sampled_from(NAMES)
    named = st.builds(Compare, st.just(Field("name")), st.sampled_from(("=", "=", "!=")), names)
    tests = field_tests(Scope.ROOT_CAUSE)
    matches = st.builds(
        RootCauseMatch,
        st.sampled_from(("fault", "error", "responsetime")),
        st.sampled_from(("service", "service", "service", "entity", "exception")),
        combined(st.one_of(named, named, tests)),
    )
    services = st.lists(names, min_size=1, max_size=2)
    paths = services.map(lambda path: RootCausePath(tuple((name, (name,)) for name in path)))
    return st.one_of(matches, matches, matches, paths)


@cache
def expressions() -> st.SearchStrategy[Expression]:
    """Filters of every form."""
    states = st.frozensets(st.sampled_from(tuple(State)), max_size=3).map(EntryState)
    tests, units = field_tests(Scope.TRACE), unit_matches()
    streamed = st.just(Streamed()) | st.sampled_from(NAMES).map(SentBy)
    services = st.sampled_from(("", *NAMES))
    maybe = services.map(MayHaveFailed) | st.builds(MayHaveCalled, services, st.sampled_from(NAMES))
    return combined(
        st.one_of(*[tests] * 2, *[units] * 4, states, streamed, maybe, *[root_causes()] * 3)
    )

"""What a share link may be used for: exactly the reads of its page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raymap.auth.permissions import Permission, required
from raymap.auth.share_grants import MapGrant, Requested, TraceGrant, permits

ID = "6926f00d" + "a" * 24
XRAY = "1-6926f00d-" + "a" * 24
TRACE = TraceGrant(ID)
WHOLE = MapGrant(1_700_000_000, 1_700_000_900)
NARROW = MapGrant(1_700_000_000, 1_700_000_900, "fault", account="111122223333")
WINDOW = [("from", "1700000000"), ("to", "1700000900")]
NARROWED = [*WINDOW, ("filter", "fault"), ("account", "111122223333")]
Query = list[tuple[str, str]]


def get(path: str, query: Query | None = None) -> Requested:
    return Requested("GET", path, query or [])


@pytest.mark.parametrize("id", [ID, XRAY, ID.upper()])
@pytest.mark.parametrize("path", ["/api/traces/{}", "/api/traces/{}/raw", "/api/v1/traces/{}/logs"])
def test_a_trace(id: str, path: str) -> None:
    """Under both forms of its id."""
    assert permits(TRACE, get(path.format(id)))
    assert not permits(WHOLE, get(path.format(id), WINDOW))


@pytest.mark.parametrize(
    "requested",
    [
        get(f"/api/traces/1-6926f00d-{'b' * 24}"),
        get(f"/api/v1/traces/1-6926f00d-{'b' * 24}/logs"),
        get(f"/api/traces/{XRAY}/typical"),  # another trace
        get(f"/api/traces/{XRAY}/otlp"),
        get(f"/api/traces/{XRAY}/"),
        get(f"/api/traces/{XRAY}/../1-6926f00d-{'b' * 24}"),
        get(f"/api/traces/{XRAY}", [("limit", "1")]),
        get("/api/traces"),
        get("/api/traces/figure"),
        get("/api/traces/differences"),
        get(f"/api/v1/traces/{XRAY}"),
        get(f"/jaeger/api/traces/{ID}"),
        get("/api/map", WINDOW),
        get("/api/status"),
        get("/auth/session"),
        get("/api/v1/alarms"),
        get("/api/v1/shares"),
        Requested("POST", "/api/v1/shares"),
        Requested("PUT", f"/api/traces/{XRAY}/pin"),
        Requested("POST", f"/api/traces/{XRAY}"),
        Requested("HEAD", f"/api/traces/{XRAY}"),
        Requested("POST", "/Traces"),
    ],
)
def test_beyond_a_trace(requested: Requested) -> None:
    assert not permits(TRACE, requested)


FILTERED = ["/api/map", "/api/nodes/n1", "/api/edges/n1/n2"]
UNFILTERED = ["/api/nodes/n1/metrics", "/api/v1/nodes/n1/versions"]


@pytest.mark.parametrize("path", FILTERED)
def test_a_map(path: str) -> None:
    """With its own words, in any order."""
    assert permits(WHOLE, get(path, WINDOW[::-1]))
    assert permits(NARROW, get(path, NARROWED[::-1]))
    assert not permits(WHOLE, get(path, NARROWED))
    assert not permits(NARROW, get(path, WINDOW))


def test_a_map_around_a_node() -> None:
    assert permits(NARROW, get("/api/map/focus", [*NARROWED, ("node", "n1"), ("hops", "2")]))
    assert permits(NARROW, get("/api/map", [*NARROWED, ("fold", "true")]))
    assert not permits(NARROW, get("/api/map/focus", [*WINDOW, ("node", "n1"), ("hops", "2")]))
    assert not permits(WHOLE, get("/api/map", [*WINDOW, ("node", "n1")]))


@pytest.mark.parametrize("path", UNFILTERED)
def test_reads_that_take_no_filter(path: str) -> None:
    """Part of the map of all traces; of a narrowed one they would show more than it has."""
    assert permits(WHOLE, get(path, WINDOW))
    assert not permits(NARROW, get(path, WINDOW))
    assert not permits(NARROW, get(path, NARROWED))


def test_a_search_for_services() -> None:
    words = [*WINDOW, ("q", "pay"), ("limit", "50")]
    assert permits(WHOLE, get("/api/services", words))
    assert not permits(NARROW, get("/api/services", words))


@pytest.mark.parametrize(
    "query",
    [
        [],
        WINDOW[:1],
        [("from", "1700000000"), ("to", "1700000901")],
        [("from", "1700000000.0"), ("to", "1700000900")],
        [*WINDOW, ("to", "1700000901")],
        [*WINDOW, ("to", "1700000900")],
        [*WINDOW, ("filter", "")],
        [*WINDOW, ("account", "1")],
        [*WINDOW, ("unknown", "1")],
        [("From", "1700000000"), ("to", "1700000900")],
    ],
)
def test_other_windows(query: Query) -> None:
    for path in (*FILTERED, *UNFILTERED):
        assert not permits(WHOLE, get(path, query))


WORDS = st.text(max_size=12)
REQUESTS = st.builds(
    Requested,
    st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD"]),
    st.sampled_from(
        [*FILTERED, *UNFILTERED, "/api/services", "/api/map/focus", "/api/traces", "/api/status"]
    )
    | st.builds("/api/traces/{}{}".format, st.sampled_from([ID, XRAY, "b" * 32]), WORDS)
    | st.builds("/{}".format, WORDS),
    st.lists(
        st.sampled_from([*NARROWED, ("node", "n1"), ("q", "a")]) | st.tuples(WORDS, WORDS),
        max_size=6,
    ),
)


@given(REQUESTS)
def test_whatever_is_permitted_is_its_own(requested: Requested) -> None:
    """No request that a link permits writes, or names another trace, window, filter or place."""
    given_words = dict(requested.query)
    for grant in (TRACE, WHOLE, NARROW):
        if not permits(grant, requested):
            continue
        assert requested.method == "GET"
        assert required(requested.method, requested.path) is Permission.READ
        if isinstance(grant, TraceGrant):
            assert ID in requested.path or XRAY in requested.path
            assert not requested.query
        else:
            assert grant.words().items() <= given_words.items()
            assert given_words.keys() - grant.words().keys() <= {"node", "hops", "q", "limit"}


def test_in_words() -> None:
    assert str(TRACE) == f"trace {XRAY}"
    assert str(WHOLE) == "map from=1700000000 to=1700000900"
    assert str(NARROW).endswith("filter=fault account=111122223333")

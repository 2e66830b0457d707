"""What documents alone decide is what the whole trace says."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.filters import evaluate
from store.filters.evaluate import matches
from store.filters.parse import parse
from store.filters.settled import settled
from store.memory import MemoryStore
from store.model import Document, Fetched, Kind, Trace
from tests.builders import call, segment, trace_id
from tests.store.filters.strategies import enriched, expressions
from tests.store.test_agreement import deliveries


def without_calls(trace: Trace) -> Trace:
    return msgspec.structs.replace(trace, calls={}, links={}, caused=frozenset())


@pytest.mark.slow
@given(batches=deliveries(), data=st.data())
def test_settled_agrees(batches: list[list[Document]], data: st.DataObject) -> None:
    memory = MemoryStore()
    for number, batch in enumerate(batches):
        memory.put([data.draw(enriched(document)) for document in batch], str(number))
    ids = {data.trace_id for batch in batches for data in batch}
    filters = data.draw(st.lists(expressions(), min_size=6, max_size=6))
    for trace in memory.get_traces(sorted({*ids, *map(trace_id, range(4))})).values():
        for filter in filters:
            verdict = settled(without_calls(trace), filter)
            assert verdict in (None, matches(trace, filter)), filter


def test_what_is_settled() -> None:
    """Segments decide about the entry, annotations and their own nodes; not about calls."""
    trace = Trace(
        trace_id(1), {1: segment(1, name="api", user="ann", calls=(call(2),))}, {}, 0, 0, {}
    )
    verdicts = Counter(
        settled(trace, parse(text))
        for text in ("ok", 'service("api")', 'user = "ann"', 'ok AND service("api") { ok }')
    )
    assert verdicts == {True: 4}
    assert settled(trace, parse('fault AND service("backend.example.com")')) is False
    assert settled(trace, parse('service("backend.example.com")')) is None
    assert settled(trace, parse('!edge("api", "backend.example.com")')) is None


def test_a_segment_settles_that_its_node_occurs_without_any_unit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Units take most of the time of judging a page."""
    server = segment(1, name="api", kind=Kind.SERVER)
    documents = {1: server, 2: segment(2, name="job", parent_id=1)}
    trace = Trace(trace_id(1), documents, {}, 0, 0, {})
    monkeypatch.setattr(evaluate, "trace_filter_units", None)
    assert settled(trace, parse('service("api") AND service("job")')) is True
    inner = segment(3, name="api", kind=Kind.SERVER, parent_id=1)
    fetching = segment(4, name="worker", fetched=Fetched.UNSEEN)
    for name, odd in (("api", {1: server, 3: inner}), ("worker", {4: fetching})):
        with pytest.raises(TypeError):
            settled(Trace(trace_id(1), odd, {}, 0, 0, {}), parse(f'service("{name}")'))

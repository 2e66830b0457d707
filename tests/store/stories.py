"""Traces as OpenTelemetry's and Zipkin's senders make them, as a Hypothesis strategy: what chance alone would not put
together of single documents.

Requests that go through sidecars, servers that share their client's id, calls within calls, messages below what sent
them or in a trace of their own, batches that one span fetches and others process, jobs. Then some of a story's spans
are lost, last longer or begin later than what they are in, or are of a service that is not expected there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from store.model import (
    NO_HTTP,
    NO_NODE,
    Call,
    Document,
    Fetched,
    Http,
    Independent,
    Kind,
    Link,
    NodeKey,
    State,
)
from store.otel.derived_ids import shared_server_id
from store.times import MINUTE, SECOND
from tests.builders import T0, call, segment, subsegment, trace_id

FIRST_ID = 0x100
"""Above the ids that other documents have."""
MOST_SPANS = 40
"""Of one story."""
QUEUES = (NodeKey("", "orders", "Messaging::Kafka"), NodeKey("", "other", "Messaging::Kafka"))
PLACES = (
    NodeKey("", "table", "remote"),
    NodeKey("", "host.example.com", "remote"),
    NodeKey("", "localhost:3500 (web)", "remote"),
    NodeKey("", "pg", "Database::SQL"),
    NodeKey("", "sqlite", "Database::SQL"),
    NodeKey("", "table", "AWS::DynamoDB::Table"),
    NodeKey("", "m", "GenAI::Model"),
    NO_NODE,
)
KINDS_OF_CALLS = (Kind.CLIENT, Kind.PRODUCER)
JOBS = st.sampled_from((Kind.INTERNAL, Kind.CLIENT, Kind.PRODUCER))
OPERATIONS = st.sampled_from(("", "GET /", "web:80/*", "web:80/*"))
STATES = st.sampled_from((*State, State.OK, State.OK))


class Story:
    """The spans of a few traces. Each lies within the one above it, but for some."""

    def __init__(self, draw: st.DrawFn, number: int, weights: Sequence[int]) -> None:
        self.draw = draw
        self.documents: list[Document] = []
        self.first = FIRST_ID + number * MOST_SPANS
        self.weights = st.sampled_from(weights)
        self.trace = trace_id(draw(st.integers(1, 3)))
        offset = draw(st.sampled_from((0, 3 * SECOND, 50 * SECOND, 58 * SECOND, 3 * MINUTE)))
        self.times = {0: (T0 + offset, T0 + offset + 8 * SECOND)}
        """When each span began and ended."""

    def span(
        self,
        kind: Kind,
        service: str,
        parent: int,
        node: NodeKey | None = None,
        *,
        id: int = 0,
        **given: Any,
    ) -> int:
        """Add a span, which calls a node if one is given; its id."""
        id = id or self.first + len(self.documents)
        state = self.draw(STATES)
        figures = {"state": state, "weight": self.draw(self.weights), **self._within(id, parent)}
        named = NodeKey("", service, "")
        if self.draw(st.integers(0, 11)) == 0:
            named = named._replace(name=self.draw(st.sampled_from(("front", "shop/web"))))
        given = {"trace_id": self.trace, "node": named, "service": service, "kind": kind, **given}
        given["operation"] = self.draw(OPERATIONS)
        if node is not None:
            method = self.draw(st.sampled_from(("", "GET")))
            given["http"] = Http(method, "", self.draw(st.sampled_from((0, 0, 429))))
            # The call of a span that is a segment has an id of its own.
            own = id if parent and kind in KINDS_OF_CALLS else id + 0x1000
            given["calls"] = (_call(own, node, figures, given["http"]),)
        if not parent or kind in (Kind.SERVER, Kind.CONSUMER):
            self.documents.append(segment(id, parent_id=parent, **figures, **given))
        else:
            independent = Independent.OF_SENDER
            if self.draw(st.integers(0, 5)) == 0:
                independent = Independent.OF_PROCESS
            made = subsegment(id, parent, independent=independent, **figures, **given)
            self.documents.append(made)
        return id

    def _within(self, id: int, parent: int) -> dict[str, int]:
        start, end = self.times[parent]
        change = self.draw(st.sampled_from(("", "", "", "", "", "at once", "longer", "later")))
        inset = 0 if change == "at once" else max(0, min(40_000, (end - start) // 5))
        start, end = start + inset, end - inset
        if change == "longer":
            end += 2 * SECOND
        if change == "later":
            start, end = end + SECOND, end + 2 * SECOND
        self.times[id] = start, end
        return {"start": start, "end": end}

    def place(self) -> NodeKey:
        """Where a call leads."""
        return self.draw(st.sampled_from(PLACES))

    def some(self, most: int) -> range:
        """A few times, at least once."""
        return range(self.draw(st.integers(1, most)))

    def may(self) -> bool:
        return self.draw(st.booleans())

    def mostly(self) -> bool:
        return self.draw(st.integers(0, 3)) > 0


def _call(id: int, node: NodeKey, figures: dict[str, Any], http: Http) -> Call:
    return call(id, node=node, service=node.name, host=node.name, status=http.status, **figures)


def sidecars(s: Story) -> None:
    """A request or a message through one proxy or two, each of which reports what the application does."""
    parent = s.span(Kind.SERVER, "front", 0)
    for _ in s.some(2):
        parent = s.span(Kind.CLIENT, "front", parent, NodeKey("", "table", "remote"))
    delivers = s.draw(st.integers(0, 2)) == 0
    for number, _ in enumerate(s.some(3)):
        kind = Kind.CONSUMER if delivers and not number else Kind.SERVER
        parent = s.span(kind, "web", parent)
    s.span(Kind.CLIENT, "web", parent, s.place())


def shared_ids(s: Story) -> None:
    """A server that has its client's id, with work that names that id."""
    sent = s.span(Kind.CLIENT, "front", s.span(Kind.SERVER, "front", 0), s.place())
    s.span(Kind.SERVER, "web", sent, id=shared_server_id(s.trace, sent))
    parent = sent
    for _ in s.some(2):
        parent = s.span(Kind.INTERNAL, "web", parent)
        s.span(Kind.CLIENT, "web", parent, s.place())
    s.span(Kind.CLIENT, "web", sent, s.place())
    if s.may():  # behind a sidecar
        s.span(Kind.SERVER, "web", sent)


def nested_calls(s: Story) -> None:
    """Calls within calls, with local work or what names nothing between, some answered."""
    outer = s.span(Kind.SERVER, "web", 0)
    for _ in s.some(3):
        if s.draw(st.integers(0, 3)) == 0:
            outer = s.span(Kind.INTERNAL, "web", outer)
        node = s.place()
        for _ in s.some(2):
            id = s.span(Kind.CLIENT, "web", outer, node if s.may() else s.place())
            for _ in range(s.draw(st.sampled_from((0, 0, 1, 1, 2)))):
                s.span(Kind.SERVER, s.draw(st.sampled_from(("table", "pay", "web"))), id)
        outer = id


def messages(s: Story) -> None:
    """Messages that consumers get below what sent them, or in another trace by a link."""
    at = s.span(Kind.SERVER, "front", 0)
    for _ in s.some(2):
        sent = s.span(Kind.PRODUCER, "front", at, s.draw(st.sampled_from((*QUEUES, NO_NODE))))
        _consume(s, sent, [sent])


def batches(s: Story) -> None:
    """Messages that one span fetches together and others process, each in a span, or it does so itself."""
    at = s.span(Kind.SERVER, "front", 0)
    sent = [s.span(Kind.PRODUCER, "front", at, QUEUES[0]) for _ in s.some(3)]
    _consume(s, 0, sent)


def _consume(s: Story, below: int, sent: Sequence[int]) -> None:
    trace, before = s.trace, s.draw(st.sampled_from((QUEUES[0], QUEUES[0], QUEUES[1], NO_NODE)))
    links = [Link(trace, each, True, 0, s.draw(s.weights)) for each in sent]
    about: dict[str, Any] = {"before": before}
    if not below or not s.mostly():
        s.trace, below = trace_id(s.draw(st.integers(1, 3))), 0
    if not below or not s.mostly():
        kind = s.draw(st.sampled_from((Kind.CONSUMER, Kind.CLIENT, Kind.INTERNAL)))
        fetched = s.draw(st.sampled_from((Fetched.MESSAGES, Fetched.MESSAGES, Fetched.UNSEEN)))
        named = tuple(links) if fetched is Fetched.MESSAGES else ()
        if kind is not Kind.CONSUMER:
            below = 0
        below = s.span(kind, "worker", below, fetched=fetched, links=named, **about)
    for each in links if s.mostly() else ():
        linked = (each,) if s.mostly() else ()
        id = s.span(Kind.CONSUMER, "worker", below, links=linked, **about)
        s.span(Kind.CLIENT, "worker", id, s.place())
    s.trace = trace


def jobs(s: Story) -> None:
    """Work that serves no request, and what it calls."""
    kind = s.draw(JOBS)
    job = s.span(kind, "job", 0, s.place() if kind in KINDS_OF_CALLS else None)
    for _ in s.some(3):
        id = s.span(Kind.CLIENT, "job", job, s.place())
        if s.may():
            s.span(Kind.SERVER, "web", id, http=NO_HTTP)


SHAPES: tuple[Callable[[Story], None], ...] = (
    sidecars, shared_ids, nested_calls, nested_calls, messages, messages, batches, batches, jobs,
)  # fmt: skip


@st.composite
def stories(draw: st.DrawFn, number: int, weights: Sequence[int]) -> list[Document]:
    """The documents of a story, of which some were lost. Stories with other numbers have other ids."""
    story = Story(draw, number, weights)
    draw(st.sampled_from(SHAPES))(story)
    lost = draw(st.sets(st.integers(0, 2 * MOST_SPANS), max_size=2))
    return [each for at, each in enumerate(story.documents) if at not in lost]

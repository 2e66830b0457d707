"""The words: what a segment document says, flattened, and what a service graph is made of.

Times are integer microseconds since the epoch, lengths integer microseconds. Ids of segments and
subsegments are the 64-bit number their 16 hex digits spell; 0 means none.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from msgspec import Struct

MINUTE = 60_000_000
"""Microseconds in a minute."""


class State(IntEnum):
    """How a finished unit of work ended. The numbers are what the store writes."""

    IN_PROGRESS = 0
    OK = 1
    ERROR = 2
    THROTTLE = 3
    FAULT = 4


class NodeKey(NamedTuple):
    """What makes a node of the map: two units with equal keys are work of one node."""

    account: str
    name: str
    type: str

    @property
    def is_client(self) -> bool:
        """Whether the node stands for the callers outside."""
        return self.type.startswith("client")


def client_of(root: NodeKey) -> NodeKey:
    """The client node in front of an entry service (docs/xray-format.md §5.3)."""
    return NodeKey("", root.name, "client")


class TimeRange(NamedTuple):
    """A half-open window ``[start, end)``, microseconds since the epoch."""

    start: int
    end: int

    def __contains__(self, instant: object) -> bool:
        return isinstance(instant, int) and self.start <= instant < self.end

    @property
    def minutes(self) -> float:
        """Its length in minutes."""
        return (self.end - self.start) / MINUTE


class Http(Struct, frozen=True, gc=False):
    """What a segment's ``http`` block says; empty text and 0 mean unknown."""

    method: str = ""
    url: str = ""
    status: int = 0
    client_ip: str = ""
    user_agent: str = ""


NO_HTTP = Http()


class Call(Struct, frozen=True, gc=False):
    """A subsegment that leaves its service (namespace ``aws`` or ``remote``): a caller's view.

    ``node`` is where it leads when nobody answers: the inferred node. ``service`` is the canonical
    name of the service called (``DynamoDB``), ``host`` the name the caller knew it by.
    ``in_progress`` calls have ``end == start``. ``weight`` is that of the document it came in.
    """

    id: int
    start: int
    end: int
    state: State
    node: NodeKey
    service: str
    host: str = ""
    status: int = 0
    traced: bool = False
    exception: str = ""
    weight: int = 1


class Link(Struct, frozen=True, gc=False):
    """A join of two traces (docs/xray-format.md §2.9): ``trace_id`` and ``id`` name the other end.

    ``upstream``: the other end caused this one, as a producer's message a consumer's work.
    ``received``: when the event was received (microseconds), 0 when nobody says. ``weight`` is that
    of the document it came in.
    """

    trace_id: bytes
    id: int
    upstream: bool = True
    received: int = 0
    weight: int = 1


class Document(Struct, frozen=True, gc=False):
    """One received segment document, flattened: a segment, or an independent subsegment.

    ``calls`` are the subsegments embedded in it (and the document itself, when it is an independent
    subsegment) that leave the service, ``members`` the ids of those that do not; documents stored by
    earlier versions may list their calls there as well.
    ``last_end`` is the end of the last work inside, which may come after ``end``.
    ``annotations`` are items as ``annotation_item`` writes them. ``raw`` is what arrived, verbatim.
    ``version`` grows with arrival: of two documents with one id, `precedence` says which one holds.
    What is not ``sampled`` counts on the map and is no trace: its sender counted it only (``T1U``).
    ``weight``: how many the map counts it as, for those that its sender sampled away
    (`store.otel.adjusted_count`).
    """

    trace_id: bytes
    id: int
    parent_id: int
    independent: bool
    inferred: bool
    start: int
    end: int
    last_end: int
    state: State
    node: NodeKey
    service: str
    http: Http = NO_HTTP
    user: str = ""
    resource_arn: str = ""
    instance_id: str = ""
    availability_zone: str = ""
    exception: str = ""
    annotations: tuple[str, ...] = ()
    members: tuple[int, ...] = ()
    calls: tuple[Call, ...] = ()
    raw: bytes = b""
    version: int = 0
    sampled: bool = True
    links: tuple[Link, ...] = ()
    weight: int = 1

    @property
    def in_progress(self) -> bool:
        return self.state == State.IN_PROGRESS


COMPLETE = 1 << 62
"""Added to the version of what is complete, so that it beats anything in progress."""


def precedence(state: State, version: int) -> int:
    """What the greater of wins among copies with one id.

    Complete beats in progress whatever the order of arrival, then the last arrival wins
    (docs/xray-format.md §3.2). The store writes this number as ``ver``.
    """
    return version if state == State.IN_PROGRESS else version + COMPLETE


class Statistics(Struct, gc=False):
    """Counts of finished units by state, their total time, and a histogram of their times.

    ``histogram`` maps `store.rules.histogram.bucket` of the time to a count.
    Every unit counts as often as it weighs; ``observed`` are the units themselves, those in progress
    among them. Where it is less than the counts, these are an estimate.
    Statistics add: any order of merging gives the same sum.
    """

    ok: int = 0
    error: int = 0
    throttle: int = 0
    fault: int = 0
    in_progress: int = 0
    total_time: int = 0
    histogram: dict[int, int] = {}
    observed: int = 0

    @property
    def total(self) -> int:
        """Finished units."""
        return self.ok + self.error + self.throttle + self.fault


class ServiceStats(Struct, gc=False):
    """A node of the map over a window.

    ``active``: some unit reported itself (else it is inferred). ``root``: some unit entered here.
    ``trace_minutes``: distinct (minute, trace) pairs, so traces per minute = trace_minutes / minutes. A pair
    counts as often as the lightest of its units weighs: spans of one trace may be sampled differently,
    and the trace stands for no more others than the one that was kept most easily.
    ``durations`` is the histogram of whole durations, work after the answer included.
    """

    key: NodeKey
    names: frozenset[str]
    active: bool
    root: bool
    start: int
    end: int
    trace_minutes: int
    statistics: Statistics
    durations: dict[int, int]


class EdgeStats(Struct, gc=False):
    """A caller's view of its calls to one node over a window. ``aliases``: names it used.

    Of a ``link`` edge the units are received events, counted by how the receiver fared, and times
    are ages: from the end of what sent the event to its receipt.
    """

    source: NodeKey
    target: NodeKey
    aliases: frozenset[str]
    start: int
    end: int
    statistics: Statistics
    link: bool = False


class ServiceGraph(Struct, gc=False):
    """Services and edges over a window; every end of an edge is among the services.

    ``links`` are edges between traces, apart: a pair of nodes may have both.
    """

    services: dict[NodeKey, ServiceStats]
    edges: dict[tuple[NodeKey, NodeKey], EdgeStats]
    links: dict[tuple[NodeKey, NodeKey], EdgeStats] = {}


class OwnedCall(Struct, frozen=True, gc=False):
    """A call and the document it came in: ``node`` is that document's, when it is a segment."""

    call: Call
    document_id: int
    independent: bool
    node: NodeKey
    version: int


class OwnedLink(Struct, frozen=True, gc=False):
    """A link and the document it came in: ``node`` is that document's, when it is a segment."""

    link: Link
    document_id: int
    independent: bool
    node: NodeKey
    start: int
    end: int
    state: State
    label: str
    version: int

    @property
    def key(self) -> tuple[int, bytes, int, bool]:
        """What two copies of one link share."""
        return self.document_id, self.link.trace_id, self.link.id, self.link.upstream


class Trace(Struct, gc=False):
    """Everything kept of one trace: the document that holds for each id, and how it came to be.

    ``documents`` by id; ``calls`` by call id, with the id of the document that carries each: read
    calls here, for `Document.calls` is how they travel in and is not promised on the way out. A call
    once reported stays, though a later copy of its document may leave it out (SDKs stream).
    ``updated`` is the last arrival (microseconds), ``revision`` the number of documents received.
    """

    trace_id: bytes
    documents: Mapping[int, Document]
    calls: Mapping[int, OwnedCall]
    updated: int
    revision: int
    links: Mapping[tuple[int, bytes, int, bool], OwnedLink] = {}

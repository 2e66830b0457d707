"""The domain model: flattened segment documents, and the traces and nodes they belong to.

Times are integer microseconds since the epoch, durations integer microseconds. Ids of segments and
subsegments are the 64-bit number that their 16 hex digits spell; 0 means none.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from msgspec import Struct

from store.times import MINUTE


class State(IntEnum):
    """The outcome of a unit of work. The numbers are stored."""

    IN_PROGRESS = 0
    OK = 1
    ERROR = 2
    THROTTLE = 3
    FAULT = 4

    @property
    def ended(self) -> bool:
        """Whether it is that of work that has ended, so that its time counts."""
        return self is not State.IN_PROGRESS


class Independent(IntEnum):
    """Whether a document is a segment, and if not, whose work it is. The numbers are stored."""

    NO = 0
    """A segment: the work of its node."""
    OF_PARENT = 1
    """A subsegment by itself, as X-Ray's SDKs stream them: the work of its parent's segment."""
    OF_SENDER = 2
    """The like of a span that names its service: the work of that node, wherever its parent is."""
    OF_PROCESS = 3
    """Such a span whose parent is known to be in the same process, and so of the same service."""


class Kind(IntEnum):
    """OpenTelemetry's kind of a span; of a document of X-Ray none, but of a Lambda function's segment
    (`store.rules.invocations.kind_of`). The numbers are OTLP's, and stored."""

    NONE = 0
    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class Fetched(IntEnum):
    """What a span fetched from a broker for other spans to process. The numbers are stored."""

    NO = 0
    """It is no such span."""
    UNSEEN = 1
    """Nothing, or messages that it does not name: no unit of work."""
    MESSAGES = 2
    """Messages: a unit, unless a CONSUMER span of its service below it is."""


CLIENT = "client"
"""Begins the type of a node that stands for callers outside the traced system."""


class NodeKey(NamedTuple):
    """The identity of a node: units with equal keys belong to one node of the map.

    Account and region are '' where unknown, and of clients.
    """

    account: str
    name: str
    type: str
    region: str = ""

    @property
    def is_client(self) -> bool:
        """Whether the node stands for callers outside the traced system."""
        return self.type.startswith(CLIENT)


NO_NODE = NodeKey("", "", "")
"""In place of a node: there is none."""
SYNTHETICS_AGENT = "CloudWatchSynthetics"
"""Part of the user agent of a CloudWatch Synthetics canary."""
UNCONFIRMED = "unconfirmed "
"""Begins the account of a node in front of a root that names a parent or a cause in another trace that has
not arrived (yet), or of a function whose event may yet be known; the number of the `SETTLE_SLOT` in which that arrived
follows, and the node's account, if it has one.
Only in units and in aggregates of them: a service graph has these merged into the node, or dropped as premature."""
SETTLE_SLOT = 10_000_000
"""Resolution of when such roots arrived, microseconds."""
JOIN_SLOTS = 3
"""By how many of them a root is taken to arrive later that is joined to its caller or its event afterwards."""


BACKGROUND_KINDS = (Kind.INTERNAL, Kind.CLIENT, Kind.PRODUCER)
"""Spans of these kinds that have no parent are work that serves no request: jobs, start-up, timers."""


def client_type(
    user_agent: str,
    kind: Kind = Kind.NONE,
    *,
    has_parent: bool = True,
    has_queue: bool = False,
) -> str:
    """The type of the client that sent a request (docs/xray-format.md §5.3); '' of work that serves none, or a
    message of a queue."""
    if has_queue or (kind in BACKGROUND_KINDS and not has_parent):
        return ""
    return "client::Synthetics" if SYNTHETICS_AGENT in user_agent else "client"


def client_of(root: NodeKey, type: str = "client") -> NodeKey:
    """The client node in front of an entry service."""
    return NodeKey("", root.name, type)


def unconfirmed(node: NodeKey, slot: int) -> NodeKey:
    """The node in front of a root whose parent or cause has not arrived (yet), or of a function whose event has not.
    ``slot``: `settle_slot` of that."""
    account = f" {node.account}" if node.account else ""
    return node._replace(account=f"{UNCONFIRMED}{slot}{account}")


def confirmed(node: NodeKey) -> NodeKey:
    """The node of a graph that a unit's node stands for."""
    if not is_unconfirmed(node):
        return node
    return node._replace(account=node.account.removeprefix(UNCONFIRMED).partition(" ")[2])


def is_unconfirmed(node: NodeKey) -> bool:
    """Whether a unit's node is `unconfirmed`."""
    return node.account.startswith(UNCONFIRMED)


def settle_slot(start: int, version: int, *, joined: bool = False) -> int:
    """The `SETTLE_SLOT` in which a document arrived, by its version: what it waits for arrives about then, however long
    its work took and however late it was delivered. Not before it began (microseconds), by the clock of its sender.
    ``joined``: what it waits for is also to be joined to it."""
    return max(start, arrival_of(version)) // SETTLE_SLOT + (JOIN_SLOTS if joined else 0)


def is_settled(client: NodeKey, settled_before: int | None) -> bool:
    """Whether a call from what is in front of a root, or of a function, is drawn.

    Not if the parent of the root, or the event of the function, is unknown and it arrived in or after the slot of
    ``settled_before``: a child is often stored before its parent. None: every call is.
    """
    if settled_before is None or not is_unconfirmed(client):
        return True
    return waiting_slot(client) < settled_before // SETTLE_SLOT


def waiting_slot(client: NodeKey) -> int:
    """The `SETTLE_SLOT` in which that arrived which an unconfirmed node is in front of."""
    return int(client.account.removeprefix(UNCONFIRMED).partition(" ")[0])


def is_young(start: int, settled_before: int | None) -> bool:
    """Whether documents above what began at ``start`` may still arrive: it began in or after the slot of
    ``settled_before``. None: nothing is young."""
    return settled_before is not None and start // SETTLE_SLOT >= settled_before // SETTLE_SLOT


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
    """A segment's ``http`` block; empty text and 0 mean unknown."""

    method: str = ""
    url: str = ""
    status: int = 0
    client_ip: str = ""
    user_agent: str = ""


NO_HTTP = Http()


class Call(Struct, frozen=True, gc=False):
    """A subsegment that leaves its service (namespace ``aws`` or ``remote``): the caller's view.

    ``node`` is the inferred node, where the call leads when no segment answers it. ``service`` is
    the canonical name of the service called (``DynamoDB``), ``host`` the name by which the caller
    knew it. Calls in progress have ``end == start``. ``weight`` is that of the document, ``operation`` what was called
    (`store.rules.operations`).
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
    operation: str = ""


class Link(Struct, frozen=True, gc=False):
    """A join of two traces (docs/xray-format.md §2.9): ``trace_id`` and ``id`` name the other end.

    ``upstream``: the other end caused this one, as a producer's message caused a consumer's work.
    ``received``: when the event was received (microseconds), 0 if unknown. ``weight`` is that of
    the document.
    """

    trace_id: bytes
    id: int
    upstream: bool = True
    received: int = 0
    weight: int = 1


class Document(Struct, frozen=True, gc=False):
    """One received segment document, flattened: a segment, or an independent subsegment.

    ``calls`` are the embedded subsegments that leave the service (and the document itself, if it is
    an independent subsegment that does); ``members`` are the ids of all others. ``node`` is that of
    the service, but of an `Independent.OF_PARENT` what it calls, or its name. ``last_end`` is the
    end of the last work inside, which may be later than ``end``. ``annotations`` are items as
    `store.rules.annotations.annotation_item` writes them. ``raw`` is the document as received.
    ``version`` grows with arrival; `precedence` decides between documents with one id. A document
    that is not ``sampled`` counts on the map without being part of a trace (``T1U``). ``weight``:
    how many units the map counts it as, to account for sampling at the sender
    (`store.otel.adjusted_count`). ``service_version`` and ``environment``: what was deployed where
    (`store.rules.deployed`); '' if unknown. ``before``: the node that a segment names as
    what is in front of it: what called a SERVER span, the broker of any other's messages.
    ``operation``: what it did (`store.rules.operations`).
    """

    trace_id: bytes
    id: int
    parent_id: int
    independent: Independent | bool
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
    service_version: str = ""
    environment: str = ""
    kind: Kind = Kind.NONE
    before: NodeKey = NO_NODE
    fetched: Fetched = Fetched.NO
    operation: str = ""

    @property
    def owner(self) -> NodeKey | None:
        """The node whose work it is; None where its parent's segment knows."""
        return None if self.independent == Independent.OF_PARENT else self.node

    @property
    def queue(self) -> NodeKey:
        """The broker whose messages it got, `NO_NODE` if it names none."""
        return NO_NODE if self.kind is Kind.SERVER else self.before

    @property
    def caller(self) -> NodeKey:
        """What it names as its caller, `NO_NODE` if it names none."""
        return self.before if self.kind is Kind.SERVER else NO_NODE

    @property
    def in_progress(self) -> bool:
        return self.state == State.IN_PROGRESS


COMPLETE = 1 << 62
"""Added to the version of a complete document, so that it wins over any in progress."""
_RANK_SHIFT = 54
"""Versions are below 2**54 microseconds until the year 2540."""
MAX_RANK = 63
_RELAYED = 1 << _RANK_SHIFT
_DERIVED = (MAX_RANK + 2) << _RANK_SHIFT
"""So that the greatest rank is below relayed copies."""
_PART = 1 << 61
ARRIVAL = (1 << _RANK_SHIFT) - 1
"""The bits of a version that say when its document arrived (`arrival_of`)."""


def derived_version(version: int, rank: int) -> int:
    """The version of a complete document that was derived from other records
    (`store.rules.invocations`), not reported as such.

    It wins over any copy in progress and loses to every complete copy that was reported or relayed, whichever
    arrived first. Among derived copies the greater rank (0 to `MAX_RANK`) wins, then the later arrival.
    """
    return version - _DERIVED + (rank << _RANK_SHIFT)


def part_version(version: int) -> int:
    """The version of a complete document whose sender may report it once more, in full.

    It wins over any copy in progress and loses to every other complete one, whichever arrived first;
    of several the latest arrival wins.
    """
    return version - _PART


def relayed_version(version: int) -> int:
    """The version of a complete document that reached a third party first, which converted it and passed it on
    (`store.otel.aws_spans`).

    It loses to every complete copy that its sender reported here, and wins over one that was derived,
    whichever arrived first; of several the latest arrival wins.
    """
    return version - _RELAYED


def arrival_of(version: int) -> int:
    """Microseconds since the epoch at which a document with this version arrived."""
    return version & ARRIVAL


def is_relayed(version: int) -> bool:
    """Whether the version is a `relayed_version`."""
    return -_RELAYED <= version < 0


def is_derived(version: int) -> bool:
    """Whether the version is a `derived_version`."""
    return -_DERIVED <= version < -_RELAYED


def precedence(state: State, version: int) -> int:
    """The copy of a document with the greatest precedence wins.

    A complete one wins over one in progress in any order of arrival, then the latest arrival wins
    (docs/xray-format.md §3.2); a derived one loses to any other complete one. Stored as column
    ``ver``.
    """
    return version if state == State.IN_PROGRESS else version + COMPLETE


def version_of(state: State, precedence: int) -> int:
    """The inverse of `precedence`."""
    return precedence if state == State.IN_PROGRESS else precedence - COMPLETE


class OwnedCall(Struct, frozen=True, gc=False):
    """A call with the document that carries it, and the node of that."""

    call: Call
    document_id: int
    independent: Independent | bool
    node: NodeKey
    version: int

    @property
    def owner(self) -> NodeKey | None:
        """The node that calls; None where the parent's segment knows."""
        return None if self.independent == Independent.OF_PARENT else self.node


class OwnedLink(Struct, frozen=True, gc=False):
    """A link with the document that carries it, and the node of that."""

    link: Link
    document_id: int
    independent: Independent | bool
    node: NodeKey
    start: int
    end: int
    state: State
    label: str
    version: int

    @property
    def owner(self) -> NodeKey | None:
        """The node that the link is of; None where the parent's segment knows."""
        return None if self.independent == Independent.OF_PARENT else self.node

    @property
    def key(self) -> tuple[int, bytes, int, bool]:
        """Equal for copies of one link."""
        return self.document_id, self.link.trace_id, self.link.id, self.link.upstream


class Trace(Struct, gc=False):
    """All that is stored of one trace.

    ``documents``: the winning document for each id. ``calls`` by call id, with the document that
    carries each; read them here, because `Document.calls` is not filled on reading. A call once
    reported stays when a later copy of its document leaves it out (SDKs stream subsegments); links
    are those of the winning documents.
    ``updated`` is the latest arrival (microseconds), ``revision`` the number of documents received.
    ``caused``: the documents whose cause in another trace was known when the trace was read
    (`store.facts.caused_documents`).
    """

    trace_id: bytes
    documents: Mapping[int, Document]
    calls: Mapping[int, OwnedCall]
    updated: int
    revision: int
    links: Mapping[tuple[int, bytes, int, bool], OwnedLink] = {}
    caused: frozenset[int] = frozenset()

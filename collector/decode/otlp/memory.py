"""Cases and attributes that this process has seen, within bounds.

Tables are only added to; where one would exceed its bound, a new one takes its place, and a thread
that uses the old one is not disturbed. So several threads can decode at once without locks.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from operator import itemgetter

from google.protobuf.message import DecodeError
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.decode.otlp.attribute_table import MAX_BYTES, Attribute, AttributeTable, Sort, Sorts
from collector.decode.otlp.cases import OWN_FIELDS, Case, Judgement, judge
from collector.decode.otlp.cut import MAX_PIECES, Heads, Rests
from store.otel.resource import Resource
from store.otel.span_facts import MAX_ANNOTATIONS, NAMED_ANNOTATIONS

MAX_CASES = 65_536
"""Cases before all are forgotten."""
MAX_SORTS = 16_384
"""Patterns, sorts of attributes and resources: each, before all are forgotten."""
MAX_ONCE = 2 * MAX_CASES
"""Spans that have been seen once, as what their cases would be known by, before these are forgotten."""
MAX_TEXT = 256
"""Characters of a name, a status message or an exception's name on which a case may depend."""
MAX_ATTRIBUTES = MAX_PIECES
"""Attributes of a span with a case."""
MAX_RESOURCE = 1000
"""Characters of a resource on which a case may depend."""
_RESOURCE_FIELDS = tuple(
    field for field in Resource.__struct_fields__ if field not in (*OWN_FIELDS, "attributes")
)
Key = tuple[tuple[object, ...], str, tuple[Attribute, ...]]
"""What a case is known by: what cases differ in beside attributes and name, the name, and the attributes on which
the pattern depends."""

_SHARE_OF, _MOST = 256, 0.6
"""Walked spans of a resource after which it is decided whether walking pays, and the share of spans
decoded one by one from which on it does not."""
_PAUSE, _LONGEST_PAUSE = 512, 4096
"""Spans of such a resource that are decoded one by one before walking is tried again; twice as many each time."""


class Pattern:
    """Spans whose attributes have the same sorts in the same order, and their cases.

    Not changed once it is in use, but for its cases: a pattern that turns out to depend on more is
    replaced.
    """

    __slots__ = (
        "cases",
        "count",
        "follows",
        "items",
        "ordinary",
        "pick",
        "pinned",
        "places",
        "reads_name",
    )

    def __init__(
        self, sorts: Sequence[Sort], pinned: Iterable[int] = (), reads_name: bool = False
    ) -> None:
        keys = [sort.key for sort in sorts]
        self.count = len(keys)
        self.places = {key: place for place, key in enumerate(keys)}
        self.items = [place for place, sort in enumerate(sorts) if sort.indexed]
        self.follows = bool(keys) and all(sort.follows for sort in sorts)
        self.ordinary = (
            len(self.places) == self.count
            and len(self.items) <= MAX_ANNOTATIONS
            and NAMED_ANNOTATIONS not in self.places
            and all(sort.readable for sort in sorts)
        )
        self.pinned = frozenset(pinned)
        self.pick = _picker(sorted(self.pinned))
        self.reads_name = reads_name
        self.cases: dict[Key, Case | None] = {}


_Pick = Callable[[Sequence[Attribute]], tuple[Attribute, ...]]


def _picker(places: Sequence[int]) -> _Pick:
    """What takes the attributes at these places."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda attributes: tuple([attributes[place] for place in places])


_TOO_MANY = Pattern([Sort("", False, False, False, readable=False)])
"""The pattern of spans with more than `MAX_ATTRIBUTES`; not an ordinary one."""


class Patterns(dict[bytes, Pattern]):
    """Patterns by their sorts, each a 32-bit number; ``patterns[sorts]`` makes those that are new."""

    def __init__(self, sorts: Sorts) -> None:
        super().__init__()
        self._sorts = sorts

    def __missing__(self, sorts: bytes) -> Pattern:
        if len(sorts) > 4 * MAX_ATTRIBUTES:
            return _TOO_MANY
        return self.setdefault(sorts, self.make(sorts))

    def make(self, sorts: bytes, pinned: Iterable[int] = (), reads_name: bool = False) -> Pattern:
        """A pattern that depends on these attributes."""
        by_number = self._sorts.by_number
        return Pattern([by_number[sort] for sort in array("I", sorts)], pinned, reads_name)


class Share:
    """Spans of a resource, and how many of them were decoded one by one.

    Where these are most, walking costs more than it saves, and for some spans all are: what comes again in later trials
    is known by then.
    """

    __slots__ = ("alone", "next_pause", "pause", "seen")

    def __init__(self) -> None:
        self.seen = self.alone = self.pause = 0
        self.next_pause = _PAUSE

    def skips(self, spans: int) -> bool:
        """Whether the next spans are to be decoded one by one."""
        if self.pause <= 0:
            return False
        self.pause -= spans
        return True

    def count(self, spans: int, alone: int) -> None:
        """Count walked spans."""
        self.seen += spans
        self.alone += alone
        if self.seen < _SHARE_OF:
            return
        if self.alone > self.seen * _MOST:
            self.pause = self.next_pause
            self.next_pause = min(2 * self.next_pause, _LONGEST_PAUSE)
        else:
            self.next_pause = _PAUSE
        self.seen = self.alone = 0


class Memory:
    """Everything that is remembered. `within_bounds` gives the memory to use from then on."""

    def __init__(self) -> None:
        sorts = Sorts()
        self.attributes = AttributeTable(sorts, {})
        self.patterns = Patterns(sorts)
        self.heads, self.rests = Heads(), Rests()
        self._sorts = sorts
        self._resources: dict[tuple[str, ...], int] = {}
        self._next_resource = count()
        self._shares: dict[int | None, Share] = {}
        self._cases = 0
        self._once: set[int] = set()
        """Hashes of what the cases of spans that came once would be known by."""

    def resource_number(self, resource: Resource) -> int | None:
        """The same number for resources that are one to all cases; None for one that has none."""
        key: tuple[str, ...] = tuple([getattr(resource, field) for field in _RESOURCE_FIELDS])
        if sum(map(len, key)) > MAX_RESOURCE:
            return None
        number = self._resources.get(key)
        if number is None:
            number = self._resources.setdefault(key, next(self._next_resource))
        return number

    def share(self, resource: Resource) -> Share:
        """How many spans of a resource are cases."""
        return self._shares.setdefault(self.resource_number(resource), Share())

    def judge(
        self,
        sorts: bytes,
        pattern: Pattern,
        raw: bytes,
        resource: Resource,
        key: Key,
        attributes: Sequence[Attribute],
    ) -> Case | None:
        """The case of a span whose like came before, found from then on; none of the first one.

        Judging costs as much as decoding two or three spans one by one: what never comes again is not judged.
        ``key``: what the case is known by, as far as the pattern is known.
        """
        if not self._came_before(sorts, key):
            return None
        try:
            span = Span.FromString(raw)
        except DecodeError:
            return None
        judgement = judge(span, resource, pattern.places)
        if judgement.case is not None:
            judgement.case.items = pattern.items
            judgement.case.follows = pattern.follows
        pattern = self._dependent(sorts, pattern, judgement)
        mine = pattern.pick(attributes)
        name = span.name if pattern.reads_name else ""
        texts = (span.status.message, name, judgement.exception)
        if max(map(len, texts)) <= MAX_TEXT and all(attribute.cached for attribute in mine):
            pattern.cases[key[0], name, mine] = judgement.case
            self._cases += 1
        return judgement.case

    def _came_before(self, sorts: bytes, key: Key) -> bool:
        number = hash((sorts, key))
        if number in self._once:
            return True
        if len(self._once) >= MAX_ONCE:
            self._once = set()
        self._once.add(number)
        return False

    def _dependent(self, sorts: bytes, pattern: Pattern, judgement: Judgement) -> Pattern:
        """The pattern, or one in its place that depends on more."""
        pinned = pattern.pinned.union([pattern.places[key] for key in judgement.keys])
        reads_name = pattern.reads_name or judgement.reads_name
        if (pinned, reads_name) == (pattern.pinned, pattern.reads_name):
            return pattern
        made = self.patterns[sorts] = self.patterns.make(sorts, pinned, reads_name)
        self._cases -= len(pattern.cases)
        return made

    def within_bounds(self) -> Memory:
        """This memory, or a new one if it has grown beyond its bounds."""
        sizes = len(self.patterns), len(self._sorts), len(self._resources)
        if self._cases > MAX_CASES or max(sizes) > MAX_SORTS:
            return Memory()
        if self.attributes.is_full:
            self.attributes = self.attributes.reduced(self._pinned())
            if self.attributes.size > MAX_BYTES // 2:
                return Memory()
        return self

    def _pinned(self) -> set[Attribute]:
        """The attributes on whose values cases depend."""
        return {
            attribute
            for pattern in list(self.patterns.values())
            for _, _, attributes in list(pattern.cases)
            for attribute in attributes
        }

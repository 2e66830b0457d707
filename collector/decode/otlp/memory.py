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

MAX_CASES = 16_384
"""Cases, patterns, sorts of attributes and resources: each, before all are forgotten."""
MAX_TEXT = 256
"""Characters of a name, a status message or an exception's name on which a case may depend."""
MAX_ATTRIBUTES = MAX_PIECES
"""Attributes of a span with a case."""
MAX_RESOURCE = 1000
"""Characters of a resource on which a case may depend."""
_TRIAL = 64
"""Judged spans of a pattern after which it has to pay."""
_PAYS = 4
"""Spans for each one judged from which on cases pay: judging costs as much as decoding two or three
spans one by one, measured."""
_PAUSE, _LONGEST_PAUSE = 4096, 65_536
"""Spans of a pattern that does not pay which are decoded one by one before it is tried again; twice
as many each time."""


_RESOURCE_FIELDS = tuple(
    field for field in Resource.__struct_fields__ if field not in (*OWN_FIELDS, "attributes")
)
_Key = tuple[tuple[object, ...], str, tuple[Attribute, ...]]

_SHARE_OF, _MOST = 256, 0.6
"""Walked spans of a resource after which it is decided whether walking pays, and the share of spans
decoded one by one from which on it does not."""


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
        "judged",
        "next_pause",
        "ordinary",
        "pause",
        "pick",
        "pinned",
        "places",
        "reads_name",
        "seen",
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
        self.cases: dict[_Key, Case | None] = {}
        self.seen = self.judged = self.pause = 0
        self.next_pause = _PAUSE

    def skips(self) -> bool:
        """Whether its spans are to be decoded one by one, as most are cases of their own."""
        if self.pause:
            self.pause -= 1
            return True
        return False

    def count_judged(self) -> bool:
        """Count a judged span; whether there have been too many of them."""
        self.judged += 1
        if self.judged < _TRIAL:
            return False
        too_many = self.seen < _PAYS * self.judged
        self.seen = self.judged = 0
        return too_many

    def give_up(self) -> int:
        """Forget the cases, how many there were, and pause."""
        forgotten = len(self.cases)
        self.cases = {}
        self.pause = self.next_pause
        self.next_pause = min(2 * self.next_pause, _LONGEST_PAUSE)
        return forgotten


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

    Where these are most, walking costs more than it saves: for `_PAUSE` spans all are.
    """

    __slots__ = ("alone", "pause", "seen")

    def __init__(self) -> None:
        self.seen = self.alone = self.pause = 0

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
        if self.seen >= _SHARE_OF:
            self.pause = _PAUSE if self.alone > self.seen * _MOST else 0
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
        fields: tuple[object, ...],
        attributes: Sequence[Attribute],
    ) -> Case | None:
        """The case of the first span of one, found from then on. ``fields`` are what cases differ
        in beside attributes and name."""
        try:
            span = Span.FromString(raw)
        except DecodeError:
            return None
        judgement = judge(span, resource, pattern.places)
        if judgement.case is not None:
            judgement.case.items = pattern.items
            judgement.case.follows = pattern.follows
        pattern = self._dependent(sorts, pattern, judgement)
        if pattern.count_judged():
            self._cases -= pattern.give_up()
        mine = pattern.pick(attributes)
        name = span.name if pattern.reads_name else ""
        texts = (span.status.message, name, judgement.exception)
        short = max(map(len, texts)) <= MAX_TEXT
        if short and not pattern.pause and all(attribute.cached for attribute in mine):
            pattern.cases[fields, name, mine] = judgement.case
            self._cases += 1
        return judgement.case

    def _dependent(self, sorts: bytes, pattern: Pattern, judgement: Judgement) -> Pattern:
        """The pattern, or one in its place that depends on more."""
        pinned = pattern.pinned.union([pattern.places[key] for key in judgement.keys])
        reads_name = pattern.reads_name or judgement.reads_name
        if (pinned, reads_name) == (pattern.pinned, pattern.reads_name):
            return pattern
        made = self.patterns[sorts] = self.patterns.make(sorts, pinned, reads_name)
        return made

    def within_bounds(self) -> Memory:
        """This memory, or a new one if it has grown beyond its bounds."""
        sizes = (self._cases, len(self.patterns), len(self._sorts), len(self._resources))
        if max(sizes) > MAX_CASES:
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

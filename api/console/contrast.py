"""What tells a set of traces from comparable others: pure statistics over the terms that each trace satisfies.

A term is listed if it is more frequent among the selected traces than chance explains: Fisher's exact test, with
Benjamini and Hochberg's bound on the share of false ones among all that are listed. Terms that select the same
traces are one line, and one that shows nothing beyond a better line is none. A field whose values hardly ever
repeat, such as an order's number, explains nothing: it is reported with the number of its values.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from store.verdict import fisher

FALSE_DISCOVERIES = 0.01
"""Of the terms that pass, the expected share of those that are chance."""
MIN_SELECTED, MIN_SHARE = 5, 0.05
"""A term is listed from so many selected traces on, and such a share of them."""
SAME = 0.9
"""Terms select the same traces if so many of those with either have both."""
NO_MORE = 0.001
"""Significance that a term needs among the traces with a better one, or among those without."""
ALWAYS = 0.995
"""Share of the selected traces that counts as all of them."""
FEW_VALUES = 20
"""Fields with at most so many values are never taken for unique."""
MOST = 10
"""Lines listed."""
_ORDER = ("annotation", "service", "version", "user", "http.useragent", "http.url", "http.method", "http.clientip",
          "availabilityzone", "instance.id", "region", "account.id", "resource.arn", "http.status")  # fmt: skip
"""Fields of terms that tell as much, the one to read first."""


class Term(NamedTuple):
    """A condition that a trace satisfies: the field that it is about, and the filter expression."""

    field: str
    filter: str


class Line(NamedTuple):
    """A term that sets the selection apart: how many traces of each set satisfy it, and the terms that
    select the same ones."""

    filter: str
    selected: int
    rest: int
    same: list[str]


class DistinctValues(NamedTuple):
    """A field whose values hardly ever repeat, and how many the selected traces have."""

    field: str
    values: int


class Contrast(NamedTuple):
    """The lines, the most telling first, and the fields with unique values."""

    lines: list[Line]
    distinct: list[DistinctValues]


class _Candidate(NamedTuple):
    """A term with the positions of its traces in both sets, as bits, and what these come to."""

    term: Term
    here: int
    there: int
    p: float
    score: float


class _Sizes(NamedTuple):
    selected: int
    rest: int


def contrast(
    selected: Sequence[Collection[Term]],
    rest: Sequence[Collection[Term]],
    *,
    common_is_implied: bool = False,
) -> Contrast:
    """The terms of two sets of traces compared. ``common_is_implied``: what all selected traces have in
    common is how they were selected."""
    sizes = _Sizes(len(selected), len(rest))
    if not all(sizes):
        return Contrast([], [])
    here, there = _positions(selected), _positions(rest)
    found = _significant(list(_candidates(here, there, sizes)), sizes)
    if common_is_implied:
        found = [each for each in found if each.here.bit_count() < ALWAYS * sizes.selected]
    found.sort(key=_rank)
    return Contrast(_folded(found, sizes)[:MOST], _distinct(here, there))


def _positions(traces: Sequence[Collection[Term]]) -> dict[Term, int]:
    """Which traces satisfy each term, as bits."""
    found: defaultdict[Term, int] = defaultdict(int)
    for at, terms in enumerate(traces):
        for term in terms:
            found[term] |= 1 << at
    return found


def _candidates(
    here: Mapping[Term, int], there: Mapping[Term, int], sizes: _Sizes
) -> Iterable[_Candidate]:
    """Terms that can be significant at all, with the probability of so many selected traces by chance."""
    for term, mine in here.items():
        theirs = there.get(term, 0)
        a, b = mine.bit_count(), theirs.bit_count()
        if a + b < MIN_SELECTED:
            continue
        share, other = a / sizes.selected, b / sizes.rest
        p = fisher(b, sizes.rest, a, sizes.selected) if share > other else 1.0
        yield _Candidate(term, mine, theirs, p, (share - other) * share / (share + other))


def _significant(tried: list[_Candidate], sizes: _Sizes) -> list[_Candidate]:
    """Those within the bound on false discoveries that are frequent enough to matter."""
    tried.sort(key=lambda each: each.p)
    bound = 0.0
    for rank, each in enumerate(tried, 1):
        if each.p <= FALSE_DISCOVERIES * rank / len(tried):
            bound = each.p
    least = max(MIN_SELECTED, MIN_SHARE * sizes.selected)
    return [
        each for each in tried if each.p <= bound and each.score > 0 and each.here.bit_count() >= least
    ]  # fmt: skip


def _rank(each: _Candidate) -> tuple[float, int, str]:
    """The difference of shares, times how purely the term occurs among the selected; then as `_ORDER`."""
    kind = each.term.field.partition("[")[0]
    kind = "annotation" if kind.startswith("annotation.") else kind
    return -round(each.score, 2), _ORDER.index(kind), each.term.filter


def _folded(found: Iterable[_Candidate], sizes: _Sizes) -> list[Line]:
    """One line for terms of the same traces, and none for those that a better one explains."""
    lines: list[tuple[_Candidate, list[str]]] = []
    for each in found:
        same = next((names for line, names in lines if _are_same(each, line)), None)
        if same is not None:
            same.append(each.term.filter)
        elif all(_adds(each, line, sizes) for line, _ in lines):
            lines.append((each, []))
    return [
        Line(each.term.filter, each.here.bit_count(), each.there.bit_count(), same)
        for each, same in lines
    ]


def _are_same(one: _Candidate, other: _Candidate) -> bool:
    both, either = one.here & other.here, one.here | other.here
    return both.bit_count() >= SAME * either.bit_count()


def _adds(each: _Candidate, better: _Candidate, sizes: _Sizes) -> bool:
    """Whether a term is more frequent among the selected also within a better one, or without it."""
    mine, theirs = better.here.bit_count(), better.there.bit_count()
    within = _chance(each.there & better.there, theirs, each.here & better.here, mine)
    without = _chance(
        each.there & ~better.there, sizes.rest - theirs, each.here & ~better.here, sizes.selected - mine
    )  # fmt: skip
    return min(within, without) <= NO_MORE


def _chance(there: int, rest: int, here: int, selected: int) -> float:
    return fisher(there.bit_count(), rest, here.bit_count(), selected) if rest and selected else 1.0


def _distinct(here: Mapping[Term, int], there: Mapping[Term, int]) -> list[DistinctValues]:
    """Fields of the selected traces with about as many values as traces."""
    values = Counter(term.field for term in here.keys() | there.keys())
    have = Counter[str]()
    for side in (here, there):
        traces: defaultdict[str, int] = defaultdict(int)
        for term, positions in side.items():
            traces[term.field] |= positions
        have.update({field: positions.bit_count() for field, positions in traces.items()})
    mine = Counter(term.field for term in here)
    unique = (f for f in sorted(mine) if values[f] > max(FEW_VALUES, have[f] / 2))
    return [DistinctValues(field, mine[field]) for field in unique]

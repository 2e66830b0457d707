"""Probes: the newest rows of a window that some term of a filter needs.

A match has such a row for each positive term of a top-level AND. So the traces of these rows are all the candidates
there are, of the whole window if the rows are few, else of the newest part of it. Reading them from the end
backwards costs little where they are common, and a scan of the columns that decide where they are rare.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import Rows
from store.clickhouse.queries import Sql, Template
from store.clickhouse.search.bounds import FALSE, TRUE, Bounds, Values, disjunction
from store.clickhouse.search.causes import service_bounds, services_on
from store.clickhouse.search.compile import Compiler
from store.clickhouse.search.document_texts import text_bounds
from store.clickhouse.search.edges import edge_rows
from store.clickhouse.search.field_tests import LARGEST, MICROSECONDS, integer_range
from store.clickhouse.search.rollup_index import IndexedMinutes
from store.clickhouse.search.rollup_units import RolledUpUnits, rolled_up_units
from store.clickhouse.search.row_sets import RowSets
from store.filters.ast import (
    And,
    Bare,
    Compare,
    EdgeMatch,
    Expression,
    FieldTest,
    Not,
    Or,
    RootCauseMatch,
    RootCausePath,
)
from store.filters.keywords import KEYWORDS, Kind
from store.filters.selectivity import is_selective

MAX_PROBES = 3
"""Terms that are probed: each costs a statement or two."""
MAX_PARTS = 5
"""Alternatives of a term that is probed."""
MOST_TRACES = 4000
"""Maximum number of traces in an answer: a bucket may have many."""


class NewestRows(NamedTuple):
    """What a probe found: traces with the bucket of their newest such row, the newest first, and the
    bucket down to which there are no others; 0: in the whole window.

    ``term``: what needs these rows. ``unread``: where others may be even so.
    """

    buckets: Mapping[bytes, int]
    reach: int
    term: Expression | None = None
    unread: Probe | None = None

    @property
    def complete(self) -> bool:
        return self.reach == 0


class Probe(NamedTuple):
    """Statements with some places filled; a trace that matches a term has a row that one of them selects.

    ``units``: it starts where rollups count such units; None: that does not follow. ``rare``: few
    rows are expected, in each part. ``reads_documents``: the conditions are on raw documents.
    """

    term: Expression
    parts: tuple[tuple[Template, Mapping[str, Sql]], ...]
    units: RolledUpUnits | None = None
    rare: bool = False
    reads_documents: bool = False

    def statements(
        self, first: int, last: int, few: int, minutes: IndexedMinutes | None = None
    ) -> list[Sql]:
        """The statements for the newest rows that start in some minutes, each for a few."""
        if minutes is None:
            return self._rendered(first, last, few, TRUE)
        return self._rendered(max(first, minutes.reach), last, few, minutes.condition)

    def _rendered(self, first: int, last: int, few: int, minutes: Sql) -> list[Sql]:
        window = {"first_minute": first, "last_minute": last, "few": few, "most": MOST_TRACES}
        return [
            template.render(
                {**places, "minutes": minutes} if "minutes" in template.fragments else places,
                **{name: window[name] for name in template.parameters},
            )
            for template, places in self.parts
        ]


def newest_rows(probe: Probe, answers: Sequence[Rows], few: int, reach: int = 0) -> NewestRows:
    """The answers to the first statements of a probe, which looked for a few rows from the bucket ``reach`` on; of an
    incomplete one, rows down to where each answer reaches."""
    reach = max([reach, *(reach_of(answer, few) for answer in answers)])
    rows = sorted(
        (
            (newest, bucket, digits)
            for answer in answers
            for digits, newest, bucket, *_ in answer
            if bucket >= reach
        ),
        reverse=True,
    )
    buckets: dict[bytes, int] = {}
    for _, bucket, digits in rows:
        buckets.setdefault(bytes.fromhex(digits), bucket)
    unread = probe._replace(parts=probe.parts[len(answers) :])
    return NewestRows(buckets, reach, probe.term, unread if unread.parts else None)


def reach_of(answer: Rows, few: int) -> int:
    """The bucket down to which the answer to a statement for a few rows has all; 0: it has all of the window."""
    if len(answer) >= MOST_TRACES:
        return min(int(newest) for _, _, newest, *_ in answer) + 1
    complete = sum(rows for *_, rows in answer) < few
    return 0 if complete else min(int(oldest) for *_, oldest, _ in answer)


def probes(expression: Expression) -> list[Probe]:
    """The first few probes of an expression; none if nothing about rows follows from it."""
    terms = [*_conjuncts(expression)]
    found = list(islice(filter(None, map(_probe, terms)), MAX_PROBES))
    if all(
        isinstance(each, RootCauseMatch) for probe in found for each in _alternatives(probe.term)
    ):
        return [*filter(None, map(_probe_of_texts, terms))][:1] or found
    return found


def _alternatives(term: Expression) -> tuple[Expression, ...]:
    return term.terms if isinstance(term, Or) else (term,)


def _probe_of_texts(term: Expression) -> Probe | None:
    """Rows with the texts that root causes need. Documents are read where nothing that costs less is known."""
    recorder = _Recorder()
    alternatives = _alternatives(term)
    if len(alternatives) > MAX_PARTS:
        return None
    for each in alternatives:
        if not isinstance(each, RootCauseMatch):
            return None
        if text_bounds(each, recorder, recorder.values).may.text == TRUE.text:
            return None
    return Probe(term, tuple(recorder.parts()), rare=True, reads_documents=True)


def _conjuncts(expression: Expression) -> Iterator[Expression]:
    if isinstance(expression, And):
        for term in expression.terms:
            yield from _conjuncts(term)
    elif isinstance(expression, RootCausePath):
        yield from services_on(expression)
    else:
        yield expression


def _probe(term: Expression) -> Probe | None:
    if isinstance(term, Compare) and term.field.keyword == "duration":
        return _lasting(term)
    recorder = _Recorder()
    compiler = Compiler(recorder, recorder.values)
    alternatives = _alternatives(term)
    if len(alternatives) > MAX_PARTS:
        return None
    for alternative in alternatives:
        recorded = len(recorder.conditions)
        if not _is_positive(alternative):
            return None
        if isinstance(alternative, EdgeMatch):
            edge_rows(alternative, recorder, recorder.values)
        elif isinstance(alternative, RootCauseMatch):
            service_bounds(alternative, recorder, recorder.values)
        else:
            compiler.trace(alternative)
        if recorder.unlimited or len(recorder.conditions) == recorded:
            return None
    return Probe(term, tuple(recorder.parts()), rolled_up_units(term), is_selective(term))


def _lasting(term: Compare) -> Probe | None:
    """Traces that take as long as a comparison demands, if it demands that."""
    if not isinstance(term.value, float) or term.operator not in ("=", ">", ">="):
        return None
    least, _ = integer_range(term.operator, term.value, MICROSECONDS)
    if not 0 < least <= LARGEST:
        return None
    place = Values().sql(least, "Int64")
    return Probe(term, ((queries.NEWEST_LASTING, {"least": place}),))


def _is_positive(term: Expression) -> bool:
    """Whether a term is true because of rows that exist."""
    if isinstance(term, And | Or | Not):
        return False
    if not isinstance(term, FieldTest) or term.field.keyword not in KEYWORDS:
        return True
    if KEYWORDS[term.field.keyword].kind is not Kind.FLAG or isinstance(term, Bare):
        return True
    return isinstance(term, Compare) and (term.operator == "=") == (term.value is True)


class _Recorder(RowSets):
    """Takes down the conditions on rows."""

    def __init__(self) -> None:
        super().__init__(TRUE, sure=False)
        self.conditions: list[tuple[str, Sql]] = []
        self.values = Values()
        self.unlimited = False

    def parts(self) -> Iterator[tuple[Template, Mapping[str, Sql]]]:
        """One statement for each table."""
        for table in dict(self.conditions):
            condition = disjunction(each for name, each in self.conditions if name == table)
            yield queries.NEWEST_ROWS, {"table": Sql(table), "condition": condition}

    def containing(self, table: str, condition: Sql) -> Sql:
        """Record a condition."""
        if condition.text != FALSE.text:
            self.conditions.append((table, condition))
        return condition

    def lasting(self, least: Sql) -> Bounds:
        """How long traces take does not follow from single rows."""
        self.unlimited = True
        return super().lasting(least)

"""Bounds of edge(a, b){…}: calls that are answered by a segment of b or lead to b unanswered, segments
below a segment of a without a call between them, and clients."""

from __future__ import annotations

from collections.abc import Iterator

from store.clickhouse import queries
from store.clickhouse.queries import Sql, in_traces
from store.clickhouse.queries.rules import IS_STREAMED
from store.clickhouse.search.bounds import (
    FALSE,
    TRUE,
    Bounds,
    Values,
    conjunction,
    disjunction,
    every,
    exactly,
    some,
)
from store.clickhouse.search.row_sets import RowSets
from store.clickhouse.search.unit_rows import (
    ANSWERED_EDGE,
    CALLER,
    CLIENT,
    CLIENT_EDGE,
    INNER_EDGE,
    REQUEST,
    UNANSWERED_EDGE,
    called,
    in_front,
    node_columns,
    of_kind,
    owned_by,
    selected,
    unit_condition,
)
from store.filters.ast import EdgeMatch, NodeMatch, Selector
from store.model import Independent

_SEGMENT = node_columns()
_SERVICE = node_columns("", "service")
"""A segment, of which the service's name alone may be meant (`store.rules.namespaces`)."""


def edge_bounds(match: EdgeMatch, sets: RowSets, values: Values) -> Bounds:
    """Traces with a call along a matching edge."""
    edge = _Edge(match, sets, values)
    return some([edge.unanswered(), *edge.answered(), edge.inner(), edge.from_client()])


def edge_rows(match: EdgeMatch, sets: RowSets, values: Values) -> Bounds:
    """Traces with a row that a matching edge needs: a call of the source, or a segment of the target."""
    edge = _Edge(match, sets, values)
    return some([edge.any_call(), edge.any_segment()])


class _Edge:
    def __init__(self, match: EdgeMatch, sets: RowSets, values: Values) -> None:
        self._match = match
        self._sets = sets
        self._values = values
        own = owned_by(match.source, values)
        # Whose a streamed call is, if its row does not say, takes following its parents.
        self._called_by_source = Bounds(
            disjunction([IS_STREAMED, own.may]),
            conjunction([Sql(f"independent != {Independent.OF_PARENT:d}"), own.must]),
        )

    def unanswered(self) -> Bounds:
        """Calls to an inferred node."""
        target = called(self._match.target, UNANSWERED_EDGE, self._values)
        condition = unit_condition(self._match.condition, UNANSWERED_EDGE, self._values)
        return self._sets.unanswered(every([self._called_by_source, target, condition]))

    def answered(self) -> Iterator[Bounds]:
        """Calls to a segment of the target, which may go by the host that the caller named."""
        target = self._match.target
        yield self._answered(self._segment(target), TRUE)
        if isinstance(target, Selector) and target.name:
            host = self._values.text("host = <name>", name=(target.name, "String"))
            yield self._answered(exactly(of_kind(target, _SEGMENT, self._values)), host)

    def _segment(self, match: NodeMatch) -> Bounds:
        return Bounds(*(selected(match, node, self._values) for node in (_SERVICE, _SEGMENT)))

    def _answered(self, answer: Bounds, call: Sql) -> Bounds:
        condition = unit_condition(self._match.condition, ANSWERED_EDGE, self._values)
        fits = every([self._called_by_source, exactly(call), condition])
        rows = self._sets.rows
        may = queries.ANSWERED.render({"rows": rows, "answer": answer.may, "condition": fits.may})
        must = queries.SURELY_ANSWERED.render(
            {
                "rows": rows,
                "answer": answer.must,
                "condition": every([fits, self._sets.once()]).must,
            }
        )
        possible = FALSE in (fits.may, answer.may)
        sure = self._sets.sure and not possible and fits.must.text != FALSE.text
        return Bounds(FALSE if possible else in_traces(may), in_traces(must) if sure else FALSE)

    def inner(self) -> Bounds:
        """Segments whose parent is a segment of the source, or work inside it that is no call."""
        target = selected(self._match.target, _SERVICE, self._values)
        condition = unit_condition(self._match.condition, INNER_EDGE, self._values)
        fits = conjunction([target, condition.may])
        if fits.text == FALSE.text:
            return Bounds(FALSE, FALSE)
        source = selected(self._match.source, _SERVICE, self._values)
        parents = disjunction([IS_STREAMED, source])
        may = queries.INNER_EDGES.render(
            {"rows": self._sets.rows, "condition": fits, "parents": parents}
        )
        return Bounds(in_traces(may), FALSE)

    def from_client(self) -> Bounds:
        """Roots of the target, behind a client or the caller that they name."""
        source = in_front(
            *(exactly(selected(self._match.source, end, self._values)) for end in (CLIENT, CALLER))
        )
        target = self._segment(self._match.target)
        condition = unit_condition(self._match.condition, CLIENT_EDGE, self._values)
        return self._sets.roots(every([source, target, condition]))

    def any_call(self) -> Bounds:
        """Calls of the source, answered or not."""
        conditions = some(
            unit_condition(self._match.condition, row, self._values)
            for row in (UNANSWERED_EDGE, ANSWERED_EDGE)
        )
        return self._sets.calls(every([self._called_by_source, conditions]))

    def any_segment(self) -> Bounds:
        """Segments of the target, wherever they are called from."""
        target = self._segment(self._match.target)
        conditions = some(
            unit_condition(self._match.condition, row, self._values)
            for row in (INNER_EDGE, CLIENT_EDGE)
        )
        return self._sets.segments(every([REQUEST, target, conditions]))

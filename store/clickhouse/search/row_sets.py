"""Bounds on traces from bounds on their rows: statements that select the traces with a fitting row."""

from __future__ import annotations

from store.clickhouse import queries
from store.clickhouse.queries import Sql, Template, in_traces
from store.clickhouse.queries.rules import ENCLOSING, FETCHED_NOTHING, IN_BACKGROUND, IS_SEGMENT
from store.clickhouse.search.bounds import (
    FALSE,
    TRUE,
    Bounds,
    conjunction,
    every,
    negation,
    some,
)
from store.model import Kind

_HAS_CLIENT = Sql(
    f"((before_name = '' OR kind = {Kind.SERVER:d}) AND (parent_id != 0 OR NOT {IN_BACKGROUND.text}))"
)
UNLINKED = Sql("(SELECT count() FROM links) = 0")
"""Nothing has links, which may say what caused a root."""
_REQUESTED = Bounds(_HAS_CLIENT, conjunction([_HAS_CLIENT, FETCHED_NOTHING]))
"""Whether a root is the work of a request (`store.model.client_type`)."""


class RowSets:
    """Traces by their rows.

    ``rows``: the rows of `segments` and `calls` to look at. ``sure``: also select what surely matches
    (`store.clickhouse.search.compile`). ``member``: what ``trace_id`` is in rows of the traces in
    question, by which `traces` is sorted.
    """

    def __init__(self, rows: Sql, *, sure: bool, member: Sql = TRUE) -> None:
        self.rows = rows
        self.sure = sure
        self._member = member

    def within(self, condition: Sql) -> RowSets:
        """The same, only for traces that meet a condition."""
        rows = conjunction([self.rows, condition])
        return RowSets(rows, sure=self.sure, member=self._member)

    def segments(self, fits: Bounds) -> Bounds:
        """Some document fits."""
        return self._of_table("segments", fits)

    def calls(self, fits: Bounds) -> Bounds:
        """Some call fits."""
        return self._of_table("calls", every([fits, self.once()]))

    def once(self) -> Bounds:
        """The condition that a call counts as it is (`store.layers`), as one that names nothing may not."""
        nested = in_traces(queries.NESTED_IN_CALLS.render({"rows": self.rows}))
        alone = conjunction([Sql("name != ''"), negation(nested)])
        return Bounds(TRUE, alone if self.sure else FALSE)

    def requests(self) -> Bounds:
        """The condition that a segment is no part of another's request (`store.layers.is_same_request`)."""
        servers = conjunction([self.rows, Sql(f"kind = {Kind.SERVER:d}")])
        above = (
            "SELECT trace_id, id, name FROM segments "
            f"WHERE {self.rows.text} AND kind IN {ENCLOSING.text}"
        )
        below = (
            f"SELECT trace_id, parent_id, name FROM segments WHERE {servers.text} "
            "GROUP BY trace_id, parent_id, name HAVING uniqExact(id) > 1"
        )
        alone = f"(kind != {Kind.SERVER:d} OR parent_id = 0 OR (trace_id, parent_id, name) NOT IN ({above} UNION ALL {below}))"
        return Bounds(TRUE, Sql(alone, servers.parameters) if self.sure else FALSE)

    def unanswered(self, fits: Bounds) -> Bounds:
        """Some call that no segment names as its parent fits."""
        if not self.sure:
            return self.calls(fits)
        return Bounds(
            self._select(queries.UNANSWERED, fits.may),
            self._select(queries.SURELY_UNANSWERED, every([fits, self.once()]).must),
        )

    def roots(self, fits: Bounds) -> Bounds:
        """Some root segment that has a client fits; one without a parent surely has, unless it serves no
        request, if there are no links that say who called it."""
        fits = every([_REQUESTED, fits])
        if not self.sure:
            return self.segments(_root(fits))
        return Bounds(self._select(queries.ROOTS, fits.may), self.segments(_root(fits)).must)

    def segments_or_roots(self, segments: Bounds, roots: Bounds) -> Bounds:
        """Some document or some root segment that has a client fits."""
        if not self.sure:
            return self.segments(some([segments, _root(every([_REQUESTED, roots]))]))
        return some([self.segments(segments), self.roots(roots)])

    def entries(self, condition: Sql) -> Bounds:
        """The entry segment fits. Mostly that is the earliest segment, which then has no parent."""
        segment = self.segments(Bounds(conjunction([IS_SEGMENT, condition]), FALSE))
        if not self.sure:
            return segment
        fitting = self._select(queries.SURE_ENTRIES, condition)
        failing = self._select(queries.SURE_ENTRIES, negation(condition))
        return Bounds(conjunction([segment.may, negation(failing)]), fitting)

    def lasting(self, least: Sql) -> Bounds:
        """The trace lasts for some microseconds."""
        places = {"rows": self.rows, "least": least}
        must = in_traces(queries.SURELY_LASTING.render(places)) if self.sure else FALSE
        members = {**places, "rows": conjunction([self._member, self.rows])}
        return Bounds(in_traces(queries.LASTING.render(members)), must)

    def _of_table(self, table: str, fits: Bounds) -> Bounds:
        must = FALSE
        if self.sure and fits.must.text != FALSE.text:
            must = in_traces(
                queries.NEWEST_COPIES.render(
                    {"table": Sql(table), "rows": self.rows, "condition": fits.must}
                )
            )
        return Bounds(self.containing(table, fits.may), must)

    def containing(self, table: str, condition: Sql) -> Sql:
        """Some copy of a row of a table fits."""
        if condition.text == FALSE.text:
            return FALSE
        where = conjunction([self.rows, condition])
        return in_traces(Sql(f"SELECT trace_id FROM {table} WHERE {where.text}", where.parameters))

    def _select(self, template: Template, condition: Sql) -> Sql:
        if condition.text == FALSE.text:
            return FALSE
        return in_traces(template.render({"rows": self.rows, "condition": condition}))


def _root(fits: Bounds) -> Bounds:
    segment, orphan = IS_SEGMENT, Sql("parent_id = 0")
    return Bounds(
        conjunction([segment, fits.may]), conjunction([segment, orphan, UNLINKED, fits.must])
    )

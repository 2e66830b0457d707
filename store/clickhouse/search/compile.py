"""Filter expressions → bounds in SQL: conditions on ``trace_id`` that enclose `store.filters.evaluate`.

``rows`` says which rows of `segments` and `calls` to look at: all rows of the traces in question, and
maybe others. Two kinds of statements are built from it:

* *may*: some row fits. Rows that a later copy replaced are looked at, too, so no match is lost.
* *must*: the newest copy of a row fits (``argMax`` by `ver`, also across minutes, which FINAL does
  not compare), and what must not exist exists in no copy.

``sure`` = False leaves out the second kind and the exclusions: SQL takes three times as long with
them. Then ``must`` is false and the opposite of anything is possible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from store.clickhouse.queries import Sql
from store.clickhouse.queries.rules import IS_IN_PROGRESS, IS_SEGMENT, IS_STREAMED
from store.clickhouse.search.bounds import (
    ALWAYS,
    FALSE,
    NEVER,
    TRUE,
    UNKNOWN,
    Bounds,
    Values,
    conjunction,
    disjunction,
    every,
    exactly,
    negated,
    some,
)
from store.clickhouse.search.causes import cause_bounds, services_on
from store.clickhouse.search.edges import edge_bounds
from store.clickhouse.search.field_tests import (
    LARGEST,
    MICROSECONDS,
    annotation_test,
    integer_range,
    number_test,
    text_test,
)
from store.clickhouse.search.row_sets import RowSets
from store.clickhouse.search.unit_rows import (
    BACKGROUND,
    CALLER_UNIT,
    CLIENT_UNIT,
    HTTP,
    REQUEST,
    SEGMENT,
    TEXTS,
    UNANSWERED_CALL,
    UnitRow,
    called,
    finished,
    flag,
    in_front,
    in_states,
    unit_condition,
)
from store.filters.ast import (
    And,
    Compare,
    EdgeMatch,
    EntryState,
    Expression,
    FieldTest,
    MayHaveCalled,
    MayHaveFailed,
    Not,
    OneOf,
    Or,
    RootCauseMatch,
    RootCausePath,
    SentBy,
    ServiceMatch,
    Streamed,
)
from store.filters.keywords import KEYWORDS, OF_NODES, Kind
from store.filters.selectivity import is_selective
from store.filters.settled import OF_DOCUMENTS
from store.filters.states import STATES
from store.model import Fetched, Independent, State

_ENTRY_STATES = {keyword: STATES[keyword] for keyword in ("ok", "error", "fault")}


def compiled(expression: Expression, rows: Sql, *, sure: bool, member: Sql = TRUE) -> Bounds:
    """Conditions on ``trace_id`` for an expression; see `RowSets` for ``member``."""
    return Compiler(RowSets(rows, sure=sure, member=member), Values()).trace(expression)


class Compiler:
    """Makes bounds of the parts of one expression."""

    def __init__(self, sets: RowSets, values: Values) -> None:
        self._sets = sets
        self._values = values

    def trace(self, expression: Expression) -> Bounds:
        """The bounds of an expression outside of blocks."""
        match expression:
            case And(terms):
                return self._all(terms)
            case Or(terms):
                return some(self._alternatives(terms))
            case Not(term):
                return negated(self.trace(term))
            case EntryState(states):
                return self._entry(in_states(tuple(sorted(states))))
            case Streamed():
                return self._sets.segments(exactly(IS_STREAMED))
            case SentBy(service):
                own = self._values.text(
                    "(service = <service> OR name = <service>)", service=(service, "String")
                )
                return self._sets.segments(exactly(own))
            case MayHaveFailed(service):
                return self._may_have_failed(service)
            case MayHaveCalled(service, called):
                return self._may_have_called(service, called)
            case ServiceMatch():
                return self._service(expression)
            case EdgeMatch():
                return edge_bounds(expression, self._sets, self._values)
            case RootCauseMatch():
                return cause_bounds(expression, self._sets, self._values)
            case RootCausePath():
                return every([UNKNOWN, *map(self.trace, services_on(expression))])
        return self._field(expression)

    def _may_have_failed(self, service: str) -> Bounds:
        failed = Sql(f"state != {State.OK:d}")
        unsaid = disjunction([failed, Sql("notEmpty(members)")])
        return self._of_service(service, unsaid, failed)

    def _may_have_called(self, service: str, called: str) -> Bounds:
        names_it = self._values.text("name = <called>", called=(called, "String"))
        return self._of_service(service, Sql(f"fetched != {Fetched.NO:d}"), names_it)

    def _of_service(self, service: str, document: Sql, call: Sql) -> Bounds:
        """A document that a service may have sent, or a call that it may have made, meets a condition."""
        of_any = IS_STREAMED if service else TRUE
        given = {"service": (service, "String"), "suffix": (f"/{service}", "String")}
        sent = self._values.text(
            "(service = <service> OR name = <service>)", service=given["service"]
        )
        owned = self._values.text(
            "(owner_name = <service> OR endsWith(owner_name, <suffix>))", **given
        )
        documents = conjunction([disjunction([of_any, sent]), document])
        calls = conjunction([disjunction([of_any, owned]), call])
        return some(
            [self._sets.segments(Bounds(documents, FALSE)), self._sets.calls(Bounds(calls, FALSE))]
        )

    def _all(self, terms: Sequence[Expression]) -> Bounds:
        """Few traces meet a selective term: rows for the others are looked for among these."""
        first = next(filter(is_selective, terms), None)
        if first is None or len(terms) == 1 or self._sets.sure:
            return every(map(self.trace, terms))
        bounds = self.trace(first)
        within = Compiler(self._sets.within(bounds.may), self._values)
        return every([bounds, *(within.trace(term) for term in terms if term is not first)])

    def _alternatives(self, terms: Sequence[Expression]) -> Iterator[Bounds]:
        """Tests of any document become one test: a document passes one of them."""
        tests = [t for t in terms if isinstance(t, FieldTest) and t.field.keyword in OF_DOCUMENTS]
        if tests:
            yield self._sets.segments(some(map(self._document_test, tests)))
        yield from (self.trace(term) for term in terms if term not in tests)

    def _field(self, test: FieldTest) -> Bounds:
        keyword = test.field.keyword
        if keyword in OF_DOCUMENTS:
            return self._sets.segments(self._document_test(test))
        if keyword in OF_NODES:
            return self._any_node(test)
        if keyword == "operation":
            fits = self._document_test(test)
            return some([self._sets.segments(fits), self._sets.calls(fits)])
        if keyword == "duration":
            return self._duration(test)
        if KEYWORDS[keyword].kind is Kind.FLAG:
            return flag(test, self._flag(keyword))
        return self._entry(self._entry_test(test))

    def _document_test(self, test: FieldTest) -> Bounds:
        if test.field.keyword == "annotation":
            return annotation_test(test, self._values)
        return exactly(text_test(test, (TEXTS[test.field.keyword],), self._values, blank=False))

    def _entry(self, condition: Sql) -> Bounds:
        """The entry segment passes: mostly the earliest segment, which then has no parent."""
        if condition.text == FALSE.text:
            return NEVER
        return self._sets.entries(condition)

    def _entry_test(self, test: FieldTest) -> Sql:
        if test.field.keyword == "responsetime":
            return finished(number_test(test, "duration", MICROSECONDS, self._values))
        if test.field.keyword == "http.status":
            return conjunction([Sql("status != 0"), number_test(test, "status", 1, self._values)])
        return text_test(test, (HTTP[test.field.keyword],), self._values, blank=False)

    def _flag(self, keyword: str) -> Bounds:
        if keyword in _ENTRY_STATES:
            return self._entry(in_states(_ENTRY_STATES[keyword]))
        segment, sets = IS_SEGMENT, self._sets
        request = every([REQUEST, sets.requests()])
        match keyword:
            case "root":
                root = Bounds(segment, conjunction([segment, Sql("parent_id = 0")]))
                return sets.segments(root)
            case "throttle":
                throttled = in_states((State.THROTTLE,))
                owned = Bounds(throttled, conjunction([throttled, segment]))
                return some(
                    [
                        sets.segments(every([request, exactly(throttled)])),
                        sets.calls(owned),
                    ]
                )
            case "inferred":
                inferred = every([REQUEST, exactly(Sql("inferred = 1"))])
                return some([sets.segments(inferred), sets.unanswered(ALWAYS)])
            case "background":
                return sets.segments(BACKGROUND)
            case "partial":
                return self._partial()
        raise AssertionError(f"{keyword} has no meaning outside of blocks")

    def _partial(self) -> Bounds:
        open_document = Bounds(
            disjunction([IS_IN_PROGRESS, Sql(f"independent != {Independent.NO:d}")]), IS_IN_PROGRESS
        )
        traced = exactly(Sql("traced = 1"))
        return some([self._sets.segments(open_document), self._sets.unanswered(traced)])

    def _any_node(self, test: FieldTest) -> Bounds:
        return self._units(lambda row: unit_condition(test, row, self._values))

    def _service(self, match: ServiceMatch) -> Bounds:
        return self._units(
            lambda row: every(
                [
                    called(match.selector, row, self._values),
                    unit_condition(match.condition, row, self._values),
                ]
            )
        )

    def _units(self, fits: Callable[[UnitRow], Bounds]) -> Bounds:
        """Traces with a unit of a node that fits: of a segment, a client, or a call without an answer."""
        segment = every([REQUEST, fits(SEGMENT), self._sets.requests()])
        return some(
            [
                self._sets.segments_or_roots(
                    segment, in_front(fits(CLIENT_UNIT), fits(CALLER_UNIT))
                ),
                self._sets.unanswered(fits(UNANSWERED_CALL)),
            ]
        )

    def _duration(self, test: FieldTest) -> Bounds:
        """From the first start to the last end, which always has a value."""
        match test:
            case Compare(_, "!=", float(value)):
                return negated(self._duration_between("=", value))
            case Compare(_, operator, float(value)):
                return self._duration_between(operator, value)
            case OneOf(values=wanted):
                return some(self._duration_between("=", float(each)) for each in wanted)
        return ALWAYS

    def _duration_between(self, operator: str, value: float) -> Bounds:
        low, high = integer_range(operator, value, MICROSECONDS)
        if low > high:
            return NEVER
        return every([self._lasts(low), negated(self._lasts(high + 1))])

    def _lasts(self, least: int) -> Bounds:
        """The duration is that of the documents at least, and that of everything at most, answered
        calls and replaced copies included."""
        if least <= 0:
            return ALWAYS
        if least > LARGEST:
            return NEVER
        return self._sets.lasting(self._values.sql(least, "Int64"))

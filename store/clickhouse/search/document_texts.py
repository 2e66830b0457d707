"""Rows whose documents may contain a text, which rules most traces out before Python reads them.

JSON and protobuf store a text as UTF-8, and JSON may escape any of its characters (``\\u0041``), also where it stands
in an attribute of a span. So a row qualifies with the text itself, or with any such escape. Of a text that contains
characters with other escapes (``\\"``, ``\\/``, ``\\n``) only the longest piece between these is looked for.

The names of entities are not always stored so: of a call that is a span the name is made of several attributes, and
a document without a body has its service's name. Those are columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from store.clickhouse.queries import Sql
from store.clickhouse.search.bounds import FALSE, TRUE, UNKNOWN, Bounds, Values, disjunction, some
from store.clickhouse.search.row_sets import RowSets
from store.clickhouse.search.unit_rows import block_condition
from store.filters.ast import Compare, FieldTest, OneOf, RootCauseMatch
from store.rules.service_names import CANONICAL

_ESCAPED = re.compile(r'["\\/\b\f\n\r\t\ud800-\udfff]')
_CONTAINED = frozenset(("=", "contains", "beginswith", "endswith"))
"""Operators whose text is a part of every text that passes."""
_GIVEN_NAMES = ("unknown", *CANONICAL.values())
"""Names of entities that stand in place of what was sent."""
_IN_BODY = r"""(multiSearchAny(body, [<piece>, '\\u']) OR multiSearchAny(tail, [<piece>, '\\u'])
    OR multiSearchAny(head, [<piece>, '\\u']) OR arrayExists(each -> multiSearchAny(each, [<piece>, '\\u']), attributes)
    OR (startsWith(head, char(2)) AND arrayExists(each -> position(each, <piece>) > 0, annotations)))"""
"""Of `segments` (queries/search/body.sql): resources and scopes have no texts that root causes read."""
_IN_SEGMENT = {"exception": ("exception",), "entity": ("name", "service")}
_IN_CALL = ("name", "service", "host")
_TEXTS = {"exception": ("name", "message"), "entity": ("name",)}
"""Texts of documents that the parts of a root cause have, by keyword."""


def text_bounds(match: RootCauseMatch, sets: RowSets, values: Values) -> Bounds:
    """Traces with rows that may contain the texts of a matching root cause; unknown if its condition demands none."""
    if match.part not in _TEXTS:
        return UNKNOWN

    def rows(where: Callable[[str], Sql]) -> Sql:
        return block_condition(
            match.condition, lambda test: _text_test(test, match.part, where)
        ).may

    def in_segment(piece: str) -> Sql:
        body = values.text(_IN_BODY, piece=(piece, "String"))
        return disjunction([body, _in_columns(_IN_SEGMENT[match.part], piece, values)])

    segment = rows(in_segment)
    if segment.text == TRUE.text:
        return UNKNOWN
    documents = sets.segments(Bounds(segment, FALSE))
    if match.part == "exception":
        return documents
    call = rows(lambda piece: _in_columns(_IN_CALL, piece, values))
    return some([documents, sets.calls(Bounds(call, FALSE))])


def _text_test(test: FieldTest, part: str, where: Callable[[str], Sql]) -> Bounds:
    """The condition that a row contains what passes a test. ``where``: that it contains a piece of text."""
    pieces = [_piece(text) for text in _texts(test)] if test.field.keyword in _TEXTS[part] else []
    if not pieces or not all(pieces):
        return UNKNOWN
    if part == "entity" and any(piece in name for piece in pieces for name in _GIVEN_NAMES):
        return UNKNOWN
    return Bounds(disjunction(map(where, pieces)), FALSE)


def _texts(test: FieldTest) -> Sequence[str]:
    """Texts of which each that passes a test contains one; none if that does not follow."""
    match test:
        case OneOf(values=wanted):
            return [each for each in wanted if isinstance(each, str)]
        case Compare(operator=operator, value=str(value)) if operator in _CONTAINED:
            return [value]
    return []


def _piece(text: str) -> str:
    """The longest piece of a text that JSON has as it is, or with an escape for any character."""
    return max(_ESCAPED.split(text), key=len)


def _in_columns(columns: Sequence[str], piece: str, values: Values) -> Sql:
    return disjunction(
        values.text(f"position({column}, <piece>) > 0", piece=(piece, "String"))
        for column in columns
    )

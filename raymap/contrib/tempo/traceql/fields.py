"""Reads what stands between the braces of TraceQL: conditions on one span.

As in Tempo's grammar, ``&&`` and ``||`` bind equally and from left to right: ``a || b && c`` is ``(a || b) && c``.
"""

from __future__ import annotations

from typing import Literal as Words
from typing import cast

from raymap.contrib.tempo.traceql.ast import (
    INTRINSICS,
    OTHER_SPELLINGS,
    Attribute,
    Comparison,
    Duration,
    Exists,
    FieldExpression,
    Literal,
    Logic,
    Not,
    Scope,
    SpanKind,
    Status,
    Type,
    Value,
    type_of,
)
from raymap.contrib.tempo.traceql.cursor import Cursor
from raymap.contrib.tempo.traceql.tokens import Token
from store.filters.patterns import compile_pattern

EQUALITY = ("=", "!=")
ORDER = ("<", "<=", ">", ">=")
PATTERNS = ("=~", "!~")
_ARITHMETIC = ("+", "-", "*", "/", "%", "^")
_WORDS: dict[str, Value] = {
    "true": True,
    "false": False,
    "nil": None,
    **{each.value: each for each in (*Status, *SpanKind)},
}
_NEVER_NIL = Attribute(Scope.RESOURCE, "service.name")


def parse_condition(cursor: Cursor) -> FieldExpression:
    """What a span has to satisfy; `TraceQLError`."""
    start = cursor.next
    found = _logic(cursor)
    _require_boolean(cursor, found, start)
    return found


def parse_attribute(cursor: Cursor, types: tuple[Type, ...] = tuple(Type)) -> Attribute:
    """An attribute or an intrinsic field, maybe one of certain types."""
    start = cursor.next
    found = _operand(cursor)
    if not isinstance(found, Attribute):
        raise cursor.error("expected an attribute, such as span.name, .name or duration", start)
    if type_of(found) not in types:
        raise cursor.error(f"expected a number or a duration, and {start.text} is none", start)
    return found


def parse_number(cursor: Cursor) -> float:
    """A number or a duration."""
    sign = -1 if cursor.take_if("-") else 1
    if cursor.next.kind != "number":
        cursor.fail_expecting("a number or a duration")
    return sign * cast("float", cursor.take().value)


def _logic(cursor: Cursor) -> FieldExpression:
    start = cursor.next
    found = _comparison(cursor)
    while operator := cursor.take_if("&&", "||"):
        _require_boolean(cursor, found, start)
        other = cursor.next
        right = _comparison(cursor)
        _require_boolean(cursor, right, other)
        found = Logic(cast("Words['&&', '||']", operator.text), found, right)
    return found


def _comparison(cursor: Cursor) -> FieldExpression:
    cursor.count_condition()
    start = cursor.next
    found = _operand(cursor)
    while operator := cursor.take_if(*EQUALITY, *ORDER, *PATTERNS):
        right = cursor.next
        found = _compared(cursor, operator, (found, start), (_operand(cursor), right))
    if cursor.has(*_ARITHMETIC):
        raise cursor.error(f"arithmetic ({cursor.next.text}) on fields is not supported")
    return found


def _operand(cursor: Cursor) -> FieldExpression:
    token = cursor.take()
    if token.kind == "attribute":
        return cast("Attribute", token.value)
    if token.kind in ("text", "number"):
        return Literal(cast("Value", token.value))
    if token.kind == "word":
        return _word(cursor, token)
    if token.text == "(":
        with cursor.nested(token):
            found = _logic(cursor)
            cursor.expect(")")
        return found
    if token.text == "-" and cursor.next.kind == "number":
        value = cast("float", cursor.take().value)
        return Literal(Duration(-value) if isinstance(value, Duration) else -value)
    if token.text == "!":
        with cursor.nested(token):
            start = cursor.next
            term = _operand(cursor)
            _require_boolean(cursor, term, start)
        return Not(term)
    raise cursor.error(
        f"expected a field or a value, got {token.text or 'the end of the query'!r}", token
    )


def _word(cursor: Cursor, token: Token) -> FieldExpression:
    name = OTHER_SPELLINGS.get(token.text, token.text)
    if name in INTRINSICS:
        return Attribute(Scope.INTRINSIC, name)
    if token.text in _WORDS:
        return Literal(_WORDS[token.text])
    if ":" in token.text:
        raise cursor.error(f"there is no field {token.text}", token)
    raise cursor.error(
        f"there is no field {token.text}; an attribute begins with a dot or a scope: .{token.text}, span.{token.text}",
        token,
    )


def _require_boolean(cursor: Cursor, expression: FieldExpression, start: Token) -> None:
    if type_of(expression) not in (Type.BOOLEAN, Type.ANY):
        raise cursor.error(f"expected a condition, and {start.text} is none", start)


def _compared(
    cursor: Cursor,
    operator: Token,
    left: tuple[FieldExpression, Token],
    right: tuple[FieldExpression, Token],
) -> FieldExpression:
    """The comparison, if what is compared can be; `TraceQLError`."""
    types = type_of(left[0]), type_of(right[0])
    if None in types:
        return _with_nil(
            cursor, operator, left if types[1] is None else right, types == (None, None)
        )
    if Type.ANY not in types and types[0] is not types[1]:
        raise cursor.error(f"{left[1].text} and {right[1].text} are not of one type", operator)
    if operator.text in ORDER and {*types} - {Type.NUMBER, Type.TEXT, Type.ANY}:
        raise cursor.error(f"{operator.text} compares numbers, durations and text alone", operator)
    if operator.text in PATTERNS:
        pattern = right[0].value if isinstance(right[0], Literal) else None
        if not isinstance(pattern, str):
            raise cursor.error(
                f"expected text with a regular expression after {operator.text}", right[1]
            )
        if types[0] not in (Type.TEXT, Type.ANY):
            raise cursor.error(f"{operator.text} matches text alone", operator)
        try:
            compile_pattern(pattern)
        except ValueError as error:
            raise cursor.error(f"invalid regular expression: {error}", right[1]) from None
    return Comparison(operator.text, left[0], right[0])


def _with_nil(
    cursor: Cursor, operator: Token, other: tuple[FieldExpression, Token], both: bool
) -> FieldExpression:
    if operator.text not in EQUALITY:
        raise cursor.error("nil may stand after = and != alone", operator)
    if both:
        return Literal(False)
    field = other[0]
    never = field == _NEVER_NIL or (isinstance(field, Attribute) and field.scope is Scope.INTRINSIC)
    if operator.text == "=" and never:
        raise cursor.error(f"{other[1].text} is never nil", operator)
    return Exists(field, operator.text == "!=")

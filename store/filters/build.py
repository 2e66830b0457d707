"""A parse tree → an expression: which keyword exists, which operators and values it takes."""

from __future__ import annotations

import difflib
import math
import re
from typing import Any

from lark import Token, Transformer

from store.filters.ast import (
    And,
    Bare,
    Compare,
    EdgeMatch,
    Exists,
    Expression,
    Field,
    FieldTest,
    Not,
    OneOf,
    Or,
    RootCauseMatch,
    RootCausePath,
    Selector,
    ServiceMatch,
    Value,
)
from store.filters.errors import FilterError
from store.filters.hints import word_hint
from store.filters.keywords import (
    ANNOTATION,
    COMPARISONS,
    GROUP_KEYWORDS,
    KEYWORDS,
    OPERATORS,
    TEXT_OPERATORS,
    Kind,
    Scope,
)
from store.filters.patterns import compile_pattern
from store.filters.scopes import Positions, check_scope

_Placed = tuple[Field, int]
_Literal = tuple[Value, Token]

_CONNECTIVES = frozenset(("and", "or", "in", "exists", "contains", "beginswith", "endswith"))
_NEEDS_MORE = {
    "service": 'write service("name"), or service("name") { fault }',
    "edge": 'write edge("caller", "callee"), or edge("caller", "callee") { fault }',
    "rootcause": 'write a block behind it, as in rootcause.fault.service { name = "api" }',
}
"""What a word of the grammar lacks where it stands alone."""


class Builder(Transformer[Token, Any]):
    """Parse tree → expression; methods are named like the rules of grammar.lark."""

    def __init__(self, documents: list[Any]) -> None:
        super().__init__()
        self._documents = documents
        self.positions = Positions()

    def start(self, children: list[Any]) -> Expression:
        expression: Expression = children[0]
        check_scope(expression, Scope.TRACE, self.positions)
        return expression

    def or_expr(self, children: list[Expression]) -> Expression:
        return children[0] if len(children) == 1 else Or(tuple(children))

    def and_expr(self, children: list[Expression]) -> Expression:
        return children[0] if len(children) == 1 else And(tuple(children))

    def negation(self, children: list[Expression]) -> Expression:
        return Not(children[-1])

    def service(self, children: list[Any]) -> Expression:
        begin, _, selector, _, condition = children
        return self._placed(ServiceMatch(selector or Selector(), condition), begin.start_pos)

    def edge(self, children: list[Any]) -> Expression:
        begin, _, source, _, target, _, condition = children
        return self._placed(EdgeMatch(source, target, condition), begin.start_pos)

    def root_cause(self, children: list[Any]) -> Expression:
        _, kind, part = str(children[0]).lower().split(".")
        return self._placed(RootCauseMatch(kind, part, children[1]), children[0].start_pos)

    def root_cause_path(self, children: list[Token]) -> Expression:
        token = children[-1]
        path = _root_cause_path(self._documents[int(token[1:])], token.start_pos or 0)
        return self._placed(path, token.start_pos)

    def selector(self, children: list[Any]) -> Selector:
        if isinstance(children[0], Token):
            return Selector(name=_text(children[0]))
        return Selector(**dict(children))

    def id_part(self, children: list[Token]) -> tuple[str, str]:
        return str(children[0]).lower().removesuffix(".id"), _text(children[1])

    def field(self, children: list[Token]) -> _Placed:
        return _field(children[0]), children[0].start_pos or 0

    def value(self, children: list[Token]) -> _Literal:
        token = children[0]
        if token.type == "NUMBER":
            return _number(token), token
        if token.type == "WORD" and token.lower() in ("true", "false"):
            return token.lower() == "true", token
        return _text(token), token

    def comparison(self, children: list[Any]) -> Expression:
        (field, position), operator, literal = children
        return self._placed(_comparison(field, str(operator).lower(), literal, position), position)

    def membership(self, children: list[Any]) -> Expression:
        (field, position), *literals = children
        values = tuple(_checked(field, literal) for literal in literals)
        if field.keyword != ANNOTATION and KEYWORDS[field.keyword].kind is Kind.FLAG:
            raise FilterError(f"{field} is compared with true or false", position)
        return self._placed(OneOf(field, values), position)

    def existence(self, children: list[_Placed]) -> Expression:
        field, position = children[0]
        if field.keyword != ANNOTATION and KEYWORDS[field.keyword].kind is Kind.FLAG:
            raise FilterError(f"{field} is a flag and always has a value", position)
        _refuse_group(field, position)
        return self._placed(Exists(field), position)

    def bare(self, children: list[_Placed]) -> Expression:
        field, position = children[0]
        if field.keyword in KEYWORDS and KEYWORDS[field.keyword].kind is Kind.NUMBER:
            raise FilterError(f"{field} is a number: compare it, as in {field} > 5", position)
        _refuse_group(field, position)
        return self._placed(Bare(field), position)

    def _placed(self, expression: Expression, position: int | None) -> Expression:
        self.positions.add(expression, position or 0)
        return expression


def _text(token: Token) -> str:
    """A quoted text or a bare word."""
    return _unquote(token) if token.type == "STRING" else str(token)


def _unquote(token: Token) -> str:
    """The content of a quoted text, whose escapes are a quote's and a backslash's."""

    def unescape(escape: re.Match[str]) -> str:
        if escape[1] not in '"\\':
            at = (token.start_pos or 0) + 1 + escape.start()
            raise FilterError(f"found {escape[0]}", at, "write a backslash twice")
        return escape[1]

    return re.sub(r"\\(.)", unescape, token[1:-1], flags=re.DOTALL)


def _number(token: Token) -> float:
    number = float(token)
    if math.isinf(number):
        raise FilterError(f"{token} is too large a number", token.start_pos or 0)
    return number


def _field(token: Token) -> Field:
    if token.type == "ANNOTATION":
        key = token[len(ANNOTATION) :]
        return Field(ANNOTATION, key[1:-1] if key.startswith("[") else key[1:])
    keyword = token.lower()
    if keyword not in KEYWORDS:
        raise _not_a_keyword(str(token), token.start_pos or 0)
    return Field(keyword)


def _not_a_keyword(word: str, position: int) -> FilterError:
    """The error of a word that begins no term."""
    lowered = word.lower()
    if lowered in _CONNECTIVES:
        return FilterError(f"found {word!r}, expected a term", position)
    if example := _NEEDS_MORE.get(lowered.split(".")[0]):
        return FilterError(f"{word!r} is no term by itself", position, example)
    near = difflib.get_close_matches(lowered, [*KEYWORDS, "annotation.key"], 1)
    hint = word_hint(word) or (f"did you mean {near[0]}?" if near else "")
    return FilterError(f"there is no keyword {word!r}", position, hint)


def _refuse_group(field: Field, position: int) -> None:
    if field.keyword in GROUP_KEYWORDS:
        raise FilterError(f'{field} names a group, as in {field} = "Default"', position)


def _comparison(field: Field, operator: str, literal: _Literal, position: int) -> FieldTest:
    value = _checked(field, literal)
    allowed = _operators(field, value)
    if operator not in allowed:
        raise FilterError(f"{field} takes {', '.join(allowed)} here, got {operator}", position)
    if operator == "=~":
        _check_pattern(str(value), literal[1])
    return Compare(field, operator, value)


def _checked(field: Field, literal: _Literal) -> Value:
    """The value of a literal, if the field may be compared with it."""
    value, token = literal
    if field.keyword == ANNOTATION:
        return value
    kind = KEYWORDS[field.keyword].kind
    at = token.start_pos or 0
    if kind is Kind.FLAG and not isinstance(value, bool):
        raise FilterError(f"{field} is compared with true or false, got {str(token)!r}", at)
    if kind is Kind.NUMBER and (isinstance(value, bool) or not isinstance(value, float)):
        raise FilterError(f"{field} is compared with a number, got {str(token)!r}", at)
    return str(token) if kind is Kind.TEXT and not isinstance(value, str) else value


def _operators(field: Field, value: Value) -> tuple[str, ...]:
    """The operators between a field and a value."""
    if field.keyword in GROUP_KEYWORDS:
        return ("=", "!=")
    if field.keyword != ANNOTATION:
        return OPERATORS[KEYWORDS[field.keyword].kind]
    if isinstance(value, str):
        return ("=", "!=", *TEXT_OPERATORS)
    return ("=", "!=") if isinstance(value, bool) else COMPARISONS


def _check_pattern(pattern: str, token: Token) -> None:
    try:
        compile_pattern(pattern)
    except ValueError as error:
        raise FilterError(f"regular expression: {error}", token.start_pos or 0) from None


def _root_cause_path(document: Any, position: int) -> RootCausePath:
    """``[{"Services": [{"Name", "EntityPath": [{"Name"}]}]}]`` as names."""
    try:
        (cause,) = document
        return RootCausePath(
            tuple(
                (
                    str(service["Name"]),
                    tuple(str(entity["Name"]) for entity in service.get("EntityPath", ())),
                )
                for service in cause["Services"]
            )
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise FilterError(
            'expected #[{"Services": [{"Name": …, "EntityPath": [{"Name": …}]}]}]', position
        ) from None

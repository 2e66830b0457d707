"""The text of a filter expression → its tree. Errors say where, what was found and what was expected."""

from __future__ import annotations

import difflib
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedEOF, UnexpectedToken
from lark.exceptions import VisitError

from store.filters.ast import (
    And,
    Bare,
    Compare,
    EdgeMatch,
    Expression,
    Field,
    Not,
    Or,
    RootCauseMatch,
    RootCausePath,
    Selector,
    ServiceMatch,
    Value,
    walk,
)
from store.filters.keywords import (
    ANNOTATION,
    ANNOTATION_SCOPE,
    COMPARISONS,
    GROUP_KEYWORDS,
    KEYWORDS,
    OPERATORS,
    TEXT_OPERATORS,
    Kind,
    Scope,
)

MAX_LENGTH = 2_000
"""Characters of an expression, as in AWS's API (docs/xray-format.md §6.2)."""
MAX_DEPTH = 50
"""Levels of parentheses, blocks and negations: the parser's and the evaluator's stack."""
MAX_TERMS = 100

_EXPECTED = {
    "RBRACE": "'}'",
    "RPAR": "')'",
    "LBRACE": "'{'",
    "LPAR": "'('",
    "COMMA": "','",
    "COLON": "':'",
    "STRING": "a text in double quotes",
    "NUMBER": "a number",
    "WORD": "a keyword",
    "OPERATOR": "an operator",
    "_AND": "AND",
    "_OR": "OR",
    "JSON": "#[…]",
    "$END": "the end",
}
_STRING_OR_JSON = re.compile(r'"(?:[^"\\]|\\.)*"|#\s*(?=\[)')


class FilterError(ValueError):
    """An expression that cannot be read. ``position`` counts characters from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} at position {position + 1}")
        self.position = position


@lru_cache(maxsize=512)
def parse(text: str) -> Expression:
    """The tree of an expression; raises FilterError."""
    if len(text) > MAX_LENGTH:
        raise FilterError(f"at most {MAX_LENGTH:,} characters, got {len(text):,}", MAX_LENGTH)
    _check_depth(text)
    plain, documents = _cut_json(text)
    try:
        tree = _parser().parse(plain)
        expression: Expression = _Builder(documents).transform(tree)
    except (UnexpectedToken, UnexpectedCharacters, UnexpectedEOF) as error:
        raise _syntax_error(error, text) from None
    except VisitError as error:
        if isinstance(error.orig_exc, FilterError):
            raise error.orig_exc from None
        raise
    terms = sum(not isinstance(e, And | Or | Not) for e in walk(expression))
    if terms > MAX_TERMS:
        raise FilterError(f"at most {MAX_TERMS} terms, got {terms}", 0)
    return expression


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text()
    return Lark(grammar, parser="lalr", lexer="contextual", maybe_placeholders=True)


def _check_depth(text: str) -> None:
    """Refuse nesting before the parser's stack sees it."""
    depth = 0
    for match in re.finditer(r'"(?:[^"\\]|\\.)*"|[({!)}]|\bnot\b', text, re.IGNORECASE):
        token = match[0]
        if token in ")}":
            depth -= 1
        elif token in "({":
            depth += 1
        if depth > MAX_DEPTH:
            raise FilterError(f"at most {MAX_DEPTH} levels of nesting", match.start())
    if len(re.findall(r"(?:!|\bnot\b)", text, re.IGNORECASE)) > MAX_TERMS:
        raise FilterError(f"at most {MAX_TERMS} negations", 0)


def _cut_json(text: str) -> tuple[str, list[Any]]:
    """Replace each ``#[…]`` by ``#<index>``, padded so that positions stay the same."""
    documents: list[Any] = []
    parts: list[str] = []
    at = 0
    while match := _STRING_OR_JSON.search(text, at):
        if match[0].startswith('"'):
            parts.append(text[at : match.end()])
            at = match.end()
            continue
        try:
            value, end = json.JSONDecoder().raw_decode(text, match.end())
        except (ValueError, RecursionError):
            raise FilterError("expected a JSON array after #", match.start()) from None
        label = f"#{len(documents)}"
        documents.append(value)
        parts.append(text[at : match.start()] + label.ljust(end - match.start()))
        at = end
    return "".join(parts) + text[at:], documents


def _syntax_error(error: Exception, text: str) -> FilterError:
    if isinstance(error, UnexpectedCharacters):
        at = error.pos_in_stream or 0
        found = (
            repr(text[at : at + 1]) if text[at : at + 1] != '"' else "a text without closing quote"
        )
        return FilterError(f"found {found}, expected {_names(error.allowed)}", at)
    token: Token | None = getattr(error, "token", None)
    expected = _names(getattr(error, "accepts", None) or getattr(error, "expected", ()))
    if token is None or token.type == "$END":
        return FilterError(f"the expression ends where {expected} was expected", len(text))
    return FilterError(f"found {str(token)!r}, expected {expected}", token.start_pos or 0)


def _names(terminals: Any) -> str:
    names = sorted({_EXPECTED[t] for t in terminals or () if t in _EXPECTED})
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names) or "a term"


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


class _Builder(Transformer[Token, Any]):
    """Parse tree → expression; knows which keyword exists, and leaves the scopes to `_check`."""

    def __init__(self, documents: list[Any]) -> None:
        super().__init__()
        self._documents = documents

    def start(self, children: list[Any]) -> Expression:
        expression: Expression = children[0]
        _check_scope(expression, Scope.TRACE)
        return expression

    def or_expr(self, children: list[Expression]) -> Expression:
        return children[0] if len(children) == 1 else Or(tuple(children))

    def and_expr(self, children: list[Expression]) -> Expression:
        return children[0] if len(children) == 1 else And(tuple(children))

    def negation(self, children: list[Expression]) -> Expression:
        return Not(children[-1])

    def service(self, children: list[Any]) -> Expression:
        selector, condition = children
        return ServiceMatch(selector or Selector(), condition)

    def edge(self, children: list[Any]) -> Expression:
        return EdgeMatch(*children)

    def root_cause(self, children: list[Any]) -> Expression:
        _, kind, part = str(children[0]).lower().split(".")
        return RootCauseMatch(kind, part, children[1])

    def root_cause_path(self, children: list[Token]) -> Expression:
        token = children[-1]
        return _root_cause_path(self._documents[int(token[1:])], token.start_pos or 0)

    def selector(self, children: list[Any]) -> Selector:
        if isinstance(children[0], Token):
            return Selector(name=_text(children[0]))
        return Selector(**dict(children))

    def id_part(self, children: list[Token]) -> tuple[str, str]:
        return str(children[0]).lower().removesuffix(".id"), _text(children[1])

    def field(self, children: list[Token]) -> tuple[Field, int]:
        return _field(children[0]), children[0].start_pos or 0

    def value(self, children: list[Token]) -> tuple[Value, Token]:
        token = children[0]
        if token.type == "NUMBER":
            return float(token), token
        if token.type == "WORD" and token.lower() in ("true", "false"):
            return token.lower() == "true", token
        return _text(token), token

    def comparison(self, children: list[Any]) -> Expression:
        (field, position), operator, (value, token) = children
        return _comparison(field, str(operator).lower(), value, position, token)

    def bare(self, children: list[Any]) -> Expression:
        field, position = children[0]
        if field.keyword in KEYWORDS and KEYWORDS[field.keyword].kind is Kind.NUMBER:
            raise FilterError(f"{field} is a number: compare it, as in {field} > 5", position)
        if field.keyword in GROUP_KEYWORDS:
            raise FilterError(f'{field} names a group, as in {field} = "Default"', position)
        return Bare(field)


def _text(token: Token) -> str:
    return _unquote(token) if token.type == "STRING" else str(token)


def _field(token: Token) -> Field:
    if token.type == "ANNOTATION":
        key = token[len(ANNOTATION) :]
        return Field(ANNOTATION, key[1:-1] if key.startswith("[") else key[1:])
    keyword = token.lower()
    if keyword not in KEYWORDS:
        near = difflib.get_close_matches(keyword, [*KEYWORDS, "annotation.key"], 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise FilterError(f"there is no keyword {str(token)!r}{hint}", token.start_pos or 0)
    return Field(keyword)


def _comparison(
    field: Field, operator: str, value: Value, position: int, token: Token
) -> Expression:
    at = token.start_pos or 0
    if field.keyword == ANNOTATION:
        allowed: tuple[str, ...] = ("=", "!=")
        if isinstance(value, str):
            allowed += TEXT_OPERATORS
        elif not isinstance(value, bool):
            allowed = COMPARISONS
    else:
        kind = KEYWORDS[field.keyword].kind
        allowed = OPERATORS[kind]
        if kind is Kind.FLAG and not isinstance(value, bool):
            raise FilterError(f"{field} is compared with true or false, got {str(token)!r}", at)
        if kind is Kind.NUMBER and (isinstance(value, bool) or not isinstance(value, float)):
            raise FilterError(f"{field} is compared with a number, got {str(token)!r}", at)
        if kind is Kind.TEXT and not isinstance(value, str):
            value = str(token)
        if field.keyword in GROUP_KEYWORDS:
            allowed = ("=", "!=")
    if operator not in allowed:
        raise FilterError(f"{field} takes {', '.join(allowed)} here, got {operator}", position)
    return Compare(field, operator, value)


def _check_scope(expression: Expression, scope: Scope) -> None:
    """Refuse a keyword where it has no meaning. The tree has no positions."""
    match expression:
        case And(terms) | Or(terms):
            for term in terms:
                _check_scope(term, scope)
        case Not(term):
            _check_scope(term, scope)
        case Bare(field) | Compare(field=field):
            allowed = (
                ANNOTATION_SCOPE if field.keyword == ANNOTATION else KEYWORDS[field.keyword].scope
            )
            if not allowed & scope:
                places = " or ".join(_PLACES[each] for each in Scope if each & allowed)
                raise FilterError(f"{field} has a meaning only {places}", 0)
        case _ if scope is not Scope.TRACE:
            raise FilterError("service(), edge() and rootcause cannot stand inside a block", 0)
        case ServiceMatch(condition=condition) if condition is not None:
            _check_scope(condition, Scope.SERVICE)
        case EdgeMatch(condition=condition) if condition is not None:
            _check_scope(condition, Scope.EDGE)
        case RootCauseMatch(condition=condition):
            _check_scope(condition, Scope.ROOT_CAUSE)


_PLACES = {
    Scope.TRACE: "outside of blocks",
    Scope.SERVICE: "in service(){…}",
    Scope.EDGE: "in edge(){…}",
    Scope.ROOT_CAUSE: "in rootcause…{…}",
}


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

"""The text of a filter expression → its tree. Errors say where, what was found and what was expected."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, UnexpectedCharacters, UnexpectedEOF, UnexpectedToken
from lark.exceptions import VisitError

from store.filters.ast import And, Expression, Not, OneOf, Or, walk
from store.filters.build import Builder
from store.filters.errors import FilterError
from store.filters.hints import syntax_hint
from store.filters.scopes import Positions

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
    "ID_MEMBER": "name:, type: or account.id:",
    "$END": "the end",
}


def syntax_error(error: Exception, text: str) -> FilterError:
    """The error of a text that the grammar does not derive."""
    if isinstance(error, UnexpectedCharacters):
        at = error.pos_in_stream or 0
        found = (
            repr(text[at : at + 1]) if text[at : at + 1] != '"' else "a text without closing quote"
        )
        expected = _names(error.allowed)
        return FilterError(f"found {found}, expected {expected}", at, syntax_hint(text, at))
    token: Token | None = getattr(error, "token", None)
    expected = _names(getattr(error, "accepts", None) or getattr(error, "expected", ()))
    if token is None or token.type == "$END":
        return FilterError(f"the expression ends where {expected} was expected", len(text))
    at = token.start_pos or 0
    return FilterError(f"found {str(token)!r}, expected {expected}", at, syntax_hint(text, at))


def _names(terminals: Any) -> str:
    names = sorted({_EXPECTED[t] for t in terminals or () if t in _EXPECTED})
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names) or "a term"


__all__ = ["MAX_DEPTH", "MAX_LENGTH", "MAX_TERMS", "FilterError", "parse", "parse_with_positions"]

MAX_LENGTH = 2_000
"""Characters of an expression, as in AWS's API (docs/xray-format.md §6.2)."""
MAX_DEPTH = 50
"""Levels of parentheses, blocks and negations: the parser's and the evaluator's stack."""
MAX_TERMS = 100
"""Comparisons, flags and blocks; each value of a list counts."""

_STRING_OR_JSON = re.compile(r'"(?:[^"\\]|\\.)*"|#\s*(?=\[)')


def parse(text: str) -> Expression:
    """The tree of an expression; raises FilterError."""
    return parse_with_positions(text)[0]


@lru_cache(maxsize=512)
def parse_with_positions(text: str) -> tuple[Expression, Positions]:
    """The tree of an expression, and where its parts begin; raises FilterError."""
    if len(text) > MAX_LENGTH:
        raise FilterError(f"at most {MAX_LENGTH:,} characters, got {len(text):,}", MAX_LENGTH)
    _check_encoding(text)
    _check_depth(text)
    plain, documents = _cut_json(text)
    builder = Builder(documents)
    try:
        expression: Expression = builder.transform(_parser().parse(plain))
    except (UnexpectedToken, UnexpectedCharacters, UnexpectedEOF) as error:
        raise syntax_error(error, text) from None
    except VisitError as error:
        if isinstance(error.orig_exc, FilterError):
            raise error.orig_exc from None
        raise
    _check_terms(expression, builder.positions)
    return expression, builder.positions


def _check_terms(expression: Expression, positions: Positions) -> None:
    """Refuse too many terms, at the first that is one too many."""
    terms, excess = 0, None
    for each in walk(expression):
        terms += _terms(each)
        if terms > MAX_TERMS and excess is None:
            excess = each
    if excess is not None:
        raise FilterError(f"at most {MAX_TERMS} terms, got {terms}", positions.of(excess))


def _terms(expression: Expression) -> int:
    if isinstance(expression, And | Or | Not):
        return 0
    return len(expression.values) if isinstance(expression, OneOf) else 1


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text()
    return Lark(grammar, parser="lalr", lexer="contextual", maybe_placeholders=True)


def _check_encoding(text: str) -> None:
    """Refuse half of a surrogate pair, which JSON can spell and no database can store."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise FilterError("found half of a surrogate pair", error.start) from None


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
    negations = re.finditer(r'"(?:[^"\\]|\\.)*"|!(?!=)|\bnot\b', text, re.IGNORECASE)
    places = [match.start() for match in negations if match[0][0] != '"']
    if len(places) > MAX_TERMS:
        raise FilterError(f"at most {MAX_TERMS} negations", places[MAX_TERMS])


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

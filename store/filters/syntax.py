"""What the grammar's parser says about a text it cannot read, in words: where, found, expected."""

from __future__ import annotations

from typing import Any

from lark import Token, UnexpectedCharacters

from store.filters.errors import FilterError
from store.filters.hints import syntax_hint

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

"""Where a parser of TraceQL is in a query."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from raymap.contrib.tempo.traceql.tokens import Token, TraceQLError, tokens_of

MOST_DEEP = 40
"""Parentheses in each other."""
MOST_CONDITIONS = 200
"""Conditions, and operators between them, of a query."""


class Cursor:
    """The tokens of a query, read from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens_of(text)
        self._at = self._depth = self._conditions = 0

    @property
    def next(self) -> Token:
        """The token to be read."""
        return self._tokens[self._at]

    def take(self) -> Token:
        """Read a token."""
        token = self.next
        if token.kind != "end":
            self._at += 1
        return token

    def has(self, *texts: str, kind: str = "operator") -> bool:
        """Whether one of these is next."""
        return self.next.kind == kind and self.next.text in texts

    def take_if(self, *texts: str, kind: str = "operator") -> Token | None:
        """Read a token if it is one of these."""
        return self.take() if self.has(*texts, kind=kind) else None

    def expect(self, text: str) -> Token:
        """Read an operator; `TraceQLError` if it is another."""
        return self.take_if(text) or self.fail_expecting(repr(text))

    def fail_expecting(self, what: str) -> NoReturn:
        """Raise that something else was expected next."""
        found = repr(self.next.text) if self.next.text else "the end of the query"
        raise self.error(f"expected {what}, got {found}")

    def error(self, message: str, token: Token | None = None) -> TraceQLError:
        """An error at a token, or at the next one."""
        return TraceQLError(self._text, (token or self.next).position, message)

    def count_condition(self) -> None:
        """Note a condition; `TraceQLError` of too many."""
        self._conditions += 1
        if self._conditions > MOST_CONDITIONS:
            raise self.error(f"more than {MOST_CONDITIONS} conditions")

    @contextmanager
    def nested(self, opened: Token) -> Iterator[None]:
        """Something in parentheses; `TraceQLError` if it is too deep."""
        self._depth += 1
        if self._depth > MOST_DEEP:
            raise self.error(f"more than {MOST_DEEP} parentheses in each other", opened)
        yield
        self._depth -= 1

"""The words of a TraceQL query, as Tempo's lexer has them."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from api.errors import ApiError
from raymap.contrib.tempo.traceql.ast import Attribute, Duration, Scope, Value

MOST_CHARACTERS = 10_000
_SPACE = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_UNITS = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9,
    "h": 3600 * 10**9, "d": 86_400 * 10**9, "w": 7 * 86_400 * 10**9, "y": 365 * 86_400 * 10**9,
}  # fmt: skip
_PART = r"(?:[0-9]{1,12}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})(?:ns|us|µs|μs|ms|[smhdwy])"
_PARTS = re.compile(r"([0-9.]+)([a-zµμ]+)")
_DURATION = re.compile(f"(?:{_PART})+(?![A-Za-z0-9_])", re.ASCII)
_NUMBER = re.compile(
    r"(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?(?![A-Za-z0-9_])",
    re.ASCII,
)
_TEXT = re.compile(r'"(?:[^"\\\n]|\\.)*"|`[^`]*`')
_ATTRIBUTE = re.compile(r"(parent|span|resource|event|link|instrumentation|)\.(?![0-9])")
_NAME = re.compile(r'(?:[^\s{}()=~!<>&|^,"]|"(?:[^"\\]|\\["\\])*")+')
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_WORD = re.compile(
    r"(?:(?:trace|span|event|link|instrumentation):)?[A-Za-z_][A-Za-z0-9_]*", re.ASCII
)
_OPERATOR = re.compile(r"[&!](?:>>|<<)|[&!][><~]|&&|\|\||!=|=~|>=|<=|>>|<<|[{}()=<>~!|,+\-*/%^]")


class TraceQLError(ApiError):
    """A query that is not understood or not supported, with its position."""

    def __init__(self, text: str, position: int, message: str) -> None:
        line = text.count("\n", 0, position) + 1
        column = position - text.rfind("\n", 0, position)
        super().__init__(
            f"invalid TraceQL query: parse error at line {line}, col {column}: {message}",
            position=position,
        )


class Token(NamedTuple):
    """A word, an operator, or something with a value: an attribute, text, a number, a duration.

    ``text``: as it is written, empty at the end."""

    kind: str
    text: str
    position: int
    value: Value | Attribute = None


def tokens_of(text: str) -> list[Token]:
    """The tokens of a query, ending with one of the kind ``end``; `TraceQLError`."""
    if len(text) > MOST_CHARACTERS:
        raise TraceQLError(text, MOST_CHARACTERS, f"at most {MOST_CHARACTERS:,} characters")
    found: list[Token] = []
    at = _after_space(text, 0)
    while at < len(text):
        token, end = _token(text, at)
        found.append(token)
        at = _after_space(text, end)
    return [*found, Token("end", "", len(text))]


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _token(text: str, at: int) -> tuple[Token, int]:
    """The token at a position, and where it ends."""
    if match := _DURATION.match(text, at):
        length = sum(float(n) * _UNITS[unit] for n, unit in _PARTS.findall(match[0]))
        return Token("number", match[0], at, Duration(round(length))), match.end()
    if match := _NUMBER.match(text, at):
        number = int(match[0]) if match[0].isdecimal() else float(match[0])
        return Token("number", match[0], at, number), match.end()
    if match := _TEXT.match(text, at):
        return Token("text", match[0], at, _unquote(text, at, match[0])), match.end()
    if match := _ATTRIBUTE.match(text, at):
        return _attribute(text, at, match)
    if match := _WORD.match(text, at):
        return Token("word", match[0], at), match.end()
    if match := _OPERATOR.match(text, at):
        return Token("operator", match[0], at), match.end()
    if text[at] in '"`':
        raise TraceQLError(text, at, "the text has no end")
    raise TraceQLError(text, at, f"unexpected {text[at]!r}")


def _attribute(text: str, at: int, scope: re.Match[str]) -> tuple[Token, int]:
    if scope[1] == "parent":
        raise TraceQLError(
            text, at, "attributes of the parent are not supported; use { … } > { … }"
        )
    name = _NAME.match(text, scope.end())
    if name is None:
        raise TraceQLError(
            text, scope.end(), f"expected the name of an attribute after {scope[0]!r}"
        )
    plain = _QUOTED.sub(lambda part: re.sub(r"\\(.)", r"\1", part[1]), name[0])
    attribute = Attribute(Scope(scope[1]), plain)
    return Token("attribute", text[at : name.end()], at, attribute), name.end()


def _unquote(text: str, at: int, quoted: str) -> str:
    if quoted[0] == "`":
        return quoted[1:-1]
    try:
        return str(json.loads(quoted, strict=False))
    except ValueError:
        raise TraceQLError(
            text, at, "invalid escape in text; in backquotes none is needed"
        ) from None

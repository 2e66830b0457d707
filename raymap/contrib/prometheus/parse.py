"""A subset of PromQL → `raymap.contrib.prometheus.ast`. Everything else is refused with its position, in Prometheus' words.

https://prometheus.io/docs/prometheus/latest/querying/basics/
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from api.errors import ApiError
from raymap.contrib.prometheus.ast import (
    NAME,
    Aggregation,
    Expression,
    Growth,
    Matcher,
    Number,
    Operation,
    Quantile,
    is_scalar,
)
from store.filters.patterns import compile_pattern
from store.times import SECOND

MOST_CHARACTERS = 10_000
MOST_DEPTH = 50
AGGREGATIONS = ("sum", "avg", "min", "max", "count")
SUPPORTED = (
    "rate, increase, histogram_quantile, sum, avg, min, max, count (by), + - * / and numbers"
)
_UNITS = {"ms": 1000, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86_400 * SECOND}
_UNITS |= {"w": 7 * 86_400 * SECOND, "y": 365 * 86_400 * SECOND}
_DURATION = re.compile(r"(?:[0-9]+(?:ms|[smhdwy]))+", re.ASCII)
_PART = re.compile(r"([0-9]+)(ms|[smhdwy])", re.ASCII)
_TOKEN = re.compile(
    r"""(?P<space>(?:\s|\#[^\n]*)+)
    |(?P<duration>(?:[0-9]+(?:ms|[smhdwy]))+(?![0-9A-Za-z_]))
    |(?P<number>(?:0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![0-9A-Za-z_]))
    |(?P<name>[A-Za-z_:][A-Za-z0-9_:]*)
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
    |(?P<sign>=~|!~|!=|==|>=|<=|[-+*/%^(){}\[\],=<>@:])""",
    re.VERBOSE | re.ASCII,
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def parse(text: str) -> Expression:
    """A query; ApiError (400)."""
    if len(text) > MOST_CHARACTERS:
        raise _refused(text, 0, f"a query has at most {MOST_CHARACTERS:,} characters")
    if not text.strip():
        raise _refused(text, 0, "no expression found in input")
    parser = _Parser(text)
    found = parser.expression()
    parser.end()
    return found


def parse_selector(text: str) -> tuple[Matcher, ...]:
    """A selector of series, without a range; ApiError (400)."""
    if len(text) > MOST_CHARACTERS:
        raise _refused(text, 0, f"a selector has at most {MOST_CHARACTERS:,} characters", "match[]")
    parser = _Parser(text, "match[]")
    matchers = parser.selector()
    parser.end()
    return matchers


def parse_duration(text: str) -> int | None:
    """Microseconds, as `1h30m`; None if it is no duration."""
    if not _DURATION.fullmatch(text) or len(text) > 40:
        return None
    return sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def _refused(text: str, at: int, why: str, parameter: str = "query") -> ApiError:
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    message = f'invalid parameter "{parameter}": {line}:{column}: parse error: {why}'
    return ApiError(message, code="bad_data", position=at)


class _Parser:
    def __init__(self, text: str, parameter: str = "query") -> None:
        self._text, self._parameter = text, parameter
        self._tokens = [*self._split()]
        self._at = self._depth = 0

    def _split(self) -> list[_Token]:
        found, at = [], 0
        while at < len(self._text):
            match = _TOKEN.match(self._text, at)
            if match is None:
                raise self._error(at, f"unexpected character: {self._text[at]!r}")
            if match.lastgroup != "space":
                found.append(_Token(match.lastgroup or "", match[0], at))
            at = match.end()
        return [*found, _Token("end", "", len(self._text))]

    def _error(self, at: int, why: str) -> ApiError:
        return _refused(self._text, at, why, self._parameter)

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._next
        self._at += token.kind != "end"
        return token

    def _takes(self, text: str) -> bool:
        found = self._next.kind in ("sign", "name") and self._next.text == text
        self._at += found
        return found

    def _expect(self, text: str, where: str) -> None:
        if not self._takes(text):
            raise self._unexpected(f'in {where}, expected "{text}"')

    def _unexpected(self, where: str) -> ApiError:
        token = self._next
        words = "end of input" if token.kind == "end" else repr(token.text[:40])
        return self._error(token.at, f"unexpected {words} {where}")

    def end(self) -> None:
        """Require that nothing follows."""
        token = self._next
        if token.kind == "end":
            return
        if (
            token.text in ("and", "or", "unless", "offset", "@", "%", "^", "atan2", "[")
            or token.text in _COMPARE
        ):
            raise self._unsupported(token)
        raise self._unexpected("after the expression")

    def _unsupported(self, token: _Token) -> ApiError:
        return self._error(
            token.at, f"{token.text[:40]!r} is not supported; supported are {SUPPORTED}"
        )

    def expression(self) -> Expression:
        """Terms that are added."""
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise self._error(self._next.at, f"the expression is nested deeper than {MOST_DEPTH}")
        found = self._product()
        while self._next.text in ("+", "-") and self._next.kind == "sign":
            found = self._operation(self._take(), found, self._product)
        self._depth -= 1
        return found

    def _product(self) -> Expression:
        found = self._unary()
        while self._next.text in ("*", "/") and self._next.kind == "sign":
            found = self._operation(self._take(), found, self._unary)
        return found

    def _operation(
        self, token: _Token, left: Expression, more: Callable[[], Expression]
    ) -> Expression:
        if self._next.text in ("on", "ignoring", "bool", "group_left", "group_right"):
            raise self._unsupported(self._next)
        return Operation(token.text, left, more())

    def _unary(self) -> Expression:
        negative = False
        while self._next.kind == "sign" and self._next.text in ("+", "-"):
            negative ^= self._take().text == "-"
        found = self._primary()
        if not negative:
            return found
        return (
            Number(-found.value)
            if isinstance(found, Number)
            else Operation("*", Number(-1.0), found)
        )

    def _primary(self) -> Expression:
        token = self._next
        if token.kind == "number":
            return self._number()
        if self._takes("("):
            found = self.expression()
            self._expect(")", "parentheses")
            return found
        if token.kind == "name":
            following = self._tokens[self._at + 1]
            lowered = token.text.lower()
            if lowered in ("inf", "nan") and following.text not in ("(", "{"):
                self._take()
                return Number(float(lowered))
            if lowered in AGGREGATIONS and following.text in ("(", "by", "without"):
                return self._aggregation(lowered)
            if following.text == "(" or lowered in (
                "topk",
                "bottomk",
                "quantile",
                "group",
                "stddev",
                "stdvar",
            ):
                return self._call(token)
        if token.kind == "name" or token.text == "{":
            self.selector()
            if self._next.text == "[":
                raise self._error(
                    token.at, "a range of a counter is read by rate(…) or increase(…)"
                )
            raise self._error(
                token.at,
                "a counter is read by rate(…[5m]) or increase(…[5m]); its own value means nothing",
            )
        raise self._unexpected("in an expression")

    def _number(self) -> Number:
        text = self._take().text
        return Number(float(int(text, 16)) if text[:2].lower() == "0x" else float(text))

    def _call(self, name: _Token) -> Expression:
        self._take()
        function = name.text
        if function not in ("rate", "increase", "histogram_quantile"):
            raise self._error(
                name.at, f"function {function[:40]!r} is not supported; supported are {SUPPORTED}"
            )
        self._expect("(", f"a call of {function}")
        if function == "histogram_quantile":
            share = self._typed(scalar=True)
            self._expect(",", "a call of histogram_quantile")
            vector = self._typed(scalar=False)
            self._expect(")", "a call of histogram_quantile")
            return Quantile(share, vector)
        matchers = self.selector()
        if not self._takes("["):
            raise self._unexpected(f'in a call of {function}, expected a range such as "[5m]"')
        length = self._range()
        if self._next.text in ("offset", "@"):
            raise self._unsupported(self._next)
        self._expect(")", f"a call of {function}")
        return Growth("rate" if function == "rate" else "increase", matchers, length)

    def _range(self) -> int:
        token = self._take()
        length = parse_duration(token.text) if token.kind == "duration" else None
        if length is None:
            raise self._error(token.at, f"expected a duration such as 5m, got {token.text[:40]!r}")
        if length < 60 * SECOND:
            raise self._error(
                token.at, "requests are counted by the minute: a range is at least 1m"
            )
        if self._next.text.startswith(":"):
            raise self._error(self._next.at, "subqueries are not supported")
        self._expect("]", "a range")
        return length

    def _typed(self, *, scalar: bool) -> Expression:
        at = self._next.at
        found = self.expression()
        if is_scalar(found) != scalar:
            wanted = "scalar" if scalar else "instant vector"
            raise self._error(at, f"expected type {wanted}")
        return found

    def _aggregation(self, operator: str) -> Expression:
        self._take()
        by = self._labels() if self._next.text != "(" else None
        self._expect("(", "an aggregation")
        vector = self._typed(scalar=False)
        if self._next.text == ",":
            raise self._unsupported(self._next)
        self._expect(")", "an aggregation")
        if by is None and self._next.text in ("by", "without"):
            by = self._labels()
        return Aggregation(operator, by or (), vector)

    def _labels(self) -> tuple[str, ...]:
        if not self._takes("by"):
            raise self._unsupported(self._next)
        self._expect("(", "the labels of by")
        found: list[str] = []
        while not self._takes(")"):
            token = self._take()
            if token.kind != "name" or ":" in token.text:
                raise self._error(token.at, f"expected a label, got {token.text[:40]!r}")
            found.append(token.text)
            if not self._takes(",") and self._next.text != ")":
                raise self._unexpected('in the labels of by, expected "," or ")"')
        return tuple(dict.fromkeys(found))

    def selector(self) -> tuple[Matcher, ...]:
        """The matchers of a selector, that of the metric's name first."""
        found: list[Matcher] = []
        first = self._next
        if first.kind == "name":
            found.append(Matcher(NAME, "=", self._take().text))
        elif first.text != "{":
            raise self._unexpected("in a selector, expected a metric's name")
        if self._takes("{"):
            while not self._takes("}"):
                found.append(self._matcher())
                if not self._takes(",") and self._next.text != "}":
                    raise self._unexpected('in label matching, expected "," or "}"')
        if all(each.fits({}) for each in found):
            raise self._error(
                first.at, "vector selector must contain at least one non-empty matcher"
            )
        return tuple(found)

    def _matcher(self) -> Matcher:
        label = self._take()
        if label.kind != "name" or ":" in label.text:
            raise self._error(
                label.at, f"unexpected {label.text[:40]!r} in label matching, expected a label"
            )
        operator = self._take()
        if operator.text not in ("=", "!=", "=~", "!~"):
            raise self._error(
                operator.at, f"expected one of = != =~ !~, got {operator.text[:40]!r}"
            )
        value = self._take()
        if value.kind != "text":
            raise self._error(value.at, f"expected a string, got {value.text[:40]!r}")
        text = _unquoted(value.text)
        if operator.text in ("=", "!="):
            return Matcher(label.text, operator.text, text)
        try:
            pattern = compile_pattern(text)
        except ValueError as error:
            raise self._error(value.at, f"error parsing regexp: {error}") from None
        return Matcher(label.text, operator.text, text, pattern)


_COMPARE = ("==", "!=", ">", "<", ">=", "<=")


def _unquoted(text: str) -> str:
    if text[0] == "`":
        return text[1:-1]

    def replaced(match: re.Match[str]) -> str:
        code = match[1] or match[2]
        return chr(int(code, 16)) if code else _ESCAPES.get(match[3], match[3])

    return _ESCAPE.sub(replaced, text[1:-1])

"""Hints for expressions in another language's syntax: what to write here instead."""

from __future__ import annotations

import re

from store.filters.keywords import KEYWORDS, Kind

_OPERATORS = {"&&": "AND", "||": "OR", "==": "="}
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)\b")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_PAIR = re.compile(r"([A-Za-z_][\w.-]*):(\S+)")
_SPANSET = re.compile(r"\s*\{([^{}]*)\}\s*")
_TEST = re.compile(r'\s*([\w.]+)\s*(=~|!=|>=|<=|=|>|<)\s*("[^"\\]*"|[\w.]+)\s*')
_SCOPE = re.compile(r"^(resource|span)?\.")
_KEYWORD_OF = {
    "http.status_code": "http.status",
    "http.response.status_code": "http.status",
    "http.request.method": "http.method",
    "url.full": "http.url",
    "enduser.id": "user",
    "user.id": "user",
    "duration": "responsetime",
}
"""OpenTelemetry's and TraceQL's names of what a keyword reads."""
_BRACES = 'a block stands behind service() or edge(), as in service("name") { fault }'


def syntax_hint(text: str, at: int) -> str:
    """What to write instead of a text that cannot be read at a position; "" if that is unclear."""
    found = text[at:]
    if found.startswith("'"):
        return "texts are in double quotes"
    if found.startswith("[") and text[:at].lower().endswith("annotation"):
        return "annotation[ has no closing ]"
    if found.startswith("{") and not text[:at].strip():
        return _of_traceql(text)
    for token in (found[:2], text[max(0, at - 1) : at + 1]):
        if token in _OPERATORS:
            return f"write {_OPERATORS[token]} for {token}"
    if duration := _DURATION.match(found):
        return f"numbers have no unit, durations are in seconds: {_seconds(duration)}"
    return ""


def word_hint(word: str) -> str:
    """What to write instead of ``key:value``, the form of many search fields; "" for other words."""
    pair = _PAIR.fullmatch(word)
    return f"write {_translated(pair[1], '=', pair[2])}" if pair else ""


def _of_traceql(text: str) -> str:
    """The filter that says what one spanset with a plain conjunction says."""
    spanset = _SPANSET.fullmatch(text)
    tests = [_TEST.fullmatch(each) for each in spanset[1].split("&&")] if spanset else [None]
    terms = [_translated(test[1], test[2], test[3]) for test in tests if test]
    return f"write {' AND '.join(terms)}" if len(terms) == len(tests) else _BRACES


def _translated(name: str, operator: str, literal: str) -> str:
    """One comparison in the words of this language."""
    name = _SCOPE.sub("", name)
    value = literal.strip('"')
    if name in ("service", "service.name"):
        return f'service("{value}")' if operator == "=" else f'name {operator} "{value}"'
    if name == "status" and not value.isdigit():
        return "ok" if value == "ok" else "(error OR fault)"
    keyword = _KEYWORD_OF.get(name, "http.status" if name == "status" else name)
    if keyword in KEYWORDS and KEYWORDS[keyword].kind is not Kind.TEXT:
        duration = _DURATION.fullmatch(value)
        return f"{keyword} {operator} {_seconds(duration) if duration else value}"
    quoted = literal if _NUMBER.fullmatch(literal) and keyword not in KEYWORDS else f'"{value}"'
    if keyword in KEYWORDS:
        return f"{keyword} {operator} {quoted}"
    return f"annotation{f'[{name}]' if '.' in name else f'.{name}'} {operator} {quoted}"


def _seconds(duration: re.Match[str]) -> str:
    return f"{float(duration[1]) * _SECONDS[duration[2]]:g}"

"""Names with values inside of texts: parameters, members of JSON, headers, prose.

Values of names that no rule matches are searched in turn: a URL in a parameter, JSON in JSON.
"""

from __future__ import annotations

import re
from typing import Protocol


class Rules(Protocol):
    """What is a secret, and what becomes of it. ``in_query``: in the query of a URL, or a form."""

    def is_secret(self, name: str, *, in_query: bool = False) -> bool: ...
    def replaced(self, name: str, value: str, *, in_query: bool = False) -> str: ...


_PARAMETER = re.compile(r"(?<![\w.%\[\]-])([\w.%\[\]-]{1,100})=")
"""``name=`` of a query, a form, a connection string, a log line."""
_MEMBER = re.compile(r"(?<!\\)(\\{0,15}[\"'])(?P<name>[\w .-]{1,100})\1\s*(?::|=>)\s*")
"""The name of a member of JSON, or of what Python and Ruby print, its quotes escaped or not."""
_QUOTED = re.compile(r"(\\{0,15}[\"'])(?P<value>.*?)(?:(?<!\\)\1|\Z)", re.DOTALL)
"""A value that was cut off lasts until the end."""
_BARE = re.compile(r"[^&;\s,\"'#]+")
_LITERAL = re.compile(r"[\w.+-]+")
_FIELD = re.compile(
    r"(?<![\w.%\"'\\-])((?:[A-Za-z][\w.-]{0,40} )?[A-Za-z][\w.-]{0,99})\s?:\s{0,3}(?=[^\s/])"
)
"""``Name: `` of a header or of prose; its name may have two words."""
_SPOKEN = re.compile(
    r"(?i)(?<![\w.-])(password|passwd|passphrase|passcode|pwd)(\s+(?:(?:is|was)\s+)?)([^\s,;\"'<>:=()]{4,100})"
)
_LOOKS_CHOSEN = re.compile(r"[^\W\d_].*[\d!@#$%^&*+]|[\d!@#$%^&*+].*[^\W\d_]")
"""Letters with digits or symbols: `password hunter4`, not `password required`."""
_COOKIES = re.compile(r"[^\s;,]+(?:; *[^\s;,]+)*")
_CREDENTIALS = re.compile(r"(?:[A-Za-z][\w-]* +)?[^\s,;\"']+(?:, *[\w-]+=[^\s,;]+)*")
_WORD = re.compile(r"[A-Z]{2}\d\d(?: [A-Z0-9]{1,4}){3,8}\b|[^\s,;\"'<>]+")
"""One word, or an IBAN in groups."""
_ORDINARY = frozenset(
    re.findall(
        r"\w+",
        """
        a an and are be but cannot can could denied did do does empty expected expired failed false
        for from has have if in incorrect invalid is it least length less longer may mismatch
        missing more must needed nil no none not null of on only optional or please provided
        refused rejected required reset revoked set shorter should than the this to too true
        undefined unknown unset update updated valid was were will with without wrong yes your
        bearer basic
        """,
    )
)
"""What follows ``password:`` in messages of validation."""
_FORM = re.compile(r"[\w.%\[\]-]{1,100}=[^&\s]*&[\w.%\[\]-]{1,100}=")
_IN_QUERY = re.compile(r"[?&](?:amp;)?\Z")


def replace_parameters(text: str, rules: Rules, *, is_query: bool) -> str:
    """Parameters; a text ``is_query`` begins with one of a URL's query, as a form does."""
    begins = is_query or _FORM.match(text) is not None
    pieces = _Pieces(text)
    for match in _PARAMETER.finditer(text):
        start = match.start()
        inside = (begins and start == 0) or _IN_QUERY.search(text, max(0, start - 5), start)
        name, at = match[1], match.end()
        if pieces.end <= start and rules.is_secret(name, in_query=bool(inside)):
            value = _QUOTED.match(text, at)
            first, last = value.span("value") if value else _span(_BARE, text, at)
            pieces.put(first, last, rules.replaced(name, text[first:last], in_query=bool(inside)))
    return pieces.joined()


def replace_members(text: str, rules: Rules) -> str:
    """Members of JSON; numbers become texts."""
    pieces = _Pieces(text)
    for match in _MEMBER.finditer(text):
        name, at = match["name"], match.end()
        if pieces.end <= match.start() and rules.is_secret(name):
            value = _QUOTED.match(text, at)
            first, last = value.span("value") if value else _span(_LITERAL, text, at)
            quote = "" if value else match[1]
            pieces.put(first, last, rules.replaced(name, text[first:last]), quote)
    return pieces.joined()


def replace_fields(text: str, rules: Rules) -> str:
    """Headers, and what prose says of itself."""
    pieces = _Pieces(text)
    for match in _FIELD.finditer(text):
        name, at = match[1], match.end()
        if pieces.end <= match.start() and rules.is_secret(name):
            value = _value_of(name).match(text, at)
            if value is not None and _is_no_message(name, value[0]):
                pieces.put(*value.span(), rules.replaced(name, value[0]))
    return _SPOKEN.sub(lambda match: _spoken(match, rules), pieces.joined())


class _Pieces:
    """A text of which parts are replaced, from the left to the right."""

    def __init__(self, text: str) -> None:
        self._text, self._pieces, self._written = text, list[str](), 0
        self.end = 0
        """Of what was looked at."""

    def put(self, first: int, last: int, new: str, quote: str = "") -> None:
        """Replace a part, unless it stays; ``quote`` is written around it."""
        self.end = last
        if new != self._text[first:last]:
            self._pieces += [self._text[self._written : first], quote, new, quote]
            self._written = last

    def joined(self) -> str:
        """The same object if nothing was replaced."""
        return "".join([*self._pieces, self._text[self._written :]]) if self._pieces else self._text


def _span(pattern: re.Pattern[str], text: str, at: int) -> tuple[int, int]:
    found = pattern.match(text, at)
    return found.span() if found else (at, at)


def _value_of(name: str) -> re.Pattern[str]:
    lower = name.lower()
    if lower.endswith("cookie"):
        return _COOKIES
    return _CREDENTIALS if lower.endswith("authorization") else _WORD


def _is_no_message(name: str, value: str) -> bool:
    word = value.strip(".!?)]}").lower()
    return any(map(str.isalnum, word)) and word not in _ORDINARY and name.lower() != "pass"


def _spoken(match: re.Match[str], rules: Rules) -> str:
    name, between, value = match.groups()
    if not (rules.is_secret(name) and _LOOKS_CHOSEN.search(value)):
        return match[0]
    return f"{name}{between}{rules.replaced(name, value)}"

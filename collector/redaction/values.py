"""What becomes of one value under a key: the heart of redaction, without any format."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Callable, Container, Sequence
from typing import Any, Final

from collector.redaction.rules import Action, Detect, Rule, normalize
from collector.redaction.sql import SQL_KEYS, replace_literals
from store.filters.patterns import compile_pattern

MASK = "***"
MAX_KNOWN = 8192
"""Keys whose rule is remembered."""


class Dropped:
    """The type of `DROPPED`: the value is to be left out, with its key."""


DROPPED: Final = Dropped()
_PARAMETER = re.compile(r"(?<![^?&;\s,{(\"'])([\w.%\[\]-]{1,100})=([^&;\s,\"'#]+)")
"""name=value of a query, a form, a connection string."""
_MEMBER = re.compile(r"\"([\w.-]{1,100})\\?\"\s*:\s*(\\?\"(?:[^\"\\]|\\[^\"])*\\?\"|[\w.+-]+)")
"""A member of JSON inside a text, its quotes escaped or not."""
_CARD = re.compile(
    r"(?<![0-9A-Za-z.])(?:[2-6]\d{12,18}|[2-6]\d{3}([ -])\d{4}\1\d{4}\1\d{4}|3\d{3}([ -])\d{6}\2\d{5})"
    r"(?![0-9A-Za-z]|\.\d)"
)
_BEARER = re.compile(r"(?i)(?<=\bbearer )\s*[A-Za-z0-9._~+/-]{16,}=*")
_DETECTED = {Detect.CARD: _CARD, Detect.BEARER: _BEARER}
_CARD_MIN, _CARD_MAX = 10**12, 10**19


class Rules:
    """Compiled rules; the first one that matches decides. ``secret`` is the key of hashes."""

    def __init__(self, rules: Sequence[Rule], secret: Callable[[], bytes] = lambda: b"") -> None:
        self.rules = tuple(rules)
        self.names: dict[str, Rule] = {}
        for rule in rules:
            for key in rule.keys:
                self.names.setdefault(normalize(key), rule)
        self._secret: bytes | None = None
        self._read_secret = secret
        self._known: dict[str, Rule | None] = {}
        self._sql = next((rule for rule in rules if rule.detect is Detect.SQL), None)
        self._texts: list[tuple[Rule, Any]] = [
            (rule, _DETECTED[rule.detect] if rule.detect else compile_pattern(rule.pattern))
            for rule in rules
            if rule.pattern or rule.detect in _DETECTED
        ]

    def of_key(self, key: str) -> Rule | None:
        """The rule for everything under a key: that whose words the key ends with."""
        try:
            return self._known[key]
        except KeyError:
            words = normalize(key).split("_")
            ends = ("_".join(words[first:]) for first in range(len(words)))
            found = next((self.names[end] for end in ends if end in self.names), None)
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[key] = found
            return found

    def hash(self, text: str) -> str:
        """Sixteen hex digits that the same text has everywhere under the same secret."""
        if self._secret is None:
            self._secret = hmac.digest(self._read_secret(), b"redaction", "sha256")
        return (
            "hash:"
            + hmac.new(self._secret, text.encode(errors="replace"), hashlib.sha256).hexdigest()[:16]
        )

    def sql_rule(self, key: str) -> Rule | None:
        """The rule for SQL, if a key has some."""
        return self._sql if self._sql and normalize(key).endswith(SQL_KEYS) else None

    def texts(self, detects: Container[Detect]) -> list[tuple[Rule, Any]]:
        """Rules that search inside of texts, and their patterns; of those that detect something, the
        given ones."""
        return [pair for pair in self._texts if pair[0].detect is None or pair[0].detect in detects]


class Redaction:
    """One pass over one payload; ``counts`` is by the rule's name.

    ``detects``: what may be found inside of its texts.
    """

    def __init__(self, rules: Rules, detects: Container[Detect] = frozenset(Detect)) -> None:
        self._rules = rules
        self._texts = rules.texts(detects)
        self.counts: Counter[str] = Counter()

    def keyed(self, key: str, value: Any) -> Any:
        """What is to be stored for a value that is no container; the same object if nothing matches."""
        rule = self._rules.of_key(key)
        if rule is not None:
            return self.whole(rule, value)
        if isinstance(value, str):
            sql = self._rules.sql_rule(key)
            return self.text(value) if sql is None else self._statement(sql, value)
        return self.number(value) if type(value) is int else value

    def rule_of(self, key: str) -> Rule | None:
        """The rule that replaces whatever a key has."""
        return self._rules.of_key(key)

    def whole(self, rule: Rule, value: Any) -> Any:
        """A value replaced as a whole. An empty one contains nothing."""
        if (
            value is None
            or value in ("", MASK)
            or (isinstance(value, str) and value[:5] == "hash:")
        ):
            return value
        self.counts[rule.rule] += 1
        if rule.action is Action.DROP:
            return DROPPED
        return self._replacement(rule, str(value))

    def number(self, value: int) -> Any:
        """A whole number, which may be that of a card."""
        if not _CARD_MIN <= value < _CARD_MAX:
            return value
        text = str(value)
        redacted = self.text(text)
        return value if redacted is text else redacted

    def text(self, value: str) -> Any:
        """A text without the parts that rules match; the same object if none does."""
        redacted = value
        if "=" in redacted:
            redacted = _PARAMETER.sub(self._parameter, redacted)
        if '":' in redacted or '" :' in redacted:
            redacted = _MEMBER.sub(self._member, redacted)
        for rule, pattern in self._texts:
            redacted = self._search(rule, pattern, redacted)
        return value if redacted == value else redacted

    def _statement(self, rule: Rule, value: str) -> Any:
        if rule.action is Action.DROP:
            return self.whole(rule, value)
        redacted, count = replace_literals(value)
        self.counts[rule.rule] += count
        return self.text(redacted if count else value)

    def _parameter(self, match: re.Match[str]) -> str:
        name, value = match.groups()
        rule = self._rules.of_key(name)
        replaced = value if rule is None else self._inside(rule, value)
        return match[0] if replaced is value else f"{name}={replaced}"

    def _member(self, match: re.Match[str]) -> str:
        name, value = match.groups()
        rule = self._rules.of_key(name)
        if rule is None:
            return match[0]
        quote = '\\"' if value.startswith('\\"') else '"'
        inner = value.removeprefix(quote).removesuffix(quote)
        replaced = self._inside(rule, inner)
        return (
            match[0]
            if replaced is inner
            else match[0].removesuffix(value) + quote + replaced + quote
        )

    def _inside(self, rule: Rule, value: str) -> str:
        """A part of a text; what is dropped leaves nothing between its neighbours."""
        replaced = self.whole(rule, value)
        return "" if replaced is DROPPED else replaced

    def _search(self, rule: Rule, pattern: Any, text: str) -> str:
        pieces, end = [], 0
        for match in pattern.finditer(text):
            found = match.group(0)
            if not found or (rule.detect is Detect.CARD and not is_card(found)):
                continue
            self.counts[rule.rule] += 1
            pieces += [text[end : match.start()], self._part(rule, found)]
            end = match.end()
        return text if not pieces else "".join([*pieces, text[end:]])

    def _part(self, rule: Rule, found: str) -> str:
        return "" if rule.action is Action.DROP else self._replacement(rule, found)

    def _replacement(self, rule: Rule, text: str) -> str:
        return self._rules.hash(text) if rule.action is Action.HASH else MASK


def is_card(text: str) -> bool:
    """Whether digits end with the check digit that ISO/IEC 7812 (Luhn) gives them."""
    digits = [int(each) for each in text if each.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0

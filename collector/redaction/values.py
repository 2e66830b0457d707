"""What becomes of one value under a key: the heart of redaction, without any format."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Callable, Container, Sequence
from enum import Enum, auto
from typing import Any, Final, NamedTuple

from collector.redaction import cards, formats, pairs
from collector.redaction.defaults import CARD_KEYS, NAME_KEYS, QUERY_KEYS
from collector.redaction.rules import Action, Detect, Rule, compile_large, ends_of, normalize
from collector.redaction.sql import SQL_KEYS, replace_literals
from store.filters.patterns import compile_pattern
from store.masks import is_mask, mask_of

MAX_KNOWN = 8192
"""Keys whose rule is remembered."""


class Dropped:
    """The type of `DROPPED`: the value is to be left out, with its key."""


DROPPED: Final = Dropped()


class Kind(Enum):
    """What a key says of a text under it."""

    PLAIN = auto()
    NAME = auto()
    """It names something: digits in it are no card, words no prose."""
    CARD = auto()
    """It may be the number of a card as a whole."""
    QUERY = auto()
    """It begins with a query parameter."""


class _Known(NamedTuple):
    rule: Rule | None
    kind: Kind


_HASH = re.compile(r"hash:[0-9a-f]{16}")
_USERINFO = re.compile(
    r"(?<=//)[^\s/?#\"'<>\\]+(?=@)"
    r"|(?:(?<=:thin:)|(?<=:oci:)|(?<=:oci8:))[^\s/@\"'<>]{1,60}/[^\s/@\"'<>]{1,100}(?=@)"  # Oracle's JDBC
    r"|(?<![^\s\"'=(])[^\s:/@\"'=(]{1,100}:[^\s/\"'<>]{0,200}?(?=@(?:tcp|unix|udp)\()"
)
_BEARER = re.compile(r"(?i)(?<=\bbearer )\s*[A-Za-z0-9._~+/-]{16,}=*")
_BASIC = re.compile(r"(?i)(?<=\bbasic )\s*[A-Za-z0-9+/_-]{4,}={0,2}")
_DETECTED: dict[Detect, Any] = {
    Detect.CARD: cards.NUMBER,
    Detect.BEARER: _BEARER,
    Detect.BASIC: _BASIC,
    Detect.SECRET: compile_large(formats.PATTERN),
}
_CARD_MIN, _CARD_MAX = 10**12, 10**19


class Rules:
    """Compiled rules; the first one that matches decides. ``secret`` is the key of hashes."""

    def __init__(self, rules: Sequence[Rule], secret: Callable[[], bytes] = lambda: b"") -> None:
        self.rules = tuple(rules)
        self.names: dict[str, Rule] = {}
        self.parameters: dict[str, Rule] = {}
        for rule in rules:
            for key in rule.keys:
                self.names.setdefault(normalize(key), rule)
            for name in rule.parameters:
                self.parameters.setdefault(normalize(name), rule)
        self._secret: bytes | None = None
        self._read_secret = secret
        self._known: dict[str, _Known] = {}
        by_detect = {rule.detect: rule for rule in reversed(rules)}
        self._sql = by_detect.get(Detect.SQL)
        self.userinfo = by_detect.get(Detect.USERINFO)
        self.card = by_detect.get(Detect.CARD)
        self._texts: list[tuple[Rule, Any]] = [
            (rule, _DETECTED[rule.detect] if rule.detect else compile_pattern(rule.pattern))
            for rule in rules
            if rule.pattern or rule.detect in _DETECTED
        ]

    def of_key(self, key: str) -> Rule | None:
        """The rule for everything under a key: that whose words the key ends with."""
        return self._of(key).rule

    def kind_of(self, key: str) -> Kind:
        """What a key says of a text under it."""
        return self._of(key).kind

    def inside(self, name: str, *, in_query: bool) -> Rule | None:
        """The rule for a name inside of a text."""
        rule = self.of_key(name)
        return self.parameters.get(normalize(name)) if rule is None and in_query else rule

    def _of(self, key: str) -> _Known:
        try:
            return self._known[key]
        except KeyError:
            ends = ends_of(key)
            rule = next((self.names[end] for end in ends if end in self.names), None)
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            known = self._known[key] = _Known(rule, _kind_of(ends))
            return known

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
        self._userinfo = rules.userinfo if Detect.USERINFO in detects else None
        self.counts: Counter[str] = Counter()

    def keyed(self, key: str, value: Any) -> Any:
        """What is to be stored for a value that is no container; the same object if nothing matches."""
        rule = self._rules.of_key(key)
        if rule is not None:
            return self.whole(rule, value)
        if isinstance(value, str):
            sql = self._rules.sql_rule(key)
            if sql is not None:
                return self._statement(sql, value)
            return self.text(value, self._rules.kind_of(key))
        return self._number(key, value) if type(value) is int else value

    def rule_of(self, key: str) -> Rule | None:
        """The rule that replaces whatever a key has."""
        return self._rules.of_key(key)

    def whole(self, rule: Rule, value: Any) -> Any:
        """A value replaced as a whole. An empty one contains nothing."""
        if value is None or value == "" or (isinstance(value, str) and _is_replaced(value)):
            return value
        self.counts[rule.rule] += 1
        if rule.action is Action.DROP:
            return DROPPED
        return self._replacement(rule, str(value))

    def name(self, value: str) -> Any:
        """The name of a unit, as a text under a key of `Kind.NAME`."""
        return self.text(value, Kind.NAME)

    def text(self, value: str, kind: Kind = Kind.PLAIN) -> Any:
        """A text without the parts that rules match; the same object if none does."""
        redacted = value
        if self._userinfo and "@" in redacted:
            redacted = self._search(self._userinfo, _USERINFO, redacted, kind)
        if "=" in redacted:
            redacted = pairs.replace_parameters(redacted, self, is_query=kind is Kind.QUERY)
        if ":" in redacted or "=>" in redacted:
            redacted = pairs.replace_members(redacted, self)
        if kind is not Kind.NAME and " " in redacted:
            redacted = pairs.replace_fields(redacted, self)
        for rule, pattern in self._texts:
            redacted = self._search(rule, pattern, redacted, kind)
        return value if redacted == value else redacted

    def _number(self, key: str, value: int) -> Any:
        """A whole number, which may be that of a card."""
        if not _CARD_MIN <= value < _CARD_MAX or self._rules.kind_of(key) is not Kind.CARD:
            return value
        rule = self._rules.card
        return self.whole(rule, value) if rule and cards.is_card(str(value)) else value

    def _statement(self, rule: Rule, value: str) -> Any:
        if rule.action is Action.DROP:
            return self.whole(rule, value)
        redacted, count = replace_literals(value)
        self.counts[rule.rule] += count
        return self.text(redacted if count else value)

    def is_secret(self, name: str, *, in_query: bool = False) -> bool:
        """Whether a rule matches a name inside of a text."""
        return self._rules.inside(name, in_query=in_query) is not None

    def replaced(self, name: str, value: str, *, in_query: bool = False) -> str:
        """A part of a text; what is dropped leaves nothing between its neighbours. A parameter alone does
        not make a secret of three digits: ``code=404``."""
        rule = self._rules.inside(name, in_query=in_query)
        is_number = len(value) <= 3 and value.isdigit()
        if rule is None or (is_number and rule is not self._rules.of_key(name)):
            return value
        replaced = self.whole(rule, value)
        return "" if replaced is DROPPED else replaced

    def _search(self, rule: Rule, pattern: Any, text: str, kind: Kind) -> str:
        pieces, end = [], 0
        for match in pattern.finditer(text):
            found = match.group(0)
            if not found or is_mask(found) or not self._is_detected(rule, match, text, kind):
                continue
            self.counts[rule.rule] += 1
            pieces += [text[end : match.start()], self._part(rule, found)]
            end = match.end()
        return text if not pieces else "".join([*pieces, text[end:]])

    def _is_detected(self, rule: Rule, match: Any, text: str, kind: Kind) -> bool:
        """Whether what has the form of something is that."""
        found, start = match.group(0), match.start()
        if rule.detect is Detect.BASIC:
            return _are_credentials(found)
        if rule.detect is not Detect.CARD:
            return True
        if kind is Kind.NAME or (
            kind is not Kind.CARD and len(found) == len(text) and found.isdigit()
        ):
            return False
        if not cards.is_card(found) or cards.is_in_host(text, start):
            return False
        word = cards.word_before(text, start)
        return not word or self._rules.kind_of(word) is Kind.CARD

    def _part(self, rule: Rule, found: str) -> str:
        return "" if rule.action is Action.DROP else self._replacement(rule, found)

    def _replacement(self, rule: Rule, text: str) -> str:
        return self._rules.hash(text) if rule.action is Action.HASH else mask_of(rule.rule)


def _kind_of(ends: Sequence[str]) -> Kind:
    for kind, keys in (
        (Kind.CARD, CARD_KEYS),
        (Kind.NAME, NAME_KEYS),
        (Kind.QUERY, QUERY_KEYS),
    ):
        if not keys.isdisjoint(ends):
            return kind
    return Kind.PLAIN


def _is_replaced(value: str) -> bool:
    return is_mask(value) or (value[:5] == "hash:" and _HASH.fullmatch(value) is not None)


def _are_credentials(text: str) -> bool:
    """Whether base64 contains a user and a password."""
    plain = text.strip().rstrip("=")
    try:
        return b":" in base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except (binascii.Error, ValueError):
        return False

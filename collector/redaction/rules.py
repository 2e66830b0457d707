"""Rules of redaction: what they match and what becomes of it; read from the configuration.

A rule has a name, an action and one of three matchers: ``keys`` (names of annotations, metadata,
attributes, tags, headers and query parameters) and ``parameters`` (names in queries of URLs alone),
``detect`` (what is known by its form) or ``pattern``.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

import msgspec
import re2
from msgspec import Struct

from store.filters.patterns import compile_pattern
from store.masks import RULE_NAME

MAX_RULES = 50
MAX_KEYS = 200


class Action(StrEnum):
    """``hash`` gives equal values equal hashes, under the server's secret."""

    MASK = "mask"
    HASH = "hash"
    DROP = "drop"


class Detect(StrEnum):
    """What is known by its form."""

    CARD = "card"
    """Numbers of payment cards (`collector.redaction.cards`)."""
    BEARER = "bearer"
    BASIC = "basic"
    """What follows these words in a text."""
    USERINFO = "userinfo"
    """User and password in a URL or a data source name."""
    SECRET = "secret"
    """Tokens, keys and PEM blocks (`collector.redaction.formats`)."""
    SQL = "sql"
    """Literals of statements."""


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """One rule; ``rule`` is its label in the metrics and in the masks that it leaves."""

    rule: str
    action: Action = Action.MASK
    keys: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    detect: Detect | None = None
    pattern: str = ""


def parse_rules(text: str) -> tuple[Rule, ...]:
    """The rules of a JSON list; none for an empty text. ValueError says what is wrong with which."""
    if not text.strip():
        return ()
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise ValueError(f"rules of redaction: not JSON: {error}") from None
    if not isinstance(found, list):
        raise ValueError("rules of redaction: expected a list of rules")
    if len(found) > MAX_RULES:
        raise ValueError(f"rules of redaction: at most {MAX_RULES}, got {len(found)}")
    return tuple(_rule(place, given) for place, given in enumerate(found, 1))


def normalize(key: str) -> str:
    """A key as words: ``http.request.header.X-Api-Key`` and ``apiKey`` both end with ``api_key``."""
    return _NO_WORD.sub("_", _HUMP.sub("_", key)).strip("_").lower()


def ends_of(key: str) -> list[str]:
    """What a key ends with, in whole words, the longest first."""
    words = normalize(key).split("_")
    return ["_".join(words[first:]) for first in range(len(words))]


def compile_large(pattern: str) -> Any:
    """A pattern of ours for texts, which may be longer than those of users."""
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    return re2.compile(pattern, options)


_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_WORD = re.compile(r"[^A-Za-z0-9]+")


def _rule(place: int, given: Any) -> Rule:
    name = given.get("rule") if isinstance(given, dict) else None
    where = f"rule of redaction {name if isinstance(name, str) else place}"
    try:
        rule = msgspec.convert(given, Rule)
    except msgspec.ValidationError as error:
        raise ValueError(f"{where}: {error}") from None
    if not RULE_NAME.fullmatch(rule.rule):
        raise ValueError(f"{where}: expected a name of a-z, 0-9, - and _, at most 40 characters")
    keys = rule.keys + rule.parameters
    if (bool(keys) + (rule.detect is not None) + bool(rule.pattern)) != 1:
        raise ValueError(f"{where}: expected one of keys, detect and pattern")
    if len(keys) > MAX_KEYS:
        raise ValueError(f"{where}: at most {MAX_KEYS} keys, got {len(keys)}")
    for key in keys:
        if not normalize(key):
            raise ValueError(f"{where}: keys: {key!r} has no letter and no digit")
    if rule.pattern:
        try:
            compile_pattern(rule.pattern)
        except ValueError as error:
            raise ValueError(f"{where}: pattern: {error}") from None
    return rule

"""Payloads as receivers get them → the same without what the rules remove."""

from __future__ import annotations

import binascii
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import re2

from collector.decode.otlp.datagram import base64_spans, is_metrics
from collector.journal.format import Kind
from collector.redaction import cards, formats, json_values, protobuf
from collector.redaction.defaults import CARD_KEYS, DEFAULTS
from collector.redaction.rules import Detect, Rule, normalize
from collector.redaction.sql import SQL_KEYS
from collector.redaction.values import Redaction, Rules

_TEXTS = {
    Detect.CARD: cards.PREFILTER,
    Detect.BEARER: r"bearer +[0-9a-z._~+/-]{16}",
    Detect.BASIC: r"basic +[0-9a-z+/_-]{4}",
    Detect.USERINFO: r"/\\?/[^\x00-\x20/?#\"'<>]+@|:(?:thin|oci8?):|@(?:tcp|unix|udp)\(",
    Detect.SECRET: formats.PREFILTER,
}
_SHORT = 4
"""Letters of a key that has to be a whole word, or every ``span`` would be searched for a ``pan``, and ids
in bytes for all of them."""
_LEFT = r"(?:^|[^0-9A-Za-z]|[\n\x12*].)"
"""What is before a word. In protobuf that may be the length of a text, which may look like a letter."""
_END = r"_*(?:[\x12\s\"'\\=:)\[\]-]|$)"
"""What is behind a short key: the next field in protobuf, a quote, what separates it from its value."""


class Prefilter:
    """Whether a payload can contain anything that a rule matches, in one pass of RE2 over its bytes.

    Some 2 ns a byte, whatever the number of rules; false positives are walked and stay as they are.
    A rule with a pattern of its own makes it true always: what a pattern
    matches in a text need not stand in JSON's form of it.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        detects = {rule.detect for rule in rules}
        texts = {detect: text for detect, text in _TEXTS.items() if detect in detects}
        names = {normalize(key) for rule in rules for key in rule.keys}
        names |= set(SQL_KEYS) if Detect.SQL in detects else set()
        names |= CARD_KEYS if Detect.CARD in detects else set()
        parameters = {normalize(name) for rule in rules for name in rule.parameters}
        parts = [*texts.values(), *_names(names)]
        if parameters:
            parts.append(rf"(?:[?&\"]|u0026|amp;|{_LEFT})(?:{_any(parameters)})(?:=|\\u003d)")
        self._always = any(rule.pattern for rule in rules)
        self._any: Any = _compile("|".join(parts)) if parts else None
        self._texts = [(detect, _compile(text)) for detect, text in texts.items()]

    def may_match(self, payload: bytes) -> bool:
        """False only if no rule matches anything in a payload."""
        return self._always or (self._any is not None and self._any.search(payload) is not None)

    def detects(self, payload: bytes) -> frozenset[Detect]:
        """What may be found inside of texts, for a payload in which something may match: mostly nothing,
        and looking for it in every text is most of the work."""
        return frozenset(
            [detect for detect, pattern in self._texts if pattern.search(payload) is not None]
        )


def _names(names: Iterable[str]) -> list[str]:
    """Patterns of keys: what ends with a name."""
    short = {name for name in names if len(name) <= _SHORT}
    long = set(names) - short
    parts = [f"(?:{_any(long)})_*(?:[^0-9a-z_]|$)"] if long else []
    if short:
        cases = {case for name in short for case in (name, name.upper(), name.capitalize())}
        humps = {name.capitalize() for name in short}
        parts.append(f"(?-i:{_LEFT}(?:{_any(cases)})|[a-z0-9](?:{_any(humps)})){_END}")
    return parts


def _any(names: Iterable[str]) -> str:
    return "|".join(re.escape(name).replace("_", "[^0-9a-z]{0,3}") for name in sorted(names))


def _compile(pattern: str) -> Any:
    return re2.compile(f"(?i){pattern}".encode(), _options())


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    options.encoding = re2.Options.Encoding.LATIN1
    options.dot_nl = True
    options.max_mem = 64 << 20
    return options


_JSON: Mapping[Kind, Callable[[bytes, Redaction], bytes]] = {
    Kind.OTLP_JSON: json_values.redact_otlp,
    Kind.ZIPKIN_JSON: json_values.redact_zipkin,
}
_PROTOBUF: Mapping[Kind, Callable[[bytes, Redaction, protobuf.MayMatch], bytes]] = {
    Kind.OTLP: protobuf.redact_otlp,
    Kind.ZIPKIN_PROTOBUF: protobuf.redact_zipkin,
}

NOTHING: Counter[str] = Counter()


class Redactor:
    """Applies rules; any thread may call it. ``secret`` is read when a rule hashes something."""

    def __init__(
        self, rules: Sequence[Rule] = DEFAULTS, secret: Callable[[], bytes] = lambda: b""
    ) -> None:
        self._rules = Rules(rules, secret)
        self._prefilter = Prefilter(rules)

    def documents(self, raws: Sequence[bytes]) -> tuple[Sequence[bytes], Counter[str]]:
        """Documents as datagrams and PutTraceSegments have them, and how much each rule replaced.

        The same sequence if nothing was.
        """
        whole = raws[0] if len(raws) == 1 else b"\n".join(raws)
        encoded = any([raw.startswith(b"T1") for raw in raws])  # noqa: C419
        if not encoded and not self.may_match(whole):
            return raws, NOTHING
        detects = frozenset(Detect) if encoded else self._prefilter.detects(whole)
        redaction = Redaction(self._rules, detects)
        redacted = [self._document(raw, redaction) for raw in raws]
        if all([one is raw for one, raw in zip(redacted, raws, strict=True)]):  # noqa: C419
            return raws, NOTHING
        return redacted, redaction.counts

    def request(self, kind: Kind, body: bytes) -> tuple[bytes, Counter[str]]:
        """The body of a request with spans, and how much each rule replaced."""
        if not self.may_match(body):
            return body, NOTHING
        redaction = Redaction(self._rules, self._prefilter.detects(body))
        if kind in _JSON:
            return _JSON[kind](body, redaction), redaction.counts
        return _PROTOBUF[kind](body, redaction, self.may_match), redaction.counts

    def texts(self, texts: Sequence[str]) -> tuple[Sequence[str], Counter[str]]:
        """Log lines without what the rules remove, and how much each rule replaced.

        The same sequence if nothing was.
        """
        whole = "\n".join(texts).encode(errors="replace")
        if not self.may_match(whole):
            return texts, NOTHING
        redaction = Redaction(self._rules, self._prefilter.detects(whole))
        return [str(redaction.text(text)) for text in texts], redaction.counts

    def may_match(self, payload: bytes) -> bool:
        """False only if no rule matches anything in a payload."""
        return self._prefilter.may_match(payload)

    def _document(self, raw: bytes, redaction: Redaction) -> bytes:
        encoded = base64_spans(raw)
        if encoded is not None:
            return self._spans(raw, encoded, redaction)
        if is_metrics(raw) or not self.may_match(raw):
            return raw
        return json_values.redact_documents(raw, redaction)

    def _spans(self, raw: bytes, encoded: bytes, redaction: Redaction) -> bytes:
        """Spans in base64 behind their prefix; what is none is rejected by its decoder."""
        try:
            body = binascii.a2b_base64(encoded, strict_mode=True)
        except binascii.Error:
            return raw
        redacted = body
        if self.may_match(body):
            redacted = protobuf.redact_otlp(body, redaction, self.may_match)
        if redacted is body:
            return raw
        return raw[: raw.index(encoded)] + binascii.b2a_base64(redacted, newline=False)

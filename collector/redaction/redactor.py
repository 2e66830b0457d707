"""Payloads as receivers get them → the same without what the rules remove."""

from __future__ import annotations

import binascii
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from collector.decode.otlp.datagram import base64_spans, is_metrics
from collector.journal.format import Kind
from collector.redaction import json_values, protobuf
from collector.redaction.defaults import DEFAULTS
from collector.redaction.prefilter import Prefilter
from collector.redaction.rules import Detect, Rule
from collector.redaction.values import Redaction, Rules

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

"""Documents to the daemon's port through the SDK's own emitter, as fast as a buffer drains; log lines as
Firehose delivers them, and spans over OTLP, to the same address."""

from __future__ import annotations

import os
import time

from aws_xray_sdk.core.daemon_config import DAEMON_ADDRESS_KEY
from aws_xray_sdk.core.emitters.udp_emitter import UDPEmitter

from raymap.demo.logs import logs
from raymap.demo.otel import spans
from raymap.demo.trace import LogLine, Record, Span

DATAGRAMS_PER_SECOND = 1500.0
_BURST = 8


class Sender:
    """UDP has no back-pressure, so the pace is ours: bursts of eight, 1,500 a second."""

    def __init__(self, udp: str) -> None:
        self._emitter = _emitter(udp)
        self._logs = logs(udp)
        self._spans = spans(udp)
        self._free_at = time.monotonic()
        self.sent = 0

    def send(self, document: Record) -> None:
        now = time.monotonic()
        if isinstance(document, LogLine):
            self._logs.add(document, now)
            return
        if isinstance(document, Span):
            self._spans.add(document, now)
            return
        self._logs.deliver(now)
        self._spans.deliver(now)
        self._free_at = max(self._free_at, now - _BURST / DATAGRAMS_PER_SECOND)
        self._free_at += 1 / DATAGRAMS_PER_SECOND
        if self._free_at > now:
            time.sleep(self._free_at - now)
        self._emitter.send_entity(document)
        self.sent += 1


def _emitter(udp: str) -> UDPEmitter:
    """The SDK prefers its environment variable to its argument; here the argument counts."""
    inherited = os.environ.pop(DAEMON_ADDRESS_KEY, None)
    try:
        return UDPEmitter(udp)
    finally:
        if inherited is not None:
            os.environ[DAEMON_ADDRESS_KEY] = inherited

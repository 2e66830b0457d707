"""Documents of SDKs to the daemon's port through the SDK's own emitter, as fast as a buffer drains; what AWS writes and
log lines as Firehose delivers them, a layer's uploads, and spans over OTLP, to the same address."""

from __future__ import annotations

import os
import time
from typing import Any

from aws_xray_sdk.core.daemon_config import DAEMON_ADDRESS_KEY
from aws_xray_sdk.core.emitters.udp_emitter import UDPEmitter

from raymap.demo.deliveries import Deliveries
from raymap.demo.logs import aws_spans, logs
from raymap.demo.otel import spans
from raymap.demo.trace import Document, LogLine, Record, Span, Upload

DATAGRAMS_PER_SECOND = 1500.0
_BURST = 8


class Sender:
    """UDP has no back-pressure, so the pace is ours: bursts of eight, 1,500 a second."""

    def __init__(self, udp: str) -> None:
        self._emitter = _emitter(udp)
        self._logs = logs(udp)
        self._aws = aws_spans(udp)
        self._layers = Layers(udp)
        self._spans = spans(udp)
        self._free_at = time.monotonic()
        self.sent = 0

    def send(self, record: Record) -> None:
        now = time.monotonic()
        match record:
            case LogLine():
                self._logs.add(record, now)
            case Span():
                self._spans.add(record, now)
            case Upload():
                self._layers.add(record, now)
            case Document() if record.account:
                self._aws.add(record, now)
            case _:
                self._emit(record, now)

    def _emit(self, document: Document, now: float) -> None:
        for each in (self._logs, self._aws, self._layers, self._spans):
            each.deliver(now)
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


class Layers:
    """Uploads that wait, by function: a request is of one."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._functions: dict[str, Deliveries[Upload]] = {}

    def add(self, upload: Upload, now: float) -> None:
        """Deliver an upload soon."""
        name = upload.function["name"]
        if name not in self._functions:
            key = os.environ.get("RAYMAP_LAMBDA_KEY", "") or os.environ.get("RAYMAP_TOKEN", "")
            headers = {"X-Api-Key": key}
            self._functions[name] = Deliveries(self._address, "/lambda/telemetry", headers, body)
        self._functions[name].add(upload, now)

    def deliver(self, now: float) -> None:
        """What has waited long enough."""
        for each in self._functions.values():
            each.deliver(now)


def body(uploads: list[Upload]) -> dict[str, Any]:
    """The uploads of one function as a request."""
    events = [event for each in uploads for event in each.events]
    return {"function": uploads[0].function, "events": events, "documents": []}

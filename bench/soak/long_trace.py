"""A trace of three hours beside the load: its calls arrive all the while, and the span that made them at the end."""

from __future__ import annotations

import math
import os
import threading
import time
import urllib.request
from collections import Counter
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bench.server import Server
from bench.soak.reader import xray_client
from bench.soak.traces import PROBE
from bench.spans import put

LENGTH = 3 * 3600
"""Seconds of the trace."""
CALLER, ANSWERS, TABLE = f"{PROBE}-nightly", f"{PROBE}-warehouse", f"{PROBE}-ledger"
"""What works for three hours, the service that answers every second of its calls, and the table that it reads."""
_POST = 1.0
"""Seconds from one export to the next."""
_SECOND = 1_000_000_000


class LongTrace:
    """Sends ``calls`` calls over ``seconds`` in a thread, the answer of each a second after it."""

    def __init__(self, http: str, calls: int, seconds: float) -> None:
        self._http = http
        self._calls = calls
        self._seconds = seconds
        self._begun = time.time()
        self._start = round((self._begun + seconds - LENGTH) * _SECOND)
        self._trace = os.urandom(4) + PROBE.encode() + os.urandom(7)
        self._root = os.urandom(8)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="long-trace", daemon=True)
        self._thread.start()
        self.sent = 0
        """Spans that were acknowledged; an export that is not ends the trace, and `differences` says so."""

    def end(self) -> None:
        """Send what is left, and the span of three hours."""
        self._stop.set()
        self._thread.join()
        root = Span(kind=Span.SPAN_KIND_INTERNAL, span_id=self._root, name="nightly run")
        root.start_time_unix_nano = self._start
        root.end_time_unix_nano = self._start + LENGTH * _SECOND
        self._export(CALLER, [root])

    def differences(self, server: Server) -> list[str]:
        """Where GetServiceGraph counts the trace otherwise than it was sent."""
        answers = self._calls // 2
        expected = {
            CALLER: 1,
            ANSWERS: answers,
            TABLE: self._calls - answers,
            (CALLER, ANSWERS): answers,
            (CALLER, TABLE): self._calls - answers,
        }
        found = self._found(server)
        return [
            f"the long trace, {key}: found {found[key]:,}, sent {expected.get(key, 0):,}"
            for key in {**expected, **found}
            if found[key] != expected.get(key, 0)
        ]

    def _found(self, server: Server) -> Counter[Any]:
        """Counts of nodes by name, and of edges by both names; all of a client's in front of them, too."""
        window = {"StartTime": self._start // _SECOND - 60, "EndTime": math.ceil(time.time()) + 60}
        services = xray_client(server.http).get_service_graph(**window)["Services"]
        names = {each["ReferenceId"]: each["Name"] for each in services}
        mine = (CALLER, ANSWERS, TABLE)
        found: Counter[Any] = Counter()
        for each in services:
            if each["Name"] not in mine:
                continue
            if each.get("Type") != "client":
                found[each["Name"]] += each["SummaryStatistics"]["TotalCount"]
            for edge in each["Edges"]:
                found[each["Name"], names[edge["ReferenceId"]]] += edge["SummaryStatistics"][
                    "TotalCount"
                ]
        return found

    def _run(self) -> None:
        made, late = 0, list[Span]()
        while made < self._calls:
            passed = time.time() - self._begun
            due = self._calls
            if passed < self._seconds and not self._stop.is_set():
                due = min(due, int(self._calls * passed / self._seconds))
            calls, answers = list[Span](), list[Span]()
            for number in range(made, due):
                calls.append(self._call(number))
                if number % 2:
                    answers.append(self._answer(calls[-1]))
            made = due
            for service, spans in ((CALLER, calls), (ANSWERS, late)):
                if spans:
                    self._export(service, spans)
            late = answers
            self._stop.wait(_POST)
        if late:
            self._export(ANSWERS, late)

    def _call(self, number: int) -> Span:
        at = self._start + LENGTH * _SECOND * number // self._calls
        span = Span(trace_id=self._trace, span_id=os.urandom(8), parent_span_id=self._root)
        span.kind, span.name = Span.SPAN_KIND_CLIENT, "GET /stock"
        span.start_time_unix_nano, span.end_time_unix_nano = at, at + 20_000_000
        if number % 2:
            put(span.attributes, {"http.request.method": "GET", "server.address": ANSWERS})
        else:
            span.name = "SELECT"
            put(span.attributes, {"db.system.name": "postgresql", "db.namespace": TABLE})
        return span

    def _answer(self, call: Span) -> Span:
        span = Span(trace_id=self._trace, span_id=os.urandom(8), parent_span_id=call.span_id)
        span.kind, span.name = Span.SPAN_KIND_SERVER, "GET /stock"
        span.start_time_unix_nano = call.start_time_unix_nano + 1_000_000
        span.end_time_unix_nano = call.end_time_unix_nano - 1_000_000
        return span

    def _export(self, service: str, spans: list[Span]) -> None:
        request = ExportTraceServiceRequest()
        part = request.resource_spans.add()
        put(part.resource.attributes, {"service.name": service})
        for span in spans:
            span.trace_id = self._trace
        part.scope_spans.add().spans.extend(spans)
        post = urllib.request.Request(
            f"{self._http}/v1/traces",
            request.SerializeToString(),
            {"Content-Type": "application/x-protobuf"},
        )
        urllib.request.urlopen(post, timeout=60).close()
        self.sent += len(spans)

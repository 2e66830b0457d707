"""What a back-fill costs: spans that began over many days arrive at once, while live traffic goes on.

Starts a server, sends the spans over OTLP/HTTP as an import does, then reads the map every few seconds until
nothing waits to be counted: how long that takes, what CPU, and what each answer said of itself meanwhile.
A map that is short of requests and does not say so is counted as *silent*.

    python -m bench.backfill --spans 200000 --days 30
"""

from __future__ import annotations

import argparse
import json
import random
import threading
import time
import urllib.request
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bench.counting import scrape
from bench.server import Server, running
from bench.spans import put

TRACES = 1_000
"""Traces in a request."""
DAY = 86_400
CHILDREN = 3


def main() -> int:
    """Print the course of one back-fill; 1 if an answer was silently short."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=200_000)
    parser.add_argument("--days", type=float, default=30)
    parser.add_argument("--live", type=int, default=5, help="traces a second besides")
    parser.add_argument("--every", type=float, default=10, help="seconds between two readings")
    parser.add_argument("--limit", type=float, default=540, help="seconds after which to give up")
    options = parser.parse_args()
    with running() as server:
        return Backfill(server, options).run()


class Backfill:
    """One run against one server."""

    def __init__(self, server: Server, options: argparse.Namespace) -> None:
        self._server, self._options = server, options
        self._end = int(time.time()) - 600
        """The back-fill ends before the live traffic begins."""
        self._start = self._end - round(options.days * DAY)
        self._random = random.Random(11)
        self._stop = threading.Event()

    def run(self) -> int:
        """Send, then read until nothing waits."""
        live = threading.Thread(target=self._send_live, daemon=True)
        live.start()
        traces, begun = self._options.spans // (CHILDREN + 1), time.monotonic()
        starts = sorted(self._random.uniform(self._start, self._end) for _ in range(traces))
        self._random.shuffle(starts)
        for first in range(0, traces, TRACES):
            self._send("shop", starts[first : first + TRACES])
        print(
            f"{traces * (CHILDREN + 1):,} spans sent in {time.monotonic() - begun:.0f} s",
            flush=True,
        )
        silent = self._read(starts, time.monotonic())
        self._stop.set()
        used = self._server.usage()
        cpu = ", ".join(f"{role} {each.cpu_seconds:.0f}" for role, each in sorted(used.items()))
        print(f"CPU seconds: {cpu}; readings that were short and did not say so: {silent}")
        return int(silent > 0)

    def _read(self, starts: list[float], begun: float) -> int:
        exact, silent = dict.fromkeys((3_600, DAY, 7 * DAY, 30 * DAY), 0.0), 0
        while (passed := time.monotonic() - begun) < self._options.limit:
            words = []
            for length in exact:
                first = max(self._start, self._end - length) // 60 * 60
                last = self._end // 60 * 60
                true = sum(first <= each < last for each in starts)
                answer = self._map(first, last)
                counted = sum(
                    each["requests"] or 0 for each in answer["services"] if each["name"] == "shop"
                )
                admits = answer["data_until"] < last or bool(answer.get("incomplete"))
                silent += counted < true and not admits
                if counted == true and not admits and not exact[length]:
                    exact[length] = passed
                said = answer.get("incomplete") or f"until to{answer['data_until'] - last:+.0f}"
                words.append(f"{length // 3600} h {counted}/{true} {said}")
            waiting = scrape(self._server)["raymap_dirty_minutes"]
            print(f"{passed:5.0f} s, {waiting:6.0f} minutes wait: " + "; ".join(words), flush=True)
            print(f"        live traffic is {self._live_lag():.0f} s behind", flush=True)
            if all(exact.values()):
                break
            time.sleep(self._options.every)
        done = ", ".join(f"{length // 3600} h after {at:.0f} s" for length, at in exact.items())
        print(f"exact: {done} (0: not within the limit)")
        return silent

    def _map(self, first: float, last: float) -> Any:
        return self._get(f"/api/v1/map?from={first}&to={last}")

    def _live_lag(self) -> float:
        """Seconds since the newest request that a series of live traffic has."""
        now = time.time()
        series = self._get(f"/api/v1/timeseries?from={now - 120}&to={now}&step=5s")
        newest = max((p["start"] for p in series["points"] if p["requests"]), default=now - 120)
        return float(now - newest)

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self._server.http + path, timeout=120) as answer:
            return json.load(answer)

    def _send_live(self) -> None:
        while not self._stop.wait(1):
            self._send("live", [time.time() - 0.5] * self._options.live)

    def _send(self, service: str, starts: list[float]) -> None:
        request = urllib.request.Request(
            self._server.http + "/v1/traces",
            _body(service, starts, self._random),
            {"Content-Type": "application/x-protobuf"},
        )
        urllib.request.urlopen(request, timeout=120).close()


def _body(service: str, starts: list[float], random: random.Random) -> bytes:
    request = ExportTraceServiceRequest()
    part = request.resource_spans.add()
    put(part.resource.attributes, {"service.name": service})
    spans = part.scope_spans.add().spans
    for start in starts:
        trace_id, parent, begun = random.randbytes(16), random.randbytes(8), round(start * 1e9)
        server = Span.SPAN_KIND_SERVER
        spans.add(
            trace_id=trace_id,
            span_id=parent,
            name="GET /",
            kind=server,
            start_time_unix_nano=begun,
            end_time_unix_nano=begun + 90_000_000,
        )
        for number in range(CHILDREN):
            at = begun + number * 10_000_000
            call = spans.add(
                trace_id=trace_id,
                span_id=random.randbytes(8),
                parent_span_id=parent,
                name="call",
                kind=Span.SPAN_KIND_CLIENT,
                start_time_unix_nano=at,
                end_time_unix_nano=at + 9_000_000,
            )
            host = f"{random.choice('abcdefgh')}.example.com"
            put(call.attributes, {"server.address": host, "http.response.status_code": 200})
    return request.SerializeToString()


if __name__ == "__main__":
    raise SystemExit(main())

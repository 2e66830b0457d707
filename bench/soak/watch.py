"""What is looked at while it runs, and what is counted when it is over."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import psutil

from bench.counting import STORED_METRIC, scrape
from bench.server import ROOT, Server, role_of
from bench.soak.reader import Answer, xray_client
from bench.soak.sender import Sent
from bench.soak.traces import PROBE, Count, count
from store.clickhouse.connection.pool import connect
from store.clickhouse.embedded import address

_SLICE = 4_000_000
"""Documents whose ids are compared at a time, to bound memory."""


class Sample(NamedTuple):
    """One look. ``at``: seconds since the beginning; ``rss`` bytes and ``cpu`` seconds by process."""

    at: float
    sent: int
    stored: int
    rss: dict[str, int]
    cpu: dict[str, float]


def sample(server: Server, at: float, sent: Sent) -> Sample:
    """Look now."""
    rss: dict[str, int] = {}
    cpu: dict[str, float] = {}
    seen: Counter[str] = Counter()
    for process in [server.process, *server.process.children(recursive=True)]:
        try:
            with process.oneshot():
                memory, times = process.memory_info(), process.cpu_times()
        except psutil.Error:
            continue
        role = role_of(process) or "other"
        seen[role] += 1
        name = role if seen[role] == 1 else f"{role} {seen[role]}"
        rss[name], cpu[name] = memory.rss, times.user + times.system
    return Sample(at, sent.sent, stored(server), rss, cpu)


def stored(server: Server) -> int:
    """The server's own count."""
    return round(scrape(server).get(STORED_METRIC, 0.0))


def rounds(server: Server) -> str:
    """How long the rounds of counting took: their number, mean and shares."""
    name, within = "raymap_rollup_round_seconds", dict[str, float]()
    count = total = 0.0
    for line in server.get("/metrics").decode().splitlines():
        key, _, value = line.rpartition(" ")
        if key == f"{name}_sum":
            total = float(value)
        elif key == f"{name}_count":
            count = float(value)
        elif key.startswith(f"{name}_bucket"):
            within[key.split('"')[1]] = float(value)
    shares = (f"{number / max(count, 1):.1%} in {bound} s" for bound, number in within.items())
    return f"{count:,.0f}, {total / max(count, 1):.2f} s on average: {', '.join(shares)}"


def drained(server: Server, expected: int, patience: float) -> float:
    """Seconds until the server has stored as much, or until it has stood still for ``patience``."""
    begun = changed = time.monotonic()
    last = stored(server)
    while last < expected and time.monotonic() - changed < patience:
        time.sleep(0.1)
        if (now := stored(server)) != last:
            last, changed = now, time.monotonic()
    return time.monotonic() - begun


class Stored(NamedTuple):
    """What ClickHouse stores: ``documents``, each once, and ``rows``, resends not yet merged away."""

    documents: int
    rows: int


def stored_rows(server: Server, begun: float) -> Stored:
    """Count what arrived since ``begun`` (epoch seconds), a share of the traces at a time."""
    client = connect(address(server.data_dir))
    since = f"received >= {math.floor(begun)} AND NOT startsWith(substring(trace_id, 5), '{PROBE}')"
    ((rows,),) = client.execute(f"SELECT count() FROM segments WHERE {since}")
    slices = rows // _SLICE + 1
    documents = 0
    for number in range(slices):
        ((count,),) = client.execute(
            f"SELECT uniqExact(trace_id, id) FROM segments WHERE {since} "
            f"AND cityHash64(trace_id) % {slices} = {number}"
        )
        documents += count
    client.disconnect()
    return Stored(documents, rows)


def differences(server: Server, expected: Count, begun: float, ended: float) -> list[str]:
    """Where GetServiceGraph counts otherwise than what was sent; empty when nowhere.

    boto3 asks in whole seconds.
    """
    client = xray_client(server.http)
    answer = client.get_service_graph(StartTime=math.floor(begun), EndTime=ended + 60)
    found = count(answer["Services"])
    findings = []
    for kind, ours, theirs in (
        ("node", found.nodes, expected.nodes),
        ("edge", found.edges, expected.edges),
    ):
        keys: set[Any] = {*ours, *theirs}
        findings += [
            f"{kind} {key}: found {ours[key]:,}, sent {theirs[key]:,}"
            for key in sorted(keys)
            if ours[key] != theirs[key]
        ]
    return findings


class Verified(NamedTuple):
    """What `raymap verify` said."""

    code: int
    said: str


def verify(server: Server, begun: float, ended: float) -> Verified | None:
    """`raymap verify` over the time; None from a Raymap that has no such command."""
    command = [sys.executable, "-m", "raymap", "verify"]
    environment = {**os.environ, "RAYMAP_CLICKHOUSE": address(server.data_dir).url}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
        )

    if run("--help").returncode != 0:
        return None
    done = run("--from", _iso(math.floor(begun)), "--to", _iso(math.ceil(ended)))
    return Verified(done.returncode, (done.stdout + done.stderr).strip())


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of all does not exceed; NaN of nothing."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def quantiles(answers: Sequence[Answer], kind: str) -> tuple[int, int, float, float, float]:
    """How often a query was made and failed, and the p50, p95 and p99 of its answers, seconds."""
    mine = [answer for answer in answers if answer.kind == kind]
    good = [answer.seconds for answer in mine if not answer.failed]
    p50, p95, p99 = (quantile(good, share) for share in (0.5, 0.95, 0.99))
    return len(mine), len(mine) - len(good), p50, p95, p99

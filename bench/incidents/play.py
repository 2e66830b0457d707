"""Plays an incident: a server of its own, the history and the incident through its receiver, and what a replay then says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from bench.counting import scrape
from bench.incidents.traffic import Handled, Traffic
from bench.incidents.world import QUIET, World
from bench.server import ROOT, Server, running

PATIENCE = 300.0
"""Seconds until all is counted."""
TRIES = 60


@dataclass(frozen=True)
class Played:
    """``events``: of `raymap problems replay --json`. ``handled``: by service, before and during the incident."""

    world: World
    events: list[dict[str, Any]]
    handled: dict[tuple[str, bool], Handled]
    spans: int
    seconds: dict[str, float]


def play(world: World, seed: int) -> Played:
    """From the first minute to the last."""
    traffic = Traffic(world, seed)
    begun = time.monotonic()
    with running() as server:
        ready = time.monotonic()
        for body in traffic.bodies():
            _post(server, "/v1/traces", body, "application/x-protobuf")
        for minute, service, version in world.deployed:
            report = {"service": service, "version": version, "at": minute * 60}
            _post(server, "/api/v1/deployments", json.dumps(report).encode(), "application/json")
        sent = time.monotonic()
        _wait(server, world)
        counted = time.monotonic()
        events = _replay(server, world)
    seconds = {
        "start": ready - begun,
        "send": sent - ready,
        "count": counted - sent,
        "replay": time.monotonic() - counted,
    }
    return Played(world, events, traffic.handled, traffic.sent, seconds)


def _post(server: Server, path: str, body: bytes, content: str) -> None:
    request = urllib.request.Request(server.http + path, body, {"Content-Type": content})
    for _ in range(TRIES):
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                if b"rejected" in answer.read():
                    raise SystemExit("spans were rejected")
                return
        except urllib.error.HTTPError as error:
            if error.code not in (429, 503):
                raise
            time.sleep(1)
    raise SystemExit("the server takes no more spans")


def _wait(server: Server, world: World) -> None:
    """Until all minutes are counted."""
    calm, limit = 0, time.monotonic() + PATIENCE
    while calm < 3:
        if time.monotonic() > limit:
            raise SystemExit(f"minutes still wait after {PATIENCE:.0f} s")
        found = scrape(server)
        waiting = found["raymap_dirty_minutes"] + found.get("raymap_journal_bytes", 0)
        calm = calm + 1 if not waiting else 0
        time.sleep(0.5)


def _replay(server: Server, world: World) -> list[dict[str, Any]]:
    """The quiet hour, the incident, and the minutes after it."""
    first, last = (world.onset - QUIET) * 60, world.last * 60
    command = [sys.executable, "-m", "raymap", "problems", "replay", "--json", "--events"]
    window = ["--from", f"{first}", "--to", f"{last}", "--data-dir", str(server.data_dir)]
    done = subprocess.run(
        [*command, *window],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        check=True,
    )
    return [json.loads(each) for each in done.stdout.splitlines()]

"""The last release and the next one, as programs of their own, and traffic that loses nothing itself.

The last release is the newest tag, from the repository's history, or this program where nothing was tagged yet. The
next one is this program with a migration more (`tests.raymap.next_release`). Two programs that are installed can take
their places: RAYMAP_TEST_OLD and RAYMAP_TEST_NEW.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from raymap.ready_pipe import read_ready_line
from store.clickhouse.connection.address import Address
from store.clickhouse.schema.migrate import FOLDER
from tests.conftest import ROOT

PRESENT = sorted(path.name for path in FOLDER.glob("[0-9]*.sql"))
ADDS = f"{len(PRESENT) + 1:04}_next.sql"
ADDITIONS = """
CREATE TABLE IF NOT EXISTS of_the_next_release{on_cluster} (x UInt8) ENGINE = {replicated}MergeTree ORDER BY x;
ALTER TABLE segments{on_cluster} ADD COLUMN IF NOT EXISTS of_the_next String DEFAULT 'none' AFTER operation;
ALTER TABLE segments{on_cluster} ADD INDEX IF NOT EXISTS by_next of_the_next TYPE set(8) GRANULARITY 4;
ALTER TABLE calls{on_cluster} ADD COLUMN IF NOT EXISTS of_the_next UInt8;
ALTER TABLE links{on_cluster} ADD COLUMN IF NOT EXISTS of_the_next UInt8 FIRST;
ALTER TABLE bucket_rollups{on_cluster} ADD COLUMN IF NOT EXISTS of_the_next UInt64 AFTER kind;
ALTER TABLE rollups{on_cluster} ADD COLUMN IF NOT EXISTS of_the_next UInt64 AFTER kind;
ALTER TABLE configuration{on_cluster} ADD COLUMN IF NOT EXISTS of_the_next String FIRST;
ALTER TABLE log_lines{on_cluster} ADD COLUMN IF NOT EXISTS of_the_next String;
"""


@dataclass(frozen=True)
class Release:
    """The command line of one release, perhaps on one database."""

    command: tuple[str, ...]
    folder: Path = ROOT
    database: Address | None = None

    def start(self, *words: str) -> subprocess.Popen[str]:
        """A command of it."""
        own = {"RAYMAP_CLICKHOUSE": self.database.url} if self.database else {}
        return subprocess.Popen(
            [*self.command, *words],
            cwd=self.folder,
            env={**os.environ, **own},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def says(self, *words: str) -> tuple[int, str]:
        """The exit code and the last line of a command that ends by itself."""
        return ended(self.start(*words))

    @contextmanager
    def running(self, role: str, data_dir: Path, *, kill: bool = False) -> Iterator[str]:
        """The base URL of a process, from its ready line until the end of the block."""
        words = [role, "--port", "0", "--data-dir", str(data_dir), "--log-level", "error"]
        words += [] if role == "api" else ["--grpc-port", "0", "--linger", "0.2"]
        process = self.start(*words, *(["--workers", "1"] if role == "serve" else []))
        assert process.stdout is not None
        addresses = read_ready_line(process.stdout)
        assert addresses is not None, process.communicate()[1]
        try:
            yield "http://" + addresses["http"].removeprefix("http://")
        finally:
            (process.kill if kill else process.terminate)()
            process.communicate(timeout=120)
        assert kill or process.returncode == 0


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit code and the last line of a command."""
    _, errors = process.communicate(timeout=120)
    return process.returncode, errors.strip().splitlines()[-1]


def last_release(folder: Path) -> Release:
    """The newest tag's program, or this one."""
    if program := os.environ.get("RAYMAP_TEST_OLD"):
        return Release((program,), folder)
    this = Release((sys.executable, "-m", "raymap"))
    describe = ["git", "describe", "--tags", "--match", "v[0-9]*", "--abbrev=0"]
    tag = subprocess.run(
        describe, cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    if not tag:
        return this
    source = folder / tag
    source.mkdir()
    archive = subprocess.run(
        ["git", "archive", tag], cwd=ROOT, capture_output=True, check=True
    ).stdout
    subprocess.run(["tar", "-x", "-C", str(source)], input=archive, check=True)
    return replace(this, folder=source)


def next_release(folder: Path, name: str = ADDS, text: str = ADDITIONS) -> Release:
    """This program with a migration more."""
    if program := os.environ.get("RAYMAP_TEST_NEW"):
        return Release((program,), folder)
    migrations = folder / "migrations"
    migrations.mkdir()
    for each in PRESENT:
        (migrations / each).write_text((FOLDER / each).read_text())
    (migrations / name).write_text(text)
    return Release((sys.executable, "-m", "tests.raymap.next_release", str(migrations)))


def request(url: str, body: object = None) -> Any:
    """The JSON of an answer to a GET, or to a POST of a body."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=60) as answer:
        return json.load(answer)


def trace() -> tuple[str, list[dict[str, Any]]]:
    """The id and the documents of a request that calls another service."""
    now = time.time()
    trace_id = f"1-{int(now):08x}-{os.urandom(12).hex()}"
    root, call, callee = (os.urandom(8).hex() for _ in range(3))
    times = {"trace_id": trace_id, "start_time": now, "end_time": now + 0.1}
    calling = {**times, "id": call, "name": "stock", "namespace": "remote"}
    calling.pop("trace_id")
    return trace_id, [
        {**times, "id": root, "name": "upgraded", "subsegments": [calling]},
        {**times, "id": callee, "parent_id": call, "name": "stock"},
    ]


@dataclass
class Traffic:
    """Sends a trace every twentieth second to each of `urls` in turn, and again until it is acknowledged."""

    urls: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    refused: int = 0
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread = field(default_factory=threading.Thread)

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """Traffic until the end of the block; then all of it has been acknowledged."""
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        try:
            yield
        finally:
            self.stop()

    def stop(self) -> None:
        """Send no trace after the one that is being sent."""
        self._stopped.set()
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopped.wait(0.05):
            trace_id, documents = trace()
            for attempt in range(3000):
                if self._send(documents, attempt):
                    break
                self.refused += bool(self.urls)
                time.sleep(0.02)
            self.sent.append(trace_id)

    def _send(self, documents: list[dict[str, Any]], attempt: int) -> bool:
        urls = self.urls
        if not urls:
            return False
        url = urls[(len(self.sent) + attempt) % len(urls)]
        try:
            answer = request(
                url + "/TraceSegments", {"TraceSegmentDocuments": list(map(json.dumps, documents))}
            )
        except (OSError, ValueError):
            return False
        return bool(answer == {"UnprocessedTraceSegments": []})


def missing(api: str, traces: list[str]) -> set[str]:
    """Traces that a process does not find, of a hundred; totals say of all that they are counted."""
    traces = traces[:: len(traces) // 100 + 1]
    found = {
        each["Id"]
        for start in range(0, len(traces), 5)
        for each in request(api + "/Traces", {"TraceIds": traces[start : start + 5]})["Traces"]
    }
    return set(traces) - found


def drawn(api: str, since: float) -> Any:
    """The map as X-Ray's API answers it, without what differs from answer to answer."""
    window = {"StartTime": since, "EndTime": int(time.time() / 60) * 60 + 120}
    return request(api + "/ServiceGraph", window)["Services"]


def totals(services: Any) -> dict[str, int]:
    """Requests by node, clients apart."""
    return {
        each["Name"]: each["SummaryStatistics"]["TotalCount"]
        for each in services
        if each.get("Type") != "client"
    }

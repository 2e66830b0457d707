"""An upgrade while documents arrive: what each process says, and that nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from raymap.ready_pipe import read_ready_line
from store.clickhouse.connection.address import Address
from store.clickhouse.schema.migrate import FOLDER
from tests.conftest import ROOT, drop, own_database
from tests.waiting import eventually

pytestmark = pytest.mark.server

PRESENT = sorted(path.name for path in FOLDER.glob("[0-9]*.sql"))
NEXT = f"{len(PRESENT) + 1:04}_next.sql"
ADDED = "CREATE TABLE IF NOT EXISTS of_the_next_release (x UInt8) ENGINE = MergeTree ORDER BY x;\n"


class Release:
    """The command line of one release on one database."""

    def __init__(self, database: Address, *words: str) -> None:
        self._command = [sys.executable, "-m", *words]
        self._environment = {**os.environ, "RAYMAP_CLICKHOUSE": database.url}

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self._command, *words],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def says(self, *words: str) -> tuple[int, str]:
        """The exit code and the last line of a command that ends by itself."""
        return ended(self.start(*words))

    @contextmanager
    def running(self, role: str, data_dir: Path) -> Iterator[str]:
        """The base URL of a process, from its ready line until the end of the block."""
        words = [role, "--port", "0", "--data-dir", str(data_dir), "--log-level", "error"]
        process = self.start(*words, *(["--grpc-port", "0"] if role == "collect" else []))
        assert process.stdout is not None
        addresses = read_ready_line(process.stdout)
        assert addresses is not None, process.communicate()[1]
        try:
            yield "http://" + addresses["http"].removeprefix("http://")
        finally:
            process.terminate()
            process.communicate(timeout=120)
        assert process.returncode == 0


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, errors = process.communicate(timeout=120)
    return process.returncode, errors.strip().splitlines()[-1]


def request(url: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=60) as answer:
        return json.load(answer)


def send(url: str) -> str:
    """A document that is acknowledged; its trace id."""
    now = time.time()
    trace_id = f"1-{int(now):08x}-{os.urandom(12).hex()}"
    document = {
        "trace_id": trace_id,
        "id": os.urandom(8).hex(),
        "name": "upgraded",
        "start_time": now,
        "end_time": now + 0.1,
    }
    answer = request(url + "/TraceSegments", {"TraceSegmentDocuments": [json.dumps(document)]})
    assert answer == {"UnprocessedTraceSegments": []}
    return trace_id


def problems(url: str) -> list[str]:
    """Of a process that is not ready, none of one that is: a load balancer sends to another one."""
    try:
        request(url + "/readyz")
    except urllib.error.HTTPError as unready:
        if unready.code != 503:
            raise
        found: list[str] = json.load(unready)["problems"]
        return found
    return []


@pytest.fixture
def releases(clickhouse: Address, tmp_path: Path) -> Iterator[tuple[Release, Release, Address]]:
    """This release, the next one, and the database of both."""
    database = own_database(clickhouse)
    folder = tmp_path / "migrations"
    folder.mkdir()
    for name in PRESENT:
        (folder / name).write_text((FOLDER / name).read_text())
    (folder / NEXT).write_text(ADDED)
    next_release = Release(database, "tests.raymap.next_release", str(folder))
    yield Release(database, "raymap"), next_release, database
    drop(database)


@pytest.mark.slow
def test_an_upgrade_loses_nothing(
    releases: tuple[Release, Release, Address], tmp_path: Path
) -> None:
    old, new, database = releases
    name = f"{database.name}/{database.database}"
    ours, theirs = len(PRESENT), len(PRESENT) + 1
    assert old.says("migrate") == (0, f"raymap: {name}: applied {', '.join(PRESENT)}")

    with ExitStack() as stack:
        before = stack.enter_context(old.running("collect", tmp_path / "before"))
        during = stack.enter_context(old.running("collect", tmp_path / "during"))
        traces = [send(before)]

        # The next release does not touch a database that it has not migrated.
        older = f"{name} has an older schema ({ours}, expected {theirs})"
        refused = new.says("collect", "--port", "0", "--data-dir", str(tmp_path / "new"))
        assert refused == (1, f"raymap: {older}: run  raymap migrate  first.")

        both = [new.start("migrate"), new.start("migrate")]
        assert sorted(map(ended, both)) == [
            (0, f"raymap: {name}: applied {NEXT}"),
            (0, f"raymap: {name}: nothing to apply"),
        ]
        assert old.says("migrate")[0] == 1

        # This release notices within seconds, also while idle; then it goes on accepting, and stores
        # nothing that the next one would have to read.
        newer = f"{database.database} has a newer schema ({theirs}, expected {ours}): upgrade this"
        eventually(lambda: any(newer in each for each in problems(during)), "not ready")
        traces += [send(during), send(during)]

    with new.running("collect", tmp_path / "during"), new.running("api", tmp_path / "api") as api:
        # What waited on disk is stored by the next release.
        eventually(lambda: len(found(api, traces)) == 3, "every document is found")
        eventually(lambda: counted(api) == 3, "every document is counted")


def found(api: str, traces: list[str]) -> list[str]:
    return [trace["Id"] for trace in request(api + "/Traces", {"TraceIds": traces})["Traces"]]


def counted(api: str) -> int:
    window = {"StartTime": time.time() - 600, "EndTime": time.time() + 60}
    nodes = request(api + "/ServiceGraph", window)["Services"]
    return sum(
        node["SummaryStatistics"]["TotalCount"]
        for node in nodes
        if node["Name"] == "upgraded" and node.get("Type") != "client"
    )

"""Real parts for every test: a ClickHouse (embedded, or the one in RAYMAP_TEST_CLICKHOUSE) and a
whole running server."""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import pytest
import structlog
from httpx._config import DEFAULT_TIMEOUT_CONFIG

from raymap.embedded import EmbeddedClickHouse
from raymap.errors import use_json_lines
from raymap.ready_pipe import read_ready_line
from store.clickhouse.connection.address import Address, parse_url
from store.clickhouse.connection.pool import connect
from store.clickhouse.embedded.config import GIB
from store.clickhouse.schema.migrate import migrate
from store.clickhouse.store import ClickHouseStore
from tests.costs import measure
from tests.tiers import NIGHTLY, TIMES
from tests.waiting import eventually

ROOT = Path(__file__).parent.parent

MARKERS = {
    "clickhouse": {"clickhouse", "engine", "replica_rig", "rig"},
    "server": {"raymap_server", "server"},
    "browser": {"page", "browser", "new_page"},
}
"""Which fixtures make a test need what; a test that starts its own is marked in its module."""

# A busy machine must not fail a property for its speed; pytest-timeout ends what hangs.
for name, examples in (("raymap", 50), ("nightly", 50 * TIMES), ("many", 6000)):
    hypothesis.settings.register_profile(
        name,
        deadline=None,
        max_examples=examples,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
hypothesis.settings.load_profile("nightly" if NIGHTLY else "raymap")


MEMORY = Path("/dev/shm")


def _has_room(folder: Path, size: int) -> bool:
    """Whether a folder takes so many bytes, and programs that are run."""
    if not os.access(folder, os.W_OK):
        return False
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize > size and not disk.f_flag & os.ST_NOEXEC


# Where there is room, files are in memory: the engines of the tests create and delete so many that a disk's
# file system takes a sixth of their CPU time, and each DDL statement waits for it.
if _has_room(MEMORY, 4 * GIB):
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


# Five seconds by default: a busy machine may take longer for an answer.
vars(DEFAULT_TIMEOUT_CONFIG).update(vars(httpx.Timeout(60)))

# Collected modules and tests are never garbage: without this, every full collection of the run visits
# their millions of objects, which takes a tenth of the CPU time.
gc.disable()


def pytest_collection_finish() -> None:
    """Collect garbage from here on, of what tests make."""
    gc.freeze()
    gc.enable()


class FailuresAtOnce:
    """Names a test when it fails: pytest does so at the end, which a run that is ended never reaches."""

    def __init__(self, terminal: Any) -> None:
        self._terminal = terminal

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._terminal.write_line(f"{report.when} failed: {report.nodeid}")


def pytest_runtest_setup() -> None:
    """Let the decoder of spans remember nothing of earlier tests: which spans it decodes one by one depends on it."""
    decoder = sys.modules.get("collector.decode.otlp.columns")
    if decoder is not None:
        decoder.forget()


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Name failures where there is a terminal, which workers have not, and measure."""
    if terminal := config.pluginmanager.get_plugin("terminalreporter"):
        config.pluginmanager.register(FailuresAtOnce(terminal))
    measure(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out those of the night, and mark tests by the fixtures they use, directly or through other fixtures."""
    if later := [item for item in items if not NIGHTLY and item.get_closest_marker("nightly")]:
        config.hook.pytest_deselected(items=later)
        items[:] = [item for item in items if item not in later]
    for item in items:
        used = set(getattr(item, "fixturenames", ()))
        if isinstance(item, pytest.Function) and hasattr(
            item, "callspec"
        ):  # request.getfixturevalue
            used |= {value for value in item.callspec.params.values() if isinstance(value, str)}
        for marker, fixtures in MARKERS.items():
            if used & fixtures:
                item.add_marker(marker)
    items.sort(key=_turns(items))


def _turns(items: list[pytest.Item]) -> Callable[[pytest.Item], tuple[bool, float]]:
    """A key that mixes files of each kind evenly, and puts those without a marker last: servers wait while
    engines compute, and with several workers and whole files as units, none waits for the last long one."""
    order = ("browser", "server", "slow", "clickhouse")
    kinds: dict[Path, int] = {}
    for item in items:
        markers = {marker.name for marker in item.iter_markers()}
        kind = next((number for number, name in enumerate(order) if name in markers), len(order))
        kinds[item.path] = min(kind, kinds.get(item.path, kind))
    turns: dict[Path, tuple[bool, float]] = {}
    for kind in set(kinds.values()):
        files = [path for path in kinds if kinds[path] == kind]
        for number, path in enumerate(files):
            turns[path] = kind == len(order), number / len(files)
    return lambda item: turns[item.path]


TOGETHER = {
    f"tests/raymap/tenants/test_{name}.py": "tests/raymap/tenants/test_isolation.py"
    for name in ("administration", "belongings")
}
"""Files that share what takes half a minute to start."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadfile`: `TOGETHER` to one worker, else both would start it."""
    from xdist.scheduler import LoadFileScheduling

    if config.getvalue("dist") != "loadfile":
        return None
    scheduling: Any = LoadFileScheduling(config, log)
    file_of = scheduling._split_scope
    scheduling._split_scope = lambda test: TOGETHER.get(file_of(test), file_of(test))
    return scheduling


@pytest.fixture(autouse=True)
def process_settings() -> Iterator[None]:
    """Commands configure their process: its log and its umask. A test that calls one in this process
    leaves neither to the next."""
    mask = os.umask(0o077)
    os.umask(mask)
    yield
    os.umask(mask)
    use_json_lines(False)
    if structlog.is_configured():
        structlog.reset_defaults()


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """A real ClickHouse server. Without one that starts, tests fail: nothing here is skipped."""
    if url := os.environ.get("RAYMAP_TEST_CLICKHOUSE"):
        yield parse_url(url)
        return
    with EmbeddedClickHouse(tmp_path_factory.mktemp("engine")) as engine:
        yield engine.address


@pytest.fixture(scope="session")
def clickhouse_database(clickhouse: Address) -> Iterator[Address]:
    """A migrated database of this test run."""
    with migrated_database(clickhouse) as address:
        yield address


def own_database(server: Address) -> Address:
    """A database on the server that no other test has; it need not exist yet."""
    return replace(server, database=f"raymap_test_{uuid.uuid4().hex[:8]}")


@contextmanager
def migrated_database(server: Address) -> Iterator[Address]:
    """A database with the current schema, which is dropped afterwards."""
    address = own_database(server)
    migrate(address, {"retention_days": 3650})
    try:
        yield address
    finally:
        drop(address)


def drop(address: Address) -> None:
    """Remove a test's database."""
    client = connect(replace(address, database=""))
    client.execute(f"DROP DATABASE IF EXISTS {address.database}")
    client.disconnect()


def empty(address: Address) -> None:
    """Forget everything but the schema. Tables without parts are left alone: most are in most tests."""
    clients = [connect(each) for each in address.each]
    tables = {
        table
        for client in clients
        for (table,) in client.execute(
            "SELECT DISTINCT table FROM system.parts WHERE database = currentDatabase() "
            "AND active AND table NOT IN ('raymap_migrations', 'raymap_leases')"
        )
    }
    for table in tables:
        clients[0].execute(f"TRUNCATE TABLE {table}")
    for client in clients:
        client.disconnect()


@pytest.fixture
def clickhouse_store(clickhouse_database: Address) -> Iterator[ClickHouseStore]:
    """An empty store on the real server."""
    empty(clickhouse_database)
    store = ClickHouseStore(clickhouse_database, connections=4)
    yield store
    store.close()


@dataclass
class Site:
    """What answers requests of the API and of browsers."""

    http: str

    def read(self, path: str) -> bytes:
        """The body of a GET; OSError when the answer is not a 200."""
        with urllib.request.urlopen(self.http + path, timeout=60) as answer:
            body: bytes = answer.read()
            return body

    def get(self, path: str) -> Any:
        """The JSON of a GET."""
        return json.loads(self.read(path))

    def post(self, path: str, body: object) -> Any:
        """The JSON of a POST."""
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.http + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def picture(self, *names: str) -> Any:
        """The map of the last minutes once these nodes are on it: a map may be a few seconds older
        than the traces."""

        def complete() -> Any:
            now = time.time()
            picture = self.get(f"/api/map?from={now - 120}&to={now}")
            missing = set(names) - {node["name"] for node in picture["nodes"]}
            return None if missing else picture

        return eventually(complete, f"the map has {', '.join(names)}")


@dataclass
class Server(Site):
    """A running `raymap serve`."""

    udp: str
    grpc: str
    process: subprocess.Popen[str]
    data_dir: Path
    database: Address | None = None
    """Of its own, on the ClickHouse that the tests were given."""

    @property
    def where(self) -> list[str]:
        """What a command needs to find the server's data."""
        own = ["--clickhouse", self.database.url] if self.database else []
        return ["--data-dir", str(self.data_dir), *own]

    def command(self, *words: str, given: str = "") -> str:
        """What a command on the server's own machine prints; ``given`` is its standard input."""
        ended = subprocess.run(
            [sys.executable, "-m", "raymap", *words, *self.where],
            input=given,
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
            timeout=120,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def send(self, *documents: dict[str, Any]) -> None:
        """Deliver segment documents and wait until they are stored."""
        answer = self.post(
            "/TraceSegments", {"TraceSegmentDocuments": [json.dumps(d) for d in documents]}
        )
        assert not answer.get("UnprocessedTraceSegments"), answer
        self.wait_until_stored()

    def wait_until_stored(self, seconds: float = 60) -> None:
        """Until the store has what was acknowledged before."""
        eventually(
            lambda: not self.get("/api/status")["ingest"]["queued"],
            "documents are stored",
            seconds=seconds,
        )

    def send_datagram(self, payload: bytes) -> None:
        """Send one datagram; there is no acknowledgement of its storage."""
        host, _, port = self.udp.rpartition(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(payload, (host, int(port)))


def start_server(
    data_dir: Path,
    *options: str,
    environment: dict[str, str] | None = None,
    program: Sequence[str] = (sys.executable, "-m", "raymap"),
    cwd: Path = ROOT,
) -> Server:
    """Start `raymap serve` on free ports and wait for its ready line."""
    command = [*program, "serve", "--port", "0", "--grpc-port", "0"]
    workers = [] if "--workers" in options else ["--workers", "1"]
    # Flushed soon: tests query what they have just sent.
    command += ["--data-dir", str(data_dir), "--linger", "0.1", *workers, *options]
    database = None
    if (url := os.environ.get("RAYMAP_TEST_CLICKHOUSE")) and "--clickhouse" not in options:
        database = own_database(parse_url(url))
        command += ["--clickhouse", database.url]
    log = (data_dir.parent / f"{data_dir.name}.log").open("w")
    process = subprocess.Popen(
        command,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    log.close()
    addresses = _addresses(process, log.name)
    return Server(
        addresses["http"],
        addresses["udp"],
        addresses["grpc"],
        process,
        data_dir,
        database,
    )


def _addresses(process: subprocess.Popen[str], log: str) -> dict[str, str]:
    """What the ready line says; a process that takes longer than two minutes is killed."""
    assert process.stdout is not None
    timer = threading.Timer(120, process.kill)
    timer.start()
    try:
        addresses = read_ready_line(process.stdout)
    finally:
        timer.cancel()
    if addresses is None:
        process.kill()
        pytest.fail(f"raymap serve did not come up; it said:\n{Path(log).read_text()[-4000:]}")
    return addresses


def stop_server(server: Server) -> int:
    """SIGTERM, and the exit code."""
    server.process.send_signal(signal.SIGTERM)
    try:
        code = server.process.wait(60)
    except subprocess.TimeoutExpired:
        server.process.kill()
        code = server.process.wait()
    if server.process.stdout:
        server.process.stdout.close()
    if server.database:
        drop(server.database)
    return code


@pytest.fixture(scope="session")
def raymap_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the whole run."""
    server = start_server(tmp_path_factory.mktemp("server") / "data")
    yield server
    assert stop_server(server) == 0

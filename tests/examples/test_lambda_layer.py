"""The extension ``raymap-lambda`` as a process, against a stand-in of Lambda and a real receiver."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from collector.metrics import IngestMetrics
from collector.pipeline import IngestPipeline
from collector.receivers.lambda_upload import KEY_VARIABLE, create_lambda_router
from examples.lambda_layer import raymap_lambda
from examples.lambda_layer.layer import FILES, write_layer
from examples.lambda_layer.stand_in import Platform
from store.log_lines import Wanted
from store.memory import MemoryStore
from store.model import NodeKey, TimeRange
from tests.collector.conftest import SOON, StoringPipeline
from tests.lambda_samples import ACCOUNT, REQUEST, event, events
from tests.ports import free_port
from tests.store.test_invocation_evidence import query
from tests.waiting import eventually

SOURCE = Path(raymap_lambda.__file__)
ALWAYS = TimeRange(0, 1 << 62)
KEY = "secret"


class Server:
    """Raymap's receiver on a port that may be closed and opened again."""

    def __init__(self, pipeline: IngestPipeline) -> None:
        app = FastAPI()
        app.include_router(create_lambda_router(pipeline))
        self._app = app
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._server: uvicorn.Server | None = None

    def open(self) -> None:
        config = uvicorn.Config(self._app, log_config=None, lifespan="off")
        server = self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=lambda: server.run(sockets=[self._listener]), daemon=True
        )
        self._thread.start()
        eventually(lambda: server.started)

    def close(self) -> None:
        self._listener.close()
        if self._server is not None:
            self._server.should_exit = True
            self._thread.join(5)


class Extension:
    """The process, with what it needs."""

    def __init__(self, platform: Platform, url: str, spool: Path) -> None:
        self.udp = ("127.0.0.1", free_port())
        environ = {
            "PATH": os.environ["PATH"],
            "AWS_LAMBDA_RUNTIME_API": platform.address,
            "AWS_REGION": "eu-west-1",
            "RAYMAP_URL": url,
            "RAYMAP_KEY": KEY,
            "RAYMAP_LAMBDA_SPOOL": str(spool),
            "RAYMAP_LAMBDA_LISTEN": f"127.0.0.1:{self.udp[1]}",
        }
        command = [sys.executable, "-I", "-S", str(SOURCE)]
        self.process = subprocess.Popen(command, env=environ, stderr=subprocess.PIPE)
        assert platform.waiting.acquire(timeout=60), "the extension does not ask for an event"

    def send(self, document: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b'{"format": "json", "version": 1}\n' + document, self.udp)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.wait()

    def wait(self) -> str:
        _, said = self.process.communicate(timeout=60)
        return said.decode()


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def server(
    memory: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    metrics = IngestMetrics(CollectorRegistry())
    pipeline = StoringPipeline(memory, tmp_path / "journal", metrics=metrics, limits=SOON)
    pipeline.start()
    server = Server(pipeline)
    yield server
    server.close()
    pipeline.stop(5.0)


@pytest.fixture
def platform() -> Iterator[Platform]:
    platform = Platform()
    yield platform
    platform.close()


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def spooled(spool: Path, count: int) -> bool:
    """Whether so many lines are in the spool."""
    return sum(len(path.read_bytes().splitlines()) for path in spool.iterdir()) == count


def edges(memory: MemoryStore) -> set[tuple[str, str]]:
    found = memory.service_graph(ALWAYS).edges
    return {(source.type, target.type) for source, target in found if not source.is_client}


PATH = {
    ("AWS::Lambda", "AWS::Lambda::Function"),
    ("AWS::Lambda::Function", "AWS::DynamoDB::Table"),
}
FUNCTION = NodeKey(ACCOUNT, "checkout", "AWS::Lambda::Function", "eu-west-1")


def calls(memory: MemoryStore) -> int:
    return memory.service_graph(ALWAYS).services[FUNCTION].statistics.total


def test_what_comes_until_the_last_moment_arrives(
    platform: Platform, server: Server, spool: Path, memory: MemoryStore
) -> None:
    """The report of the last invocation comes after SHUTDOWN has begun."""
    server.open()
    extension = Extension(platform, server.url, spool)
    platform.invoke(REQUEST)
    assert platform.waiting.acquire(timeout=60)
    extension.send(query().raw)
    eventually(lambda: memory.has_traces())
    platform.shut_down()
    assert platform.emit(*events()) == 200
    assert extension.wait() == ""
    assert edges(memory) == PATH
    assert calls(memory) == 1
    assert list(spool.iterdir()) == []


def test_the_functions_lines_arrive_with_their_request(
    platform: Platform, server: Server, spool: Path, memory: MemoryStore
) -> None:
    server.open()
    extension = Extension(platform, server.url, spool)
    start, report = events()
    line = {"time": start["time"], "type": "function", "record": "hello\n"}
    assert platform.emit(start, line) == 200
    assert platform.emit({**line, "record": {"level": "WARN"}}, report) == 200
    platform.shut_down()
    assert extension.wait() == ""
    found = memory.request_lines(Wanted(ALWAYS, requests=(REQUEST,)), limit=9).lines
    assert [(line.record, line.severity) for line in found] == [
        ("start", ""),
        ("", ""),
        ("", "warn"),
        ("report", ""),
    ]


def test_a_killed_extension_loses_nothing_that_it_received(
    platform: Platform, server: Server, spool: Path, memory: MemoryStore
) -> None:
    """Raymap is not there, the process is killed, and the next one of the environment sends it."""
    extension = Extension(platform, server.url, spool)
    extension.send(query().raw)
    assert platform.emit(*events()) == 200
    eventually(lambda: spooled(spool, 3))
    extension.kill()
    server.open()
    again = Extension(platform, server.url, spool)
    platform.shut_down()
    assert again.wait() == ""
    assert edges(memory) == PATH
    assert list(spool.iterdir()) == []


def test_without_raymap_the_extension_ends_in_time_and_says_so(
    platform: Platform, server: Server, spool: Path
) -> None:
    server.close()
    extension = Extension(platform, server.url, spool)
    assert platform.emit(*events()) == 200
    platform.shut_down()
    assert "stays in the spool" in extension.wait()
    assert spooled(spool, 2)


def test_a_wrong_key_keeps_what_was_recorded(
    platform: Platform, server: Server, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "KEY", "wrong")
    server.open()
    extension = Extension(platform, server.url, spool)
    assert platform.emit(*events()) == 200
    platform.shut_down()
    assert "401" in extension.wait()
    assert spooled(spool, 2)


def test_the_subscription_is_lambdas(platform: Platform, server: Server, spool: Path) -> None:
    extension = Extension(platform, server.url, spool)
    extension.kill()
    subscription = platform.subscription
    assert subscription is not None
    assert (subscription["schemaVersion"], subscription["types"]) == (
        "2022-12-13",
        ["platform", "function"],
    )
    assert subscription["destination"]["protocol"] == "HTTP"
    assert subscription["destination"]["URI"].startswith("http://sandbox.localdomain:")


def test_starting_imports_nothing_heavy() -> None:
    """What takes long to import, HTTP clients and TLS above all, waits until the function has started."""
    code = "import sys, raymap_lambda; print(*sys.modules)"
    folder = Path(raymap_lambda.__file__).parent
    ended = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    heavy = {"asyncio", "email", "http.client", "http.server", "logging", "ssl", "urllib.request"}
    assert heavy.isdisjoint(ended.stdout.split())


def test_starts_are_sent_with_their_reports(tmp_path: Path) -> None:
    spool = raymap_lambda.Spool(str(tmp_path))
    records = raymap_lambda.Records(spool)
    start, report = events()
    records.add([start])
    assert spool.pending() == []
    records.add([{"type": "platform.telemetrySubscription"}, "noise", report])
    (path,) = spool.pending()
    assert raymap_lambda.read_spooled(path) == ([start, report], [])


@pytest.mark.parametrize("logs", ["on", "off"])
def test_the_runtime_is_named_where_its_lines_are_sent(
    logs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(raymap_lambda.environ, "RAYMAP_LAMBDA_LOGS", logs)
    spool = raymap_lambda.Spool(str(tmp_path))
    begun = event("platform.initStart", functionName="checkout", runtimeVersion="python:3.12.v38")
    raymap_lambda.Records(spool).add([begun])
    sent = [raymap_lambda.read_spooled(path)[0] for path in spool.pending()]
    assert sent == ([[begun]] if logs == "on" else [])


def test_a_spool_is_bounded_and_survives_a_line_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raymap_lambda, "MAX_FILE", 100)
    monkeypatch.setattr(raymap_lambda, "MAX_SPOOL", 350)
    spool = raymap_lambda.Spool(str(tmp_path))
    for number in range(9):
        spool.add(json.dumps(["document", f"{number}" + "x" * 90]))
    stored = spool.pending()
    assert spool.dropped > 0
    assert sum(os.path.getsize(path) for path in stored) <= 350
    with Path(stored[-1]).open("ab") as file:
        file.write(b'["document", "cut o')
    assert raymap_lambda.read_spooled(stored[-1])[1][-1].startswith("8")
    later = raymap_lambda.Spool(str(tmp_path))
    later.add('["document", "next"]')
    assert later.pending()[-1] > stored[-1]


def test_a_layer_is_small_and_has_the_extension_where_lambda_looks(tmp_path: Path) -> None:
    content = io.BytesIO()
    write_layer(content)
    with zipfile.ZipFile(content) as archive:
        names = {info.filename: info for info in archive.infolist()}
        assert set(names) == set(FILES)
        assert names["extensions/raymap-lambda"].external_attr >> 16 & 0o111
        assert archive.read("raymap/raymap_lambda.py") == SOURCE.read_bytes()
        assert b"def extend_whitelist" in archive.read("python/raymap/xray_whitelist.py")
    assert len(content.getvalue()) < 5_000_000

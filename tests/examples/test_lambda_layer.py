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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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
from tests.examples.test_lambda_events import QUEUE, WRAPPER, message
from tests.examples.test_lambda_events import event as queue_event
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

    def __init__(self, platform: Platform, url: str, spool: Path, **more: str) -> None:
        self.udp = ("127.0.0.1", free_port())
        environ = {
            "PATH": os.environ["PATH"],
            "AWS_LAMBDA_RUNTIME_API": platform.address,
            "AWS_REGION": "eu-west-1",
            "RAYMAP_URL": url,
            "RAYMAP_KEY": KEY,
            "RAYMAP_LAMBDA_SPOOL": str(spool),
            "RAYMAP_LAMBDA_LISTEN": f"127.0.0.1:{self.udp[1]}",
            **more,
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


def files(spool: Path) -> list[Path]:
    """What is yet to be sent."""
    return [path for path in spool.iterdir() if path.name.isdecimal()]


def spooled(spool: Path, count: int) -> bool:
    """Whether so many lines are in the spool."""
    return sum(len(path.read_bytes().splitlines()) for path in files(spool)) == count


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
    assert files(spool) == []


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


RUNTIME = """
import http.client, os
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"], timeout=60)
api.request("GET", "/2018-06-01/runtime/invocation/next")
event = api.getresponse().read()
api.request("POST", "/2018-06-01/runtime/invocation/r/response", event)
print(api.getresponse().status)
"""
"""A runtime whose function returns its event."""


class RuntimeApi:
    """A Runtime API with one event, which takes any response."""

    def __init__(self, event: bytes) -> None:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer(200, event)

            def do_POST(self) -> None:
                api.response = self.rfile.read(int(self.headers["Content-Length"]))
                self._answer(202, b"")

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Lambda-Runtime-Aws-Request-Id", REQUEST)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing on standard error."""

        self.response = b""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def run(self, spool: Path) -> str:
        """Start a runtime by the wrapper, let it work, and return what it says."""
        environ = {"AWS_LAMBDA_RUNTIME_API": self.address, "RAYMAP_LAMBDA_SPOOL": str(spool)}
        command = [str(WRAPPER), sys.executable, "-I", "-c", RUNTIME]
        ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
        return ended.stdout.strip()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def runtime_api() -> Iterator[RuntimeApi]:
    header = "Root=1-6b061440-0000000000000000000000aa;Parent=00000000000000b1;Sampled=1"
    api = RuntimeApi(queue_event(*[message(header)] * 3))
    yield api
    api.close()


def test_a_queue_stands_in_front_of_the_function(
    platform: Platform, server: Server, spool: Path, memory: MemoryStore, runtime_api: RuntimeApi
) -> None:
    server.open()
    address = {"RAYMAP_LAMBDA_RUNTIME_API": runtime_api.address}
    extension = Extension(platform, server.url, spool, **address)
    assert runtime_api.run(spool) == "202"
    assert json.loads(runtime_api.response)["Records"][2]["eventSourceARN"] == QUEUE
    assert platform.emit(*events()) == 200
    platform.shut_down()
    assert extension.wait() == ""
    graph = memory.service_graph(ALWAYS)
    assert {(source.type, target.type) for source, target in graph.edges} == {
        ("AWS::Lambda", "AWS::Lambda::Function")
    }
    ((source, target),) = graph.links
    assert (source.name, target.type) == ("reminders", "AWS::Lambda")
    assert graph.links[source, target].statistics.total == 3


def test_after_a_crash_of_the_extension_the_function_goes_on(
    platform: Platform, server: Server, spool: Path, runtime_api: RuntimeApi
) -> None:
    """Lambda starts both again after it; should the extension not come up, the runtime asks Lambda."""
    address = {"RAYMAP_LAMBDA_RUNTIME_API": runtime_api.address}
    extension = Extension(platform, server.url, spool, **address)
    assert runtime_api.run(spool) == "202"
    extension.kill()
    assert (spool / "runtime-api").exists()
    assert runtime_api.run(spool) == "202"


def test_events_may_be_left_alone(
    platform: Platform, server: Server, spool: Path, runtime_api: RuntimeApi
) -> None:
    extension = Extension(platform, server.url, spool, RAYMAP_LAMBDA_EVENTS="off")
    assert not (spool / "runtime-api").exists()
    assert runtime_api.run(spool) == "202"
    extension.kill()


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
    assert files(spool) == []


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
    code = "import sys, raymap_lambda, raymap_events; print(*sys.modules)"
    folder = Path(raymap_lambda.__file__).parent
    ended = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    heavy = {
        "asyncio",
        "email",
        "http.client",
        "json",
        "re",
        "http.server",
        "logging",
        "ssl",
        "urllib.request",
    }
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
        assert names["raymap-wrapper"].external_attr >> 16 & 0o111
        assert archive.read("raymap/raymap_lambda.py") == SOURCE.read_bytes()
        assert b"def extend_whitelist" in archive.read("python/raymap/xray_whitelist.py")
    assert len(content.getvalue()) < 5_000_000

"""OpenTelemetry's exporters for Node.js, unmodified, from a real process to a real server."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

import hatch_build
from collector.decode.otlp.request import decode_otlp
from examples.two_sdks.diff import Edge, Figures, Graph, Node, differences, read_graph
from store.model import Document
from tests.conftest import ROOT, Server
from tests.otlp_json import decode_otlp_json

pytestmark = pytest.mark.server

SHOP = ROOT / "examples" / "otel_node"
INSTALL_SECONDS, RUN_SECONDS, SETTLE_SECONDS = 120, 90, 60.0

VISITORS, CHECKOUT, STOCK = (
    Node("node-checkout", "client"),
    Node("node-checkout", ""),
    Node("node-stock", ""),
)
CACHE, DATABASE = Node("cache.internal", "Database::Redis"), Node("stock", "Database::SQL")
PAYMENTS, TOPIC = Node("payments.example.com", "remote"), Node("orders", "Messaging::Kafka")

EXPECTED = Graph(
    nodes={
        VISITORS: Figures(state="unknown"),
        CHECKOUT: Figures(ok=3, state="active", root=True),
        STOCK: Figures(fault=3, state="active"),
        CACHE: Figures(ok=3, state="unknown"),
        DATABASE: Figures(fault=3, state="unknown"),
        PAYMENTS: Figures(throttle=3, state="unknown"),
        TOPIC: Figures(ok=3, state="unknown"),
    },
    edges={
        Edge(VISITORS, CHECKOUT): Figures(ok=3),
        Edge(CHECKOUT, STOCK): Figures(fault=3),
        Edge(CHECKOUT, CACHE): Figures(ok=3),
        Edge(CHECKOUT, PAYMENTS): Figures(throttle=3),
        Edge(CHECKOUT, TOPIC): Figures(ok=3),
        Edge(STOCK, DATABASE): Figures(fault=3),
    },
)
"""Counted by hand from checkout.mjs: three orders."""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def run(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the shop: ``run(protocol, endpoint, **environment)``.

    Its packages are installed once into pytest's cache folder, in the locked versions. Without the
    npm registry this fails: nothing here is skipped.
    """
    (node, *_), path = hatch_build._find_npm()
    assert request.config.cache is not None
    modules = _installed(Path(request.config.cache.mkdir("otel_node")))
    folder = tmp_path_factory.mktemp("otel_node")
    shutil.copy(SHOP / "checkout.mjs", folder)
    (folder / "node_modules").symlink_to(modules)
    command = node if path else "node"

    def run(protocol: str, endpoint: str, **more: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            **more,
        }
        return subprocess.run(
            [command, "checkout.mjs", protocol],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )

    return run


def _installed(cache: Path) -> Path:
    """The node_modules of this lock file."""
    files = [SHOP / name for name in ("package.json", "package-lock.json", ".npmrc")]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    done = cache / digest
    if not done.is_dir():
        command, path = hatch_build._find_npm()
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            for file in files:
                shutil.copy(file, folder)
            installing = subprocess.run(
                [*command, "ci", "--ignore-scripts"],
                cwd=folder,
                env={**os.environ, "PATH": f"{path}{os.pathsep}{os.environ.get('PATH', '')}"},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=INSTALL_SECONDS,
                check=False,
            )
            if installing.returncode:
                pytest.fail(
                    f"the exporters' packages could not be installed:\n{installing.stdout[-3000:]}",
                    pytrace=False,
                )
            if not done.is_dir():  # another run may have been faster
                Path(folder).rename(done)
                Path(folder).mkdir()
    return done / "node_modules"


def endpoint_of(server: Server, protocol: str) -> str:
    return f"http://{server.grpc}" if protocol == "grpc" else server.http


@pytest.mark.parametrize("protocol", ["http/json", "http/protobuf", "grpc"])
def test_the_map_is_what_was_done(raymap_server: Server, run: Run, protocol: str) -> None:
    """Nothing to complain of for the exporter; nodes, types, edges and the four counts."""
    mark, begun = secrets.token_hex(4), time.time()
    done = run(protocol, endpoint_of(raymap_server, protocol), MARK=mark)
    assert (done.returncode, done.stderr) == (0, "")
    assert differences(EXPECTED, _settled(raymap_server, mark, begun), ("by hand", protocol)) == []


def _settled(server: Server, mark: str, begun: float) -> Graph:
    """The graph once it is as expected, or time is up: the tests then say what is wrong."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        answer = server.post("/ServiceGraph", {"StartTime": begun - 1, "EndTime": time.time() + 5})
        assert "NextToken" not in answer
        graph = read_graph(answer, mark)
        if not differences(EXPECTED, graph, ("", "")) or time.monotonic() > deadline:
            return graph
        time.sleep(0.1)


def test_documents(raymap_server: Server, run: Run) -> None:
    """BatchGetTraces has the segments with what JavaScript's API recorded in them."""
    mark, begun = secrets.token_hex(4), time.time()
    assert run("http/json", raymap_server.http, MARK=mark).returncode == 0
    _settled(raymap_server, mark, begun)
    lines = raymap_server.get(f"/api/traces?from={begun - 1}&to={time.time() + 5}&limit=500")
    ids = [t["id"] for t in lines["traces"] if f"node-checkout-{mark}" in t["services"]]
    assert len(ids) == 3
    answer = raymap_server.post("/Traces", {"TraceIds": ids})
    documents = [json.loads(s["Document"]) for s in answer["Traces"][0]["Segments"]]
    found = {document["name"].removesuffix(f"-{mark}"): document for document in documents}
    checkout, stock = found["node-checkout"], found["node-stock"]
    assert checkout["http"]["request"] == {"method": "POST", "url": "/checkout"}
    assert checkout["http"]["response"] == {"status": 201}
    assert checkout["service"] == {"version": "2.1.0"}
    assert checkout["annotations"]["order"] in (7, 8, 9)
    assert checkout["aws"]["xray"]["sdk"] == "opentelemetry for nodejs"
    (price,) = [each for each in checkout["subsegments"] if each["name"] == "price"]
    assert price["annotations"] == {"cart.total": 12.5, "cart.gift": True}
    assert stock["fault"] is True
    (select,) = stock["subsegments"]
    assert select["sql"]["sanitized_query"] == "SELECT 1"
    (exception,) = select["cause"]["exceptions"]
    assert (exception["type"], exception["message"]) == ("TypeError", "the connection is gone")
    assert exception["stack"][0]["path"].endswith("checkout.mjs")


@pytest.mark.parametrize("protocol", ["http/json", "http/protobuf", "grpc"])
def test_a_spoilt_span_in_the_middle(raymap_server: Server, run: Run, protocol: str) -> None:
    """The exporter reads how many were rejected and why; everything else is on the map."""
    mark, begun = secrets.token_hex(4), time.time()
    done = run(protocol, endpoint_of(raymap_server, protocol), MARK=mark, BROKEN="1")
    assert done.returncode == 0
    warning, _, text = done.stderr.strip().partition(": ")
    assert warning == "Received Partial Success response"
    partial = json.loads(text)
    assert int(partial["rejectedSpans"]) == 3
    assert partial["errorMessage"].startswith("InvalidId: span_id: expected 8 bytes, all zero")
    assert differences(EXPECTED, _settled(raymap_server, mark, begun), ("by hand", protocol)) == []


class Recorder(BaseHTTPRequestHandler):
    """Takes everything and remembers it."""

    seen: list[tuple[str, dict[str, str], bytes]]

    def do_POST(self) -> None:
        body = b""
        while size := int(self.rfile.readline(), 16):  # Node sends gzip in chunks
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        self.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def recorder() -> Iterator[tuple[str, list[tuple[str, dict[str, str], bytes]]]]:
    seen: list[tuple[str, dict[str, str], bytes]] = []
    server = HTTPServer(("127.0.0.1", 0), type("Own", (Recorder,), {"seen": seen}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    thread.join(60)
    server.server_close()


@pytest.mark.parametrize(
    ("protocol", "media", "decode"),
    [
        ("http/json", "application/json", decode_otlp_json),
        ("http/protobuf", "application/x-protobuf", decode_otlp),
    ],
)
def test_what_stands_on_the_wire(
    run: Run,
    recorder: tuple[str, list[tuple[str, dict[str, str], bytes]]],
    protocol: str,
    media: str,
    decode: Callable[..., Iterator[object]],
) -> None:
    """The tests above did send gzip, and in the encoding they are named by."""
    url, seen = recorder
    assert run(protocol, url).returncode == 0
    count = 0
    for path, headers, body in seen:
        assert path == "/v1/traces"
        assert (headers["content-type"], headers["content-encoding"]) == (media, "gzip")
        results = list(decode(gzip.decompress(body), 1))
        assert all(isinstance(result, Document) for result in results)
        count += len(results)
    assert count == 27

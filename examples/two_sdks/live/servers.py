"""The processes of a run: a Raymap with an empty store, and the program that sends to it."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.two_sdks.diff import Graph, read_graph
from examples.two_sdks.live import plan
from examples.two_sdks.live.programs import Run

START_SECONDS, REQUEST_SECONDS, STOP_SECONDS, SETTLE_SECONDS = 180.0, 180.0, 60.0, 15.0
"""Generous: a Java program with an agent takes a minute of a busy machine to start."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a Raymap listens: a URL and ``host:port``."""

    http: str
    udp: str

    def graph(self, since: float) -> dict[str, Any]:
        """The answer of GetServiceGraph."""
        window = {"StartTime": since - 1, "EndTime": time.time() + 5}
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(
            f"{self.http}/ServiceGraph", json.dumps(window).encode(), headers
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            answer: dict[str, Any] = json.load(response)
        return answer


@contextmanager
def raymap() -> Iterator[Addresses]:
    """A `raymap serve` of its own, on free ports."""
    options = ("--port", "0", "--grpc-port", "0", "--workers", "1", "--linger", "0.1")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "raymap", "serve", *options, "--data-dir", folder]
        command += ["--log-level", "warning"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield _ready(process)
            finally:
                process.terminate()
                process.wait()


def _ready(process: subprocess.Popen[str]) -> Addresses:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("raymap ready "):
            found = json.loads(line.removeprefix("raymap ready "))
            return Addresses(found["http"].rstrip("/"), found["udp"])
    raise RuntimeError("raymap serve did not start")


def visit(run: Run, build: Path, aws: str, to: Addresses, outcomes: Mapping[str, int]) -> None:
    """Start the program, send it every request, and stop it; it sends its last spans then."""
    folder = build / run.language
    port = _free_port()
    environment = {**os.environ, **_environment(run, aws, to), "PORT": str(port)}
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(
            run.arguments, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait_for(port, process)
        for path, status in plan.paths(outcomes):
            _request(f"http://127.0.0.1:{port}{path}", status)
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def settled(to: Addresses, since: float, expected: Graph) -> Graph:
    """The map as soon as it is the expected one, or as it is when time is up."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        graph = read_graph(to.graph(since))
        if graph == expected or time.monotonic() > deadline:
            return graph
        time.sleep(0.25)


def _environment(run: Run, aws: str, to: Addresses) -> dict[str, str]:
    """The standard variables by which SDKs and tracers are configured."""
    return {
        "TRACER": run.tracer,
        "SERVICE": plan.SHOP,
        "AWS_ENDPOINT_URL": aws,
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_MAX_ATTEMPTS": "2",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_XRAY_DAEMON_ADDRESS": to.udp,
        "OTEL_SERVICE_NAME": plan.SHOP,
        "OTEL_EXPORTER_OTLP_ENDPOINT": to.http,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        **run.environment,
    }


def _request(url: str, expected: int) -> None:
    """A request that begins a sampled trace, for X-Ray SDKs; OpenTelemetry samples every trace."""
    trace_id = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    headers = {"X-Amzn-Trace-Id": f"Root={trace_id};Sampled=1"}
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as response:
            status = response.status
    except urllib.error.HTTPError as error:
        status = error.code
    if status != expected:
        raise RuntimeError(f"{url}: {status}, not {expected}")


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the program did not listen (exit code {process.poll()})")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

"""Clients that are programs of their own: X-Ray's daemon, its SDKs for Node.js and Java, OpenTelemetry's
exporter for Zipkin, and the readers `sam traces` and Grafana's data source."""

from __future__ import annotations

import queue
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from examples.clients.guarded_server import Key
from examples.clients.senders import (
    DONE,
    Target,
    aws_environment,
    child,
    document,
    last_line,
)

SENT, FAILED = "Successfully sent batch of", "Sending segment batch failed"
DAEMON_SECONDS = 30.0


def xray_daemon(target: Target, key: Key | None, name: str) -> str:
    """A datagram to the daemon, which signs it with its credentials and sends it on."""
    with _daemon(target, key) as (address, lines):
        datagram = b'{"format":"json","version":1}\n' + document(name).encode()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(datagram, address)
        deadline = time.monotonic() + DAEMON_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = lines.get(timeout=left)
            except queue.Empty:
                break
            if SENT in line:
                return DONE
            if FAILED in line:
                return _code(line)
    return "the daemon said nothing"


@contextmanager
def _daemon(target: Target, key: Key | None) -> Iterator[tuple[tuple[str, int], queue.Queue[str]]]:
    """A daemon with the server as its endpoint: its UDP address, and what it logs."""
    with tempfile.TemporaryDirectory(prefix="raymap-daemon-") as folder:
        port = _free_port()
        config = Path(folder) / "cfg.yaml"
        config.write_text(
            f'Endpoint: "{target.http}"\nRegion: eu-west-1\nLocalMode: true\nVersion: 2\n'
            f'Socket:\n  UDPAddress: "127.0.0.1:{port}"\n  TCPAddress: "127.0.0.1:{port}"\n'
            "Logging:\n  LogLevel: info\n"
        )
        process = subprocess.Popen(
            [str(target.programs.daemon), "--config", str(config)],
            env={"HOME": folder, "AWS_EC2_METADATA_DISABLED": "true", **aws_environment(key)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert process.stdout is not None
            lines: queue.Queue[str] = queue.Queue()
            threading.Thread(target=_read, args=(process.stdout, lines), daemon=True).start()
            while "Starting proxy http server" not in lines.get(timeout=DAEMON_SECONDS):
                pass
            yield ("127.0.0.1", port), lines
        finally:
            process.terminate()
            process.wait(30)


def _read(stream: IO[str], lines: queue.Queue[str]) -> None:
    for line in stream:
        lines.put(line)


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _code(line: str) -> str:
    """The server's error in a line of the daemon's log."""
    return line.split(FAILED)[1].strip(" :\n").rpartition("api error ")[2].split(":")[0][:120]


def xray_node(target: Target, key: Key | None, name: str) -> str:
    code = (
        "const core = require('aws-xray-sdk-core');"
        f"core.setDaemonAddress('tcp:{target.http[7:]} udp:{target.udp}');"
        "new core.Segment(process.argv[1]).close();"
        "setTimeout(() => console.log('sent'), 300);"
    )
    return _said(child(["node", "-e", code, name], where=target.programs.node))


def zipkin_exporter(target: Target, key: Key | None, name: str) -> str:
    code = (
        "const { ZipkinExporter } = require('@opentelemetry/exporter-zipkin');"
        "const { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } ="
        " require('@opentelemetry/sdk-trace-base');"
        "const { resourceFromAttributes } = require('@opentelemetry/resources');"
        "const [name, url, token] = process.argv.slice(1);"
        "const headers = token ? { Authorization: `Bearer ${token}` } : {};"
        "const memory = new InMemorySpanExporter();"
        "const provider = new BasicTracerProvider({"
        " resource: resourceFromAttributes({ 'service.name': name }),"
        " spanProcessors: [new SimpleSpanProcessor(memory)] });"
        "provider.getTracer('example').startSpan('work').end();"
        "new ZipkinExporter({ url, headers }).export(memory.getFinishedSpans(),"
        " ({ code, error }) => console.log(code === 0 ? 'accepted' : error.message));"
    )
    words = [name, f"{target.http}/api/v2/spans", *([key.token] if key else [])]
    return _said(child(["node", "-e", code, *words], where=target.programs.node))


def xray_java(target: Target, key: Key | None, name: str) -> str:
    assert target.programs.java is not None
    libraries = target.programs.java / "target"
    command = [
        "java",
        "-cp",
        f"{libraries / 'classes'}:{libraries / 'lib'}/*",
        "clients.Recorder",
        name,
    ]
    return _said(
        child(command, {"AWS_XRAY_DAEMON_ADDRESS": f"tcp:{target.http[7:]} udp:{target.udp}"})
    )


def sam_traces(target: Target, key: Key | None, name: str) -> str:
    """Whether it prints the trace of that name."""
    command = [str(target.programs.sam), "traces", "--start-time", "10min ago", "--output", "json"]
    found = child(
        command,
        {"AWS_ENDPOINT_URL_XRAY": target.http, "SAM_CLI_TELEMETRY": "0", **aws_environment(key)},
    )
    if found.returncode == 0 and name in found.stdout:
        return DONE
    return last_line(found.stderr or found.stdout)


def grafana(target: Target, key: Key | None, name: str) -> str:
    """All its types of queries over the last minutes (`examples/clients/grafana`)."""
    now = datetime.now(UTC)
    window = [f"{now + timedelta(minutes=each):%Y-%m-%dT%H:%M:00Z}" for each in (-5, 1)]
    command = [str(target.programs.grafana), target.http, *window]
    found = child(command, aws_environment(key))
    queries = sum(each.startswith("ok ") for each in found.stdout.splitlines())
    if found.returncode == 0 and queries:
        return f"{DONE}, {queries} queries"
    refused = next((each for each in found.stdout.splitlines() if each.startswith("ERROR")), "")
    return refused.rpartition("api error ")[2].split(":")[0] or last_line(found.stderr)


def _said(found: subprocess.CompletedProcess[str]) -> str:
    return found.stdout.strip() or last_line(found.stderr)

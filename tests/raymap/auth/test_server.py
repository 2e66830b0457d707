"""A whole server that requires keys and speaks TLS, used by real clients."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import grpc
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
    OTLPSpanExporter as HttpSpanExporter,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter

from raymap.errors import CommandError
from raymap.serve import serve
from raymap.settings import ServeSettings
from store.clickhouse.connection.address import Address
from tests.conftest import Server, start_server, stop_server
from tests.raymap.auth.certificates import write_certificate
from tests.raymap.processes import eventually, finished_segment, raymap

pytestmark = pytest.mark.server


class SecureServer:
    """The server, its authority's certificate, and keys made on its command line."""

    def __init__(self, server: Server, folder: Path, clickhouse: list[str]) -> None:
        self.server, self.folder, self.ca = server, folder, folder / "ca.pem"
        self.clickhouse = ["--data-dir", str(server.data_dir), *clickhouse]
        self.keys = {role: self.command("add", role, "--role", role) for role in ROLES}

    def command(self, *words: str) -> Any:
        """The JSON that `raymap key …` prints."""
        ended = raymap("key", *words, "--json", *self.clickhouse)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    def status(self, method: str, path: str, body: bytes | None = None, **headers: str) -> int:
        request = urllib.request.Request(self.server.http + path, body, headers, method=method)
        context = ssl.create_default_context(cafile=str(self.ca))
        try:
            with urllib.request.urlopen(request, timeout=60, context=context) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def xray(self, role: str, **changes: str) -> Any:
        """An unmodified client of AWS's."""
        key = {**self.keys[role], **changes}
        return boto3.client(
            "xray",
            region_name="eu-west-1",
            endpoint_url=self.server.http,
            aws_access_key_id=key["access_key_id"],
            aws_secret_access_key=key["secret_access_key"],
            verify=str(self.ca),
            config=Config(retries={"max_attempts": 0}),
        )


ROLES = ("ingest", "viewer", "editor", "admin")


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureServer]:
    folder = tmp_path_factory.mktemp("secure")
    write_certificate(folder, serial=1)
    server = start_server(
        folder / "data",
        *("--auth", "on", "--otlp-port", "0", "--trusted-proxy", "10.0.0.0/8"),
        *("--tls-cert", str(folder / "cert.pem"), "--tls-key", str(folder / "key.pem")),
    )
    database: Address | None = server.database
    made = SecureServer(server, folder, ["--clickhouse", database.url] if database else [])
    last = f"Bearer {made.keys[ROLES[-1]]['token']}"
    eventually(
        lambda: made.status("GET", "/api/status", Authorization=last) == 200, "keys are known"
    )
    yield made
    assert stop_server(server) == 0


def put(client: Any, name: str) -> Any:
    document = json.dumps(finished_segment(name))
    return client.put_trace_segments(TraceSegmentDocuments=[document])


def test_boto3(secure: SecureServer) -> None:
    """One key for writing, another for reading; a wrong secret reveals nothing else."""
    put(secure.xray("ingest"), "signed")
    window = {"StartTime": time.time() - 300, "EndTime": time.time() + 60}
    with pytest.raises(ClientError, match="AccessDenied"):
        secure.xray("ingest").get_trace_summaries(**window)
    with pytest.raises(ClientError, match="AccessDenied"):
        put(secure.xray("viewer"), "denied")
    with pytest.raises(ClientError, match="UnrecognizedClient"):
        put(secure.xray("ingest", secret_access_key="x" * 40), "forged")
    secure.xray("ingest").get_sampling_rules()
    viewer = secure.xray("viewer")
    eventually(lambda: viewer.get_trace_summaries(**window)["TraceSummaries"], "the trace is found")
    with pytest.raises(ClientError, match="AccessDenied"):
        viewer.create_group(GroupName="g")
    secure.xray("editor").create_group(GroupName="g")


@pytest.mark.parametrize("kind", ["grpc", "http"])
def test_opentelemetry_exporters(
    secure: SecureServer, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the header that OTEL_EXPORTER_OTLP_HEADERS sets."""
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # requests prefers them to its caller
        monkeypatch.delenv(variable, raising=False)

    def export(token: str) -> str:
        headers = {"authorization": f"Bearer {token}"}
        exporter: SpanExporter
        if kind == "grpc":
            credentials = grpc.ssl_channel_credentials(secure.ca.read_bytes())
            exporter = OTLPSpanExporter(
                secure.server.grpc, credentials=credentials, headers=headers, timeout=60
            )
        else:
            exporter = HttpSpanExporter(
                secure.server.http + "/v1/traces",
                headers=headers,
                certificate_file=str(secure.ca),
                timeout=60,
            )
        provider = TracerProvider(resource=Resource({"service.name": "exporter"}))
        span = provider.get_tracer("test").start_span("work")
        span.end()
        result = exporter.export([span])  # type: ignore[list-item]
        provider.shutdown()
        exporter.shutdown()
        return result.name

    key = secure.keys["ingest"]["token"]
    eventually(lambda: export(key) == "SUCCESS", "the key is known")
    assert export("rmk_" + "a" * 16 + "_x") == "FAILURE"


def test_keys_are_listed_rotated_and_revoked(secure: SecureServer) -> None:
    old = secure.command("add", "deploy", "--role", "viewer", "--expires-days", "1")
    new = secure.command("rotate", old["id"], "--grace-hours", "0")
    states = {key["id"]: key for key in secure.command("list")}
    assert states[new["id"]]["name"] == "deploy"
    assert states[old["id"]]["expires"] < time.time() + 5

    def reads(key: dict[str, str]) -> bool:
        return secure.status("GET", "/api/status", Authorization=f"Bearer {key['token']}") == 200

    eventually(lambda: reads(new), "the new key works")
    eventually(lambda: not reads(old), "the old one does not")
    ended = raymap("key", "revoke", new["id"].lower(), *secure.clickhouse)
    assert ended.returncode == 0
    assert "is revoked" in ended.stderr
    eventually(lambda: not reads(new), "a revoked key does not work")
    assert raymap("key", "revoke", "NONE", *secure.clickhouse).returncode == 1
    table = raymap("key", "list", *secure.clickhouse).stdout
    assert "revoked" in table
    assert new["token"] not in table


def test_what_needs_no_key(secure: SecureServer) -> None:
    assert secure.status("GET", "/healthz") == 200
    assert secure.status("GET", "/readyz") == 200
    assert secure.status("GET", "/") == 200
    for path in ("/api/map", "/api/status", "/metrics", "/api/openapi.json"):
        assert secure.status("GET", path) == 401
    assert secure.status("POST", "/TraceSegments", b"{}") == 401


def test_a_forged_proxy(secure: SecureServer) -> None:
    """Which peer sent a request is not for its headers to say."""
    forged = {"X-Forwarded-For": "10.1.1.1", "X-Forwarded-User": "eve"}
    assert secure.status("GET", "/api/status", **forged) == 401  # type: ignore[arg-type]


def test_a_new_certificate_on_sighup(secure: SecureServer) -> None:
    """For new connections, without closing a port; a bad file changes nothing."""
    host, _, port = secure.server.http.removeprefix("https://").rpartition(":")

    def serial() -> int:
        from cryptography.x509 import load_pem_x509_certificate

        text = ssl.get_server_certificate((host, int(port)))
        return load_pem_x509_certificate(text.encode()).serial_number

    assert serial() == 1
    write_certificate(secure.folder, serial=2)
    secure.server.process.send_signal(signal.SIGHUP)
    eventually(lambda: serial() == 2, "the new certificate is served")
    (secure.folder / "cert.pem").write_text("no certificate")
    secure.server.process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert serial() == 2
    assert secure.server.process.poll() is None


def test_plain_http_to_the_tls_port(secure: SecureServer) -> None:
    plain = secure.server.http.replace("https:", "http:")
    with pytest.raises(OSError, match=r"reset|closed|refused"):
        urllib.request.urlopen(plain + "/healthz", timeout=60)
    assert secure.status("GET", "/healthz") == 200


def test_tls_to_plain_ports(raymap_server: Server) -> None:
    """The client gets an error at once, since no one there speaks TLS; HTTP and gRPC go on."""
    for address in (raymap_server.http.removeprefix("http://"), raymap_server.grpc):
        host, _, port = address.rpartition(":")
        with (
            socket.create_connection((host, int(port)), timeout=60) as connection,
            pytest.raises((ssl.SSLError, ConnectionError)),
        ):
            ssl.create_default_context().wrap_socket(connection, server_hostname="localhost")
    assert raymap_server.get("/api/status")["ready"]
    with grpc.insecure_channel(raymap_server.grpc) as channel:
        grpc.channel_ready_future(channel).result(timeout=60)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"tls_cert": Path("no.pem"), "tls_key": Path("no.pem")}, r"TLS: no\.pem .*No such file"),
        ({"tls_cert": Path("no.pem")}, "both --tls-cert and --tls-key"),
        ({"tls_client_ca": Path("no.pem")}, "needs --tls-cert"),
        ({"host": "0.0.0.0", "auth": "ingest-warn"}, "--auth on"),
        ({"auth": "on", "keys_file": Path("no.json")}, r"keys file no\.json"),
    ],
)
def test_bad_settings(tmp_path: Path, settings: dict[str, Any], said: str) -> None:
    """Said in a sentence before anything is started."""
    with pytest.raises(CommandError, match=said):
        serve(ServeSettings(data_dir=tmp_path / "data", **settings))
    assert not (tmp_path / "data" / "clickhouse").exists()

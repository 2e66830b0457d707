"""Clients in Python, the AWS CLI and Zipkin's JSON: each sends one trace of a service, with a key or without."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from examples.clients.guarded_server import Key

DONE = "accepted"


@dataclass(frozen=True)
class Programs:
    """Where clients are that this environment does not have: programs and folders, None if not at all."""

    aws: Path | None = None
    sam: Path | None = None
    daemon: Path | None = None
    node: Path | None = None
    java: Path | None = None
    grafana: Path | None = None


@dataclass(frozen=True)
class Target:
    """A server, and the programs to use."""

    http: str
    udp: str
    grpc: str
    programs: Programs


def boto3_put(target: Target, key: Key | None, name: str) -> str:
    import boto3
    from botocore import UNSIGNED
    from botocore.config import Config
    from botocore.exceptions import ClientError

    config = Config(retries={"max_attempts": 0}, signature_version=None if key else UNSIGNED)
    credentials = {
        "aws_access_key_id": key.access_key_id if key else "none",
        "aws_secret_access_key": key.secret_access_key if key else "none",
    }
    client = boto3.client(
        "xray", region_name="eu-west-1", endpoint_url=target.http, config=config, **credentials
    )
    try:
        client.put_trace_segments(TraceSegmentDocuments=[document(name)])
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return DONE


def aws_cli(target: Target, key: Key | None, name: str) -> str:
    command = [
        str(target.programs.aws),
        "xray",
        "put-trace-segments",
        "--endpoint-url",
        target.http,
    ]
    command += ["--region", "eu-west-1", "--trace-segment-documents", document(name)]
    command += [] if key else ["--no-sign-request"]
    found = child(command, aws_environment(key) if key else {})
    return DONE if found.returncode == 0 else last_line(found.stderr)


def xray_sdk(target: Target, key: Key | None, name: str) -> str:
    """Datagrams carry no key. The rules of sampling come over TCP, which the SDK does not sign."""
    code = (
        "import sys\n"
        "from aws_xray_sdk.core import xray_recorder\n"
        "xray_recorder.configure(service=sys.argv[1])\n"
        "with xray_recorder.in_segment(sys.argv[1]):\n"
        "    pass\n"
        "from aws_xray_sdk.core.daemon_config import DaemonConfig\n"
        "from aws_xray_sdk.core.sampling.connector import ServiceConnector\n"
        "daemon, connector = DaemonConfig(), ServiceConnector()\n"
        "connector.setup_xray_client(daemon.tcp_ip, daemon.tcp_port, None)\n"
        "print(len(connector.fetch_sampling_rules()))\n"
    )
    environment = {"AWS_XRAY_DAEMON_ADDRESS": f"tcp:{target.http[7:]} udp:{target.udp}"}
    found = child([sys.executable, "-c", code, name], environment)
    if found.returncode != 0:
        return last_line(found.stderr)
    return f"sent, {found.stdout.strip()} sampling rule"


def otlp(target: Target, key: Key | None, name: str, kind: str) -> str:
    """In a process of its own, with the variables that every OpenTelemetry SDK reads."""
    code = (
        "import sys\n"
        f"from opentelemetry.exporter.otlp.proto.{kind}.trace_exporter import OTLPSpanExporter\n"
        "from opentelemetry.sdk.resources import Resource\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "provider = TracerProvider(resource=Resource({'service.name': sys.argv[1]}))\n"
        "span = provider.get_tracer('example').start_span('work')\n"
        "span.end()\n"
        "exporter = OTLPSpanExporter(timeout=5)\n"
        "print(exporter.export([span]).name)\n"
    )
    endpoint = f"http://{target.grpc}" if kind == "grpc" else target.http
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    if key:
        environment["OTEL_EXPORTER_OTLP_HEADERS"] = f"authorization=Bearer%20{key.token}"
    found = child([sys.executable, "-c", code, name], environment)
    if found.stdout.strip() == "SUCCESS":
        return DONE
    return last_line(found.stderr)


def otlp_grpc(target: Target, key: Key | None, name: str) -> str:
    return otlp(target, key, name, "grpc")


def otlp_http(target: Target, key: Key | None, name: str) -> str:
    return otlp(target, key, name, "http")


def zipkin(target: Target, key: Key | None, name: str) -> str:
    """As reporters of Zipkin post, with a header that they are configured with."""
    span = {
        "traceId": secrets.token_hex(16),
        "id": secrets.token_hex(8),
        "kind": "SERVER",
        "name": "work",
        "timestamp": int(time.time() * 1e6),
        "duration": 1000,
        "localEndpoint": {"serviceName": name},
    }
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key.token}"
    body = json.dumps([span]).encode()
    try:
        urllib.request.urlopen(
            urllib.request.Request(f"{target.http}/api/v2/spans", body, headers), timeout=10
        ).close()
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.reason}"
    return DONE


def document(name: str) -> str:
    now = time.time()
    trace = f"1-{int(now):08x}-{secrets.token_hex(12)}"
    segment = {"trace_id": trace, "id": secrets.token_hex(8), "name": name}
    return json.dumps({**segment, "start_time": now - 0.1, "end_time": now})


def aws_environment(key: Key | None) -> dict[str, str]:
    """The credentials that AWS's programs read; without a key those of someone else."""
    return {
        "AWS_ACCESS_KEY_ID": key.access_key_id if key else "AKIDOFSOMEONEELSE",
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key if key else "none",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }


def child(
    command: list[str], environment: Mapping[str, str] | None = None, where: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """A client in a process of its own, which has no other variables of AWS's or OpenTelemetry's."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "OTEL_"))}
    nowhere = str(Path(tempfile.gettempdir()) / "no-such-file")
    alone = {"AWS_CONFIG_FILE": nowhere, "AWS_SHARED_CREDENTIALS_FILE": nowhere}
    return subprocess.run(
        command,
        cwd=where,
        env={**inherited, **alone, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def last_line(text: str) -> str:
    """The last line that names an error, else the last line."""
    lines = [each.strip() for each in text.splitlines() if each.strip()]
    named = [each for each in lines if re.search(r"(Exception|Error)\b|UNAUTHENTICATED", each)]
    return (named or lines or ["refused without a word"])[-1][:120]

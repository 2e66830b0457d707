"""Unmodified clients against a server that requires keys: each with its key, and without one.

    python -m examples.clients.authenticated [--aws /path/to/aws]

Starts a Raymap of its own, with `--auth on` and then with `--auth ingest-warn`, makes a key, and prints a
line for each client: what became of its trace with the key and without, as a reader then finds it. Exits with 1
unless every trace with a key is found, none without one if `on`, and all if `ingest-warn`. The AWS CLI is
installed apart, in a virtual environment of its own: `pip install awscli`.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from examples.clients.guarded_server import Key, counter, get_json, server

FOUND_SECONDS, ABSENT_SECONDS = 20.0, 4.0
DONE = "accepted"


@dataclass(frozen=True)
class Target:
    """A server, and the paths of programs."""

    http: str
    udp: str
    grpc: str
    aws: str | None


Send = Callable[[Target, Key | None, str], str]
"""Sends one trace of a service with that name; says what the client was answered."""


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
    assert target.aws is not None
    command = [target.aws, "xray", "put-trace-segments", "--endpoint-url", target.http]
    command += ["--region", "eu-west-1", "--trace-segment-documents", document(name)]
    command += [] if key else ["--no-sign-request"]
    found = _child(command, **(_aws_environment(key) if key else {}))
    return DONE if found.returncode == 0 else _last_line(found.stderr)


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
    found = _child([sys.executable, "-c", code, name], **environment)
    if found.returncode != 0:
        return _last_line(found.stderr)
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
    found = _child([sys.executable, "-c", code, name], **environment)
    if found.stdout.strip() == "SUCCESS":
        return DONE
    return _last_line(found.stderr)


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


@dataclass(frozen=True)
class Client:
    """A client, and whether it can carry a key."""

    label: str
    send: Send
    has_key: bool = True


CLIENTS = (
    Client(f"boto3 {version('boto3')}", boto3_put),
    Client("AWS CLI", aws_cli),
    Client(f"X-Ray SDK for Python {version('aws-xray-sdk')}, UDP", xray_sdk, has_key=False),
    Client(f"OTLP/gRPC {version('opentelemetry-exporter-otlp-proto-grpc')}", otlp_grpc),
    Client(f"OTLP/HTTP {version('opentelemetry-exporter-otlp-proto-http')}", otlp_http),
    Client("Zipkin v2 JSON", zipkin),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--aws", default=shutil.which("aws"), help="the AWS CLI")
    options = parser.parse_args()
    good = [run(mode, options.aws) for mode in ("on", "ingest-warn")]
    return 0 if all(good) else 1


def run(mode: str, aws: str | None) -> bool:
    """All clients against one server; whether each got what it should."""
    print(f"--auth {mode}")
    with server(mode) as (target, key):
        found = [line(client, Target(*target, aws), key, mode) for client in CLIENTS]
        warned = counter(target[0], key, "raymap_auth_warned_total")
    print(f"  raymap_auth_warned_total: {warned:.0f}\n", flush=True)
    return all(found) and (warned > 0) == (mode == "ingest-warn")


def line(client: Client, target: Target, key: Key, mode: str) -> bool:
    """Print what one client saw, and whether that is right."""
    if client.send is aws_cli and target.aws is None:
        print(f"  {client.label:<40} not installed: give --aws")
        return False
    results, good = [], True
    for given in (key, None) if client.has_key else (None,):
        name = f"{client.label.split()[0].lower()}-{secrets.token_hex(4)}"
        said = client.send(target, given, name)
        wanted = given is not None or not client.has_key or mode == "ingest-warn"
        found = is_found(target.http, key, name, FOUND_SECONDS if wanted else ABSENT_SECONDS)
        good = good and found == wanted
        how = "with its key" if given else "without" if client.has_key else "carries no key"
        results.append(f"{how}: {said}, {'found' if found else 'not found'}")
    print(f"  {client.label:<40} {'; '.join(results)}{'' if good else '  <- WRONG'}", flush=True)
    return good


def is_found(http: str, key: Key, name: str, seconds: float) -> bool:
    """Whether a reader finds a trace of the service before so many seconds have passed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        services = get_json(f"{http}/api/v1/services?from=-10m&q={name}", key)["services"]
        if services:
            return True
        time.sleep(0.25)
    return False


def document(name: str) -> str:
    now = time.time()
    trace = f"1-{int(now):08x}-{secrets.token_hex(12)}"
    segment = {"trace_id": trace, "id": secrets.token_hex(8), "name": name}
    return json.dumps({**segment, "start_time": now - 0.1, "end_time": now})


def _aws_environment(key: Key) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
    }


def _child(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """A client in a process of its own, which has no other variables of AWS's or OpenTelemetry's."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "OTEL_"))}
    nowhere = str(Path(tempfile.gettempdir()) / "no-such-file")
    alone = {"AWS_CONFIG_FILE": nowhere, "AWS_SHARED_CREDENTIALS_FILE": nowhere}
    return subprocess.run(
        command,
        env={**inherited, **alone, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _last_line(text: str) -> str:
    lines = [each.strip() for each in text.splitlines() if each.strip()]
    return lines[-1][:150] if lines else "refused without a word"


if __name__ == "__main__":
    sys.exit(main())

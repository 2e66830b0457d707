"""Unmodified clients against a server that requires keys: each with its key, and without one.

    python -m examples.clients.authenticated [--aws AWS] [--sam SAM] [--daemon XRAY] [--node FOLDER] [--java FOLDER] [--grafana PROGRAM]

Starts a Raymap of its own, with `--auth on` and then with `--auth ingest-warn`, makes a key, and prints a
line for each client: what became of its trace with the key and without, as a reader then finds it. Exits with 1
unless every trace with a key is found, none without one if `on`, and all if `ingest-warn`; clients that read are
refused without a key in both. What is not installed is counted as not run. README.md says where each comes from.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import Enum, auto
from importlib.metadata import version
from pathlib import Path

from examples.clients import programs, senders
from examples.clients.guarded_server import Key, counter, get_json, server
from examples.clients.senders import DONE, Programs, Target

FOUND = {"aws": "aws", "sam": "sam", "daemon": "xray"}
"""Programs that are used without being named, if they are installed."""
FOUND_SECONDS, ABSENT_SECONDS = 20.0, 4.0

Run = Callable[[Target, Key | None, str], str]
"""Sends one trace of a service with that name, or reads it; says what the client was answered."""


class Kind(Enum):
    """What a client does, and whether it can carry a key."""

    SENDS = auto()
    SENDS_WITHOUT_KEYS = auto()
    READS = auto()


class Outcome(Enum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Client:
    """``needs``: what it is started with, of `Programs`."""

    label: str
    run: Run
    kind: Kind = Kind.SENDS
    needs: str = ""


CLIENTS = (
    Client(f"boto3 {version('boto3')}", senders.boto3_put),
    Client("AWS CLI", senders.aws_cli, needs="aws"),
    Client("X-Ray daemon", programs.xray_daemon, needs="daemon"),
    Client(
        f"X-Ray SDK for Python {version('aws-xray-sdk')}", senders.xray_sdk, Kind.SENDS_WITHOUT_KEYS
    ),
    Client("X-Ray SDK for Node.js", programs.xray_node, Kind.SENDS_WITHOUT_KEYS, "node"),
    Client("X-Ray SDK for Java", programs.xray_java, Kind.SENDS_WITHOUT_KEYS, "java"),
    Client(f"OTLP/gRPC {version('opentelemetry-exporter-otlp-proto-grpc')}", senders.otlp_grpc),
    Client(f"OTLP/HTTP {version('opentelemetry-exporter-otlp-proto-http')}", senders.otlp_http),
    Client("Zipkin v2 JSON", senders.zipkin),
    Client("Zipkin exporter (JavaScript)", programs.zipkin_exporter, needs="node"),
    Client("sam traces", programs.sam_traces, Kind.READS, "sam"),
    Client("Grafana's X-Ray data source", programs.grafana, Kind.READS, "grafana"),
)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    for field in fields(Programs):
        parser.add_argument(
            f"--{field.name}", type=Path, default=shutil.which(FOUND.get(field.name, ""))
        )
    options = parser.parse_args()
    found = Programs(
        **{name: path and Path(path).resolve() for name, path in vars(options).items()}
    )
    outcomes = [each for mode in ("on", "ingest-warn") for each in run(mode, found)]
    print(", ".join(f"{outcomes.count(each)} {each.value}" for each in Outcome))
    return int(Outcome.FAILED in outcomes)


def run(mode: str, found: Programs) -> list[Outcome]:
    """All clients against one server; the count of traces that were let in without a key, too."""
    print(f"--auth {mode}")
    with server(mode) as (addresses, key):
        target = Target(*addresses, found)
        outcomes = [line(client, target, key, mode) for client in CLIENTS]
        warned = counter(target.http, key, "raymap_auth_warned_total")
    good = (warned > 0) == (mode == "ingest-warn")
    print(f"  raymap_auth_warned_total: {warned:.0f}{'' if good else '  <- WRONG'}\n", flush=True)
    return [*outcomes, Outcome.PASSED if good else Outcome.FAILED]


def line(client: Client, target: Target, key: Key, mode: str) -> Outcome:
    """Print what one client saw, and whether that is right."""
    if client.needs and getattr(target.programs, client.needs) is None:
        print(f"  {client.label:<30} not run: give --{client.needs}", flush=True)
        return Outcome.NOT_RUN
    seen, good = [], True
    for given in (None,) if client.kind is Kind.SENDS_WITHOUT_KEYS else (key, None):
        said, right = attempt(client, target, key, given, mode)
        seen.append(said)
        good = good and right
    print(f"  {client.label:<30} {'; '.join(seen)}{'' if good else '  <- WRONG'}", flush=True)
    return Outcome.PASSED if good else Outcome.FAILED


def attempt(
    client: Client, target: Target, key: Key, given: Key | None, mode: str
) -> tuple[str, bool]:
    """What a client did with what it was given, in words, and whether that is right."""
    name = f"client-{secrets.token_hex(6)}"
    how = "with its key" if given else "without"
    if client.kind is Kind.READS:
        senders.boto3_put(target, key, name)
        is_found(target.http, key, name, FOUND_SECONDS)
        said = client.run(target, given, name)
        return f"{how}: {said}", said.startswith(DONE) == (given is not None)
    said = client.run(target, given, name)
    if client.kind is Kind.SENDS_WITHOUT_KEYS:
        how, wanted = "carries no key", True
    else:
        wanted = given is not None or mode == "ingest-warn"
    found = is_found(target.http, key, name, FOUND_SECONDS if wanted else ABSENT_SECONDS)
    return f"{how}: {said}, {'found' if found else 'not found'}", found == wanted


def is_found(http: str, key: Key, name: str, seconds: float) -> bool:
    """Whether a reader finds a trace of the service before so many seconds have passed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        services = get_json(f"{http}/api/v1/services?from=-10m&q={name}", key)["services"]
        if services:
            return True
        time.sleep(0.25)
    return False


if __name__ == "__main__":
    sys.exit(main())

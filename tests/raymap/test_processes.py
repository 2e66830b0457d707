"""The commands that run one process, and the errors with which they and `raymap serve` end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from raymap.ready_pipe import read_ready_line
from store.clickhouse.connection.address import Address
from tests.conftest import ROOT, Server
from tests.raymap.processes import finished_segment, raymap

pytestmark = pytest.mark.server


def test_no_process_listens_for_other_machines_unasked(tmp_path: Path) -> None:
    """Without authentication that takes a flag which says so."""
    for command in ("serve", "collect", "api"):
        ended = raymap(command, "--host", "0.0.0.0", "--port", "0", "--data-dir", str(tmp_path))
        assert ended.returncode == 1
        assert "--host 0.0.0.0 every machine that reaches this one could read" in ended.stderr
        assert "--insecure" in ended.stderr


@pytest.mark.parametrize("command", ["api", "collect"])
def test_a_process_alone_prints_the_ready_line(
    clickhouse_database: Address, tmp_path: Path, command: str
) -> None:
    """On standard output, for programs; the sentence for people is on standard error."""
    words = [sys.executable, "-m", "raymap", command, "--port", "0", "--data-dir", str(tmp_path)]
    if command == "collect":
        words += ["--grpc-port", "0"]
    environment = {**os.environ, "RAYMAP_CLICKHOUSE": clickhouse_database.url}
    with subprocess.Popen(
        words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        addresses = read_ready_line(process.stdout)
        process.terminate()
        assert process.wait(60) == 0
    assert addresses is not None
    assert set(addresses) == ({"http"} if command == "api" else {"http", "udp", "grpc"})


@pytest.mark.parametrize("command", ["api", "collect"])
def test_the_size_of_documents_is_a_setting(
    clickhouse_database: Address, tmp_path: Path, command: str
) -> None:
    """Of each process that receives; the refusal names the limit in force."""
    words = [sys.executable, "-m", "raymap", command, "--port", "0", "--data-dir", str(tmp_path)]
    if command == "collect":
        words += ["--grpc-port", "0"]
    environment = {
        **os.environ,
        "RAYMAP_CLICKHOUSE": clickhouse_database.url,
        "RAYMAP_MAX_DOCUMENT_SIZE": "2M",
    }
    with subprocess.Popen(
        words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            addresses = read_ready_line(process.stdout)
            assert addresses is not None
            url = f"http://{addresses['http'].removeprefix('http://')}/TraceSegments"
            sizes = [2 << 20, (2 << 20) + 1]
            body = {"TraceSegmentDocuments": [_document_of(size) for size in sizes]}
            answer = httpx.post(url, json=body, timeout=60).json()
        finally:
            process.terminate()
            assert process.wait(60) == 0
    assert [one["Message"] for one in answer["UnprocessedTraceSegments"]] == [
        "the document has 2,097,153 bytes, at most 2,097,152 are taken (--max-document-size)"
    ]


def _document_of(size: int) -> str:
    """A segment of so many bytes."""
    segment = {**finished_segment("shop"), "metadata": {"default": {"prompt": ""}}}
    missing = size - len(json.dumps(segment))
    return json.dumps({**segment, "metadata": {"default": {"prompt": "x" * missing}}})


def test_one_server_per_folder(raymap_server: Server) -> None:
    data_dir = str(raymap_server.data_dir)
    second = raymap("serve", "--port", "0", "--grpc-port", "0", "--data-dir", data_dir)
    assert second.returncode == 1
    assert second.stdout == ""
    assert second.stderr == (
        f"raymap: Another Raymap is already using {data_dir}: stop it, or choose another folder "
        "with --data-dir.\n"
    )


@pytest.mark.parametrize(
    ("kind", "flag", "name"),
    [
        (socket.SOCK_DGRAM, "--port", "UDP"),
        (socket.SOCK_STREAM, "--port", "TCP"),
        (socket.SOCK_STREAM, "--grpc-port", "gRPC"),
        (socket.SOCK_STREAM, "--otlp-port", "OTLP"),
    ],
)
def test_a_taken_port_is_named(
    tmp_path: Path, kind: socket.SocketKind, flag: str, name: str
) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        ports = {"--port": "0", "--grpc-port": "0", flag: port}
        words = [word for pair in ports.items() for word in pair]
        ended = raymap("serve", "--data-dir", str(tmp_path / "data"), *words)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"raymap: {name} port {port} on 127.0.0.1 is taken by another program: stop it, "
        f"or choose another port with {flag} (0 picks a free one).\n"
    )


def test_a_taken_port_is_named_by_the_roles_too(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        for role in ("api", "collect"):
            ended = raymap(
                *(role, "--port", port, "--clickhouse", "clickhouse://127.0.0.1:1"),
                *("--data-dir", str(tmp_path)),
            )
            assert ended.returncode == 1
            assert f"port {port} on 127.0.0.1 is taken by another program" in ended.stderr
            assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--clickhouse", "http://db"), "a ClickHouse URL begins with clickhouse://"),
        (("--host", "192.0.2.1", "--insecure"), "Cannot listen on UDP port"),
        (("--host", "0.0.0.0"), "Require keys with --auth on"),
        (("--clickhouse-memory", "much"), "'much' is no size"),
        (("--clickhouse-memory", "1e999"), "'1e999' is no size"),
        (("--clickhouse-memory", "1M"), "'1M' is too little"),
        (("--linger", "0"), "greater than or equal to 0.01"),
        (("--retention-days", "100000"), "less than or equal to 10000"),
        (("--data-dir", __file__), f"'{__file__}' is a file"),
        (("--data-dir", f"{__file__}/below"), f"Cannot use {__file__}/below: Not a directory."),
    ],
)
def test_a_wrong_flag_is_explained(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    ports = ("--port", "0", "--grpc-port", "0")
    ended = raymap("serve", "--data-dir", str(tmp_path / "data"), *ports, *words)
    assert ended.returncode in (1, 2)
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_flags_can_be_environment_variables(tmp_path: Path) -> None:
    ended = raymap("serve", RAYMAP_DATA_DIR=str(tmp_path / "d"), RAYMAP_CLICKHOUSE="nonsense")
    assert "a ClickHouse URL begins with clickhouse://" in ended.stderr


@pytest.mark.parametrize("to", ["nonsense", "127.0.0.1:x", "127.0.0.1:70000", "no.invalid:2000"])
def test_a_demo_to_nowhere_says_so(to: str) -> None:
    done = raymap("demo", "--url", to, "--duration", "1")
    assert done.returncode == 1
    assert re.fullmatch(r"raymap: (.* is no address;|There is no host) .*\n", done.stderr)


def test_clickhouse_alone_in_a_relative_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "raymap", "clickhouse"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("raymap: ClickHouse listens: clickhouse 127.")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert (tmp_path / "raymap-data" / "clickhouse" / "port").exists()


def test_migrate_alone(raymap_server: Server) -> None:
    done = raymap("migrate", "--data-dir", str(raymap_server.data_dir))
    assert done.returncode == 0, done.stderr
    assert "nothing to apply" in done.stderr


@pytest.mark.parametrize("role", ["api", "collect"])
def test_a_process_needs_a_migrated_database(
    clickhouse: Address, tmp_path: Path, role: str
) -> None:
    url = replace(clickhouse, database="never").url
    ended = raymap(role, "--port", "0", "--data-dir", str(tmp_path), RAYMAP_CLICKHOUSE=url)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"raymap: {clickhouse.name}/never contains no Raymap tables: run  raymap migrate  first.\n"
    )


def test_no_clickhouse_is_an_error(tmp_path: Path) -> None:
    done = raymap("migrate", "--data-dir", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("raymap: Which ClickHouse? Name one with --clickhouse")


def test_help_and_version_are_quick() -> None:
    """In CPU time: a busy machine is not their fault."""
    begun = os.times().children_user
    assert raymap("--help").returncode == 0
    assert raymap("version").returncode == 0
    assert os.times().children_user - begun < 2


ROLES = {
    "raymap.serve": {"api", "fastapi", "networkx", "grpc"},
    "store.clickhouse.embedded": {"api", "collector", "fastapi", "networkx", "grpc"},
    "collector.app, raymap.auth.install, raymap.tenants.parts": {"api", "fastapi", "networkx"},
    "raymap.commands.keys": {"api", "fastapi", "networkx", "grpc"},
}


@pytest.mark.parametrize("modules", ROLES)
def test_a_role_imports_nothing_of_another(modules: str) -> None:
    """Each would cost every start a tenth of a second and more."""
    code = f"import sys, {modules}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ROLES[modules].isdisjoint(done.stdout.split())

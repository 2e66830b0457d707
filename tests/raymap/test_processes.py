"""`raymap serve` as a whole: order of start and stop, restarts, and its errors."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from store.clickhouse.connection.address import Address
from store.clickhouse.embedded import EmbeddedClickHouse
from tests.conftest import ROOT, Server, start_server, stop_server

pytestmark = pytest.mark.server

ROLES = ("clickhouse", "collect", "api")


def raymap(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "raymap", *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def children(server: Server) -> dict[str, psutil.Process]:
    """By role, as `ps` shows them."""
    found = {}
    for child in psutil.Process(server.process.pid).children():
        words = child.cmdline()
        if words[1:4] == ["-P", "-m", "raymap"]:  # else it is being started
            found[words[4]] = child
    return found


def eventually(condition: Any, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except (OSError, psutil.Error, KeyError):
            pass
        time.sleep(0.05)
    pytest.fail(f"{what}: not within {seconds} s")


def answers(server: Server) -> bool:
    with urllib.request.urlopen(server.http + "/readyz", timeout=5) as answer:
        return bool(answer.status == 200)


def log_of(server: Server) -> str:
    return (server.data_dir.parent / f"{server.data_dir.name}.log").read_text()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = start_server(tmp_path / "data")
    yield running
    if running.process.poll() is None:
        stop_server(running)


def test_every_receiver_is_open_at_the_ready_line(raymap_server: Server) -> None:
    assert answers(raymap_server)
    host, _, port = raymap_server.udp.rpartition(":")
    assert raymap_server.http == f"http://{host}:{port}", "one number for UDP and TCP"
    grpc_host, _, grpc_port = raymap_server.grpc.rpartition(":")
    socket.create_connection((grpc_host, int(grpc_port)), 5).close()
    assert set(children(raymap_server)) == set(ROLES)


def test_opentelemetry_and_zipkin_come_in_by_http(tmp_path: Path) -> None:
    """At the port that has everything, and OTLP at a port of its own when one is given."""
    server = start_server(tmp_path / "data", "--otlp-port", "0")
    line = next(line for line in log_of(server).splitlines() if "collector_ready" in line)
    otlp = re.search(r"otlp=(\S+)", line)
    assert otlp is not None
    for url in (server.http, f"http://{otlp[1].removeprefix('http://')}"):
        assert _post_json(url + "/v1/traces", b'{"resourceSpans":[]}') == 200
    assert _post_json(server.http + "/api/v2/spans", b"[]") == 202
    assert stop_server(server) == 0


def _post_json(url: str, body: bytes) -> int:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return int(answer.status)


def test_passwords_are_not_among_the_arguments(raymap_server: Server) -> None:
    path = raymap_server.data_dir / "clickhouse" / "credentials.json"
    passwords = json.loads(path.read_text()).values()
    for child in children(raymap_server).values():
        assert not any(word in " ".join(child.cmdline()) for word in passwords)


def test_one_scrape_shows_every_process(raymap_server: Server) -> None:
    """The API's /metrics counts what the collector's UDP receiver has received."""

    def heard() -> float:
        with urllib.request.urlopen(raymap_server.http + "/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return sum(
            float(line.rsplit(" ", 1)[1])
            for line in lines
            if line.startswith("raymap_documents_received_total") and 'receiver="udp"' in line
        )

    before = heard()
    header = b'{"format": "json", "version": 1}\n'
    document = {
        "trace_id": f"1-{int(time.time()):08x}-{os.urandom(12).hex()}",
        "id": os.urandom(8).hex(),
        "name": "metrics",
        "start_time": time.time(),
        "end_time": time.time(),
    }
    raymap_server.send_datagram(header + json.dumps(document).encode())
    eventually(lambda: heard() == before + 1, 10, "the datagram is counted")


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_a_killed_child_comes_back_on_its_port(server: Server, role: str) -> None:
    killed = children(server)[role]
    others = {name: child.pid for name, child in children(server).items() if name != role}
    killed.kill()
    eventually(lambda: children(server)[role].pid != killed.pid, 15, f"{role} is started again")
    eventually(lambda: f"{role} is back" in log_of(server), 15, f"{role} is ready again")
    eventually(lambda: answers(server), 15, "the server answers")
    assert {name: children(server)[name].pid for name in others} == others
    assert stop_server(server) == 0


@pytest.mark.slow
def test_a_child_that_keeps_dying_ends_everything(server: Server) -> None:
    family = list(children(server).values())
    seen: set[int] = set()

    def over() -> bool:
        if server.process.poll() is not None:
            return True
        child = children(server)["collect"]
        if child.pid not in seen:
            seen.add(child.pid)
            child.kill()
        return False

    eventually(over, 60, "the supervisor gives up")
    assert server.process.returncode == 1
    assert "raymap: collect was killed by SIGKILL, the 5th time within a minute." in log_of(server)
    assert not any(child.is_running() for child in family)


def test_receivers_close_first_and_clickhouse_last(server: Server) -> None:
    family = children(server)
    family["collect"].suspend()
    server.process.send_signal(signal.SIGTERM)
    eventually(lambda: not is_running(family["api"]), 15, "the API ends")
    time.sleep(0.5)
    assert is_running(family["clickhouse"]), "it waits for the collector"
    family["collect"].resume()
    assert server.process.wait(30) == 0
    assert not any(is_running(child) for child in family.values())
    assert "killed" not in log_of(server)


def is_running(child: psutil.Process) -> bool:
    return bool(child.is_running() and child.status() != psutil.STATUS_ZOMBIE)


def test_no_process_listens_for_other_machines_unasked(tmp_path: Path) -> None:
    """Without authentication that takes a flag which says so."""
    for command in ("serve", "collect", "api"):
        ended = raymap(command, "--host", "0.0.0.0", "--port", "0", "--data-dir", str(tmp_path))
        assert ended.returncode == 1
        assert "--host 0.0.0.0 every machine that reaches this one could read" in ended.stderr
        assert "--insecure" in ended.stderr


def test_insecure_accepts_every_interface(tmp_path: Path) -> None:
    server = start_server(tmp_path / "data", "--host", "0.0.0.0", "--insecure")
    assert server.udp.startswith("0.0.0.0:")
    assert stop_server(server) == 0


def test_files_are_for_their_owner_only(raymap_server: Server) -> None:
    """Journals, run files and the database contain traces and passwords."""
    raymap_server.send(finished_segment("private"))
    found = [raymap_server.data_dir, *raymap_server.data_dir.rglob("*")]
    assert {path.name for path in found} >= {"journal", "run", "metrics", "clickhouse"}
    shared = [str(path) for path in found if path.exists() and path.stat().st_mode & 0o077]
    assert shared == []


def test_an_older_data_directory_becomes_private(tmp_path: Path) -> None:
    journal = tmp_path / "data" / "journal"
    journal.mkdir(parents=True, mode=0o755)
    server = start_server(tmp_path / "data")
    assert stop_server(server) == 0
    assert journal.stat().st_mode & 0o777 == 0o700


def test_readiness_goes_before_the_receivers_close(tmp_path: Path) -> None:
    """A load balancer has --drain-seconds to notice; whatever it sends until then is stored."""
    server = start_server(tmp_path / "data", "--drain-seconds", "20")
    server.process.send_signal(signal.SIGTERM)
    eventually(lambda: status_of(server, "/readyz") == 503, 18, "readiness is withdrawn")
    server.send(finished_segment("late"))
    channel = grpc.insecure_channel(server.grpc)
    health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=10)
    assert health.status == health_pb2.HealthCheckResponse.NOT_SERVING
    channel.close()
    assert server.process.wait(60) == 0


def status_of(server: Server, path: str) -> int:
    try:
        with urllib.request.urlopen(server.http + path, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def finished_segment(name: str) -> dict[str, Any]:
    now = time.time()
    return {
        "trace_id": f"1-{int(now):08x}-{os.urandom(12).hex()}",
        "id": os.urandom(8).hex(),
        "name": name,
        "start_time": now,
        "end_time": now + 0.1,
    }


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
        line = process.stdout.readline()
        process.terminate()
        assert process.wait(30) == 0
    addresses = json.loads(line.removeprefix("raymap ready "))
    assert set(addresses) == ({"http"} if command == "api" else {"http", "udp", "grpc"})


def test_interrupt_stops_it_just_as_well(server: Server) -> None:
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(30) == 0


def test_a_second_signal_does_not_wait(server: Server) -> None:
    family = children(server)
    family["collect"].suspend()  # it would hold up the end for its 20 s
    server.process.send_signal(signal.SIGTERM)
    eventually(lambda: "stopping, receivers first" in log_of(server), 10, "the first is heard")
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(10) == 1
    assert not any(child.is_running() for child in family.values())


def test_children_end_with_the_supervisor(server: Server) -> None:
    """kill -9 of the supervisor leaves nothing behind, and the folder can be used again."""
    family = children(server)
    server.process.kill()
    server.process.wait()
    _, alive = psutil.wait_procs(list(family.values()), timeout=30)
    assert not alive
    again = start_server(server.data_dir)
    assert stop_server(again) == 0


def test_what_was_sent_survives_a_restart(tmp_path: Path) -> None:
    now = time.time()
    trace_id = f"1-{int(now):08x}-{os.urandom(12).hex()}"
    first = start_server(tmp_path / "data")
    first.send(
        {
            "trace_id": trace_id,
            "id": "00000000000000a1",
            "name": "stored",
            "start_time": now,
            "end_time": now + 0.1,
        }
    )
    assert stop_server(first) == 0
    second = start_server(tmp_path / "data")
    answer = second.post("/Traces", {"TraceIds": [trace_id]})
    assert [trace["Id"] for trace in answer["Traces"]] == [trace_id]
    assert stop_server(second) == 0


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
        (("--host", "0.0.0.0"), "Raymap has no authentication yet"),
        (("--clickhouse-memory", "much"), "'much' is no size"),
        (("--clickhouse-memory", "1e999"), "'1e999' is no size"),
        (("--clickhouse-memory", "1M"), "'1M' is too little"),
        (("--linger", "0"), "greater than or equal to 0.01"),
        (("--journal-size", "1M"), "'1M' is too little for a journal"),
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


def test_a_clickhouse_of_ones_own(tmp_path: Path) -> None:
    with EmbeddedClickHouse(tmp_path / "engine") as engine:
        server = start_server(tmp_path / "data", environment={"RAYMAP_CLICKHOUSE": engine.url})
        assert set(children(server)) == {"collect", "api"}
        assert answers(server)
        assert stop_server(server) == 0


def test_several_collectors_share_the_ports(tmp_path: Path) -> None:
    server = start_server(tmp_path / "data", "--workers", "2")
    found = [c.cmdline()[4] for c in psutil.Process(server.process.pid).children()]
    assert sorted(found) == ["api", "clickhouse", "collect", "collect"]
    assert stop_server(server) == 0


def test_children_read_their_settings_from_the_environment(raymap_server: Server) -> None:
    assert children(raymap_server)["collect"].environ()["RAYMAP_LINGER"] == "0.1"


def test_import_sends_files_and_counts(raymap_server: Server, tmp_path: Path) -> None:
    now = time.time()

    def trace(name: str) -> dict[str, Any]:
        trace_id = f"1-{int(now):08x}-{os.urandom(12).hex()}"
        document = {
            "trace_id": trace_id,
            "id": os.urandom(8).hex(),
            "name": name,
            "start_time": now,
            "end_time": now + 0.1,
        }
        segment = {"Id": document["id"], "Document": json.dumps(document)}
        return {"Id": trace_id, "Segments": [segment]}

    whole, lines, bad = (tmp_path / name for name in ("whole.json", "lines.jsonl", "bad.json"))
    whole.write_text(json.dumps({"Traces": [trace("a"), trace("b")]}, indent=1))
    lines.write_text("".join(json.dumps(trace("c")) + "\n" for _ in range(3)))
    done = raymap("import", str(whole), str(lines), "--to", raymap_server.http)
    assert done.returncode == 0, done.stderr
    assert "5 traces: 5 segments stored, 0 refused" in done.stderr

    broken = trace("d")
    broken["Segments"][0]["Document"] = "{}"
    bad.write_text(json.dumps(broken))
    done = raymap("import", str(bad), "--to", raymap_server.http)
    assert done.returncode == 1
    assert "1 refused" in done.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty."),
        (b"# Notes\n", "is neither JSON nor JSON lines: Expecting value"),
        (b"\xff\xd8\xff", "is neither JSON nor JSON lines: it is no text."),
        (b'{"a": 1}', "1 trace: 0 segments stored, 1 refused"),
    ],
)
def test_import_of_something_else_says_so(
    raymap_server: Server, tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    done = raymap("import", str(file), "--to", raymap_server.http)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_import_to_another_port_says_so(raymap_server: Server, tmp_path: Path) -> None:
    file = tmp_path / "t.json"
    file.write_text('{"Traces": [{}]}')
    done = raymap("import", str(file), "--to", f"http://{raymap_server.grpc}")
    assert done.returncode == 1
    assert "is no Raymap's HTTP port" in done.stderr


@pytest.mark.parametrize("to", ["nonsense", "127.0.0.1:x", "127.0.0.1:70000", "no.invalid:2000"])
def test_a_demo_to_nowhere_says_so(to: str) -> None:
    done = raymap("demo", "--to", to, "--duration", "1")
    assert done.returncode == 1
    assert re.fullmatch(r"raymap: (.* is no address;|There is no host) .*\n", done.stderr)


def test_import_without_a_server_says_so(tmp_path: Path) -> None:
    file = tmp_path / "t.json"
    file.write_text('{"Traces": [{}]}')
    done = raymap("import", str(file), "--to", "http://127.0.0.1:1")
    assert done.returncode == 1
    assert "No Raymap answers at http://127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr


def test_clickhouse_alone_in_a_relative_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "raymap", "clickhouse"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("raymap: ClickHouse listens: clickhouse 127.")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
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
    begun = time.monotonic()
    assert raymap("--help").returncode == 0
    assert raymap("version").returncode == 0
    assert time.monotonic() - begun < 5

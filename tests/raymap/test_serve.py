"""`raymap serve` as a whole: what it opens, the order of start and stop, and restarts."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import grpc
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from raymap.metrics_folder import MEMORY, RESERVED
from raymap.supervisor import MAX_DEATHS
from store.clickhouse.connection.address import Address
from tests.conftest import Server, drop, own_database, start_server, stop_server
from tests.raymap.processes import (
    answers,
    children,
    eventually,
    finished_segment,
    is_running,
    log_of,
    status_of,
)

pytestmark = pytest.mark.server

ROLES = ("clickhouse", "collect", "api")


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
    socket.create_connection((grpc_host, int(grpc_port)), 60).close()
    assert set(children(raymap_server)) == set(ROLES)


@pytest.fixture(scope="module")
def configured(clickhouse: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with everything configured, in a folder that an older release made, on a ClickHouse
    of one's own."""
    data_dir = tmp_path_factory.mktemp("configured") / "data"
    (data_dir / "journal").mkdir(parents=True, mode=0o755)
    database = own_database(clickhouse)
    options = ("--host", "0.0.0.0", "--insecure", "--otlp-port", "0", "--workers", "2")
    drains = ("--drain-seconds", "1")
    server = start_server(data_dir, *options, *drains, "--clickhouse", database.url)
    yield server
    begun = time.monotonic()
    assert stop_server(server) == 0
    assert time.monotonic() - begun >= 1, "it drains, and ends by itself"
    drop(database)


def test_opentelemetry_and_zipkin_come_in_by_http(configured: Server) -> None:
    """At the port that has everything, and OTLP at a port of its own when one is given."""
    line = next(line for line in log_of(configured).splitlines() if "collector_ready" in line)
    otlp = re.search(r"otlp=(\S+)", line)
    assert otlp is not None
    for url in (configured.http, f"http://{otlp[1].removeprefix('http://')}"):
        assert _post_json(url + "/v1/traces", b'{"resourceSpans":[]}') == 200
    assert _post_json(configured.http + "/api/v2/spans", b"[]") == 202


def _post_json(url: str, body: bytes) -> int:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return int(answer.status)


def test_insecure_accepts_every_interface(configured: Server) -> None:
    assert configured.udp.startswith("0.0.0.0:")


def test_an_older_data_directory_becomes_private(configured: Server) -> None:
    assert (configured.data_dir / "journal").stat().st_mode & 0o777 == 0o700


def test_several_collectors_share_the_ports_of_a_clickhouse_of_ones_own(configured: Server) -> None:
    found = [c.cmdline()[4] for c in psutil.Process(configured.process.pid).children()]
    assert sorted(found) == ["api", "collect", "collect"]
    assert answers(configured)


def test_passwords_are_not_among_the_arguments(raymap_server: Server) -> None:
    path = raymap_server.data_dir / "clickhouse" / "credentials.json"
    passwords = json.loads(path.read_text()).values()
    for child in children(raymap_server).values():
        assert not any(word in " ".join(child.cmdline()) for word in passwords)


def test_one_scrape_shows_every_process(raymap_server: Server) -> None:
    """The API's /metrics counts what the collector's UDP receiver has received."""

    def heard() -> float:
        with urllib.request.urlopen(raymap_server.http + "/metrics", timeout=60) as answer:
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
    eventually(lambda: heard() == before + 1, "the datagram is counted")


@pytest.mark.slow
def test_a_killed_child_comes_back_on_its_port(server: Server) -> None:
    for role in ROLES:
        before = children(server)
        before.pop(role).kill()
        back = f"{role} is back"
        eventually(lambda said=back: said in log_of(server), back)  # type: ignore[misc]
        eventually(lambda: answers(server), "the server answers")
        after = children(server)
        del after[role]
        died = f'raymap_process_deaths_total{{process="{role}"}} 1.0'
        eventually(lambda died=died: died in metrics_of(server), died)  # type: ignore[misc]
        assert {name: child.pid for name, child in after.items()} == {
            name: child.pid for name, child in before.items()
        }
    assert stop_server(server) == 0


@pytest.mark.slow
def test_a_child_that_keeps_dying_comes_back(server: Server) -> None:
    """However often another one would be given up; with what the ones before had counted, in files that do
    not become more."""
    before = files_of_metrics(server)
    server.send(finished_segment("counted"))
    assert server.get("/api/status")["ingest"]["received"] == 1
    seen: set[int] = set()

    def killed() -> bool:
        child = children(server)["api"]
        if child.pid not in seen:
            seen.add(child.pid)
            child.kill()
        return len(seen) == MAX_DEATHS

    eventually(killed, "it is started again each time", seconds=120)
    eventually(lambda: answers(server), "the server answers")
    assert server.get("/api/status")["ingest"]["received"] == 1
    assert files_of_metrics(server) == before
    assert stop_server(server) == 0


def test_metrics_have_their_space_in_memory(raymap_server: Server) -> None:
    """A page without space would end its process when the disk is full."""
    for path in files_of_metrics(raymap_server):
        found = path.stat()
        assert path.is_relative_to(MEMORY)
        assert found.st_size == RESERVED[path.name.rpartition("_")[0]], path
        assert found.st_blocks * 512 >= found.st_size, path


@pytest.mark.slow
def test_metrics_are_gone_with_the_server(server: Server) -> None:
    """Those of one that was killed, with the start of the next one, whichever that is on this machine."""
    (folder,) = {path.parent for path in files_of_metrics(server)}
    family = children(server)
    server.process.kill()
    psutil.wait_procs(list(family.values()), timeout=60)
    following = start_server(server.data_dir.with_name("following"))
    assert not folder.exists()
    (folder,) = {path.parent for path in files_of_metrics(following)}
    assert folder.exists()
    assert stop_server(following) == 0
    assert not folder.exists()


def metrics_of(server: Server) -> list[str]:
    with urllib.request.urlopen(f"{server.http}/metrics", timeout=10) as answer:
        text: bytes = answer.read()
    return text.decode().splitlines()


def files_of_metrics(server: Server) -> set[Path]:
    folder = children(server)["api"].environ()["PROMETHEUS_MULTIPROC_DIR"]
    return set(Path(folder).glob("*.db"))


def test_receivers_close_first_and_clickhouse_last(server: Server) -> None:
    family = children(server)
    family["collect"].suspend()
    server.process.send_signal(signal.SIGTERM)
    eventually(lambda: not is_running(family["api"]), "the API ends")
    time.sleep(0.5)
    assert is_running(family["clickhouse"]), "it waits for the collector"
    family["collect"].resume()
    assert server.process.wait(60) == 0
    assert not any(is_running(child) for child in family.values())
    assert "killed" not in log_of(server)


def test_files_are_for_their_owner_only(raymap_server: Server) -> None:
    """Journals, run files and the database contain traces and passwords."""
    raymap_server.send(finished_segment("private"))
    found = [raymap_server.data_dir, *raymap_server.data_dir.rglob("*")]
    assert {path.name for path in found} >= {"journal", "run", "clickhouse"}
    metrics = files_of_metrics(raymap_server)
    found += [*metrics, *{path.parent for path in metrics}]
    shared = [str(path) for path in found if path.exists() and path.stat().st_mode & 0o077]
    assert shared == []


def test_readiness_goes_before_the_receivers_close(tmp_path: Path) -> None:
    """A load balancer has --drain-seconds to notice; whatever it sends until then is stored."""
    server = start_server(tmp_path / "data", "--drain-seconds", "600")
    server.process.send_signal(signal.SIGTERM)
    eventually(lambda: status_of(server, "/readyz") == 503, "readiness is withdrawn")
    server.send(finished_segment("late"))
    channel = grpc.insecure_channel(server.grpc)
    health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=60)
    assert health.status == health_pb2.HealthCheckResponse.NOT_SERVING
    channel.close()
    server.process.send_signal(signal.SIGTERM)  # `configured` ends after its seconds
    assert server.process.wait(60) == 1


def test_a_second_signal_does_not_wait(server: Server) -> None:
    family = children(server)
    family["collect"].suspend()  # it would hold up the end for its 20 s
    server.process.send_signal(signal.SIGTERM)
    eventually(lambda: "stopping, receivers first" in log_of(server), "the first is heard")
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(18) == 1
    assert not any(is_running(child) for child in family.values())


@pytest.mark.slow
def test_what_was_sent_survives_every_end(tmp_path: Path) -> None:
    """Ctrl-C, and kill -9 of the supervisor, which leaves no child behind."""
    document = finished_segment("stored")
    first = start_server(tmp_path / "data")
    first.send(document)
    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(60) == 0

    second = start_server(tmp_path / "data")
    assert found(second, document["trace_id"])
    family = children(second)
    second.process.kill()
    second.process.wait()
    _, alive = psutil.wait_procs(list(family.values()), timeout=60)
    assert not alive

    third = start_server(tmp_path / "data")
    assert found(third, document["trace_id"])
    assert stop_server(third) == 0


def found(server: Server, trace_id: str) -> bool:
    traces = server.post("/Traces", {"TraceIds": [trace_id]})["Traces"]
    return [trace["Id"] for trace in traces] == [trace_id]


def test_children_read_their_settings_from_the_environment(raymap_server: Server) -> None:
    assert children(raymap_server)["collect"].environ()["RAYMAP_LINGER"] == "0.1"

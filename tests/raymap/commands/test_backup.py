"""Backup of a running server, and a server made of it."""

from __future__ import annotations

import json
import stat
import threading
import time
from pathlib import Path

import msgspec
import pytest

from collector.ingest import FOLDER
from collector.journal.format import Kind, encode, pack
from collector.journal.writer import Journal
from raymap.auth.secret import FILE as SECRET
from raymap.auth.tenants import FOLDER as TENANTS
from raymap.commands.backup import MANIFEST, back_up, restore
from raymap.errors import CommandError
from raymap.settings import TenantSettings
from raymap.tenants.databases import address_of, stored_tenants
from store.clickhouse.embedded import address
from store.clickhouse.store import ClickHouseStore
from tests.builders import segment
from tests.conftest import Server, start_server, stop_server
from tests.raymap.processes import eventually, finished_segment, raymap
from tests.raymap.tenants.collectors import names_in

COUNTED = {"first": 1, "second": 1}


def command(*words: str) -> str:
    ended = raymap(*words)
    assert ended.returncode == 0, ended.stderr
    return ended.stderr


def requests(server: Server) -> dict[str, int]:
    """Requests of the last half hour by the name of the service."""
    now = time.time()
    nodes = server.get(f"/api/map?from={now - 1800}&to={now}")["nodes"]
    return {node["name"]: node["requests"] for node in nodes if node["type"] != "client"}


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.timeout(400)
def test_a_restored_server_shows_the_same_map(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole and incremental; what came after the backup is not in it."""
    # A ClickHouse of the tests' own has backups of its own.
    monkeypatch.delenv("RAYMAP_TEST_CLICKHOUSE", raising=False)
    data, full, more, elsewhere = (
        tmp_path / name for name in ("data", "full", "more", "elsewhere")
    )
    server = start_server(data)
    where = ["--data-dir", str(data)]
    key = json.loads(raymap("key", "add", "k", "--json", *where).stdout)
    server.send(finished_segment("first"))
    command("backup", str(full), *where)
    server.send(finished_segment("second"))
    command("tenant", "add", "acme", "--retention", "9d", *where)
    said = command("backup", str(more), "--base", str(full), *where)
    assert "since" in said
    eventually(lambda: requests(server) == COUNTED, "both are counted")
    server.send(finished_segment("third"))
    assert stop_server(server) == 0

    command("restore", str(more), "--data-dir", str(elsewhere))
    restored = start_server(elsewhere)
    eventually(lambda: requests(restored) == COUNTED, "the map is the same")
    own = raymap("retention", "--tenant", "acme", "--data-dir", str(elsewhere))
    assert " 9 days" in own.stdout, own
    listed = json.loads(raymap("key", "list", "--json", "--data-dir", str(elsewhere)).stdout)
    assert [each["id"] for each in listed] == [key["id"]]
    assert (elsewhere / "auth-secret").read_bytes() == (data / "auth-secret").read_bytes()
    assert stop_server(restored) == 0
    for path in (full, more, more / "auth-secret", elsewhere):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


@pytest.mark.slow
@pytest.mark.server
@pytest.mark.timeout(400)
def test_one_tenant_is_restored_beside_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a backup of its own, and from one of all; with what waits in its journals."""
    monkeypatch.delenv("RAYMAP_TEST_CLICKHOUSE", raising=False)
    data, own, full = (tmp_path / name for name in ("data", "own", "full"))
    server = start_server(data, "--auth", "on")
    for name in ("acme", "globex"):
        server.command("tenant", "add", name)
        store = ClickHouseStore(address_of(address(data), name), connections=1)
        store.put([segment(1, name=f"stored of {name}")], "t1")
        store.close()
    tenant, acme = stored_tenants(address(data))["acme"], address_of(address(data), "acme")
    complete = ["stored of acme: 1", "waiting of acme: 1"]
    journal = Journal.create(data / TENANTS / tenant.folder / FOLDER, "elsewhere")
    waiting = msgspec.json.encode(finished_segment("waiting of acme"))
    journal.write([encode(Kind.DOCUMENTS, time.time_ns() // 1000, 1, pack([waiting]))])
    server.command("backup", str(own), "--tenant", "acme")
    server.command("backup", str(full))
    journal.remove()
    assert not (own / SECRET).exists()
    refused = raymap("restore", str(own), "--tenant", "acme", *server.where)
    assert "There is a tenant acme already" in refused.stderr
    assert (
        "has no tenant globex"
        in raymap("restore", str(own), "--tenant", "globex", *server.where).stderr
    )
    assert "with --tenant acme" in raymap("restore", str(own), *server.where).stderr
    for source in (own, full):
        server.command("tenant", "delete", "acme", "--yes")
        server.command("restore", str(source), "--tenant", "acme")
        eventually(lambda: names_in(acme) == complete, "it is complete")
    assert names_in(address_of(address(data), "globex")) == ["stored of globex: 1"]
    assert stored_tenants(address(data))["acme"].id != tenant.id
    assert stop_server(server) == 0


@pytest.mark.server
@pytest.mark.slow
def test_a_backup_under_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was acknowledged before it began is in it, on the map of the restored server, once."""
    monkeypatch.delenv("RAYMAP_TEST_CLICKHOUSE", raising=False)
    data, full, elsewhere = (tmp_path / name for name in ("data", "full", "elsewhere"))
    server = start_server(data)
    acknowledged: list[str] = []
    enough = threading.Event()

    def load() -> None:
        while not enough.wait(0.05):  # a map has 2,000 nodes at most, and a busy machine takes long
            name = f"load-{len(acknowledged)}"
            body = {"TraceSegmentDocuments": [json.dumps(finished_segment(name))]}
            assert server.post("/TraceSegments", body) == {"UnprocessedTraceSegments": []}
            acknowledged.append(name)

    sender = threading.Thread(target=load)
    sender.start()
    try:
        eventually(lambda: len(acknowledged) > 100, "there is load")
        before = set(acknowledged)
        command("backup", str(full), "--data-dir", str(data))
        during = set(acknowledged) - before
        eventually(lambda: len(acknowledged) > len(before | during), "the load goes on")
    finally:
        enough.set()
        sender.join()
    assert during
    eventually(lambda: requests(server).keys() == set(acknowledged), "all are counted")
    original = requests(server)
    assert stop_server(server) == 0

    command("restore", str(full), "--data-dir", str(elsewhere))
    restored = start_server(elsewhere)
    eventually(lambda: before <= requests(restored).keys(), "the load is on the map")
    shown = requests(restored)
    assert shown == {name: original[name] for name in shown}
    assert set(original.values()) == {1}
    assert stop_server(restored) == 0


def test_what_is_refused(tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "something").write_text("")
    data = TenantSettings(data_dir=tmp_path / "data")
    with pytest.raises(CommandError, match="no complete backup"):
        restore(data, full)
    (full / MANIFEST).write_text("{")
    with pytest.raises(CommandError, match=MANIFEST):
        restore(data, full)
    (full / MANIFEST).write_text('{"version":"1","schema":1,"created":1,"database":"raymap"}')
    with pytest.raises(CommandError, match="is not empty"):
        restore(TenantSettings(data_dir=full), full)
    own = TenantSettings(data_dir=tmp_path / "data", clickhouse="clickhouse://h/d")
    with pytest.raises(CommandError, match="BACKUP DATABASE"):
        back_up(own, tmp_path / "new", None)
    with pytest.raises(CommandError, match="Which ClickHouse"):
        back_up(data, tmp_path / "new", None)
    assert not (tmp_path / "new").exists()

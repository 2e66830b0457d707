"""Backup of a running server, and a server made of it."""

from __future__ import annotations

import json
import stat
import threading
import time
from pathlib import Path

import pytest

from raymap.commands.backup import MANIFEST, back_up, restore
from raymap.errors import CommandError
from raymap.settings import StoreSettings
from tests.conftest import Server, start_server, stop_server
from tests.raymap.processes import eventually, finished_segment, raymap

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
    eventually(lambda: requests(server) == COUNTED, 30, "both are counted")
    server.send(finished_segment("third"))
    assert stop_server(server) == 0

    command("restore", str(more), "--data-dir", str(elsewhere))
    restored = start_server(elsewhere)
    eventually(lambda: requests(restored) == COUNTED, 30, "the map is the same")
    own = raymap("retention", "--tenant", "acme", "--data-dir", str(elsewhere))
    assert " 9 days" in own.stdout, own
    listed = json.loads(raymap("key", "list", "--json", "--data-dir", str(elsewhere)).stdout)
    assert [each["id"] for each in listed] == [key["id"]]
    assert (elsewhere / "auth-secret").read_bytes() == (data / "auth-secret").read_bytes()
    assert stop_server(restored) == 0
    for path in (full, more, more / "auth-secret", elsewhere):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


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
        while not enough.is_set():
            name = f"load-{len(acknowledged)}"
            body = {"TraceSegmentDocuments": [json.dumps(finished_segment(name))]}
            assert server.post("/TraceSegments", body) == {"UnprocessedTraceSegments": []}
            acknowledged.append(name)

    sender = threading.Thread(target=load)
    sender.start()
    try:
        eventually(lambda: len(acknowledged) > 100, 60, "there is load")
        before = set(acknowledged)
        command("backup", str(full), "--data-dir", str(data))
        during = set(acknowledged) - before
        eventually(lambda: len(acknowledged) > len(before | during), 60, "the load goes on")
    finally:
        enough.set()
        sender.join()
    assert during
    eventually(lambda: requests(server).keys() == set(acknowledged), 60, "all are counted")
    original = requests(server)
    assert stop_server(server) == 0

    command("restore", str(full), "--data-dir", str(elsewhere))
    restored = start_server(elsewhere)
    eventually(lambda: before <= requests(restored).keys(), 60, "the load is on the map")
    shown = requests(restored)
    assert shown == {name: original[name] for name in shown}
    assert set(original.values()) == {1}
    assert stop_server(restored) == 0


def test_what_is_refused(tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "something").write_text("")
    data = StoreSettings(data_dir=tmp_path / "data")
    with pytest.raises(CommandError, match="no complete backup"):
        restore(data, full)
    (full / MANIFEST).write_text("{")
    with pytest.raises(CommandError, match=MANIFEST):
        restore(data, full)
    (full / MANIFEST).write_text('{"version":"1","schema":1,"created":1,"database":"raymap"}')
    with pytest.raises(CommandError, match="is not empty"):
        restore(StoreSettings(data_dir=full), full)
    own = StoreSettings(data_dir=tmp_path / "data", clickhouse="clickhouse://h/d")
    with pytest.raises(CommandError, match="BACKUP DATABASE"):
        back_up(own, tmp_path / "new", None)
    with pytest.raises(CommandError, match="Which ClickHouse"):
        back_up(data, tmp_path / "new", None)
    assert not (tmp_path / "new").exists()

"""`raymap forget` beside a running server: nothing of a user in tables, journals, quarantine, backup."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import zstandard
from clickhouse_driver.errors import ServerException

from collector.decode.item_size import DEFAULT, ITEM
from collector.ingest import FOLDER
from collector.journal.format import Kind, pack
from collector.journal.quarantine import Quarantine
from raymap.commands import forget as forget_command
from raymap.commands.forget import subject_of
from raymap.errors import CommandError
from raymap.settings import StoreSettings
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.embedded.folder import address
from store.forget import of_annotation, of_user
from tests.collector.samples import segment_bytes
from tests.conftest import start_server, stop_server
from tests.raymap.processes import eventually, finished_segment, raymap

ANA = "ana-7f3a@example.org"


def journal_content(data: Path) -> bytes:
    """All records of all journals, decompressed."""
    found = b""
    for path in (data / FOLDER).rglob("*.log"):
        content = path.read_bytes()
        found += content
        start = 0
        while (at := content.find(b"\x28\xb5\x2f\xfd", start)) >= 0:  # zstd's magic number
            start = at + 4
            try:
                found += zstandard.ZstdDecompressor().decompressobj().decompress(content[at:])
            except zstandard.ZstdError:
                continue
    return found


@pytest.mark.slow
@pytest.mark.server
def test_nothing_of_a_user_remains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAYMAP_TEST_CLICKHOUSE", raising=False)
    data, backup = tmp_path / "data", tmp_path / "backup"
    where = ["--data-dir", str(data)]
    server = start_server(data)
    padding = {
        "default": {"why": "records of more than 256 bytes are compressed", "n": list(range(99))}
    }
    mine = {**finished_segment("shop"), "user": ANA, "metadata": padding}
    server.send(mine)
    server.send({**finished_segment("shop"), "user": "bob"})
    now = time.time()

    def counted(number: int) -> bool:
        nodes = server.get(f"/api/map?from={now - 1800}&to={now + 60}")["nodes"]
        return [n["requests"] for n in nodes if n["type"] != "client"] == (
            [number] if number else []
        )

    eventually(lambda: counted(2), "both are counted")
    assert ANA.encode() in journal_content(data)
    quarantine = Quarantine(data / FOLDER)
    raw = b'{"id": "00000000000000a1", "trace_id": "%s", "name": "n", "start_time": 1, "end_time": 2, "user": "%s"}'
    entries = [raw % (mine["trace_id"].encode(), user.encode()) for user in (ANA, "bob")]
    quarantine.add("bad", Kind.DOCUMENTS, 1, 2, pack(entries))

    tried = raymap("forget", "--user", ANA, "--dry-run", *where)
    assert "1 traces would be removed" in tried.stderr
    assert counted(2)
    logs = [data / "clickhouse" / name for name in ("server.log", "server.err.log")]
    client = connect(address(data))
    with pytest.raises(ServerException):
        client.execute(f"SELECT throwIf(number >= 0, '{ANA}') FROM numbers(1)")
    client.disconnect()
    eventually(lambda: any(ANA.encode() in log.read_bytes() for log in logs), "it is logged")
    ended = raymap("forget", "--user", ANA, *where)
    assert ended.returncode == 0, ended.stderr
    assert "log files of ClickHouse" in ended.stderr
    assert not any(ANA.encode() in path.read_bytes() for path in data.rglob("*.log*"))
    assert "removed 1 traces" in ended.stderr
    assert "1 rows of segments" in ended.stderr
    assert "removed 1 documents from the quarantine" in ended.stderr
    assert ANA not in ended.stderr + ended.stdout
    assert ANA.encode() not in journal_content(data)
    assert [entry.documents for entry in quarantine.read()] == [1]
    assert not any(ANA.encode() in entry.payload for entry in quarantine.read())
    eventually(lambda: counted(1), "the map is counted again")
    assert raymap("backup", str(backup), *where).returncode == 0
    assert "removed 0 traces" in raymap("forget", "--user", ANA, *where).stderr
    assert stop_server(server) == 0

    restored = tmp_path / "restored"
    assert raymap("restore", str(backup), "--data-dir", str(restored)).returncode == 0
    again = start_server(restored)
    said = raymap("forget", "--text", ANA, "--dry-run", "--data-dir", str(restored))
    assert "0 traces would be removed" in said.stderr
    assert ANA.encode() not in journal_content(restored)
    assert stop_server(again) == 0


def test_large_documents_of_the_quarantine_are_found(tmp_path: Path) -> None:
    """The server may have been allowed to take them."""
    quarantine = Quarantine(tmp_path)
    large = segment_bytes(user=ANA, metadata={"default": {"prompt": "x" * (3 << 20)}})
    quarantine.add("refused", Kind.DOCUMENTS, 1, 1, pack([large]))
    assert forget_command._remove_quarantined(tmp_path, of_user(ANA)) == 1
    assert ITEM.limit.bytes == DEFAULT
    assert list(quarantine.read()) == []


def test_what_is_not_reached_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The log of a ClickHouse that is not ours."""
    own = Address("db.example", 9000, "raymap", "x", "raymap")
    forget_command._empty_logs(
        StoreSettings(data_dir=tmp_path, clickhouse="clickhouse://db.example"), own
    )
    assert "not reached: the server log, query_log and text_log of ClickHouse at db.example" in (
        capfd.readouterr().err
    )
    forget_command._empty_logs(StoreSettings(data_dir=tmp_path), own)
    assert capfd.readouterr().err == ""


def test_subjects() -> None:
    assert subject_of("ana", "", "", "") == of_user("ana")
    assert subject_of("", "a=b=c", "", "") == of_annotation("a", "b=c")
    for words in (("", "", "", ""), ("ana", "a=b", "", "")):
        with pytest.raises(CommandError, match="Give one of"):
            subject_of(*words)
    with pytest.raises(CommandError, match="KEY=VALUE"):
        subject_of("", "a", "", "")
    with pytest.raises(CommandError, match="TRACE_ID"):
        subject_of("", "", "x", "")

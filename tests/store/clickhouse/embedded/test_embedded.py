"""The engine as a child process: what it keeps, who may use it, and when it ends."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from clickhouse_driver import errors as driver_errors

from raymap.embedded import EmbeddedClickHouse
from store.clickhouse import embedded
from store.clickhouse.connection.address import parse_url
from store.clickhouse.connection.pool import connect
from store.clickhouse.embedded import GIB, EmbeddedError

pytestmark = pytest.mark.clickhouse

ROOT = Path(__file__).parents[4]
ACCESS_DENIED = 497


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedClickHouse]:
    with EmbeddedClickHouse(tmp_path_factory.mktemp("engine")) as running:
        yield running


def wait_for_end(process: psutil.Process, seconds: float) -> None:
    try:
        process.wait(seconds)
    except psutil.TimeoutExpired:
        pytest.fail(f"{process} still lives after {seconds} s")


def test_expressions_are_compiled_once_they_are_used_often(engine: EmbeddedClickHouse) -> None:
    for url in (engine.url, engine.readonly_url):
        client = connect(replace(parse_url(url), database=""))
        settings = client.execute(
            "SELECT value FROM system.settings WHERE name IN ('min_count_to_compile_expression', "
            "'min_count_to_compile_aggregate_expression', 'min_count_to_compile_sort_description')"
        )
        client.disconnect()
        assert settings == [("20",)] * 3


def test_a_restart_keeps_data_port_and_passwords(tmp_path: Path) -> None:
    with EmbeddedClickHouse(tmp_path) as first:
        client = connect(replace(first.address, database=""))
        client.execute("CREATE DATABASE stored")
        client.execute("CREATE TABLE stored.t (n UInt8) ENGINE = MergeTree ORDER BY n")
        client.execute("INSERT INTO stored.t VALUES", [(1,), (2,)])
        before = first.address
    with EmbeddedClickHouse(tmp_path) as second:
        assert second.address == before
        rows = connect(replace(second.address, database="stored")).execute("SELECT n FROM t")
        assert sorted(rows) == [(1,), (2,)]


def test_a_killed_engine_comes_back_with_what_it_acknowledged(tmp_path: Path) -> None:
    with EmbeddedClickHouse(tmp_path) as first:
        client = connect(replace(first.address, database=""))
        client.execute("CREATE DATABASE stored")
        client.execute("CREATE TABLE stored.t (n UInt64) ENGINE = MergeTree ORDER BY n")
        client.execute("INSERT INTO stored.t VALUES", [(n,) for n in range(1000)])
        assert first.process is not None
        first.process.kill()
        first.process.wait()
    with EmbeddedClickHouse(tmp_path) as second:
        client = connect(replace(second.address, database="stored"))
        assert client.execute("SELECT count() FROM t") == [(1000,)]


def test_it_stops_soon_and_cleanly_with_clients_connected(tmp_path: Path) -> None:
    """A second, and not the five of ClickHouse's default; on a busy machine one time in three."""
    for attempt in range(3):
        with EmbeddedClickHouse(tmp_path / str(attempt)) as running:
            clients = [connect(replace(running.address, database="")) for _ in range(3)]
            for client in clients:
                client.execute("SELECT 1")
            begun = time.monotonic()
            assert running.stop() == 0
            if time.monotonic() - begun < 4:
                return
    pytest.fail("it waits for its clients")


def test_files_are_for_their_owner_only(engine: EmbeddedClickHouse) -> None:
    folder = engine.data_dir / "clickhouse"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("config.xml", "users.xml", "credentials.json", "port", "server.log"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600, name


def test_passwords_are_not_written_where_the_engine_reads_them(engine: EmbeddedClickHouse) -> None:
    folder = engine.data_dir / "clickhouse"
    passwords = json.loads((folder / "credentials.json").read_text())
    assert sorted(passwords) == ["raymap", "raymap_backup", "raymap_ro"]
    for word in passwords.values():
        assert len(word) >= 24
        assert word not in (folder / "users.xml").read_text()


def test_no_client_gets_in_without_a_password(engine: EmbeddedClickHouse) -> None:
    """Not as a user of ours, nor as the engine's own password-less `default`."""
    for user in ("raymap", "raymap_backup", "raymap_ro", "default"):
        stranger = connect(replace(engine.address, user=user, password="", database=""))
        with pytest.raises(driver_errors.ServerException):
            stranger.execute("SELECT 1")


def test_the_reader_reads_tables_and_nothing_else(engine: EmbeddedClickHouse) -> None:
    reader = embedded.address(engine.data_dir, user="raymap_ro", database="system")
    client = connect(reader)
    assert client.execute("SELECT 1 FROM one", settings={"max_execution_time": 5}) == [(1,)]
    for forbidden in (
        "CREATE DATABASE mine",
        "CREATE TEMPORARY TABLE mine (n UInt8)",
        "DROP DATABASE default",
        "SELECT * FROM file('/etc/hostname', 'LineAsString', 'line String')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString', 'line String')",
        "SYSTEM SHUTDOWN",
    ):
        with pytest.raises(driver_errors.ServerException):
            client.execute(forbidden)


OUTSIDE = (
    "SELECT * FROM file('/etc/hostname', 'LineAsString', 'line String')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString', 'line String')",
    "SELECT * FROM remote('127.0.0.1:1', system.one)",
    "SELECT * FROM mysql('127.0.0.1:1', 'd', 't', 'u', 'p')",
    "SELECT * FROM postgresql('127.0.0.1:1', 'd', 't', 'u', 'p')",
    "SELECT * FROM s3('http://127.0.0.1:1/bucket/key', 'LineAsString', 'line String')",
    "INSERT INTO FUNCTION file('mine.txt', 'LineAsString', 'line String') VALUES ('x')",
    "INSERT INTO FUNCTION url('http://127.0.0.1:1/', 'LineAsString', 'line String') VALUES ('x')",
    "CREATE TABLE default.mine (line String) ENGINE = File('LineAsString')",
    "CREATE TABLE default.mine (line String) ENGINE = URL('http://127.0.0.1:1/', 'LineAsString')",
    """CREATE DICTIONARY default.mine (k UInt64) PRIMARY KEY k
    SOURCE(HTTP(url 'http://127.0.0.1:1/' format 'CSV')) LAYOUT(FLAT()) LIFETIME(1)""",
    "CREATE DATABASE mine ENGINE = MySQL('127.0.0.1:1', 'd', 'u', 'p')",
    "CREATE FUNCTION mine AS x -> x",
    "CREATE NAMED COLLECTION mine AS url = 'http://127.0.0.1:1/'",
    "SYSTEM SHUTDOWN",
)
"""What reads, writes or connects outside of the database."""
BACKUP = "BACKUP DATABASE default TO File('/tmp/raymap-test-refused')"


@pytest.mark.parametrize(
    ("user", "refused"),
    [
        ("raymap", (*OUTSIDE, BACKUP)),
        ("raymap_backup", [each for each in OUTSIDE if "file(" not in each.lower()]),
    ],
)
def test_no_user_reaches_outside_of_the_database(
    engine: EmbeddedClickHouse, user: str, refused: Sequence[str]
) -> None:
    """If a query's text were ever a client's, it would not be the machine's files or its network. Backups
    are files, written by a user of their own."""
    client = connect(embedded.address(engine.data_dir, user=user, database=""))
    answers = {}
    for statement in refused:
        try:
            client.execute(statement)
            answers[statement] = "done"
        except driver_errors.ServerException as error:
            if error.code != ACCESS_DENIED:
                answers[statement] = str(error)[:200]
    client.disconnect()
    assert answers == {}


def test_a_data_directory_without_the_newest_user_gets_one(tmp_path: Path) -> None:
    """The passwords of the others stay."""
    made = embedded.credentials(tmp_path)
    path = tmp_path / "clickhouse" / "credentials.json"
    path.write_text(json.dumps({user: made[user] for user in ("raymap", "raymap_ro")}))
    now = embedded.credentials(tmp_path)
    assert now.keys() == made.keys()
    assert now["raymap_backup"] != made["raymap_backup"]
    assert now["raymap"] == made["raymap"]
    assert embedded.credentials(tmp_path) == now == json.loads(path.read_text())


def test_it_listens_on_loopback_only_and_below_the_outgoing_ports(
    engine: EmbeddedClickHouse,
) -> None:
    assert engine.process is not None
    connections = psutil.Process(engine.process.pid).net_connections("inet")
    listening = [c.laddr for c in connections if c.status == psutil.CONN_LISTEN]
    assert [(at.ip, at.port) for at in listening] == [("127.0.0.1", engine.address.port)]
    assert engine.address.port in embedded.PORTS


def test_memory_is_capped(engine: EmbeddedClickHouse) -> None:
    client = connect(replace(engine.address, database="system"))
    found = client.execute(
        "SELECT value FROM server_settings WHERE name = 'max_server_memory_usage'"
    )
    assert found == [(str(GIB),)]
    assert 0 < embedded.default_memory() <= 8 * GIB


def test_a_second_engine_in_one_folder_is_reported(engine: EmbeddedClickHouse) -> None:
    files = {p: p.read_bytes() for p in (engine.data_dir / "clickhouse").glob("*.xml")}
    with pytest.raises(EmbeddedError) as raised:
        EmbeddedClickHouse(engine.data_dir).start()
    assert str(raised.value) == (
        f"Another Raymap is already using {engine.data_dir}: stop it, or choose another folder "
        "with --data-dir."
    )
    assert files == {p: p.read_bytes() for p in files}


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    """kill -9 of the parent: no process is left to stop it."""
    program = (
        "import sys, time; from pathlib import Path\n"
        "from raymap.embedded import EmbeddedClickHouse\n"
        f"engine = EmbeddedClickHouse(Path({str(tmp_path)!r})).start()\n"
        "print(engine.process.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    wait_for_end(child, 60)
    with EmbeddedClickHouse(tmp_path):
        pass  # and the folder is free again


def test_a_broken_credentials_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "clickhouse").mkdir()
    (tmp_path / "clickhouse" / "credentials.json").write_text("{")
    with pytest.raises(EmbeddedError, match=r"credentials\.json cannot be read"):
        EmbeddedClickHouse(tmp_path).start()


def test_a_missing_engine_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> importlib.machinery.ModuleSpec | None:
        return None

    monkeypatch.setattr(importlib.util, "find_spec", nothing)
    with pytest.raises(EmbeddedError, match=r'pip install "raymap\[embedded\]"'):
        embedded.load_engine()


def test_paths_with_odd_letters_work(tmp_path: Path) -> None:
    with EmbeddedClickHouse(tmp_path / "it's <a> & \\b é") as running:
        assert connect(replace(running.address, database="")).execute("SELECT 1") == [(1,)]


def test_a_changed_umask_is_not_needed(tmp_path: Path) -> None:
    """Files are private even when the account's umask would share them."""
    old = os.umask(0)
    try:
        embedded.credentials(tmp_path)
    finally:
        os.umask(old)
    made = tmp_path / "clickhouse" / "credentials.json"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.parent.stat().st_mode) == 0o700

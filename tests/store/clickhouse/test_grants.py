"""What users of a ClickHouse of one's own may do: enough for all of Raymap, and nothing outside of its databases."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import pytest
from clickhouse_driver import errors as driver_errors

from raymap.auth.tenants import Tenant
from raymap.tenants import logins
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.embedded import credentials
from store.clickhouse.grants import own_server, users_sql
from tests.conftest import ROOT, start_server, stop_server
from tests.raymap.processes import eventually, finished_segment, raymap
from tests.store.clickhouse.embedded.test_embedded import ACCESS_DENIED, BACKUP, OUTSIDE
from tests.store.clickhouse.own_server import FILE, PASSWORD, statements

pytestmark = [pytest.mark.clickhouse, pytest.mark.server]

ELSEWHERE = (
    "CREATE DATABASE strange",
    "SELECT count() FROM other.t",
    "INSERT INTO other.t VALUES (1)",
    "DROP TABLE other.t",
    "SELECT count() FROM system.processes",
    "SELECT count() FROM system.users",
    "CREATE USER other",
    "DROP USER admin",
    "ALTER USER raymap_backup IDENTIFIED BY 'mine'",
    "GRANT SELECT ON *.* TO raymap_backup",
    "KILL QUERY WHERE 1",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """An engine with these users; `other` is someone else's database there."""
    folder = tmp_path_factory.mktemp("own")
    command = [sys.executable, "-m", "tests.store.clickhouse.own_server", str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        timer = Timer(120, process.kill)
        timer.start()
        said = process.stdout.readline()
        timer.cancel()
        assert said, "the engine does not start: it refuses a grant, mostly"
        port = int(said)
        own = Address("127.0.0.1", port, "embedded", credentials(folder)["raymap"], "")
        client = connect(own)
        client.execute("CREATE DATABASE other")
        client.execute("CREATE TABLE other.t (n UInt8) ENGINE = MergeTree ORDER BY n")
        client.disconnect()
        yield Address("127.0.0.1", port, "raymap", PASSWORD, "raymap")
        process.terminate()
        process.wait(60)


def outcome(address: Address, user: str, statement: str) -> str:
    """What became of it: the code of an error."""
    client = connect(Address(address.host, address.port, user, PASSWORD, ""))
    try:
        client.execute(statement)
        return "done"
    except driver_errors.ServerException as error:
        return "refused" if error.code == ACCESS_DENIED else str(error)[:200]
    finally:
        client.disconnect()


def test_the_file_is_what_the_grants_make() -> None:
    """`python -m store.clickhouse.grants > deploy/clickhouse/users.sql` renews it."""
    assert FILE.read_text() == users_sql(own_server("raymap"))


def test_the_engine_reads_each_statement(server: Address) -> None:
    client = connect(Address(server.host, server.port, "raymap", PASSWORD, ""))
    for statement in statements():
        quoted = statement.replace("'", "\\'")
        assert client.execute(f"SELECT formatQuerySingleLine('{quoted}')") == [(statement,)]
    client.disconnect()


def test_raymap_runs_on_them(server: Address, tmp_path: Path) -> None:
    """Migration, receiving, the map, commands that change tables; then a backup, by the user for it."""
    running = start_server(tmp_path / "data", "--clickhouse", server.url)
    where = ["--data-dir", str(tmp_path / "data"), "--clickhouse", server.url]
    try:
        running.send({**finished_segment("shop"), "user": "ana"}, finished_segment("shop"))
        eventually(lambda: running.picture("shop"), "the map is counted")
        now = time.time()
        traces = running.get(f"/api/traces?from={now - 600}&to={now}")["traces"]
        assert len(traces) == 2
        for words in (
            ("retention", "--traces", "14d", "--yes"),
            ("pin", traces[0]["id"], "--note", "mine"),
            ("unpin", traces[0]["id"]),
            ("forget", "--user", "ana"),
            ("doctor", "--json"),
        ):
            ended = raymap(*words, *where)
            assert "Not enough privileges" not in ended.stdout + ended.stderr
            assert ended.returncode == 0 or words[0] == "doctor", ended.stderr
        assert outcome(
            server, "raymap_backup", f"BACKUP DATABASE raymap TO File('{tmp_path}/b')"
        ) == ("done")
        assert outcome(
            server,
            "raymap_backup",
            f"RESTORE DATABASE raymap AS raymap_again FROM File('{tmp_path}/b')",
        ) == ("done")
        client = connect(Address(server.host, server.port, "raymap", PASSWORD, "raymap_again"))
        assert client.execute("SELECT count() FROM segments FINAL") == [(1,)]
        client.disconnect()
    finally:
        assert stop_server(running) == 0


def test_they_make_the_users_of_tenants(server: Address) -> None:
    """As far as this engine goes, which has no storage for users: it refuses nothing."""
    said = logins.create(server, Tenant("acme", "1", 0), b"x" * 32)
    assert "no writeable access storage" in said


@pytest.mark.parametrize(
    ("user", "refused"),
    [
        ("raymap", (*OUTSIDE, BACKUP, *ELSEWHERE)),
        ("raymap_backup", [each for each in (*OUTSIDE, *ELSEWHERE) if "file(" not in each.lower()]),
    ],
)
def test_they_reach_nothing_else(server: Address, user: str, refused: list[str]) -> None:
    answers = {each: outcome(server, user, each) for each in refused}
    assert {each: said for each, said in answers.items() if said != "refused"} == {}

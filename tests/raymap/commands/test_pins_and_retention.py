"""`raymap retention`, `pin`, `unpin` and `pins`: their output, and their errors."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from raymap.commands import pins
from raymap.commands import retention as retention_command
from raymap.errors import CommandError
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.schema import retention
from store.clickhouse.store import ClickHouseStore
from store.errors import StoreError
from store.times import SECOND
from store.trace_id import format_trace_id
from tests.builders import segment, trace_id
from tests.conftest import drop, own_database
from tests.raymap.processes import raymap

Captured = pytest.CaptureFixture[str]
DAY = 86_400


@pytest.fixture(scope="module")
def database(clickhouse: Address) -> Iterator[Address]:
    address = own_database(clickhouse)
    retention.prepare_database(address, {})
    store = ClickHouseStore(address, connections=1)
    now = int(time.time())
    for days in (0, 20):
        at = (now - days * DAY) * SECOND
        one = segment(trace_id=trace_id(days + 1), start=at, end=at + 5, version=at)
        store.put([one], str(days))
    store.close()
    yield address
    drop(address)


def test_pin_list_shorten_and_unpin(database: Address, capfd: Captured) -> None:
    """Pin a trace, list it, shorten the retention of all others, unpin it."""
    old = format_trace_id(trace_id(21))
    url = {"RAYMAP_CLICKHOUSE": database.url}
    pinned = raymap("pin", old, "--note", "the lost order", **url)
    assert pinned.stderr == f"raymap: {old} is retained for ever: the lost order\n"
    assert pinned.returncode == 0
    pins.list_pins([database])
    head, line = capfd.readouterr().out.splitlines()
    assert head.split() == ["trace", "pinned", "(UTC)", "note"]
    assert line.startswith(old)
    assert line.endswith("  the lost order")

    refused = raymap("retention", "--traces", "2w", **url)
    assert refused.returncode == 1
    assert "14 days instead of 30 days would delete 2 rows: traces and documents" in refused.stderr
    assert "Nothing was changed. To delete it, repeat the command with --yes." in refused.stderr
    retention_command.show_retention([database], {}, yes=False)
    assert " 30 days " in capfd.readouterr().out

    done = raymap("retention", "--traces", "2w", "--yes", **url)
    assert done.returncode == 0, done.stderr
    head, traces, *_, pinned_row = done.stdout.splitlines()
    assert " ".join(head.split()) == "from (UTC) to (UTC) rows on disk retained next expires"
    assert traces.startswith("traces and documents")
    assert " 14 days " in traces
    assert pinned_row.split()[:3] == ["1", "pinned", "trace"]
    assert pinned_row.endswith("for ever  never")
    pins.unpin([database], old)
    with pytest.raises(StoreError, match=f"^there is no trace {old} here$"):
        pins.pin([database], old, "")


def test_both_forms_of_an_id(database: Address, capfd: Captured) -> None:
    pins.pin([database], trace_id(1).hex(), "")
    pins.unpin([database], format_trace_id(trace_id(1)))
    said = capfd.readouterr().err
    assert said.count(format_trace_id(trace_id(1))) == 2
    pins.list_pins([database])
    assert capfd.readouterr() == ("", "raymap: no trace is pinned\n")
    with pytest.raises(CommandError, match="is not pinned"):
        pins.unpin([database], trace_id(1).hex())


@pytest.mark.parametrize("note", ["x" * 501, "two\nlines", "\x1b[31m", "\ud800"])
def test_a_note_is_a_line_of_text(database: Address, note: str) -> None:
    with pytest.raises(CommandError, match=r"^--note: a note "):
        pins.pin([database], trace_id(1).hex(), note)


def test_without_a_database_it_says_so(clickhouse: Address) -> None:
    empty = replace(clickhouse, database="raymap_test_not_there")
    with pytest.raises(
        CommandError,
        match=r"contains no Raymap tables: run  raymap migrate  first\.$",
    ):
        pins.list_pins([empty])
    unavailable = raymap("retention", "--clickhouse", "clickhouse://127.0.0.1:1")
    assert unavailable.returncode == 1
    assert "127.0.0.1:1/raymap does not answer: " in unavailable.stderr
    assert "Traceback" not in unavailable.stderr


def test_an_older_schema_is_not_touched(database: Address) -> None:
    client = connect(database)
    ((newest,),) = client.execute("SELECT max(version) FROM raymap_migrations")
    client.execute(
        f"ALTER TABLE raymap_migrations DELETE WHERE version = {newest}",
        settings={"mutations_sync": 1},
    )
    with pytest.raises(
        CommandError,
        match=r"has an older schema \(\d+, expected \d+\): run  raymap migrate  first\.$",
    ):
        retention_command.show_retention([database], {"traces": "3d"}, yes=True)
    retention.prepare_database(database, {})
    client.disconnect()

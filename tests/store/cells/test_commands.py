"""Commands about several cells: on each, or on none, each by its name."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from collector.payloads import decode_documents
from raymap.cells import prepare_cells, text_of
from raymap.cli import app
from raymap.commands import doctor
from raymap.errors import CommandError
from store.cells.store import CellStore
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect, wait_until_up
from store.clickhouse.schema import retention
from tests.collector.samples import START, segment_bytes
from tests.faults.gate import Gate
from tests.store.cells.conftest import fill
from tests.store.cells.test_unavailable import WINDOW

IDS = [f"1-6b061440-{number:024x}" for number in range(1, 7)]
"""The odd ones are in the second cell."""
FROM_TO = ("--from", str(int(START) - 60), "--to", str(int(START) + 120))


@pytest.fixture(autouse=True)
def logging_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command sets up logging for its process, and writes to its standard error; the disk of this machine does not
    matter."""
    monkeypatch.setattr("raymap.errors.write_stderr", lambda data: sys.stderr.write(data.decode()))
    monkeypatch.setattr("raymap.logging.set_up_logging", lambda *_: None)
    monkeypatch.setattr("raymap.processes.set_up_logging", lambda *_: None)
    monkeypatch.setattr(doctor, "DISK_FAIL", 0.0)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration waits half a second, not thirty, for a server that does not answer."""
    monkeypatch.setattr(
        "store.clickhouse.schema.migrate.wait_until_up", lambda url, _: wait_until_up(url, 0.5)
    )


@pytest.fixture
def cells(cell_addresses: list[Address]) -> list[Address]:
    """Each with three traces, which are counted."""
    raws = [segment_bytes(f"{number:016x}", trace_id=id) for number, id in enumerate(IDS, 1)]
    store = fill(cell_addresses, raws)
    assert store.service_graph(WINDOW).services
    store.close()
    return cell_addresses


@pytest.fixture
def behind(cells: list[Address], gate: Gate) -> list[Address]:
    return [cells[0], replace(cells[1], port=gate.port)]


def run(cells: list[Address], *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--clickhouse", text_of(cells)])


def execute(cell: Address, statement: str) -> list[tuple[int]]:
    client = connect(cell)
    try:
        return client.execute(statement)  # type: ignore[no-any-return]
    finally:
        client.disconnect()


@pytest.mark.parametrize("decode", [(), ("--decode",)])
def test_each_cell_is_verified(cells: list[Address], decode: tuple[str, ...]) -> None:
    """By its name; a difference in one is one of the command."""
    same = run(cells, "verify", *FROM_TO, *decode)
    assert same.exit_code == 0, same.output
    assert same.output.index("cell 1 of 2 (") < same.output.index("cell 2 of 2 (")
    assert same.output.count(" 0 differences") == 2
    execute(cells[1], "DELETE FROM segments WHERE trace_id = (SELECT min(trace_id) FROM segments)")
    differs = run(cells, "verify", *FROM_TO)
    assert differs.exit_code == 1
    first, _, second = differs.output.partition("cell 2 of 2")
    assert " 0 differences" in first
    assert " 2 differences" in second


@pytest.mark.parametrize(
    "words", [("verify",), ("retention",), ("pins",), ("pin", IDS[0]), ("unpin", IDS[0])]
)
def test_not_while_one_is_unavailable(
    behind: list[Address], gate: Gate, words: tuple[str, ...]
) -> None:
    gate.shut()
    refused = run(behind, *words)
    assert refused.exit_code == 1
    assert f"{behind[1].name}/{behind[1].database} does not answer" in refused.output


@pytest.mark.parametrize("words", [("verify",), ("retention",), ("pins",)])
def test_not_with_some_alone(cells: list[Address], words: tuple[str, ...]) -> None:
    refused = run(cells[:1], *words)
    assert refused.exit_code == 1
    assert "name all cells with --clickhouse" in refused.output


def test_retention_is_that_of_all(cells: list[Address]) -> None:
    """Nothing is changed as long as any would delete rows."""
    first, second = (connect(cell) for cell in cells)
    before = retention.effective(second)["traces"]
    for table in ("segments", "traces"):
        first.execute(f"TRUNCATE TABLE {table}")
    store = CellStore(cells, connections=1)
    arrived = int((time.time() - 5 * 86_400) * 1e6)
    raw = segment_bytes("00000000000000ff", trace_id=IDS[0])
    store.put(list(decode_documents([raw], arrived).documents), "old")
    store.close()
    refused = run(cells, "retention", "--traces", "1d")
    assert refused.exit_code == 1
    assert "cell 2 of 2" in refused.output
    assert "Nothing was changed" in refused.output
    assert [retention.effective(each)["traces"] for each in (first, second)] == [before, before]
    try:
        changed = run(cells, "retention", "--traces", "3000d")
        assert changed.exit_code == 0, changed.output
        assert changed.output.index("cell 1 of 2") < changed.output.index("cell 2 of 2")
        assert [retention.effective(each)["traces"] for each in (first, second)] == [3000, 3000]
    finally:
        for each in (first, second):
            retention.apply(each, {"traces": before}, wait=True)
            each.disconnect()


def test_a_trace_of_any_cell_is_pinned(cells: list[Address]) -> None:
    for id in IDS[:2]:
        pinned = run(cells, "pin", id)
        assert pinned.exit_code == 0, pinned.output
    listed = run(cells, "pins")
    assert all(id in listed.output for id in IDS[:2])
    assert [execute(cell, "SELECT uniq(trace_id) FROM pins") for cell in cells] == [[(1,)], [(1,)]]
    for id in IDS[:2]:
        assert run(cells, "unpin", id).exit_code == 0
    assert "no trace is pinned" in run(cells, "pins").output


def test_doctor_looks_at_each(behind: list[Address], gate: Gate, tmp_path: Path) -> None:
    def checks() -> dict[str, dict[str, str]]:
        said = run(behind, "doctor", "--data-dir", str(tmp_path), "--json")
        return {each["name"]: each for each in json.loads(said.output)}

    found = checks()
    names = [f"cell {place} of 2 ({cell.name})" for place, cell in enumerate(behind, 1)]
    assert found["topology"]["detail"] == "epoch 1, 2 cells"
    for name in names:
        assert found[f"{name}: schema"]["status"] == "ok"
        assert found[f"{name}: damaged parts"]["status"] == "ok"
    gate.shut()
    found = checks()
    assert found[f"{names[0]}: schema"]["status"] == "ok"
    assert found[f"{names[1]}: ClickHouse"]["status"] == "fail"
    assert "does not answer" in found[f"{names[1]}: ClickHouse"]["detail"]


def test_doctor_says_that_cells_are_missing(cells: list[Address], tmp_path: Path) -> None:
    said = run(cells[:1], "doctor", "--data-dir", str(tmp_path))
    assert said.exit_code == 1
    assert "fail  topology: " in said.output
    assert "name all cells" in said.output


def test_what_is_of_the_home_cell_takes_the_first(cells: list[Address], tmp_path: Path) -> None:
    """All may be named; another one first is refused."""
    data = ("--data-dir", str(tmp_path))
    added = run(cells, "key", "add", "robot", *data)
    assert added.exit_code == 0, added.output
    assert "robot" in run(cells[:1], "key", "list", *data).output
    assert "is cell 2 of 2" in run(cells[::-1], "key", "list", *data).output


@pytest.mark.usefixtures("impatient")
def test_prepared_while_one_does_not_answer(
    behind: list[Address], gate: Gate, capfd: pytest.CaptureFixture[str]
) -> None:
    """As `raymap serve` starts; `raymap migrate` refuses, and without any cell nothing is known."""
    gate.shut()
    prepare_cells(behind, {}, wait_for_it=True)
    assert "going on without it" in capfd.readouterr().err
    with pytest.raises(Exception, match="refused"):
        prepare_cells(behind, {})
    with pytest.raises(CommandError, match="None of the 2 cells answers"):
        prepare_cells([behind[1], replace(behind[1], port=1)], {}, wait_for_it=True)


@pytest.mark.usefixtures("impatient")
def test_no_cells_are_made_while_one_does_not_answer(
    behind: list[Address], cells: list[Address], gate: Gate
) -> None:
    for cell in cells:
        execute(cell, "DELETE FROM settings WHERE name = 'topology'")
    gate.shut()
    with pytest.raises(CommandError, match="raymap migrate with all of them"):
        prepare_cells(behind, {}, wait_for_it=True)

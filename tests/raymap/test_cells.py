"""A server over several cells."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from raymap.cells import text_of, urls_in
from store.clickhouse.connection.address import Address, parse_url
from store.clickhouse.connection.pool import connect
from tests.conftest import ROOT, drop, own_database, start_server, stop_server
from tests.waiting import eventually


def test_cells_are_separated_by_spaces_or_commas() -> None:
    """Commas within a URL separate replicas."""
    cells = ["clickhouse://u:p@a,b/raymap", "clickhouses://u:p@c:9001/raymap"]
    assert urls_in(" ".join(cells)) == urls_in(",".join(cells)) == cells
    assert urls_in("") == []
    addresses = [parse_url(cell) for cell in cells]
    assert [parse_url(url) for url in urls_in(text_of(addresses))] == addresses


@pytest.mark.slow
@pytest.mark.server
def test_a_server_over_two_cells(clickhouse: Address, tmp_path: Path) -> None:
    """What is sent lies in the cells that own it, and is on one map; a process with one of them alone does not start."""
    cells = [own_database(clickhouse) for _ in range(2)]
    server = start_server(tmp_path / "data", "--clickhouse", text_of(cells))
    try:
        now = time.time()
        ids = [f"1-{int(now):08x}-{number:024x}" for number in range(1, 9)]
        server.send(*(_segment(id, now) for id in ids))
        eventually(  # each cell counts by itself
            lambda: (
                [n["requests"] for n in server.picture("shop")["nodes"] if n["requests"]] == [8]
            ),
            "the map has the requests of both cells",
            seconds=60,
        )
        assert [_traces(cell) for cell in cells] == [4, 4]
        shown = _command("topology", "list", "--clickhouse", text_of(cells))
        assert shown.returncode == 0, shown.stderr
        assert "2 of 2" in shown.stdout
        assert "epoch 1, 4 traces" in shown.stdout
        alone = _command(
            "api", "--port", "0", "--data-dir", str(tmp_path / "b"), "--clickhouse", cells[1].url
        )
        assert alone.returncode != 0
        assert "cell 2 of 2 of the topology with epoch 1" in alone.stderr
    finally:
        stop_server(server)
        for cell in cells:
            drop(cell)


def _segment(trace_id: str, now: float) -> dict[str, Any]:
    times = {"start_time": now - 1, "end_time": now - 0.5}
    return {"trace_id": trace_id, "id": trace_id[-16:], "name": "shop", **times}


def _traces(cell: Address) -> int:
    client = connect(cell)
    ((number,),) = client.execute("SELECT uniq(trace_id) FROM traces")
    client.disconnect()
    return int(number)


def _command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "raymap", *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        timeout=120,
    )

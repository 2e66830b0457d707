"""A collector process, what is sent to it with a key, and what is stored then."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from raymap.auth.keys import IssuedKey
from raymap.ready_pipe import read_ready_line
from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from tests.conftest import ROOT


@contextmanager
def collector(database: Address, data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and the address of its HTTP port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "raymap", "collect", "--port", "0", "--grpc-port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "RAYMAP_DATA_DIR": str(data_dir),
            "RAYMAP_CLICKHOUSE": database.url,
            "RAYMAP_AUTH": "on",
            "RAYMAP_LINGER": "0.1",
        },
    )
    try:
        assert process.stdout is not None
        addresses = read_ready_line(process.stdout)
        assert addresses is not None
        yield process, f"http://{addresses['http']}"
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def send(http: str, issued: IssuedKey, documents: list[dict[str, Any]]) -> bool:
    body = json.dumps({"TraceSegmentDocuments": [json.dumps(each) for each in documents]})
    headers = {"Authorization": f"Bearer {issued.token}"}
    request = urllib.request.Request(http + "/TraceSegments", body.encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return not json.load(answer)["UnprocessedTraceSegments"]


def names_in(address: Address) -> list[str]:
    client = connect(address)
    try:
        rows = client.execute("SELECT name, uniqExact(trace_id, id) FROM segments GROUP BY name")
        return sorted(f"{name}: {count}" for name, count in rows)
    finally:
        client.disconnect()

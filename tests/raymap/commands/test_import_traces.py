"""`raymap import`: what it sends and counts, and what it says of everything else."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Server
from tests.raymap.processes import raymap

pytestmark = pytest.mark.server


def test_import_sends_files_and_counts(raymap_server: Server, tmp_path: Path) -> None:
    now = time.time()

    def trace(name: str) -> dict[str, Any]:
        trace_id = f"1-{int(now):08x}-{os.urandom(12).hex()}"
        document = {
            "trace_id": trace_id,
            "id": os.urandom(8).hex(),
            "name": name,
            "start_time": now,
            "end_time": now + 0.1,
        }
        segment = {"Id": document["id"], "Document": json.dumps(document)}
        return {"Id": trace_id, "Segments": [segment]}

    whole, lines, bad = (tmp_path / name for name in ("whole.json", "lines.jsonl", "bad.json"))
    whole.write_text(json.dumps({"Traces": [trace("a"), trace("b")]}, indent=1))
    lines.write_text("".join(json.dumps(trace("c")) + "\n" for _ in range(3)))
    done = raymap("import", str(whole), str(lines), "--url", raymap_server.http)
    assert done.returncode == 0, done.stderr
    assert "5 traces: 5 segments stored, 0 refused" in done.stderr

    broken = trace("d")
    broken["Segments"][0]["Document"] = "{}"
    bad.write_text(json.dumps(broken))
    done = raymap("import", str(bad), "--url", raymap_server.http)
    assert done.returncode == 1
    assert "1 refused" in done.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty."),
        (b"# Notes\n", "is neither JSON nor JSON lines: Expecting value"),
        (b"\xff\xd8\xff", "is neither JSON nor JSON lines: it is no text."),
        (b'{"a": 1}', "1 trace: 0 segments stored, 1 refused"),
    ],
)
def test_import_of_something_else_says_so(
    raymap_server: Server, tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    done = raymap("import", str(file), "--url", raymap_server.http)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_import_to_another_port_says_so(raymap_server: Server, tmp_path: Path) -> None:
    file = tmp_path / "t.json"
    file.write_text('{"Traces": [{}]}')
    done = raymap("import", str(file), "--url", f"http://{raymap_server.grpc}")
    assert done.returncode == 1
    assert "is no Raymap's HTTP port" in done.stderr


def test_import_without_a_server_says_so(tmp_path: Path) -> None:
    file = tmp_path / "t.json"
    file.write_text('{"Traces": [{}]}')
    done = raymap("import", str(file), "--url", "http://127.0.0.1:1")
    assert done.returncode == 1
    assert "No Raymap answers at http://127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr

"""How many files and functions of Raymap a datagram, a span, a map, a list and a panel enter, in all of its processes.

The processes of a real server note each function that they call (`sys.setprofile`). What they call without a request is no
part of a walk. A datagram's and a span's go until the map has them.

    python -m bench.walks
    python -m bench.walks --list map
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import tempfile
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path

from bench.otlp import grpc_export
from bench.sections import table
from bench.server import Server, running
from bench.shop import Shop

ROOT = Path(__file__).resolve().parents[1]
HOOK = """
import os, sys, threading, time
from pathlib import Path
FOLDER, ROOT = Path(os.environ["RAYMAP_WALKS"]), os.environ["RAYMAP_WALKS_ROOT"]
PARTS = tuple(f"{ROOT}/{part}/" for part in ("api", "collector", "store", "raymap"))
seen = set()
def note(frame, event, argument):
    if event == "call":
        code = frame.f_code
        if code.co_filename.startswith(PARTS) and "/_pb/" not in code.co_filename:
            seen.add(f"{code.co_filename[len(ROOT) + 1:]}:{code.co_qualname}")
def watch():
    known = ""
    while True:
        time.sleep(0.05)
        try:
            now = (FOLDER / "step").read_text()
        except OSError:
            continue
        if now != known:
            global seen
            found, seen, known = seen, set(), now
            part = FOLDER / f"{now}-{os.getpid()}"
            part.with_suffix(".new").write_text("\\n".join(found))
            part.with_suffix(".new").rename(part)
threading.Thread(target=watch, daemon=True).start()
threading.setprofile(note)
sys.setprofile(note)
"""
SETTLE = 6.0
"""Seconds in which what arrived is counted, and in which processes say what they called."""


class Walks:
    """What the processes of a server call, step by step."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._step = 0
        self.idle: set[str] = set()

    def environment(self) -> dict[str, str]:
        """For the server, so that all of its processes note what they call."""
        (self._folder / "sitecustomize.py").write_text(HOOK)
        return {
            "PYTHONPATH": str(self._folder),
            "RAYMAP_WALKS": str(self._folder),
            "RAYMAP_WALKS_ROOT": str(ROOT),
        }

    def during(self, work: Callable[[], object]) -> set[str]:
        """``file:function`` of all calls from now until some seconds after ``work``, but those of idle processes."""
        self._called()
        work()
        time.sleep(SETTLE)
        return self._called() - self.idle

    def _called(self) -> set[str]:
        self._step += 1
        (self._folder / "step").write_text(str(self._step))
        time.sleep(0.5)
        parts = self._folder.glob(f"{self._step}-*")
        return {
            line for part in parts for line in part.read_text().splitlines() if part.suffix == ""
        }


def measure() -> dict[str, set[str]]:
    """The functions of each walk."""
    with tempfile.TemporaryDirectory(prefix="walks-") as folder:
        walks = Walks(Path(folder))
        os.environ |= walks.environment()
        with running(["--workers", "1"]) as server:
            steps = _steps(server)
            for work in steps.values():  # what is made once is no part of a walk
                work()
            time.sleep(SETTLE)
            walks.idle = walks.during(lambda: time.sleep(2 * SETTLE))
            return {name: walks.during(work) for name, work in steps.items()}


def _steps(server: Server) -> dict[str, Callable[[], object]]:
    def get(path: str, **query: object) -> dict[str, object]:
        text = server.get(f"{path}?{urllib.parse.urlencode(query)}")
        found: dict[str, object] = json.loads(text)
        return found

    def window() -> dict[str, object]:
        now = int(time.time())
        return {"from": now - 600, "to": now}

    def node() -> object:
        nodes: list[dict[str, str]] = get("/api/v1/services", **window())["services"]  # type: ignore[assignment]
        return get(f"/api/nodes/{urllib.parse.quote(nodes[0]['id'], safe='')}", **window())

    return {
        "a datagram": lambda: _datagram(server),
        "a request of spans": lambda: _spans(server),
        "a map": lambda: get("/api/map", **window()),
        "a list": lambda: get("/api/v1/traces", filter="fault", **window()),
        "a trace": lambda: get("/api/v1/traces", **window()),
        "a list of services and a panel": node,
    }


def _datagram(server: Server) -> None:
    now = time.time()
    document = {
        "name": "shop",
        "id": os.urandom(8).hex(),
        "trace_id": f"1-{int(now):08x}-{os.urandom(12).hex()}",
        "start_time": now - 0.2,
        "end_time": now - 0.1,
        "http": {"response": {"status": 500}},
        "fault": True,
    }
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        header = b'{"format":"json","version":1}\n'
        out.sendto(header + json.dumps(document).encode(), server.udp)


def _spans(server: Server) -> None:
    shop = Shop(1, 100)
    shop.begun = time.time_ns()
    export = grpc_export(int(server.grpc.rpartition(":")[2]))
    for body in shop.bodies:
        if export(body) != 0:
            raise SystemExit("spans were refused")


def main() -> int:
    """Print a line for each walk."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--list", default="", help="name the files of walks whose name contains this"
    )
    options = parser.parse_args()
    found = measure()
    lines = [
        [name, str(len({each.partition(":")[0] for each in calls})), str(len(calls))]
        for name, calls in found.items()
    ]
    print("\n".join(table(["walk", "files", "functions"], lines)))
    for name, calls in found.items():
        if options.list and options.list in name:
            print(f"\n{name}\n  " + "\n  ".join(sorted({each.partition(":")[0] for each in calls})))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

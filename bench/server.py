"""A Raymap of its own for a measurement: started on free ports and an empty folder, watched, stopped."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO

import psutil

from raymap.ready_pipe import read_ready_line

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 170
"""Columns of the tables, however narrow the terminal: a wrapped figure is hard to read."""
ROLES = ("serve", "clickhouse", "collect", "api")
_COMMAND = (sys.executable, "-m", "raymap", "serve", "--port", "0", "--grpc-port", "0")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a role's processes have used together."""

    cpu_seconds: float
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class Server:
    http: str
    udp: tuple[str, int]
    process: psutil.Process
    data_dir: Path
    seconds_to_ready: float
    grpc: str = ""

    def processes(self, role: str) -> list[psutil.Process]:
        """The processes of `raymap <role>`, found by their command line."""
        family = [self.process, *self.process.children(recursive=True)]
        return [process for process in family if role_of(process) == role]

    def usage(self) -> dict[str, Usage]:
        """By role; a process that is none of them is counted with the others."""
        found: dict[str, Usage] = {}
        for process in [self.process, *self.process.children(recursive=True)]:
            try:
                with process.oneshot():
                    times, rss = process.cpu_times(), process.memory_info().rss
                role = role_of(process) or "other"
            except psutil.Error:
                continue
            before = found.get(role, Usage(0.0, 0))
            seconds = before.cpu_seconds + times.user + times.system
            found[role] = Usage(seconds, before.rss_bytes + rss)
        return found

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.http + path, timeout=10) as answer:
            body: bytes = answer.read()
            return body


def role_of(process: psutil.Process) -> str:
    """`collect` of `python -m raymap collect …` or `…/raymap collect …`; empty for others."""
    try:
        words: list[str] = process.cmdline()
    except psutil.Error:
        return ""
    for word, following in pairwise(words):
        if Path(word).name == "raymap" and following in ROLES:
            return following
    return ""


@contextmanager
def running(
    options: Sequence[str] = (), log: Path | None = None, data: Path | None = None
) -> Iterator[Server]:
    """`raymap serve` with these options, until the block ends; ``data``: a folder that stays."""
    with _folder(data) as folder, _log(log) as errors:
        started, path = time.monotonic(), (str(ROOT), os.environ.get("PYTHONPATH"))
        process = subprocess.Popen(
            [*_COMMAND, "--data-dir", str(folder), *options],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            yield _when_ready(process, folder, started)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="raymap-bench-") as folder:
        yield Path(folder)


@contextmanager
def _log(path: Path | None) -> Iterator[IO[str] | int]:
    if path is None:
        yield subprocess.DEVNULL
        return
    with path.open("a") as file:
        yield file


def _when_ready(process: subprocess.Popen[str], folder: Path, started: float) -> Server:
    assert process.stdout is not None
    ready = read_ready_line(process.stdout)
    if ready is None:
        raise SystemExit("raymap serve ended before it was ready; give --log to see why")
    seconds = time.monotonic() - started
    # A writer to a full pipe blocks: read on.
    threading.Thread(target=process.stdout.read, daemon=True).start()
    http, udp = _addresses(ready)
    grpc = ready.get("grpc", "")
    return Server(http, udp, psutil.Process(process.pid), folder, seconds, grpc)


def _addresses(ready: Mapping[str, str]) -> tuple[str, tuple[str, int]]:
    http = ready["http"]
    if not http.startswith("http"):
        http = "http://" + http
    host, _, port = ready["udp"].removeprefix("udp://").rpartition(":")
    return http.rstrip("/"), (host.strip("[]"), int(port))

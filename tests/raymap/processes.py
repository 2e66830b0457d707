"""What tests of `raymap`'s processes share."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar

import psutil

from tests import waiting
from tests.conftest import ROOT, Server

Found = TypeVar("Found")


def raymap(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "raymap", *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def children(server: Server) -> dict[str, psutil.Process]:
    """By role, as `ps` shows them."""
    found = {}
    for child in psutil.Process(server.process.pid).children():
        words = child.cmdline()
        if words[1:4] == ["-P", "-m", "raymap"]:  # else it is being started
            found[words[4]] = child
    return found


def is_running(child: psutil.Process) -> bool:
    return bool(child.is_running() and child.status() != psutil.STATUS_ZOMBIE)


def eventually(
    condition: Callable[[], Found], what: str, *, seconds: float = waiting.SECONDS
) -> Found:
    """Wait for a condition of processes that may be starting or ending."""
    return waiting.eventually(
        condition, what, seconds=seconds, ignore=(OSError, psutil.Error, KeyError)
    )


def kill(server: Server, role: str) -> None:
    """kill -9 of a child, and wait for its successor."""

    def killed() -> int:
        child = children(server)[role]
        child.kill()
        return int(child.pid)

    before = eventually(killed, f"{role} is killed")
    eventually(lambda: children(server)[role].pid != before, f"{role} is back")


def answers(server: Server) -> bool:
    with urllib.request.urlopen(server.http + "/readyz", timeout=60) as answer:
        return bool(answer.status == 200)


def status_of(server: Server, path: str) -> int:
    try:
        with urllib.request.urlopen(server.http + path, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def log_of(server: Server) -> str:
    return (server.data_dir.parent / f"{server.data_dir.name}.log").read_text()


def finished_segment(name: str) -> dict[str, Any]:
    now = time.time()
    return {
        "trace_id": f"1-{int(now):08x}-{os.urandom(12).hex()}",
        "id": os.urandom(8).hex(),
        "name": name,
        "start_time": now,
        "end_time": now + 0.1,
    }

"""A Raymap of its own that requires keys, for the time of a block."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

READY = "raymap ready "


@dataclass(frozen=True)
class Key:
    """What `raymap key add --json` prints."""

    id: str
    token: str
    access_key_id: str
    secret_access_key: str


@contextmanager
def server(mode: str) -> Iterator[tuple[tuple[str, str, str], Key]]:
    """A Raymap of its own; its addresses, and a key that may do everything."""
    with tempfile.TemporaryDirectory(prefix="raymap-clients-") as folder:
        raymap = [sys.executable, "-m", "raymap"]
        ports = ["--port", "0", "--grpc-port", "0", "--workers", "1"]
        process = subprocess.Popen(
            [*raymap, "serve", "--auth", mode, *ports, "--data-dir", folder],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert process.stdout is not None
            ready = next(each for each in process.stdout if each.startswith(READY))
            where = json.loads(ready.removeprefix(READY))
            made = subprocess.run(
                [
                    *raymap,
                    "key",
                    "add",
                    "clients",
                    "--role",
                    "admin",
                    "--json",
                    "--data-dir",
                    folder,
                ],
                check=True,
                capture_output=True,
                text=True,
            )
            key = Key(**json.loads(made.stdout))
            _until_known(where["http"], key)
            yield (where["http"], where["udp"], where["grpc"]), key
        finally:
            process.terminate()
            process.wait(30)


def _until_known(http: str, key: Key) -> None:
    """A process knows of a new key after two seconds."""
    while True:
        try:
            get_json(f"{http}/api/status", key)
        except urllib.error.HTTPError:
            time.sleep(0.2)
        else:
            time.sleep(2.0)  # the collectors as well
            return


def get_json(url: str, key: Key) -> Any:
    """The JSON of a GET with the key."""
    return json.loads(_read(url, key))


def _read(url: str, key: Key) -> bytes:
    request = urllib.request.Request(url, headers={"x-api-key": key.token})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return bytes(answer.read())


def counter(http: str, key: Key, name: str) -> float:
    """The sum of a counter over its labels."""
    lines = _read(f"{http}/metrics", key).decode().splitlines()
    return sum(float(each.rpartition(" ")[2]) for each in lines if each.startswith(f"{name}{{"))

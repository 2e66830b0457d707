"""Cells of real replicas: engines that fetch parts from each other, coordinated by a real ZooKeeper."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.embedded import engine_library
from store.clickhouse.embedded.config import HOST, USERS
from tests.conftest import ROOT
from tests.ports import free_port
from tests.store.replicated import machine_code
from tests.store.replicated.coordination import ZooKeeper, unavailable
from tests.store.replicated.engine import PASSWORD, ReplicaSettings


class Replica:
    """A server of a cell."""

    def __init__(self, folder: Path, cell: str, replica: str, coordination_port: int) -> None:
        self.name = replica
        self._log = folder.with_suffix(".log")
        port, parts = free_port(), free_port()
        self._settings = ReplicaSettings(str(folder), port, parts, coordination_port, cell, replica)
        own = folder / "clickhouse"
        own.mkdir(mode=0o700, parents=True)
        passwords = own / "credentials.json"
        passwords.touch(0o600)
        passwords.write_text(json.dumps(dict.fromkeys(USERS, PASSWORD)))
        self.process: subprocess.Popen[str] | None = None
        self.environment: dict[str, str] = {}
        """Beside that of this process."""

    @property
    def address(self) -> Address:
        """Of the product's own user."""
        return Address(HOST, self._settings.port, "raymap", PASSWORD, "raymap")

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-P", "-m", "tests.store.replicated.engine"]
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                [*command, msgspec.json.encode(self._settings).decode()],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **self.environment},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        if not self.process.stdout.readline():
            raise AssertionError(f"a replica did not start:\n{self._log.read_text()[-2000:]}")

    def stop(self) -> None:
        """End it as an administrator does."""
        self._end(kill=False)

    def kill(self) -> None:
        """End it as a crash does."""
        self._end(kill=True)

    def _end(self, *, kill: bool) -> None:
        if self.process is None:
            return
        self.process.kill() if kill else self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        self.process = None

    def ask(self, sql: str, database: str = "") -> list[tuple[Any, ...]]:
        """What the server answers an administrator."""
        address = Address(HOST, self._settings.port, "admin", PASSWORD, database)
        client = connect(address)
        try:
            rows: list[tuple[Any, ...]] = client.execute(sql) or []
            return rows
        finally:
            client.disconnect()


class Rig:
    """Cells x replicas, and the ZooKeeper of all."""

    def __init__(self, folder: Path, cells: int = 1, replicas: int = 2) -> None:
        if platform.machine() != machine_code.MACHINE:
            unavailable(f"the rig is for {machine_code.MACHINE} alone")
        machine_code.require_build(engine_library())
        self.coordination = ZooKeeper(folder / "coordination")
        self.cells = [
            [
                Replica(
                    folder / f"c{cell}r{number}", f"c{cell}", f"r{number}", self.coordination.port
                )
                for number in range(1, replicas + 1)
            ]
            for cell in range(1, cells + 1)
        ]

    @property
    def replicas(self) -> list[Replica]:
        """Of the first cell."""
        return self.cells[0]

    def start(self) -> None:
        """Start what does not run."""
        self.coordination.start()
        waiting = [each for cell in self.cells for each in cell]
        with ThreadPoolExecutor(len(waiting)) as threads:
            list(threads.map(Replica.start, waiting))

    def stop(self) -> None:
        """End all."""
        for cell in self.cells:
            for each in cell:
                each.kill()
        self.coordination.kill()

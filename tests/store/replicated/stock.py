"""The same cell on stock servers and Keeper, by `docker compose` (compose.yaml): with RAYMAP_TEST_STOCK_REPLICAS set."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from clickhouse_driver.errors import Error

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.pool import connect
from store.clickhouse.grants import USER, own_server, users_sql
from tests.store.replicated.engine import ON_BOTH, PASSWORD
from tests.waiting import eventually

COMPOSE = Path(__file__).with_name("compose.yaml")
HOST = "127.0.0.1"
PORTS = {"r1": 19001, "r2": 19002}


def compose(*words: str) -> None:
    """Run `docker compose` on the file."""
    command = ["docker", "compose", "-f", str(COMPOSE), *words]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]


class StockService:
    """A service of the file."""

    def __init__(self, name: str) -> None:
        self.name = name

    def start(self) -> None:
        """Start it and wait until it is healthy."""
        compose("up", "--detach", "--wait", self.name)

    def kill(self) -> None:
        """End it as a crash does."""
        compose("kill", self.name)


class StockReplica(StockService):
    """A server of the cell."""

    @property
    def address(self) -> Address:
        """Of the product's own user."""
        return Address(HOST, PORTS[self.name], "raymap", PASSWORD, "raymap")

    def start(self) -> None:
        """Start it and wait until it answers."""
        super().start()
        eventually(
            lambda: self.ask("SELECT 1"), "the server answers", ignore=(Error, EOFError, OSError)
        )

    def ask(self, sql: str, database: str = "") -> list[tuple[Any, ...]]:
        """What the server answers an administrator."""
        client = connect(Address(HOST, PORTS[self.name], "admin", PASSWORD, database))
        try:
            rows: list[tuple[Any, ...]] = client.execute(sql) or []
            return rows
        finally:
            client.disconnect()


class StockRig:
    """One cell with two replicas, and their Keeper."""

    def __init__(self) -> None:
        self.coordination = StockService("coordination")
        self.replicas = [StockReplica(name) for name in PORTS]

    def start(self) -> None:
        """Start all, with the product's users as its documentation makes them."""
        compose("down", "--volumes")
        self.coordination.start()
        for each in self.replicas:
            each.start()
            text = users_sql(own_server(USER)).replace("{password:String}", f"'{PASSWORD}'")
            text = text.replace("{backup_password:String}", f"'{PASSWORD}'")
            lines = [line for line in text.splitlines() if not line.startswith("--")]
            for statement in "\n".join(lines).split(";"):
                if statement.strip():
                    each.ask(statement)
            settings = ", ".join(f"{name} = {value}" for name, value in ON_BOTH.items())
            each.ask(f"CREATE USER both IDENTIFIED BY '{PASSWORD}' SETTINGS {settings}")
            each.ask("GRANT ALL ON *.* TO both")

    def stop(self) -> None:
        """End all, and forget what they have."""
        compose("down", "--volumes")

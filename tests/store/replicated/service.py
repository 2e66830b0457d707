"""What ClickHouse Cloud is to a client, of the two replicas: one name, behind which each connection gets any of the servers,
and whose tables are on all of them.

Cloud makes shared engines of plain ones; here they become replicated ones. There a server asks for parts that it does not
know before it reads; here an insert is acknowledged once both servers have it.
"""

from __future__ import annotations

import itertools
import re
import socket
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.lease import DEFINITION
from store.clickhouse.schema.migrate import FOLDER, RECORD, migrate, read_migrations, render
from store.clickhouse.schema.replicas import TABLES
from store.clickhouse.schema.topology import CLOUD, REPLICAS
from tests.store.replicated.cell import Cell
from tests.store.replicated.engine import PASSWORD
from tests.store.replicated.rig import Replica
from tests.store.replicated.stock import StockReplica

DAYS = {"retention_days": 3650}


class Service(Cell):
    """A database with the tables on both servers, and the balancer before them."""

    def __init__(self, replicas: Sequence[Replica | StockReplica]) -> None:
        super().__init__(replicas)
        self.balancer = Balancer([(each.address.host, each.address.port) for each in replicas])
        first, second = replicas
        for each in replicas:
            each.ask(f"CREATE DATABASE {self.database}")
        for statement in _statements():
            first.ask(statement, self.database)
        for _, statement in first.ask(TABLES, self.database):
            second.ask(statement, self.database)
        migrate(self.address, DAYS)

    @property
    def address(self) -> Address:
        """The one name."""
        host, port = self.balancer.address
        return Address(host, port, "both", PASSWORD, self.database, cloud=True)

    def drop(self) -> None:
        """Remove it."""
        super().drop()
        self.balancer.close()


def _statements() -> Iterator[str]:
    """Those that make the tables in Cloud, with replicated engines in place of plain ones."""
    texts = [CLOUD.placed(render(text, CLOUD.placeholders(), "")) for text in (RECORD, DEFINITION)]
    for each in read_migrations(FOLDER, DAYS, CLOUD):
        texts += each.statements
    for text in texts:
        yield REPLICAS.placed(re.sub(r"\bENGINE = (?=\w*MergeTree)", "ENGINE = Replicated", text))


class Balancer:
    """Passes each connection to the next server."""

    def __init__(self, servers: Iterable[tuple[str, int]]) -> None:
        self._servers = itertools.cycle(servers)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listening.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(next(self._servers))
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=_pass, args=ends, daemon=True).start()

    def close(self) -> None:
        """Accept no more."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


def _pass(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)

"""The tables of a database on each of its replicas.

Replication is by table: rows and changes of a table's columns reach all replicas that have the table, but a table is
made on each. One replica gets the migrations, the others its tables as they are then.
"""

from __future__ import annotations

from collections.abc import Iterable

from clickhouse_driver import Client

from store.clickhouse.connection.address import Address
from store.clickhouse.connection.errors import first_line, is_transient
from store.clickhouse.connection.pool import connect, create_database
from store.clickhouse.schema.errors import MigrationError
from store.clickhouse.schema.topology import CLOUD, SINGLE, Topology, topology_of

TABLES = (
    "SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase() "
    "AND startsWith(engine, 'Replicated')"
)
ENGINE = "(SELECT any(engine) FROM system.tables WHERE database = currentDatabase() AND name = 'raymap_migrations')"
"""An expression: the engine of the tables."""
SYNC = "SYSTEM SYNC REPLICA raymap_migrations LIGHTWEIGHT"


class Servers:
    """Connections to the replicas of an address that answer; `first`: one that lacks no table."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._clients: list[Client] = []
        self._absent: list[str] = []
        for each in address.each:
            try:
                create_database(each)
            except Exception as error:
                if not is_transient(error):
                    raise
                self._absent.append(f"{each.name} ({first_line(error)})")
            else:
                self._clients.append(connect(each))
        if not self._clients:
            self.require_all()
        self.first = self._clients[0]

    def prepare(self, statements: Iterable[str]) -> None:
        """Make the tables that migrations themselves need; `first` has what other replicas recorded."""
        statements = list(statements)
        for client in self._clients:
            for statement in statements:
                client.execute(statement)
            require_tables(client, self._address)
        self.first = max(self._clients, key=lambda client: len(client.execute(TABLES)))
        self.first.execute(SYNC)

    def incomplete(self) -> bool:
        """Whether a replica lacks a table that another has."""
        tables = [{name for name, _ in client.execute(TABLES)} for client in self._clients]
        return any(each != tables[0] for each in tables)

    def require_all(self) -> None:
        """Raise MigrationError unless all answer."""
        if self._absent:
            raise MigrationError(
                f"A schema is changed on all replicas at once, and {', '.join(self._absent)} does not answer."
            )

    def complete(self) -> None:
        """Make the tables that the first has on those that lack them."""
        definitions = dict(self.first.execute(TABLES))
        for client in self._clients:
            present = {name for name, _ in client.execute(TABLES)}
            for name in sorted(definitions.keys() - present):
                client.execute(definitions[name])

    def disconnect(self) -> None:
        """End the connections."""
        for client in self._clients:
            client.disconnect()


def require_named(client: Client, address: Address) -> None:
    """Raise MigrationError if an address of one server is that of ClickHouse Cloud, whose tables several servers have."""
    statement = "SELECT value FROM system.settings WHERE name = 'cloud_mode'"
    if not address.cloud and client.execute(statement) == [("1",)]:
        raise MigrationError(f"{address.name} {OF_CLOUD}")


def require_tables(client: Client, address: Address) -> None:
    """Raise MigrationError unless the tables fit the address: replicated if it names replicas, and only then."""
    ((engine,),) = client.execute(f"SELECT {ENGINE}")
    topology = topology_of(replicated=address.replicated, cloud=address.cloud)
    if problem := misplaced(engine, topology):
        raise MigrationError(f"The database {address.name}/{address.database} {problem}")


OF_CLOUD = "is of ClickHouse Cloud: add cloud=1 to its URL, as in clickhouses://user:password@service/raymap?cloud=1."


def misplaced(engine: str, topology: Topology) -> str:
    """What is wrong with tables of an engine for an address; empty if nothing."""
    if engine.startswith("Shared"):
        return "" if topology == CLOUD else OF_CLOUD
    if engine.startswith("Replicated"):
        if topology == SINGLE:
            return (
                "has replicas: name them all, separated by commas, as in "
                "clickhouse://user:password@first,second:9000/raymap."
            )
    elif engine and topology != SINGLE:
        return "has tables without replicas: use another database for several servers, or name this server alone."
    return ""

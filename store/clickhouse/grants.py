"""What ClickHouse's users of Raymap are granted: what is done with tables, and nothing that reaches out of
the database. Not granted: sources (FILE, URL, REMOTE, S3, MYSQL, …), dictionaries, which have them,
functions. Backups are files, and have a user of their own.

`python -m store.clickhouse.grants > deploy/clickhouse/users.sql` renews the statements for a ClickHouse of
one's own.
"""

from __future__ import annotations

from collections.abc import Iterable

from store.clickhouse.connection.sql import identifier

USER, BACKUP_USER, READER = "raymap", "raymap_backup", "raymap_ro"
_REPLICATED = tuple(f"Replicated{each}MergeTree" for each in ("", "Replacing", "Aggregating"))
_ENGINES = (
    "MergeTree",
    "ReplacingMergeTree",
    "AggregatingMergeTree",
    "SummingMergeTree",
    "Memory",
    *_REPLICATED,
)
"""Of our tables, also temporary ones: no engine that reaches out of the database."""
_SYSTEM_TABLES = ("columns", "detached_parts", "parts", "replicas", "replication_queue", "tables")
"""What is read of the engine; each shows what belongs to databases that one may use."""
_SERVER_TABLES = ("databases", "disks", "errors", "merge_tree_settings")
"""What `raymap doctor` and the commands of tenants read besides."""
_IN_DATABASES = (
    "SHOW, SELECT, INSERT, ALTER TABLE, ALTER VIEW, ALTER DATABASE, CREATE DATABASE, CREATE TABLE, "
    "CREATE VIEW, DROP DATABASE, DROP TABLE, DROP VIEW, TRUNCATE, OPTIMIZE, SYSTEM SYNC REPLICA"
)
"""All that is done with tables."""
_FOR_TABLES = (
    "CREATE TEMPORARY TABLE ON *.*",
    *(f"TABLE ENGINE ON {engine}" for engine in _ENGINES),
)
_FILES = "READ, WRITE ON FILE"

EVERYWHERE = (
    f"{_IN_DATABASES}, dictGet, KILL QUERY, SYSTEM MERGES, SYSTEM DROP CACHE ON *.*",
    *_FOR_TABLES,
)
"""Of the embedded engine's `raymap`, whose server has no other databases."""
BACKUPS = (*EVERYWHERE, "BACKUP ON *.*", _FILES)
READING = ("SELECT ON *.*", "SHOW ON *.*", "dictGet ON *.*")
STARTING = ("SYSTEM LISTEN ON *.*", "CREATE TEMPORARY TABLE ON *.*")
"""Of the embedded engine's own script."""


def database_grants(database: str) -> list[str]:
    """What a user of one database is granted."""
    return _in(f"{identifier(database)}.*")


def _in(databases: str) -> list[str]:
    tables = [f"SELECT ON system.{table}" for table in _SYSTEM_TABLES]
    return [f"{_IN_DATABASES} ON {databases}", *_FOR_TABLES, *tables]


def own_server(database: str) -> dict[str, list[str]]:
    """By user, on a server that may have databases of others: those whose names begin with ``database``,
    which are tenants' as well. `raymap` makes the users of tenants, and grants them what it may do itself."""
    ours = f"{database}*.*"
    return {
        USER: [
            *(f"{each} WITH GRANT OPTION" for each in _in(ours)),
            *(f"SELECT ON system.{table}" for table in _SERVER_TABLES),
            f"CREATE USER, DROP USER ON {database}_*",
        ],
        BACKUP_USER: [f"{_IN_DATABASES} ON {ours}", *_FOR_TABLES, f"BACKUP ON {ours}", _FILES],
    }


_HEAD = """\
-- Raymap's users in a ClickHouse of your own, and all that they may do. Run it as an administrator, who must
-- be allowed to make users; it can be repeated:
--   clickhouse-client --user … --password … --queries-file users.sql \\
--     --param_password=… --param_backup_password=…
-- raymap is for --clickhouse: it may use databases whose names begin with raymap (tenants have their own), and
-- reaches neither files nor other servers. raymap_backup is for BACKUP and RESTORE of them: into files; for S3
-- grant it S3 instead of FILE. With a cluster both also need CLUSTER ON *.*.
-- Written by `python -m store.clickhouse.grants`.
"""
_PASSWORDS = {USER: "password", BACKUP_USER: "backup_password"}


def users_sql(grants: dict[str, list[str]]) -> str:
    """The statements that make the users."""
    return _HEAD + "".join(_statements(user, each) for user, each in grants.items())


def _statements(user: str, grants: Iterable[str]) -> str:
    lines = [
        f"CREATE USER IF NOT EXISTS {user} IDENTIFIED WITH sha256_password BY {{{_PASSWORDS[user]}:String}}"
    ]
    for grant in grants:
        what, option, _ = grant.partition(" WITH GRANT OPTION")
        lines.append(f"GRANT {what} TO {user}{option}")
    return "\n" + "".join(f"{line};\n" for line in lines)


if __name__ == "__main__":
    print(users_sql(own_server(USER)), end="")

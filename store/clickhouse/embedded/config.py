"""The engine's config.xml and users.xml."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

from store.clickhouse.connection.sql import identifier

HOST = "127.0.0.1"
GIB = 1 << 30
_ENGINES = ("MergeTree", "ReplacingMergeTree", "AggregatingMergeTree", "SummingMergeTree", "Memory")
"""Of our tables, also temporary ones: no engine that reaches out of the database."""
_SYSTEM_TABLES = ("columns", "detached_parts", "parts", "tables")
"""What is read of the engine; each shows what belongs to databases that one may use."""

_COMPILED_AFTER = 20
"""Executions after which the engine compiles an expression to machine code. By default it does after
three, 30 ms for each of some thirty expressions: a quarter of what a new server computes at first."""
_PROFILE = (
    "<max_threads>2</max_threads><poll_interval>1</poll_interval>"
    f"<min_count_to_compile_expression>{_COMPILED_AFTER}</min_count_to_compile_expression>"
    "<min_count_to_compile_aggregate_expression>"
    f"{_COMPILED_AFTER}</min_count_to_compile_aggregate_expression>"
    "<min_count_to_compile_sort_description>"
    f"{_COMPILED_AFTER}</min_count_to_compile_sort_description>"
)


def default_memory() -> int:
    """40 % of what this machine, or the container we are in, has; at most 8 GiB."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            total = min(total, int(Path(limit).read_text()))
        except (OSError, ValueError):
            continue  # no such file, or "max"
    return min(total * 2 // 5, 8 * GIB)


def config_xml(folder: Path, port: int, *, memory_bytes: int, log_level: str) -> str:
    """Two engine quirks: only the top-level <log-level> counts (<logger><level> is ignored, and the
    default is trace), and it stops 5 s late when a client is connected, unless connections look up
    every second (poll_interval, in the profiles)."""
    at = escape(str(folder))
    return f"""<clickhouse>
  <log-level>{escape(log_level)}</log-level>
  <logger>
    <log>{at}/server.log</log>
    <errorlog>{at}/server.err.log</errorlog>
    <size>10M</size>
    <count>3</count>
  </logger>
  <path>{at}/data/</path>
  <listen_host>{HOST}</listen_host>
  <tcp_port>{port}</tcp_port>
  <max_server_memory_usage>{memory_bytes}</max_server_memory_usage>
  <background_pool_size>4</background_pool_size>
  <background_schedule_pool_size>8</background_schedule_pool_size>
  <mark_cache_size>{128 << 20}</mark_cache_size>
  <shutdown_wait_unfinished>1</shutdown_wait_unfinished>
  <backups><allowed_path>/</allowed_path></backups>
  <user_directories><users_xml><path>users.xml</path></users_xml></user_directories>
</clickhouse>
"""


class DatabaseUser(NamedTuple):
    """A user of one database, who may do anything there and nothing elsewhere. ``digest``: the
    password's SHA-256 in hex."""

    database: str
    digest: str


def users_xml(
    passwords: Mapping[str, str], further: Mapping[str, DatabaseUser] | None = None
) -> str:
    """`raymap_ro` may read every table and choose its own query limits (readonly 2, as Grafana's
    plugin needs), and nothing outside the database: it is not granted file(), url() and the like.

    ``further`` users by name. The engine reads them when it starts, and knows no others: it has no storage
    for users that statements create.
    """
    own = "".join(_database_user(name, user) for name, user in (further or {}).items())
    digest = {user: hashlib.sha256(word.encode()).hexdigest() for user, word in passwords.items()}
    return f"""<clickhouse>
  <profiles>
    <default>{_PROFILE}</default>
    <readonly>{_PROFILE}<readonly>2</readonly></readonly>
    <once><max_sessions_for_user>1</max_sessions_for_user></once>
  </profiles>
  <quotas><default></default></quotas>
  <users>
    <default>
      <password></password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>once</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT SYSTEM LISTEN ON *.*</query>
        <query>GRANT CREATE TEMPORARY TABLE ON *.*</query>
      </grants>
    </default>
    <raymap>
      <password_sha256_hex>{digest["raymap"]}</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
    </raymap>
    <raymap_ro>
      <password_sha256_hex>{digest["raymap_ro"]}</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>readonly</profile>
      <quota>default</quota>
      <grants>
        <query>GRANT SELECT ON *.*</query>
        <query>GRANT SHOW ON *.*</query>
        <query>GRANT dictGet ON *.*</query>
      </grants>
    </raymap_ro>{own}
  </users>
</clickhouse>
"""


def database_grants(database: str) -> list[str]:
    """What a user of one database is granted."""
    return [
        f"ALL ON {identifier(database)}.*",
        "CREATE TEMPORARY TABLE ON *.*",
        *(f"TABLE ENGINE ON {engine}" for engine in _ENGINES),
        *(f"SELECT ON system.{table}" for table in _SYSTEM_TABLES),
    ]


def _database_user(name: str, user: DatabaseUser) -> str:
    grants = "".join(f"<query>GRANT {each}</query>" for each in database_grants(user.database))
    return f"""
    <{name}>
      <password_sha256_hex>{user.digest}</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <grants>{grants}</grants>
    </{name}>"""

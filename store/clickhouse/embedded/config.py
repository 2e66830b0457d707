"""The engine's config.xml and users.xml."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

from store.clickhouse.grants import (
    BACKUP_USER,
    BACKUPS,
    EVERYWHERE,
    READER,
    READING,
    STARTING,
    USER,
    database_grants,
)

HOST = "127.0.0.1"
GIB = 1 << 30
USERS = (USER, BACKUP_USER, READER)
"""Who have generated passwords."""

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
    """Statistics of columns, which merges would make of each, help no statement of ours, and were a tenth of a merge
    (measured). Two engine quirks: only the top-level <log-level> counts (<logger><level> is ignored, and the
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
  <merge_tree><auto_statistics_types></auto_statistics_types></merge_tree>
  <backups><allowed_path>/</allowed_path></backups>
  <user_directories><users_xml><path>users.xml</path></users_xml></user_directories>
</clickhouse>
"""


class DatabaseUser(NamedTuple):
    """A user of one database, who may use all tables there and nothing elsewhere. ``digest``: the
    password's SHA-256 in hex."""

    database: str
    digest: str


def users_xml(
    passwords: Mapping[str, str], further: Mapping[str, DatabaseUser] | None = None
) -> str:
    """`raymap` may use every table, and nothing outside the database: it is not granted file(), url() and
    the like. `raymap_backup` may also write and read files, as backups are. `raymap_ro` may read every table and choose
    its own query limits (readonly 2, as Grafana's plugin needs).

    ``further`` users by name. The engine reads them when it starts, and knows no others: it has no storage
    for users that statements create.
    """
    digest = {user: hashlib.sha256(word.encode()).hexdigest() for user, word in passwords.items()}
    own = "".join(
        _user(name, user.digest, database_grants(user.database))
        for name, user in (further or {}).items()
    )
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
      <grants>{_queries(STARTING)}</grants>
    </default>{_user(USER, digest[USER], EVERYWHERE)}{
        _user(BACKUP_USER, digest[BACKUP_USER], BACKUPS)
    }{_user(READER, digest[READER], READING, profile="readonly")}{own}
  </users>
</clickhouse>
"""


def _user(name: str, digest: str, grants: Iterable[str], profile: str = "default") -> str:
    return f"""
    <{name}>
      <password_sha256_hex>{digest}</password_sha256_hex>
      <networks><ip>{HOST}</ip></networks>
      <profile>{profile}</profile>
      <quota>default</quota>
      <grants>{_queries(grants)}</grants>
    </{name}>"""


def _queries(grants: Iterable[str]) -> str:
    return "".join(f"<query>GRANT {each}</query>" for each in grants)

"""What the tables' definitions owe to the number of servers: the one place that knows it.

The schema names these texts as placeholders. Replicas of a table know each other by its path in the coordination
service, which `placed` writes into the engine: a server's own default may contain a number that differs from server to
server. Servers define the macros ``{shard}`` and ``{replica}``; those with one ``{shard}`` are replicas of each other.
ClickHouse Cloud is given plain engines, which it makes shared ones, and none of the settings of local disks: it has none.
"""

from __future__ import annotations

import re

from msgspec import Struct

_ENGINE = re.compile(r"\bENGINE = (Replicated\w*MergeTree)(?:\(([^()]*)\))?")
_SETTINGS = re.compile(r"\bSETTINGS (?=\w)")
"""Of a table, not of a column (`LARGE_BLOCKS`)."""
PROMPT = "max_postpone_time_for_failed_replicated_fetches_ms = 5000"
"""Rows of a replica that was gone are fetched within five seconds of its return, not within a minute."""
NO_WINDOW = "replicated_deduplication_window = 0"
PLACE = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'"
"""The path of a table, and the replica's name there; the server fills in its macros."""


class Topology(Struct, frozen=True):
    """The servers that have the tables."""

    replicated: bool = False
    """Whether a table has copies, which a coordination service keeps equal."""
    cloud: bool = False
    """Whether all servers read the same storage."""

    def placeholders(self) -> dict[str, str]:
        """Text by the name that the schema uses for it."""
        return {
            # Statements are run on each replica (store/clickhouse/schema/replicas.py), for which no server needs a
            # list of the others.
            "on_cluster": "",
            "replicated": "Replicated" if self.replicated else "",
            "window": "non_replicated_deduplication_window"
            if self == SINGLE
            else REPLICATED_WINDOW,
            "durable": DURABLE,
            "tidy": TIDY,
            "large_blocks": LARGE_BLOCKS,
        }

    def placed(self, sql: str) -> str:
        """A statement whose replicated engine has its path, and its settings.

        Where the schema gives no window of deduplication there is none, as on one server: replicas would otherwise
        drop a row that equals an earlier one as a repeated insert, such as a second mark of a bucket.
        """

        def engine(match: re.Match[str]) -> str:
            arguments = ", ".join(filter(None, (PLACE, match[2])))
            return f"ENGINE = {match[1]}({arguments})"

        if self.cloud:
            sql = _OF_DISKS.sub("", sql)
        placed = _ENGINE.sub(engine, sql)
        if self == SINGLE or "ENGINE = " not in placed:
            return placed
        prompt = () if self.cloud else (PROMPT,)
        settings = ", ".join(prompt if "deduplication_window" in placed else (*prompt, NO_WINDOW))
        if not settings:
            return placed
        if _SETTINGS.search(placed):
            return _SETTINGS.sub(f"SETTINGS {settings}, ", placed, count=1)
        return f"{placed}\nSETTINGS {settings}"


REPLICATED_WINDOW = (
    "replicated_deduplication_window_seconds = 86400, replicated_deduplication_window"
)
"""Tokens of inserts are remembered for a day, not an hour: a journal may be sent again after an outage."""
DURABLE = (
    "fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, "
    "min_compressed_bytes_to_fsync_after_fetch = 1"
)
"""Settings of tables whose rows were acknowledged. A merged part replaces parts that were synced, so it
is synced as well, before these are removed."""
TIDY = (
    "old_parts_lifetime = 10, cleanup_delay_period = 10, max_cleanup_delay_period = 30, "
    "merge_selector_base = 10"
)
"""Settings of tables into which much is inserted. Parts that have been merged are removed within a
minute, not after five: they were up to four times the data. More parts are merged at once: with
ClickHouse's 5 a row was merged 5.6 times in the first eight minutes of one insert a second, with 10
2.7 times, and there were 9 parts instead of 6 (measured). A merge costs twice what an insert does."""
LARGE_BLOCKS = "SETTINGS (min_compress_block_size = 65536, max_compress_block_size = 1048576)"
"""Settings of columns that are read for few traces and compress better in large blocks."""
SINGLE = Topology()
"""One server, embedded or not."""
REPLICAS = Topology(replicated=True)
CLOUD = Topology(cloud=True)
_OF_DISKS = re.compile(
    "|".join(
        pattern
        for text in map(re.escape, (DURABLE, TIDY))
        for pattern in (rf",\s*{text}", rf"{text},\s*", rf"\s*SETTINGS {text}(?=\s*$)")
    )
)
"""Settings of tables that are for local disks."""


def topology_of(*, replicated: bool, cloud: bool) -> Topology:
    """Of an address or a connection."""
    return CLOUD if cloud else REPLICAS if replicated else SINGLE

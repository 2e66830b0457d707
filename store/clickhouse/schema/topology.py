"""What the tables' definitions owe to the number of servers: the one place that knows it.

The schema names these texts as placeholders. Today there is one server; `Topology("name")` renders the
same tables for the replicas of a cluster, whose servers define the macros ``{shard}`` and ``{replica}``.
"""

from __future__ import annotations

from msgspec import Struct


class Topology(Struct, frozen=True):
    """The servers that have the tables."""

    cluster: str = ""
    """As `remote_servers` names it; empty for one server."""

    @property
    def replicated(self) -> bool:
        """Whether a table has copies, which a coordination service keeps equal."""
        return bool(self.cluster)

    def placeholders(self) -> dict[str, str]:
        """Text by the name that the schema uses for it."""
        return {
            "on_cluster": f" ON CLUSTER '{self.cluster}'" if self.cluster else "",
            # Path and replica's name come from the servers' default_replica_path and _name.
            "replicated": "Replicated" if self.replicated else "",
            "window": f"{'' if self.replicated else 'non_'}replicated_deduplication_window",
            "durable": DURABLE,
            "tidy": TIDY,
            "large_blocks": LARGE_BLOCKS,
        }


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

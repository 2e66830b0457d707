-- What was set by people, by name; the newest `ver` holds (store/clickhouse/retention.py).
CREATE TABLE IF NOT EXISTS settings (
    name String,
    value String,
    ver UInt64 COMMENT 'microseconds since the epoch'
)
ENGINE = ReplacingMergeTree(ver)
ORDER BY name
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Traces that are kept for ever; the newest `ver` holds (store/clickhouse/pins.py). `revision` and
-- `updated` are those of `traces` when the copies were last made.
CREATE TABLE IF NOT EXISTS pins (
    trace_id FixedString(16),
    note String,
    at Int64 COMMENT 'when it was pinned, microseconds since the epoch',
    removed UInt8,
    revision UInt64,
    updated Int64,
    ver UInt64
)
ENGINE = ReplacingMergeTree(ver)
ORDER BY trace_id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

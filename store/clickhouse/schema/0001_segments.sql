-- What arrives, three ways: small indexed rows for each document (segments) and each call that
-- leaves a service (calls), and the documents themselves (documents), apart from the indexes.
--
-- Times are microseconds since the epoch (start, duration); `time` is there for people.
-- Sort key: the minute of the start, so that a window reads a range; then trace and id, so that a
-- resend or the complete copy of an in-progress segment replaces it (an SDK resends a segment with
-- the same start). The greatest `ver` wins: complete before in progress, then the last arrival.
-- Partition: the day of arrival, never a time that a client sent. A document dated 1970 or 2438
-- costs nothing extra, an import of old traces is kept its full time, and whole parts expire.
-- fsync: what was acknowledged survives the machine's crash too; it cost 3 % (median) to 9 % (mean)
-- of the insert rate in three noisy runs each.
-- Rejected: partition by start day (a hostile batch opens hundreds of partitions); one table for
-- segments and calls (the map reads each alone); ORDER BY trace_id (a window would read everything).
CREATE TABLE IF NOT EXISTS segments (
    trace_id FixedString(16) CODEC(ZSTD(1)),
    id UInt64 CODEC(NONE),
    parent_id UInt64 CODEC(LZ4),
    start Int64 CODEC(Delta(8), ZSTD(1)),
    minute UInt32 MATERIALIZED toUInt32(greatest(0, intDiv(start, 60000000))) CODEC(Delta(4), ZSTD(1)),
    time DateTime64(6, 'UTC') ALIAS fromUnixTimestamp64Micro(start, 'UTC'),
    duration Int64 CODEC(T64, ZSTD(1)),
    last_duration Int64 CODEC(T64, ZSTD(1)),
    independent UInt8 CODEC(ZSTD(1)),
    inferred UInt8 CODEC(ZSTD(1)),
    sampled UInt8 DEFAULT 1 CODEC(ZSTD(1)) COMMENT '0: counted by its sender, no trace',
    state UInt8 CODEC(ZSTD(1)) COMMENT '0 in progress, 1 ok, 2 error, 3 throttle, 4 fault',
    account LowCardinality(String),
    name LowCardinality(String),
    type LowCardinality(String),
    service LowCardinality(String),
    method LowCardinality(String),
    url String CODEC(ZSTD(1)),
    status UInt16 CODEC(ZSTD(1)),
    client_ip String CODEC(ZSTD(1)),
    user_agent String CODEC(ZSTD(1)),
    user String CODEC(ZSTD(1)),
    resource_arn LowCardinality(String),
    instance_id LowCardinality(String),
    availability_zone LowCardinality(String),
    exception LowCardinality(String),
    annotations Array(String) CODEC(ZSTD(1)),
    members Array(UInt64) CODEC(LZ4),
    received DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    ver UInt64 CODEC(Delta(8), ZSTD(1)),
    INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_annotation annotations TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toDate(received)
ORDER BY (minute, trace_id, id)
TTL received + INTERVAL {retention_days} DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1;

-- A call knows the document it came in. When that is a segment (independent = 0) the owner_ columns
-- are its node, so that the map needs no join to find the caller.
CREATE TABLE IF NOT EXISTS calls (
    trace_id FixedString(16) CODEC(ZSTD(1)),
    id UInt64 CODEC(NONE),
    document_id UInt64 CODEC(LZ4),
    independent UInt8 CODEC(ZSTD(1)),
    start Int64 CODEC(Delta(8), ZSTD(1)),
    minute UInt32 MATERIALIZED toUInt32(greatest(0, intDiv(start, 60000000))) CODEC(Delta(4), ZSTD(1)),
    time DateTime64(6, 'UTC') ALIAS fromUnixTimestamp64Micro(start, 'UTC'),
    duration Int64 CODEC(T64, ZSTD(1)),
    state UInt8 CODEC(ZSTD(1)) COMMENT '0 in progress, 1 ok, 2 error, 3 throttle, 4 fault',
    owner_account LowCardinality(String),
    owner_name LowCardinality(String),
    owner_type LowCardinality(String),
    account LowCardinality(String),
    name LowCardinality(String),
    type LowCardinality(String),
    service LowCardinality(String),
    host LowCardinality(String),
    status UInt16 CODEC(ZSTD(1)),
    traced UInt8 CODEC(ZSTD(1)),
    exception LowCardinality(String),
    received DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    ver UInt64 CODEC(Delta(8), ZSTD(1)),
    INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toDate(received)
ORDER BY (minute, trace_id, id)
TTL received + INTERVAL {retention_days} DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1;

-- Joins of two traces: the document that carries the link, and the other end. `received`: when the
-- event arrived, 0 when nobody says. Kept at the document's own time, so a window finds them alone.
CREATE TABLE IF NOT EXISTS links (
    trace_id FixedString(16) CODEC(ZSTD(1)),
    document_id UInt64 CODEC(NONE),
    independent UInt8 CODEC(ZSTD(1)),
    other_trace FixedString(16) CODEC(ZSTD(1)),
    other_id UInt64 CODEC(NONE),
    upstream UInt8 CODEC(ZSTD(1)),
    event_received Int64 CODEC(ZSTD(1)),
    start Int64 CODEC(Delta(8), ZSTD(1)),
    minute UInt32 MATERIALIZED toUInt32(greatest(0, intDiv(start, 60000000))) CODEC(Delta(4), ZSTD(1)),
    duration Int64 CODEC(T64, ZSTD(1)),
    state UInt8 CODEC(ZSTD(1)) COMMENT '0 in progress, 1 ok, 2 error, 3 throttle, 4 fault',
    account LowCardinality(String),
    name LowCardinality(String),
    type LowCardinality(String),
    status UInt16 CODEC(ZSTD(1)),
    exception LowCardinality(String),
    received DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    ver UInt64 CODEC(Delta(8), ZSTD(1)),
    INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toDate(received)
ORDER BY (minute, trace_id, document_id, other_trace, other_id, upstream)
TTL received + INTERVAL {retention_days} DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1;

-- The documents as they came, for BatchGetTraces and the trace page; read by trace id alone.
CREATE TABLE IF NOT EXISTS documents (
    trace_id FixedString(16) CODEC(ZSTD(1)),
    id UInt64 CODEC(NONE),
    body String CODEC(ZSTD(1)),
    received DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    ver UInt64 CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toDate(received)
ORDER BY (trace_id, id)
TTL received + INTERVAL {retention_days} DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 1024;

-- Where a trace lies in time, so that a trace is found without its time and the two halves of a
-- call find each other however far apart they are. `start`: its earliest document; `lo`, `hi`: the
-- first and last start of anything in it (documents and calls).
CREATE TABLE IF NOT EXISTS traces (
    trace_id FixedString(16) CODEC(ZSTD(1)),
    start SimpleAggregateFunction(min, Int64) CODEC(ZSTD(1)),
    lo SimpleAggregateFunction(min, Int64) CODEC(ZSTD(1)),
    hi SimpleAggregateFunction(max, Int64) CODEC(ZSTD(1)),
    updated SimpleAggregateFunction(max, Int64) CODEC(ZSTD(1)),
    revision SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
    sampled SimpleAggregateFunction(max, UInt8) CODEC(ZSTD(1)),
    received SimpleAggregateFunction(max, DateTime('UTC')) CODEC(ZSTD(1)),
    day Date
)
ENGINE = AggregatingMergeTree
PARTITION BY day
ORDER BY trace_id
TTL received + INTERVAL {retention_days} DAY
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000,
    fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 1024;

-- 9223372036854775807: a call alone says nothing of the earliest document.
CREATE MATERIALIZED VIEW IF NOT EXISTS traces_from_segments TO traces AS
SELECT s.trace_id AS trace_id, min(s.start) AS start, min(s.start) AS lo, max(s.start) AS hi,
       toInt64(max(bitAnd(s.ver, 4611686018427387903))) AS updated, count() AS revision,
       max(s.sampled) AS sampled, max(s.received) AS received, toDate(max(s.received)) AS day
FROM segments AS s
GROUP BY s.trace_id;

CREATE MATERIALIZED VIEW IF NOT EXISTS traces_from_calls TO traces AS
SELECT c.trace_id AS trace_id, toInt64(9223372036854775807) AS start,
       min(c.start) AS lo, max(c.start) AS hi, toInt64(0) AS updated, toUInt64(0) AS revision,
       toUInt8(0) AS sampled, max(c.received) AS received, toDate(max(c.received)) AS day
FROM calls AS c
GROUP BY c.trace_id;

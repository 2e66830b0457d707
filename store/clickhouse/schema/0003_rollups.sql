-- The map by the minute: what was counted of each minute's units, so that a window costs nodes x
-- minutes and not traces. Rows are written whole by store/clickhouse/rollup.py, never added to.

-- When a row came into the database, microseconds (`received` is when its collector saw it, maybe long before).
ALTER TABLE segments ADD COLUMN IF NOT EXISTS inserted Int64 MATERIALIZED toUnixTimestamp64Micro(now64(6)) CODEC(ZSTD(1));
ALTER TABLE calls ADD COLUMN IF NOT EXISTS inserted Int64 MATERIALIZED toUnixTimestamp64Micro(now64(6)) CODEC(ZSTD(1));
ALTER TABLE links ADD COLUMN IF NOT EXISTS inserted Int64 MATERIALIZED toUnixTimestamp64Micro(now64(6)) CODEC(ZSTD(1));

-- Which minutes a trace has rows in. Times are microseconds since the epoch, minutes since it.
ALTER TABLE traces ADD COLUMN IF NOT EXISTS minute UInt32 CODEC(Delta(4), ZSTD(1)), MODIFY ORDER BY (trace_id, minute);

ALTER TABLE traces_from_segments MODIFY QUERY
SELECT s.trace_id AS trace_id, toUInt32(greatest(0, intDiv(s.start, 60000000))) AS minute,
       min(s.start) AS start, min(s.start) AS lo, max(s.start) AS hi,
       toInt64(max(bitAnd(s.ver, 4611686018427387903))) AS updated, count() AS revision,
       max(s.sampled) AS sampled, max(s.received) AS received, toDate(max(s.received)) AS day
FROM segments AS s
GROUP BY s.trace_id, minute;

ALTER TABLE traces_from_calls MODIFY QUERY
SELECT c.trace_id AS trace_id, toUInt32(greatest(0, intDiv(c.start, 60000000))) AS minute,
       toInt64(9223372036854775807) AS start, min(c.start) AS lo, max(c.start) AS hi,
       toInt64(0) AS updated, toUInt64(0) AS revision,
       toUInt8(0) AS sampled, max(c.received) AS received, toDate(max(c.received)) AS day
FROM calls AS c
GROUP BY c.trace_id, minute;

-- Rows written before, by minute; they count no revision, so a repeat is harmless.
INSERT INTO traces (trace_id, minute, start, lo, hi, updated, revision, sampled, received, day)
SELECT trace_id, minute, min(start), min(start), max(start), 0, 0, max(sampled), max(received) AS newest, toDate(newest)
FROM segments GROUP BY trace_id, minute;
INSERT INTO traces (trace_id, minute, start, lo, hi, updated, revision, sampled, received, day)
SELECT trace_id, minute, 9223372036854775807, min(start), max(start), 0, 0, 0, max(received) AS newest, toDate(newest)
FROM calls GROUP BY trace_id, minute;

-- kind: 0 a node, 1 an edge of calls, 2 an edge of links, 255 a marker: "this slot was counted at `rev`".
-- Of a slot only the rows with the rev of its newest marker hold; they come in one insert, so a slot
-- changes all at once, two writers do no harm, and nothing has to be erased. A marker of a wide slot
-- with state `built` = 0 says that a minute inside was counted anew since.
-- slot: its first minute; width: its minutes (1, 10, 60). rev: microseconds x 1024 + a random number.
-- histogram: bucket of the time (store/rules/histogram.py) -> units; longer: what to add to it for
-- whole durations (work after the answer), negative where a bucket loses. failures: label and state.
-- Partition: by when it was written, never a time that a client sent.
CREATE TABLE IF NOT EXISTS rollups (
    width UInt16 CODEC(ZSTD(1)),
    kind UInt8 CODEC(ZSTD(1)),
    slot UInt32 CODEC(Delta(4), ZSTD(1)),
    source_account LowCardinality(String),
    source_name LowCardinality(String),
    source_type LowCardinality(String),
    account LowCardinality(String),
    name LowCardinality(String),
    type LowCardinality(String),
    names Array(LowCardinality(String)) CODEC(ZSTD(1)) COMMENT 'a node''s services, an edge''s aliases',
    active UInt8 CODEC(ZSTD(1)),
    start Int64 CODEC(Delta(8), ZSTD(1)),
    end Int64 CODEC(Delta(8), ZSTD(1)),
    touched UInt64 CODEC(T64, ZSTD(1)) COMMENT 'pairs of a minute and a trace in it',
    ok UInt64 CODEC(T64, ZSTD(1)),
    error UInt64 CODEC(T64, ZSTD(1)),
    throttle UInt64 CODEC(T64, ZSTD(1)),
    fault UInt64 CODEC(T64, ZSTD(1)),
    in_progress UInt64 CODEC(T64, ZSTD(1)),
    total_time Int64 CODEC(T64, ZSTD(1)),
    histogram Map(UInt64, UInt64) CODEC(ZSTD(1)),
    longer Map(UInt64, Int64) CODEC(ZSTD(1)),
    failures Map(String, UInt64) CODEC(ZSTD(1)),
    built UInt8 CODEC(ZSTD(1)),
    rows UInt64 CODEC(T64, ZSTD(1)) COMMENT 'of a marker: the rows that were counted',
    oldest DateTime('UTC') CODEC(ZSTD(1)) COMMENT 'of a marker: when the first of them was received',
    rev UInt64 CODEC(Delta(8), ZSTD(1)),
    rolled DateTime('UTC') DEFAULT now() CODEC(Delta(4), ZSTD(1))
)
ENGINE = ReplacingMergeTree(rev)
PARTITION BY toYYYYMM(rolled)
ORDER BY (width, kind, slot, source_account, source_name, source_type, account, name, type)
TTL rolled + toIntervalDay(if(width = 60, 400, 60))
SETTINGS index_granularity = 1024;

-- Minutes whose count may be out of date (microseconds since the epoch). arrived: a row came;
-- related: a row came elsewhere that its units depend on; confirm: look once more from then on,
-- since an insert may become visible a while after it said so here.
CREATE TABLE IF NOT EXISTS dirty (
    minute UInt32,
    arrived SimpleAggregateFunction(max, Int64),
    related SimpleAggregateFunction(max, Int64),
    confirm SimpleAggregateFunction(max, Int64),
    rows SimpleAggregateFunction(sum, UInt64)
)
ENGINE = AggregatingMergeTree
ORDER BY minute
TTL toDateTime(intDiv(greatest(arrived, related, confirm), 1000000)) + INTERVAL 60 DAY
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS dirty_from_segments TO dirty AS
SELECT toUInt32(greatest(0, intDiv(start, 60000000))) AS minute,
       toUnixTimestamp64Micro(now64(6)) AS arrived, arrived + 60000000 AS confirm, count() AS rows
FROM segments GROUP BY minute;
CREATE MATERIALIZED VIEW IF NOT EXISTS dirty_from_calls TO dirty AS
SELECT toUInt32(greatest(0, intDiv(start, 60000000))) AS minute,
       toUnixTimestamp64Micro(now64(6)) AS arrived, arrived + 60000000 AS confirm, count() AS rows
FROM calls GROUP BY minute;
CREATE MATERIALIZED VIEW IF NOT EXISTS dirty_from_links TO dirty AS
SELECT toUInt32(greatest(0, intDiv(start, 60000000))) AS minute,
       toUnixTimestamp64Micro(now64(6)) AS arrived, arrived + 60000000 AS confirm, count() AS rows
FROM links GROUP BY minute;

INSERT INTO dirty (minute, arrived, rows)
SELECT minute, toUnixTimestamp64Micro(now64(6)), count() FROM segments GROUP BY minute;
INSERT INTO dirty (minute, arrived, rows)
SELECT minute, toUnixTimestamp64Micro(now64(6)), count() FROM calls GROUP BY minute;

-- "The units of this minute depend on rows of this trace that lie elsewhere": a parent in another
-- minute or not there yet, a call whose document began in another one, the other end of a link.
CREATE TABLE IF NOT EXISTS dependent (
    trace_id FixedString(16) CODEC(ZSTD(1)),
    minute UInt32 CODEC(Delta(4), ZSTD(1)),
    noted DateTime('UTC') DEFAULT now() CODEC(Delta(4), ZSTD(1))
)
ENGINE = ReplacingMergeTree(noted)
ORDER BY (trace_id, minute)
TTL noted + INTERVAL 60 DAY
SETTINGS index_granularity = 1024;

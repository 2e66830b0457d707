-- Minutes with many rows are counted share by share (store/clickhouse/shares.py): the rows of the traces
-- whose ids say that they began in some five seconds. When rows come, the shares they belong to are
-- counted, and the minute is added up from all of them. Laid down here for as long as rows keep coming;
-- a share that is missing is counted.
--
-- Rows are those of `rollups`, of one minute (slot) and share; kind 255 is a marker of the revision, and
-- of a share only the rows with the rev of its newest marker hold. Nothing is replaced, so whoever has
-- read a marker finds its rows.
CREATE TABLE IF NOT EXISTS shares (
    slot UInt32 CODEC(Delta(4), ZSTD(1)),
    share UInt8 CODEC(ZSTD(1)),
    kind UInt8 CODEC(ZSTD(1)),
    source_account LowCardinality(String),
    source_name LowCardinality(String),
    source_type LowCardinality(String),
    account LowCardinality(String),
    name LowCardinality(String),
    type LowCardinality(String),
    names Array(LowCardinality(String)) CODEC(ZSTD(1)),
    active UInt8 CODEC(ZSTD(1)),
    start Int64 CODEC(Delta(8), ZSTD(1)),
    end Int64 CODEC(Delta(8), ZSTD(1)),
    touched UInt64 CODEC(T64, ZSTD(1)),
    ok UInt64 CODEC(T64, ZSTD(1)),
    error UInt64 CODEC(T64, ZSTD(1)),
    throttle UInt64 CODEC(T64, ZSTD(1)),
    fault UInt64 CODEC(T64, ZSTD(1)),
    in_progress UInt64 CODEC(T64, ZSTD(1)),
    observed UInt64 CODEC(T64, ZSTD(1)),
    total_time Int64 CODEC(T64, ZSTD(1)),
    histogram Map(UInt64, UInt64) CODEC(ZSTD(1)),
    longer Map(UInt64, Int64) CODEC(ZSTD(1)),
    failures Map(String, UInt64) CODEC(ZSTD(1)),
    rows UInt64 CODEC(T64, ZSTD(1)) COMMENT 'of a marker: the rows that were counted',
    oldest DateTime('UTC') CODEC(ZSTD(1)) COMMENT 'of a marker: when the first of them was received',
    digest UInt64 CODEC(ZSTD(1)) COMMENT 'of a marker: the sum of their times of insertion',
    rev UInt64 CODEC(Delta(8), ZSTD(1)),
    rolled DateTime('UTC') DEFAULT now() CODEC(Delta(4), ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toStartOfHour(rolled)
ORDER BY (slot, kind, share, rev)
TTL rolled + INTERVAL 2 HOUR
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1;

-- A minute of which no row has come or gone since it was counted need not be counted again to be sure
-- of that. `looked` is when its rows were really counted, microseconds: its rev may say that nothing was new.
ALTER TABLE rollups
    ADD COLUMN IF NOT EXISTS digest UInt64 CODEC(ZSTD(1)) COMMENT 'of a marker: the sum of its rows'' times of insertion' AFTER oldest,
    ADD COLUMN IF NOT EXISTS looked UInt64 DEFAULT intDiv(rev, 1024) CODEC(ZSTD(1)) COMMENT 'of a marker: when it was counted' AFTER digest;

-- What one row changes elsewhere is the count of a share, 0 where that is not known: then all of them.
-- review: count in any case once more from then on, since another process may not have said yet what
-- its count depends on; confirm is for minutes in which a row may have come.
ALTER TABLE dirty ADD COLUMN IF NOT EXISTS share UInt8, MODIFY ORDER BY (minute, share);
ALTER TABLE dirty ADD COLUMN IF NOT EXISTS review SimpleAggregateFunction(max, Int64);
ALTER TABLE dirty MODIFY TTL toDateTime(intDiv(greatest(arrived, related, confirm, review), 1000000)) + INTERVAL 60 DAY;
ALTER TABLE dependent ADD COLUMN IF NOT EXISTS share UInt8, MODIFY ORDER BY (trace_id, minute, share);

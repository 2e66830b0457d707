-- How many spans a sampled one stands for (store/rules/span_sampling.py): what the map counts it as. 1
-- for whatever was not sampled by a rule that says so: rows written before, X-Ray's documents, Zipkin's.
-- The copies of pinned traces lie in the same tables (store/clickhouse/pins.py).
ALTER TABLE segments ADD COLUMN IF NOT EXISTS weight UInt32 DEFAULT 1 CODEC(ZSTD(1)) AFTER members;
ALTER TABLE calls ADD COLUMN IF NOT EXISTS weight UInt32 DEFAULT 1 CODEC(ZSTD(1)) AFTER exception;
ALTER TABLE links ADD COLUMN IF NOT EXISTS weight UInt32 DEFAULT 1 CODEC(ZSTD(1)) AFTER exception;

-- Units that were seen, as against counted. Computed for older rows when it is read: nothing was weighed.
ALTER TABLE rollups ADD COLUMN IF NOT EXISTS observed UInt64 DEFAULT ok + error + throttle + fault + in_progress
    CODEC(T64, ZSTD(1)) COMMENT 'units; the counts are sums of their weights' AFTER in_progress;

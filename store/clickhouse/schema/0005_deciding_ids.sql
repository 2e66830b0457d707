-- "The units of this trace in this bucket depend on rows with this relation to this id" (store/clickhouse/units/deciding.py),
-- of large traces only: which rows decide on a bucket of a small one is looked up by the trace (`cross_bucket_refs`).
-- relation 3: the lookups of the bucket are recorded; its number is the id.
CREATE TABLE IF NOT EXISTS deciding_ids{on_cluster} (
    trace_id FixedString(16) CODEC(ZSTD(1)),
    relation UInt8 CODEC(ZSTD(1)),
    id UInt64 CODEC(NONE),
    bucket UInt64 CODEC(Delta(8), ZSTD(1)),
    written_at DateTime('UTC') DEFAULT now() CODEC(Delta(4), ZSTD(1))
)
ENGINE = {replicated}ReplacingMergeTree(written_at)
ORDER BY (trace_id, relation, id, bucket)
TTL written_at + INTERVAL 60 DAY
SETTINGS index_granularity = 1024;

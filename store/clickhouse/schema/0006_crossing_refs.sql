-- "The units of this bucket of another cell depend on rows of this trace" (store/cells): a reference lies in the cell of the
-- trace that it leads to. sends: the other trace names this one as what it caused, so that it decides on units here, too.
CREATE TABLE IF NOT EXISTS crossing_refs{on_cluster} (
    trace_id FixedString(16) CODEC(ZSTD(1)),
    cell UInt16 CODEC(ZSTD(1)),
    bucket UInt64 CODEC(Delta(8), ZSTD(1)),
    sends UInt8 CODEC(ZSTD(1)),
    written_at DateTime('UTC') DEFAULT now() CODEC(Delta(4), ZSTD(1))
)
ENGINE = {replicated}ReplacingMergeTree(written_at)
ORDER BY (trace_id, cell, bucket, sends)
TTL written_at + INTERVAL 60 DAY
SETTINGS index_granularity = 1024;

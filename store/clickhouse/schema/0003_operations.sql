-- operation: what a span, a segment or a call did (store/rules/operations.py); '' of what names none, and of rows that
-- were stored before. Of few values it takes half a byte a row; names without bound take what they take in `head`.
ALTER TABLE segments{on_cluster} ADD COLUMN IF NOT EXISTS operation LowCardinality(String) CODEC(ZSTD(1));
ALTER TABLE calls{on_cluster} ADD COLUMN IF NOT EXISTS operation LowCardinality(String) CODEC(ZSTD(1));

-- Which operations a service has had, so that lists of services and operations need no rows of traces. Written by the
-- batch (store/clickhouse/write/operations.py): what is new, or was not written for an hour.
CREATE TABLE IF NOT EXISTS operations{on_cluster} (
    service String COMMENT 'its name, without a namespace',
    operation String COMMENT 'store/rules/operations.py; those beyond a bound are (other operations)',
    kind UInt8 COMMENT 'store.model.Kind',
    seen SimpleAggregateFunction(max, DateTime('UTC')) DEFAULT now() COMMENT 'when it was last stored, to the hour'
)
ENGINE = {replicated}AggregatingMergeTree
ORDER BY (service, operation, kind)
TTL seen + INTERVAL 30 DAY
SETTINGS index_granularity = 1024, {window} = 1000, {durable};

-- failure: of a runtime's line on a handler that failed, the exception (store/rules/handler_failures.py); '' of others,
-- and of lines that were stored before. by_arrival: the joiner reads every few seconds which of them have just arrived,
-- whenever they were written; with it, it reads the granules of the last minutes.
ALTER TABLE log_lines{on_cluster} ADD COLUMN IF NOT EXISTS failure LowCardinality(String) CODEC(ZSTD(1));
ALTER TABLE log_lines{on_cluster} ADD INDEX IF NOT EXISTS by_arrival received TYPE minmax GRANULARITY 1;

-- operation: what a span, a segment or a call did (store/rules/operations.py); '' of what names none, and of rows that
-- were stored before. Of few values it takes half a byte a row; names without bound take what they take in `head`.
ALTER TABLE segments{on_cluster} ADD COLUMN IF NOT EXISTS operation LowCardinality(String) CODEC(ZSTD(1));
ALTER TABLE calls{on_cluster} ADD COLUMN IF NOT EXISTS operation LowCardinality(String) CODEC(ZSTD(1));

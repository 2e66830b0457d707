-- Buckets with rows of some traces, with rows that depend on them, and with links of other traces to them.
SELECT DISTINCT bucket FROM traces WHERE trace_id IN $ids
UNION DISTINCT
SELECT DISTINCT bucket FROM cross_bucket_refs WHERE trace_id IN $ids
UNION DISTINCT
SELECT DISTINCT bucket FROM links WHERE other_trace IN $ids

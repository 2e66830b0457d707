-- Traces with references to or from other buckets. Those that are recorded in `cross_bucket_refs` for these buckets
-- are included: a copy that arrived later may have another parent. The table is large; it is only read by trace
-- id, a range of its key.
SELECT DISTINCT trace_id FROM (
    SELECT trace_id FROM odd_traces WHERE is_open
    UNION ALL
    SELECT trace_id FROM cross_bucket_refs WHERE trace_id IN (SELECT trace_id FROM scope_rows)
)

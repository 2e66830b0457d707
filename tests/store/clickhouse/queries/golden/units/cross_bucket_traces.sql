SELECT DISTINCT trace_id FROM (
    SELECT trace_id FROM odd_traces WHERE is_open
    UNION ALL
    SELECT trace_id FROM cross_bucket_refs WHERE trace_id IN (SELECT trace_id FROM scope_rows)
)

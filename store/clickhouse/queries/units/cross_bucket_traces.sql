-- Traces of $minutes with references to or from other buckets. Traces that are recorded in `cross_bucket_refs` for these
-- buckets are included: a copy that arrived later may have another parent. The table is large; it is only read by trace
-- id, a range of its key.
SELECT DISTINCT trace_id FROM (
    SELECT trace_id FROM cross_bucket_refs_in_scope
    UNION ALL
    SELECT trace_id FROM cross_bucket_refs WHERE trace_id IN (
        SELECT trace_id FROM segments WHERE $minutes
        UNION ALL
        SELECT trace_id FROM calls WHERE $minutes
    )
)

SELECT DISTINCT trace_id FROM (
    SELECT trace_id FROM cross_bucket_refs_in_scope
    UNION ALL
    SELECT trace_id FROM cross_bucket_refs WHERE trace_id IN (
        SELECT trace_id FROM segments WHERE <minutes>
        UNION ALL
        SELECT trace_id FROM calls WHERE <minutes>
    )
)

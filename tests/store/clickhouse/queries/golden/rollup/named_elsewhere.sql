SELECT hex(trace_id), cell, bucket, max(sends) FROM crossing_refs WHERE trace_id IN (
    SELECT trace_id FROM segments WHERE <rows>
    UNION ALL
    SELECT trace_id FROM calls WHERE <rows>
    UNION ALL
    SELECT trace_id FROM links WHERE <rows>
) GROUP BY trace_id, cell, bucket

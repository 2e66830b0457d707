-- The traces with anything that starts in pieces of minutes, and the hash by which `bucket_rollups` knows each.
SELECT hex(trace_id), cityHash64(trace_id) FROM (
    SELECT trace_id FROM segments WHERE $rows AND $not_pinned_copy
    UNION ALL
    SELECT trace_id FROM calls WHERE $rows AND $not_pinned_copy
)
GROUP BY trace_id

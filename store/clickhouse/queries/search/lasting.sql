-- Traces from whose first start to whose last end, in any copy of a document or call, it takes so long.
SELECT trace_id FROM (
    SELECT trace_id, start, duration FROM segments WHERE $rows
    UNION ALL
    SELECT trace_id, start, duration FROM calls WHERE $rows
)
GROUP BY trace_id HAVING max(start + duration) - min(start) >= $least

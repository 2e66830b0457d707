-- Traces from whose first start to whose last end, in any copy of a document or call, it takes so long.
SELECT trace_id FROM traces WHERE $rows GROUP BY trace_id HAVING max(end) - min(lo) >= $least

SELECT trace_id FROM traces WHERE trace_id IN (SELECT trace_id FROM scope_rows)
GROUP BY trace_id HAVING uniqExact(bucket) > 1
UNION ALL
SELECT other_trace FROM links WHERE upstream = 0

-- Traces whose documents, each in its newest copy, span so long.
SELECT trace_id FROM (
    SELECT trace_id, argMax((start, start + duration), ver) AS newest
    FROM segments WHERE $rows GROUP BY trace_id, id
)
GROUP BY trace_id HAVING max(newest.2) - min(newest.1) >= $least

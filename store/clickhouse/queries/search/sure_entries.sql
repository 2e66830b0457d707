-- Traces whose earliest segment has no parent, so that it is the entry, and fits.
SELECT trace_id FROM (
    SELECT trace_id, id, argMax((independent, start, parent_id = 0 AND $condition), ver) AS newest
    FROM segments WHERE $rows GROUP BY trace_id, id
)
WHERE newest.1 = $Independent.NO GROUP BY trace_id HAVING argMin(newest.3, (newest.2, id))

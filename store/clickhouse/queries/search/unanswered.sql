-- Traces with a fitting call that no segment names as its parent in its newest copy, but a CONSUMER (5) or what
-- fetched messages: these answer none.
SELECT trace_id FROM calls WHERE $rows AND $condition AND (trace_id, id) NOT IN (
    SELECT trace_id, argMax(parent_id, ver) FROM segments
    WHERE $rows AND trace_id IN (SELECT trace_id FROM calls WHERE $rows AND $condition)
    GROUP BY trace_id, id HAVING argMax(independent = 0 AND kind != 5 AND fetched = 0, ver)
)

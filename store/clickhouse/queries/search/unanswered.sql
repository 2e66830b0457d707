-- Traces with a fitting call that no segment which answers calls names as its parent in its newest copy.
SELECT trace_id FROM calls WHERE $rows AND $condition AND (trace_id, id) NOT IN (
    SELECT trace_id, argMax(parent_id, ver) FROM segments
    WHERE $rows AND trace_id IN (SELECT trace_id FROM calls WHERE $rows AND $condition)
    GROUP BY trace_id, id HAVING argMax(independent = $Independent.NO AND $answers, ver)
)

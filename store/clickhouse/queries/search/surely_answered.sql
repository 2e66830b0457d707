-- Traces with a call that the newest copy of a fitting segment which answers calls names as its parent, and whose newest
-- copy fits.
SELECT trace_id FROM calls
WHERE $rows AND (trace_id, id) IN (SELECT trace_id, id FROM calls WHERE $rows AND $condition)
  AND (trace_id, id) IN (
    SELECT trace_id, argMax(parent_id, ver) FROM segments
    WHERE $rows AND (trace_id, id) IN (
        SELECT trace_id, id FROM segments WHERE $rows AND independent = $Independent.NO AND parent_id != 0 AND $answer
    )
    GROUP BY trace_id, id HAVING argMax(independent = $Independent.NO AND $answers AND $answer, ver)
  )
GROUP BY trace_id, id HAVING argMax($condition, ver)

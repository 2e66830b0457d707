-- Traces with a call that the newest copy of a fitting segment names as its parent, but a CONSUMER (5) or what
-- fetched messages, and whose newest copy fits.
SELECT trace_id FROM calls
WHERE $rows AND (trace_id, id) IN (SELECT trace_id, id FROM calls WHERE $rows AND $condition)
  AND (trace_id, id) IN (
    SELECT trace_id, argMax(parent_id, ver) FROM segments
    WHERE $rows AND (trace_id, id) IN (
        SELECT trace_id, id FROM segments WHERE $rows AND independent = 0 AND parent_id != 0 AND $answer
    )
    GROUP BY trace_id, id HAVING argMax(independent = 0 AND kind != 5 AND fetched = 0 AND $answer, ver)
  )
GROUP BY trace_id, id HAVING argMax($condition, ver)

-- Traces with a call whose newest copy fits and that no copy of a segment, or of a span that may enter its
-- service, names as its parent.
SELECT trace_id FROM calls
WHERE $rows AND (trace_id, id) IN (SELECT trace_id, id FROM calls WHERE $rows AND $condition)
  AND (trace_id, id) NOT IN (
    SELECT trace_id, parent_id FROM segments WHERE $rows AND independent IN ($Independent.NO, $Independent.OF_SENDER) AND parent_id != 0
      AND trace_id IN (SELECT trace_id FROM calls WHERE $rows AND $condition)
  )
GROUP BY trace_id, id HAVING argMax($condition, ver)

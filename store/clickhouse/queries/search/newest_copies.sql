-- Traces with a row whose newest copy fits, among the rows of which some copy does. A copy may start in
-- another minute, so FINAL does not compare all.
SELECT trace_id FROM $table
WHERE $rows AND (trace_id, id) IN (SELECT trace_id, id FROM $table WHERE $rows AND $condition)
GROUP BY trace_id, id HAVING argMax($condition, ver)

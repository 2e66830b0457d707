-- Traces with a fitting segment whose parent is no call.
SELECT trace_id FROM segments
WHERE $rows AND independent = $Independent.NO AND $condition AND (parent_id = 0 OR (trace_id, parent_id) NOT IN (
    SELECT trace_id, id FROM calls WHERE $rows AND trace_id IN (
        SELECT trace_id FROM segments
        WHERE $rows AND independent = $Independent.NO AND $condition AND parent_id != 0
    )
))

-- Traces with a call of a kind that no segment names as its parent.
SELECT trace_id FROM calls WHERE $rows AND $calls AND (trace_id, id) NOT IN (
    SELECT trace_id, parent_id FROM segments FINAL
    WHERE $rows AND independent = 0 AND parent_id != 0
      AND trace_id IN (SELECT trace_id FROM calls WHERE $rows AND $calls)
)

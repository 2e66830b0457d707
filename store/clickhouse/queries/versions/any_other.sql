-- Whether some nodes have units that are no segments: spans that may enter their service, or calls that no segment answers.
SELECT 1 FROM (
    SELECT trace_id FROM segments
    WHERE $rows AND $nodes AND independent = $Independent.OF_SENDER
      AND (trace_id, parent_id) NOT IN (SELECT trace_id, id FROM segments WHERE $near AND $named)
    LIMIT 1
    UNION ALL
    SELECT trace_id FROM calls
    WHERE $rows AND $named AND (trace_id, id) NOT IN (
        SELECT trace_id, parent_id FROM segments
        WHERE $near AND independent = $Independent.NO AND $answers AND trace_id IN (SELECT trace_id FROM calls WHERE $rows AND $named)
    )
    LIMIT 1
)
LIMIT 1

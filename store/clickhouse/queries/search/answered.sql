-- Traces with a fitting call that some copy of a fitting segment, or of a span that may enter its service, names as its parent.
SELECT trace_id FROM calls WHERE $rows AND $condition AND (trace_id, id) IN (
    SELECT trace_id, parent_id FROM segments
    WHERE $rows AND independent IN (0, 2) AND parent_id != 0 AND $answer
)

-- Traces with a fitting call that some copy of a fitting segment, or of a span that may enter its service, names as its parent; or
-- with one that a span names, which may be a call that is one with it (store.layers), if there is such a segment.
SELECT trace_id FROM calls WHERE $rows AND $condition AND (trace_id, id) IN (
    SELECT trace_id, parent_id FROM segments
    WHERE $rows AND independent IN ($Independent.NO, $Independent.OF_SENDER) AND parent_id != 0 AND $answer
    UNION ALL
    SELECT trace_id, parent_id FROM segments WHERE $rows AND independent > $Independent.OF_PARENT AND parent_id != 0 AND trace_id IN (
        SELECT trace_id FROM segments WHERE $rows AND independent IN ($Independent.NO, $Independent.OF_SENDER) AND parent_id != 0 AND $answer
    )
)

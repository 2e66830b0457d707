-- Traces with a fitting segment, or span that may enter its service, whose parent is a segment, or a subsegment of one that is no call
-- (`members`), or names nothing.
SELECT trace_id FROM segments
WHERE $rows AND independent IN ($Independent.NO, $Independent.OF_SENDER) AND parent_id != 0 AND $condition AND (trace_id, parent_id) IN (
    SELECT trace_id, arrayJoin(arrayPushFront(members, id)) FROM segments WHERE $rows AND $parents
    UNION ALL
    SELECT trace_id, id FROM calls WHERE $rows AND name = ''
)

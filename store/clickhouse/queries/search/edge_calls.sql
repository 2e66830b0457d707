-- Traces with a call along an edge: answered by the target's segment, or unanswered. The parent of that
-- segment is a call of the source, or a subsegment that is no call (`members`).
SELECT trace_id FROM segments
WHERE $rows AND independent = 0 AND parent_id != 0 AND $target
  AND ((trace_id, parent_id) IN (SELECT trace_id, id FROM calls WHERE $rows AND $owner)
       OR (trace_id, parent_id) IN (
           SELECT trace_id, arrayJoin(arrayPushFront(members, id)) FROM segments
           WHERE $rows AND (independent = 1 OR ($source))
       ))
UNION ALL
$unanswered

-- Traces with a unit of a node: a segment, or a call without a responding segment.
SELECT trace_id FROM segments WHERE $rows AND independent = 0 AND $same
UNION ALL
$unanswered

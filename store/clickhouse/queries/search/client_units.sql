-- Traces with a unit of a client node: it stands before a root of that name ($roots); other documents
-- may also claim the type for themselves.
$roots
UNION ALL
SELECT trace_id FROM segments WHERE $rows AND $same
UNION ALL
SELECT trace_id FROM calls WHERE $rows AND $same

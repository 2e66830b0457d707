-- Traces with documents of an edge's source. A call belongs to its segment though a later copy of that
-- has another name.
SELECT trace_id FROM segments WHERE $rows AND independent = 0 AND $same
UNION ALL
SELECT trace_id FROM calls WHERE $rows AND independent = 0 AND $own

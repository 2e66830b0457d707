-- Every document of the traces in which kinship must be looked up: those with a segment in the
-- window whose parent is no call, those with a streamed call in the window, and both ends of links.
SELECT trace_id, id, parent_id, independent, members, account, name, type, start + duration AS end
FROM segments FINAL
WHERE minute BETWEEN intDiv(:lo, 60000000) AND intDiv(:hi, 60000000)
  AND (trace_id IN (SELECT trace_id FROM orphaned WHERE parent_id != 0)
    OR trace_id IN (SELECT trace_id FROM calls
                    WHERE minute BETWEEN intDiv(:from, 60000000) AND intDiv(:to, 60000000)
                      AND start >= :from AND start < :to AND independent = 1)
    OR trace_id IN (SELECT trace_id FROM linked WHERE independent = 1)
    OR trace_id IN (SELECT other_trace FROM linked))

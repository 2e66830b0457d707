-- Every document of the traces in which kinship must be counted_at up: those with a segment in :own
-- whose parent is no call, those with a streamed call in :own, and both ends of links.
SELECT trace_id, id, parent_id, independent, members, account, name, type, start + duration AS end
FROM segments FINAL
WHERE :near AND :newest_segments
  AND (trace_id IN (SELECT trace_id FROM orphaned)
    OR trace_id IN (SELECT trace_id FROM calls WHERE :own AND independent = 1)
    OR trace_id IN (SELECT trace_id FROM linked WHERE independent = 1)
    OR trace_id IN (SELECT other_trace FROM linked))

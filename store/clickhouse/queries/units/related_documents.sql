-- All documents of the traces whose parents must be resolved: traces with a segment in $target whose parent
-- is not a call, with a streamed call in $target, or at either end of a link.
SELECT trace_id, id, parent_id, independent, members, account, name, type, region,
       start + duration AS end
FROM segments FINAL
WHERE $input AND $newest_segments
  AND (trace_id IN (SELECT trace_id FROM without_call_parent)
    OR trace_id IN (SELECT trace_id FROM calls WHERE $target AND independent = 1)
    OR trace_id IN (SELECT trace_id FROM links_in_scope WHERE independent = 1)
    OR trace_id IN (SELECT other_trace FROM links_in_scope)
    OR trace_id IN (SELECT trace_id FROM sender_links))

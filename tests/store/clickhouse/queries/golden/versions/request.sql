(NOT (parent_id = 0 AND kind IN (1, 3, 4) AND before_name = '')
 OR (trace_id, id) IN (SELECT trace_id, document_id FROM links WHERE <rows> AND upstream = 1 AND <not_pinned_copy>)
 OR trace_id IN (
    SELECT trace_id FROM crossing_refs
    WHERE sends = 1 AND trace_id IN (SELECT trace_id FROM segments WHERE <rows> AND <nodes> AND (parent_id = 0 AND kind IN (1, 3, 4) AND before_name = ''))
) OR trace_id IN (
    SELECT other_trace FROM links
    WHERE upstream = 0 AND other_trace IN (SELECT trace_id FROM segments WHERE <rows> AND <nodes> AND (parent_id = 0 AND kind IN (1, 3, 4) AND before_name = ''))
))

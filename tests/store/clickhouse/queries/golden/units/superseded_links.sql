SELECT trace_id, document_id, other_trace, other_id, upstream, minute FROM (
    SELECT trace_id, document_id, other_trace, other_id, upstream,
           argMax(minute, ver) AS newest, groupUniqArray(minute) AS minutes FROM links
    WHERE <input> AND <cross_minute>
    GROUP BY trace_id, document_id, other_trace, other_id, upstream HAVING length(minutes) > 1
)
ARRAY JOIN minutes AS minute
WHERE minute != newest

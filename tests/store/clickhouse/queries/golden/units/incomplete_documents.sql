SELECT DISTINCT t.trace_id AS trace_id, t.document_id AS document_id
FROM (
    SELECT trace_id, document_id FROM detached_calls
    UNION ALL
    SELECT trace_id, document_id FROM calls WHERE <input> AND <cross_bucket>
) AS t
LEFT ANTI JOIN (
    SELECT trace_id, id FROM segments
    WHERE <input> AND (<cross_bucket> OR trace_id IN (SELECT trace_id FROM detached_calls))
) AS s ON t.trace_id = s.trace_id AND t.document_id = s.id

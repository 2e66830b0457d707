(trace_id, document_id) NOT IN (SELECT trace_id, document_id FROM incomplete_documents)
AND (inserted < toUnixTimestamp64Micro(now64(6)) - 10000000 OR (trace_id, document_id) IN (
    SELECT trace_id, id FROM segments WHERE <input> AND trace_id IN (<traces>)
))

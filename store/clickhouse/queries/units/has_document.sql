-- Calls whose documents are stored (incomplete_documents.sql). Rows that arrived after
-- `incomplete_documents` was filled are not in it, so the statement that aggregates checks recent rows again.
-- $traces: a statement for the traces of these.
(trace_id, document_id) NOT IN (SELECT trace_id, document_id FROM incomplete_documents)
AND (inserted < /*include units/ten_seconds_ago*/ OR (trace_id, document_id) IN (
    SELECT trace_id, id FROM segments WHERE $input AND trace_id IN ($traces)
))

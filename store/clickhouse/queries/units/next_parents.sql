-- Continues the walk of the documents whose parent is in an independent subsegment.
SELECT c.trace_id AS trace_id, c.document_id AS document_id, h.parent_id AS at FROM parent_walk AS c
INNER JOIN containing_documents AS h ON c.trace_id = h.trace_id AND c.at = h.member
WHERE h.independent = 1

-- Ends the walk of the documents whose parent is in a segment.
INSERT INTO owning_segments SELECT c.trace_id, c.document_id, h.account, h.name, h.type, h.region FROM parent_walk AS c
INNER JOIN containing_documents AS h ON c.trace_id = h.trace_id AND c.at = h.member
WHERE h.independent = 0

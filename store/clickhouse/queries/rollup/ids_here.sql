-- The ids of rows in $rows: of documents (kind 0) with their parents and members, of calls (1) with their documents, and
-- of links (2) with the traces that they lead to. `unsure`: a document that a later copy may replace.
SELECT hex(trace_id), bucket, 0 AS kind, id, parent_id AS refers_to, members, '' AS other, $may_be_replaced AS unsure
FROM segments WHERE $rows
UNION ALL
SELECT hex(trace_id), bucket, 1, id, document_id, [], '', 0 FROM calls WHERE $rows
UNION ALL
SELECT hex(trace_id), bucket, 2, 0, 0, [], hex(other_trace), 0 FROM links WHERE $rows

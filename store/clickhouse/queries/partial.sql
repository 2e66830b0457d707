-- Documents whose calls or links are there and they are not, or not yet: a batch is several inserts,
-- `segments` last. Until then its calls and links are not there either: an answer may lie in the same
-- batch, and a map asked in between would show a node that is none.
SELECT DISTINCT t.trace_id AS trace_id, t.document_id AS document_id
FROM (
    SELECT trace_id, document_id FROM loose
    UNION ALL
    SELECT trace_id, document_id FROM calls WHERE :near AND :far
    UNION ALL
    SELECT trace_id, document_id FROM links WHERE :near AND :far
) AS t
LEFT ANTI JOIN (
    SELECT trace_id, id FROM segments
    WHERE :near AND (:far OR trace_id IN (SELECT trace_id FROM loose))
) AS s ON t.trace_id = s.trace_id AND t.document_id = s.id

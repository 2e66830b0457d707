-- Documents whose cause in another trace is known (store.facts.caused_documents): a link of theirs to it resolves, or
-- a link from it names something in them.
SELECT l.trace_id AS trace_id, l.document_id AS id
FROM links_in_scope AS l INNER JOIN link_ends AS e ON l.other_trace = e.trace_id AND l.other_id = e.id
WHERE l.upstream = 1
UNION ALL
SELECT s.trace_id AS trace_id, h.id AS id
FROM sender_links AS s INNER JOIN containing_documents AS h ON s.trace_id = h.trace_id AND s.id = h.member

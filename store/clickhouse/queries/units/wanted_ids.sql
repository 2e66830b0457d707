-- The ids whose containing documents are needed.
SELECT trace_id, parent_id AS member FROM without_call_parent
UNION ALL
SELECT trace_id, parent_id AS member FROM related_documents WHERE independent = 1
UNION ALL
SELECT other_trace AS trace_id, other_id AS member FROM links_in_scope
UNION ALL
SELECT trace_id, id AS member FROM sender_links

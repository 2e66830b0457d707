-- Traces with links to what caused a segment, of links in $rows, and those that a sender names: background work may be none.
SELECT trace_id FROM links WHERE $rows AND upstream = 1
UNION ALL
SELECT other_trace FROM links WHERE upstream = 0

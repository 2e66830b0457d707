-- How many documents, calls and links need the tables of parent resolution.
SELECT (SELECT count() FROM without_call_parent) + (SELECT count() FROM links_in_scope) + (SELECT count() FROM sender_links)
     + (SELECT count() FROM (SELECT 1 FROM calls WHERE $target AND independent = 1 LIMIT 1))

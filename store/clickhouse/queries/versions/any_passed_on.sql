-- Whether a proxy reports requests of some nodes.
SELECT 1 FROM segments WHERE $rows AND $nodes AND $passed_on LIMIT 1
